"""Asking until there is a reply, within reason.

Each class of failure has a budget of its own, at each endpoint: unreachable and server errors
`attempts` tries, "slow down" twice as many, a time-out or an empty reply two (they may have been
paid for), a refusal one. A reply that was cut off is asked for once more, with a higher limit where
one was given; both replies are kept. Between tries it waits `backoff_s`, doubled each time, with
jitter, or what `Retry-After` says; another endpoint of the batch is asked at once.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import JsonValue

from labeling.synthesis.client import CallFailed
from labeling.synthesis.lanes import FATAL, Heard, Lane, Pool, Turn
from labeling.synthesis.replies import ChatReply, read_body
from labeling.synthesis.streams import CUT
from schemas.model_endpoints import EndpointSettings
from schemas.synthesis import Reason

__all__ = ["FATAL", "MAX_WAIT_S", "Asked", "Patience", "Wanted", "ask_patiently"]

MAX_WAIT_S = 300.0
_LOOK_AGAIN_S = 0.25
"""After which the purse is looked into again, where it has no room for one more question."""
_TWO_TRIES = frozenset({"timeout", "empty", "unreadable_body"})


def _never(_: ChatReply) -> bool:
    return False


class Wanted(NamedTuple):
    """What is asked: the messages, the parameters, and those for a second try after a cut-off.

    `is_cut_off` tells of a reply that ran into its limit whether anything is missing.
    """

    messages: Sequence[Mapping[str, str]]
    parameters: Mapping[str, JsonValue]
    reply_key: str
    raised: Mapping[str, JsonValue] | None = None
    is_cut_off: Callable[[ChatReply], bool] = _never


class Patience(NamedTuple):
    """How often and how long to try; `stopping` ends every wait, `on_spent` hears of the purse."""

    attempts: int
    backoff_s: float
    stopping: asyncio.Event
    on_spent: Callable[[Reason], None] = lambda _: None

    def budget(self, kind: str) -> int:
        """How many failures of this kind end the asking of one endpoint."""
        if kind in _TWO_TRIES:
            return min(2, self.attempts)
        if kind == "rate_limited":
            return 2 * self.attempts
        return self.attempts if kind in ("unreachable", "server_error") else 1


class CutOff(NamedTuple):
    """The reply that came first and was not whole."""

    body: bytes
    reply: ChatReply


class Paid(NamedTuple):
    """What all replies to a question cost together."""

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    money: float = 0.0


class Asked(NamedTuple):
    """The end of asking: the last body that came, or the failure; neither when it was given up.

    `by` is whose reply or failure it is; `first` the reply that was cut off before.
    """

    body: bytes | None
    reply: ChatReply | None
    failure: CallFailed | None
    attempts: int
    seconds: float
    by: EndpointSettings | None = None
    first: CutOff | None = None
    paid: Paid = Paid()

    @property
    def is_given_up(self) -> bool:
        """Whether the process stopped before there was an end."""
        return self.body is None and self.failure is None


async def ask_patiently(
    pool: Pool, wanted: Wanted, *, patience: Patience, on_failure: Heard
) -> Asked:
    """Ask until there is a reply or the patience with every endpoint is spent."""
    asking = _Asking(pool, wanted, patience, on_failure)
    return await asking.run()


@dataclass(slots=True)
class _Asking:
    """One question on its way to a reply."""

    pool: Pool
    wanted: Wanted
    patience: Patience
    on_failure: Heard
    body: bytes | None = None
    reply: ChatReply | None = None
    failure: CallFailed | None = None
    first: CutOff | None = None
    by: EndpointSettings | None = None
    paid: Paid = field(default_factory=Paid)
    tries: int = 0
    failures: Counter[tuple[int, str]] = field(default_factory=Counter[tuple[int, str]])
    resting: dict[Lane, float] = field(default_factory=dict[Lane, float])
    spent: set[Lane] = field(default_factory=set[Lane])

    async def run(self) -> Asked:
        begun = time.monotonic()
        while (turn := await self._turn()) is not None:
            self.tries += 1
            kind = await self._try(turn)
            if kind is None or not self._bear(kind, turn):
                break
        else:
            # What came last may be all that there is.
            if self.body is None and self.patience.stopping.is_set():
                self.failure = None
        if self.first is not None and self.reply is None:
            # The second try brought nothing better.
            self.body, self.reply = self.first.body, self.first.reply
            self.failure, self.first = None, None
        seconds = time.monotonic() - begun
        return Asked(
            self.body, self.reply, self.failure, self.tries, seconds, self.by, self.first, self.paid
        )

    async def _try(self, turn: Turn) -> str | None:
        """Send the question once; what kind of failure it was, or None for a reply to keep."""
        is_second = self.first is not None
        parameters = self.wanted.raised if is_second else None
        self.by = turn.lane.settings
        try:
            came = await turn.lane.client.ask(
                self.wanted.messages,
                self.wanted.parameters if parameters is None else parameters,
                reply_key=f"{self.wanted.reply_key}{'+' if is_second else ''}",
            )
        except CallFailed as error:
            self.failure = error
            turn.lane.pace.heard(error.headers)
            turn.lane.failed(error.kind)
            self.on_failure(error.kind, turn.lane)
            return error.kind
        finally:
            self.pool.end(turn)
        turn.lane.pace.heard(came.headers)
        self.body, self.failure, self.reply = came.body, None, read_body(came.body)
        self._pay(turn)
        if self.reply is None:
            turn.lane.failed("unreadable_body")
            return "unreadable_body"
        if self.reply.is_empty:
            self.reply = None if is_second else self.reply
            return "empty"
        return "cut_off" if self._may_ask_longer() else None

    def _may_ask_longer(self) -> bool:
        reply = self.reply
        if reply is None or self.first is not None or not reply.is_cut_off:
            return False
        if reply.finish_reason != CUT and self.wanted.raised is None:
            return False
        return self.wanted.is_cut_off(reply)

    def _bear(self, kind: str, turn: Turn) -> bool:
        """Whether to go on after a failure, and when, and with whom."""
        if kind == "cut_off":
            assert self.body is not None and self.reply is not None
            self.first = CutOff(self.body, self.reply)
            self.body, self.reply = None, None
            return True
        lane = turn.lane
        mine = id(lane), kind
        self.failures[mine] += 1
        if self.failures[mine] >= self.patience.budget(kind):
            self.spent.add(lane)
            # What came may have been paid for: only a failure to reply goes to the next.
            return self.body is None and self.pool.has_other(self.spent)
        wait_s = self._wait_s(kind, self.failures[mine])
        if kind == "rate_limited":
            lane.throttle.slow_down(wait_s, turn.cuts)
        self.resting[lane] = time.monotonic() + wait_s
        return True

    def _pay(self, turn: Turn) -> None:
        reply, settings = self.reply, turn.lane.settings
        if reply is None:
            turn.lane.pace.replied(turn.sent, 0)
            return
        tokens = reply.input_tokens + reply.output_tokens
        money = settings.cost(reply.input_tokens, reply.output_tokens)
        turn.lane.replied(turn.sent, tokens)
        self.pool.purse.pay(money, tokens)
        had = self.paid
        self.paid = Paid(
            had.input_tokens + reply.input_tokens,
            had.output_tokens + reply.output_tokens,
            had.reasoning_tokens + reply.reasoning_tokens,
            had.money + money,
        )

    async def _turn(self) -> Turn | None:
        """Wait until the question may be sent; None at a stop, or when the purse is empty."""
        while not self.patience.stopping.is_set():
            if self.spent and not self.pool.has_other(self.spent):
                return None
            may = self.pool.purse.may()
            if may == "stop":
                self.patience.on_spent(self.pool.purse.stop_reason())
                return None
            turn = self.pool.begin(self.resting, self.spent) if may == "send" else _LOOK_AGAIN_S
            if isinstance(turn, Turn):
                return turn
            if turn is None:
                await self.pool.room()
            else:
                await _wait(turn, self.patience)
        return None

    def _wait_s(self, kind: str, failures: int) -> float:
        backoff_s = self.patience.backoff_s
        if self.failure is not None and self.failure.retry_after_s is not None:
            return min(self.failure.retry_after_s, MAX_WAIT_S) + random.uniform(0, backoff_s / 4)
        return min(backoff_s * 2 ** (failures - 1), MAX_WAIT_S) * random.uniform(0.75, 1.25)


async def _wait(seconds: float, patience: Patience) -> None:
    """Wait, but not longer than until the stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(patience.stopping.wait(), seconds)
