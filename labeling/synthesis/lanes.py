"""The endpoints that share a batch: who is asked next, and who is left alone for a while.

A question goes to the endpoint that has the fewest under way for its weight, among those that are
well, have room and may be asked now. One that refuses key, model or credit is asked no more; one
that failed several times in a row rests, longer each time, and is then tried with one question.
What it would have had goes to the others. The last that is left never rests: whether it is down is
for the batch to say.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from labeling.synthesis.client import Asks
from labeling.synthesis.pace import Pace, Sent
from labeling.synthesis.purse import Purse
from labeling.synthesis.throttle import Throttle
from schemas.model_endpoints import EndpointSettings

FATAL = frozenset({"key_refused", "model_unknown", "no_credit"})
IN_VAIN = 8
_REST_S, _LONGEST_REST_S = 15.0, 300.0


class Turn(NamedTuple):
    """A question may be sent to this endpoint now; `cuts` is what its throttle said."""

    lane: "Lane"
    cuts: int
    sent: Sent


class Lane:
    """One endpoint of a batch."""

    def __init__(self, settings: EndpointSettings, client: Asks, ceiling: int) -> None:
        self.settings = settings
        self.client = client
        self.throttle = Throttle(ceiling)
        self.pace = Pace(settings.requests_per_minute, settings.tokens_per_minute)
        self.under_way = 0
        self.is_refused = False
        self._in_vain = 0
        self._rests = 0
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether it is left alone for now; when it was long enough, one question tries it."""
        if self._in_vain < IN_VAIN:
            return False
        return self.under_way > 0 or time.monotonic() < self._rests_until

    @property
    def rest_s(self) -> float:
        """How long it still rests."""
        return max(0.0, self._rests_until - time.monotonic())

    @property
    def load(self) -> float:
        """What one more question would make of it beside the others."""
        return (self.under_way + 1) / self.settings.weight

    def hold_s(self) -> float:
        """How long it is not to be asked, for its own limits."""
        return max(self.throttle.hold_s(), self.pace.hold_s())

    def failed(self, kind: str) -> None:
        """A question failed."""
        if kind in FATAL:
            self.is_refused = True
        elif kind in ("unreachable", "server_error", "timeout", "unreadable_body"):
            self._in_vain += 1
            if self._in_vain >= IN_VAIN and self.rest_s <= 0:
                self._rests_until = time.monotonic() + min(
                    _REST_S * 2**self._rests, _LONGEST_REST_S
                )
                self._rests += 1

    def replied(self, sent: Sent, tokens: int) -> None:
        """A reply of a model is there."""
        self._in_vain = self._rests = 0
        self.throttle.replied()
        self.pace.replied(sent, tokens)


class Pool:
    """The endpoints of a batch, the slots of its questions, and its purse."""

    def __init__(self, lanes: Sequence[Lane], concurrency: int, purse: Purse) -> None:
        self.lanes = tuple(lanes)
        self.purse = purse
        self._concurrency = concurrency
        self._in_use = 0
        self._changed = asyncio.Condition()
        self._room = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many questions may be in hand."""
        return min(self._concurrency, sum(lane.throttle.limit for lane in self._well()))

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

    def begin(self, resting: Mapping[Lane, float], spent: AbstractSet[Lane]) -> Turn | float | None:
        """A turn; or the seconds until there may be one; or None when only a reply makes room.

        `resting` are endpoints that this question is to leave alone until then (monotonic), `spent`
        those that have used up its patience.
        """
        now = time.monotonic()
        best: Lane | None = None
        wait_s: float | None = None
        for lane in self._well():
            if lane in spent:
                continue
            hold_s = max(lane.hold_s(), resting.get(lane, 0.0) - now)
            if hold_s > 0:
                wait_s = hold_s if wait_s is None else min(wait_s, hold_s)
            elif lane.throttle.has_room and (best is None or lane.load < best.load):
                best = lane
        if best is None:
            return self._until_back(wait_s, spent)
        cuts = best.throttle.begin()
        if cuts is None:
            return None
        best.under_way += 1
        self.purse.under_way += 1
        return Turn(best, cuts, best.pace.begin())

    def end(self, turn: Turn) -> None:
        """The question is back, whatever came of it."""
        turn.lane.under_way -= 1
        self.purse.under_way -= 1
        turn.lane.throttle.end()
        self.wake()

    def wake(self) -> None:
        """Let everybody look again."""
        self._room.set()
        self._room = asyncio.Event()

    async def room(self) -> None:
        """Wait until a question is back."""
        await self._room.wait()

    def has_other(self, spent: AbstractSet[Lane]) -> bool:
        """Whether some endpoint is left that has not used up a question's patience."""
        return any(lane not in spent and not lane.is_refused for lane in self.lanes)

    def _well(self) -> list[Lane]:
        """Those that are not resting; all that were not refused, when every one of them rests."""
        taken = [lane for lane in self.lanes if not lane.is_refused] or list(self.lanes)
        if len(taken) == 1:
            return taken
        return [lane for lane in taken if not lane.is_resting] or taken

    def _until_back(self, wait_s: float | None, spent: AbstractSet[Lane]) -> float | None:
        """When to look again: also when the rest of an endpoint is over."""
        rests = [
            lane.rest_s
            for lane in self.lanes
            if lane not in spent and not lane.is_refused and lane.rest_s > 0
        ]
        times = [*rests, *([] if wait_s is None else [wait_s])]
        return min(times) if times else None


Heard = Callable[[str, Lane], None]
"""Hears the kind of each failure as it happens, and whose it was."""
