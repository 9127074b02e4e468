"""When to stop asking: an endpoint that is down must not cost a batch its rows.

A batch stops at once when every endpoint refuses key, model or credit; when none was ever reached
in a dozen tries each; and when eight requests in a row ended without anything of a model. What
ended without a reply stays in doubt until a reply shows that the endpoint is well: then those
requests have failed; if the batch stops instead, they are as open as before.
"""

from collections import Counter

from labeling.synthesis.asking import FATAL, Asked
from labeling.synthesis.client import CallFailed
from schemas.synthesis import Reason, SynthesisOrder

IN_A_ROW = 8
FIRST_TRIES = 12


class StopRule:
    """Hears how each try and each request ended; `reason` says why to stop, or nothing."""

    def __init__(self, order: SynthesisOrder, endpoints: int = 1) -> None:
        self._order = order
        self._endpoints = endpoints
        self._was_reached = False
        self._tries_in_vain: Counter[str] = Counter()
        self._requests_in_vain = 0
        self._last: CallFailed | None = None
        self.reason: Reason | None = None

    @property
    def is_well(self) -> bool:
        """Whether the last request to end had a reply."""
        return self._requests_in_vain == 0

    def heard_failure(self, kind: str, endpoint: str = "") -> None:
        """A try at an endpoint failed; it may be tried again."""
        if kind != "unreachable":
            self._was_reached = True
        elif not self._was_reached:
            self._tries_in_vain[endpoint] += 1
            in_vain = [each for each in self._tries_in_vain.values() if each >= FIRST_TRIES]
            if len(in_vain) >= self._endpoints:
                self._stop("unreachable", self._tries_in_vain[endpoint], "")

    def stop(self, reason: Reason) -> None:
        """Stop for a reason that is no failure."""
        self.reason = self.reason or reason

    def heard_end(self, asked: Asked) -> None:
        """A request ended."""
        if asked.reply is not None:
            self._was_reached = True
            self._requests_in_vain = 0
            self._last = None
            return
        self._requests_in_vain += 1
        self._last = asked.failure
        if asked.failure is not None and asked.failure.kind in FATAL:
            self._stop_for_good(asked, asked.failure)
        elif self._requests_in_vain >= IN_A_ROW:
            kind = asked.failure.kind if asked.failure else "unreadable_body"
            detail = asked.failure.detail if asked.failure else ""
            self._stop(kind, self._requests_in_vain, detail)

    def heard_last(self) -> None:
        """Nothing is left to ask; an endpoint that was never reached has stopped the batch."""
        if self._last is not None and self._last.kind == "unreachable" and not self._was_reached:
            self._stop("unreachable", self._requests_in_vain, self._last.detail)

    def _stop(self, kind: str, count: int, detail: str) -> None:
        values = {"endpoint": self._order.endpoint, "count": count, "detail": detail}
        self.reason = self.reason or (f"synthesis.stopped_{kind}", {**values})

    def _stop_for_good(self, asked: Asked, failure: CallFailed) -> None:
        by = asked.by
        values = {
            "endpoint": by.url if by else self._order.endpoint,
            "model": by.model if by else self._order.model,
            "name": (by.key_env if by else self._order.key_env) or "—",
            "status": failure.status,
        }
        self.reason = self.reason or (f"synthesis.{failure.kind}", {**values})
