"""How many questions may be under way at once; learnt from how the endpoint takes them.

Additive increase, multiplicative decrease: the first "slow down" of a burst takes a quarter off,
every 25 replies in a row add one, up to what was ordered. A `Retry-After` holds all of them back.
"""

import asyncio
import time

_CUT = 0.75
_REPLIES_PER_STEP = 25
_BURST_S = 2.0


class Throttle:
    """Slots of one event loop for one endpoint and model."""

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self._limit = float(ceiling)
        self._in_use = 0
        self._replies = 0
        self._cut_at = 0.0
        self._open_at = 0.0
        self._changed = asyncio.Condition()

    @property
    def limit(self) -> int:
        """How many may be under way now; never fewer than one."""
        return max(1, int(self._limit))

    async def acquire(self) -> None:
        """Wait for a slot."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._in_use < self.limit)
            self._in_use += 1

    async def release(self) -> None:
        """Give the slot back."""
        async with self._changed:
            self._in_use -= 1
            self._changed.notify_all()

    def hold_s(self) -> float:
        """How long everybody is to wait before the next question."""
        return max(0.0, self._open_at - time.monotonic())

    def slow_down(self, retry_after_s: float) -> None:
        """The endpoint asked for less."""
        now = time.monotonic()
        self._open_at = max(self._open_at, now + retry_after_s)
        self._replies = 0
        if now - self._cut_at > _BURST_S:
            self._cut_at = now
            self._limit = max(1.0, self._limit * _CUT)

    def replied(self) -> None:
        """The endpoint answered."""
        self._replies += 1
        if self._replies >= _REPLIES_PER_STEP:
            self._replies = 0
            self._limit = min(float(self._ceiling), self._limit + 1)
