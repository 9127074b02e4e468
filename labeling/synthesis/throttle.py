"""How many questions may be under way at once; learnt from how the endpoint takes them.

Additive increase, multiplicative decrease: a "slow down" takes a quarter off, once for all the
questions that were sent before it; every 25 replies in a row add one, up to what was ordered. A
`Retry-After` holds all of them back. Both only where more than a tenth of the last hundred were
told so: fewer are the whim of a gateway, and only the question that met it waits.
"""

import time

_CUT = 0.75
_REPLIES_PER_STEP = 25
_TOLERATED = 0.1
_MEMORY = 100


class Throttle:
    """What one endpoint takes of one event loop."""

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self._limit = float(ceiling)
        self._sent = 0
        self._replies = 0
        self._cuts = 0
        self._heard = 0
        self._refused = 0.0
        self._open_at = 0.0

    @property
    def limit(self) -> int:
        """How many may be under way now; never fewer than one."""
        return max(1, int(self._limit))

    @property
    def has_room(self) -> bool:
        """Whether a question may be sent now."""
        return self._sent < self.limit

    def begin(self) -> int | None:
        """Send a question: how often the endpoint had asked for less by then; None without room."""
        if not self.has_room:
            return None
        self._sent += 1
        return self._cuts

    def end(self) -> None:
        """The question is back, whatever came of it."""
        self._sent -= 1

    def hold_s(self) -> float:
        """How long everybody is to wait before the next question."""
        return max(0.0, self._open_at - time.monotonic())

    def slow_down(self, retry_after_s: float, begun: int) -> None:
        """The endpoint asked for less; `begun` is what `begin` said of the question."""
        self._hear(1.0)
        if self._refused <= _TOLERATED:
            return
        self._open_at = max(self._open_at, time.monotonic() + retry_after_s)
        self._replies = 0
        if begun == self._cuts:
            self._cuts += 1
            self._limit = max(1.0, self._limit * _CUT)

    def replied(self) -> None:
        """The endpoint answered."""
        self._hear(0.0)
        self._replies += 1
        if self._replies >= _REPLIES_PER_STEP:
            self._replies = 0
            self._limit = min(float(self._ceiling), self._limit + 1)

    def _hear(self, refusal: float) -> None:
        """The share of refusals: of all at first, later of about the last hundred."""
        self._heard = min(self._heard + 1, _MEMORY)
        self._refused += (refusal - self._refused) / self._heard
