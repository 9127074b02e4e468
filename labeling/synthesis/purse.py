"""What a batch may still spend: nothing is sent that would pass its budget, as far as is known.

What a reply costs is known when it is there. So the mean of those before it is set aside for each
question that is under way, and where the budget has no room for one more, it waits until one is
back; with none under way the batch stops. Before the first reply nothing is known, so a budget is
never passed by more than what was under way.
"""

from typing import Literal

from schemas.synthesis import Budget, Reason

May = Literal["send", "wait", "stop"]


class Purse:
    """The budget of one batch as one process knows it."""

    def __init__(
        self, budget: Budget | None, *, money: float = 0.0, tokens: int = 0, currency: str = ""
    ) -> None:
        self._budget = budget
        self._currency = currency
        self._money = money
        self._tokens = tokens
        self.under_way = 0
        self._replies = 0
        self._money_here = 0.0
        self._tokens_here = 0

    def pay(self, money: float, tokens: int) -> None:
        """A reply came."""
        self._replies += 1
        self._money += money
        self._tokens += tokens
        self._money_here += money
        self._tokens_here += tokens

    def hear(self, budget: Budget | None, money: float, tokens: int) -> None:
        """What is written of the batch: others may work on it, and the budget may be raised."""
        self._budget = budget
        self._money = max(self._money, money)
        self._tokens = max(self._tokens, tokens)

    def may(self) -> May:
        """Whether one more question may be sent beside those that are under way."""
        if self._budget is None:
            return "send"
        if self.reason is not None:
            return "stop"
        if not self._replies:
            return "send"
        money, tokens = self._budget.money, self._budget.tokens
        more = self.under_way + 1
        is_over = (
            money is not None and self._money + more * self._money_here / self._replies > money
        ) or (
            tokens is not None and self._tokens + more * self._tokens_here / self._replies > tokens
        )
        if not is_over:
            return "send"
        return "wait" if self.under_way else "stop"

    @property
    def reason(self) -> Reason | None:
        """Why there is nothing left to spend."""
        return self._told() if self._is_spent() else None

    def stop_reason(self) -> Reason:
        """Why no more is sent: the budget is spent, or has no room for one more answer."""
        return self._told()

    def _is_spent(self) -> bool:
        budget = self._budget
        if budget is None:
            return False
        return (budget.money is not None and self._money >= budget.money) or (
            budget.tokens is not None and self._tokens >= budget.tokens
        )

    def _told(self) -> Reason:
        budget = self._budget or Budget()
        if budget.money is not None and (budget.tokens is None or self._money >= budget.money):
            return "synthesis.stopped_budget_money", {
                "spent": f"{self._money:,.4f} {self._currency}".strip(),
                "budget": f"{budget.money:,.4f} {self._currency}".strip(),
            }
        return "synthesis.stopped_budget_tokens", {
            "spent": f"{self._tokens:,}",
            "budget": f"{budget.tokens or 0:,}",
        }
