"""Asking until there is a reply, within reason.

Each class of failure has a budget of its own: unreachable and server errors `attempts` tries, "slow
down" twice as many, a time-out or an empty reply two (they may have been paid for), a refusal one.
Between tries it waits `backoff_s`, doubled each time, with jitter, or what `Retry-After` says.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from labeling.synthesis.client import CallFailed
from labeling.synthesis.replies import ChatReply, read_body
from labeling.synthesis.throttle import Throttle

MAX_WAIT_S = 300.0
FATAL = frozenset({"key_refused", "model_unknown", "no_credit"})
_TWO_TRIES = frozenset({"timeout", "empty", "unreadable_body"})


class Asks(Protocol):
    """A client: one question, one body, or `CallFailed`."""

    async def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        parameters: Mapping[str, JsonValue],
        *,
        reply_key: str | None = None,
    ) -> bytes:
        """The body of the reply."""
        ...


class Patience(NamedTuple):
    """How often and how long to try; `stopping` ends every wait."""

    attempts: int
    backoff_s: float
    stopping: asyncio.Event

    def budget(self, kind: str) -> int:
        """How many failures of this kind end the asking."""
        if kind in _TWO_TRIES:
            return min(2, self.attempts)
        if kind == "rate_limited":
            return 2 * self.attempts
        return self.attempts if kind in ("unreachable", "server_error") else 1


class Asked(NamedTuple):
    """The end of asking: the last body that came, or the failure; neither when it was given up."""

    body: bytes | None
    reply: ChatReply | None
    failure: CallFailed | None
    attempts: int
    seconds: float

    @property
    def is_given_up(self) -> bool:
        """Whether the process stopped before there was an end."""
        return self.body is None and self.failure is None


async def ask_patiently(
    client: Asks,
    messages: Sequence[Mapping[str, str]],
    parameters: Mapping[str, JsonValue],
    *,
    reply_key: str,
    patience: Patience,
    throttle: Throttle,
    on_failure: Callable[[str], None],
) -> Asked:
    """Ask until there is a reply or the budget of some failure is spent.

    `on_failure` hears the kind of each failure as it happens.
    """
    spent: Counter[str] = Counter()
    begun = time.monotonic()
    body, reply, failure = None, None, None
    while (sent := await _turn(throttle, patience)) is not None:
        try:
            body = await client.ask(messages, parameters, reply_key=reply_key)
        except CallFailed as error:
            failure, kind = error, error.kind
            on_failure(kind)
        else:
            throttle.replied()
            failure, reply = None, read_body(body)
            if reply is not None and not reply.is_empty:
                break
            kind = "unreadable_body" if reply is None else "empty"
        finally:
            throttle.end()
        spent[kind] += 1
        if spent[kind] >= patience.budget(kind):
            break
        wait_s = _wait_s(kind, failure, spent, patience)
        if kind == "rate_limited":
            throttle.slow_down(wait_s, sent)
        await _wait(wait_s, patience)
    else:
        if body is None:  # what came last may be all that there is
            failure = None
    attempts = sum(spent.values()) + (reply is not None and not reply.is_empty)
    return Asked(body, reply, failure, attempts, time.monotonic() - begun)


async def _turn(throttle: Throttle, patience: Patience) -> int | None:
    """Wait until a question may be sent; what `Throttle.begin` says of it, None at a stop."""
    while not patience.stopping.is_set():
        if (hold_s := throttle.hold_s()) > 0:
            await _wait(hold_s, patience)
        elif (sent := throttle.begin()) is not None:
            return sent
        else:
            await throttle.room()
    return None


def _wait_s(
    kind: str, failure: CallFailed | None, spent: Counter[str], patience: Patience
) -> float:
    if failure is not None and failure.retry_after_s is not None:
        return min(failure.retry_after_s, MAX_WAIT_S) + random.uniform(0, patience.backoff_s / 4)
    doubled = patience.backoff_s * 2 ** (spent[kind] - 1)
    return min(doubled, MAX_WAIT_S) * random.uniform(0.75, 1.25)


async def _wait(seconds: float, patience: Patience) -> None:
    """Wait, but not longer than until the stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(patience.stopping.wait(), seconds)
