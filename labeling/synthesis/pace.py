"""What an endpoint takes in a minute: the limits that were set for it, and those that it tells.

Requests and tokens are counted over the last sixty seconds. Tokens are known when a reply is there,
so until then a request counts for as many as the replies before it had in the mean. Where replies
tell what is left (`x-ratelimit-remaining-requests`, `-tokens`) and when it is renewed (`-reset-…`),
nothing is sent beyond that before.
"""

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MINUTE_S = 60.0
_MEMORY = 100
_PARTS = re.compile(r"([\d.]+)(ms|[dhms])")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@dataclass(slots=True)
class Sent:
    """A request in the last minute, and its tokens as far as they are known."""

    at: float
    tokens: float


class _Left:
    """What an endpoint says is left of one limit, and until when."""

    def __init__(self) -> None:
        self._left: float | None = None
        self._renewed_at = 0.0

    def hear(self, left: str | None, reset: str | None, now: float) -> None:
        try:
            self._left = None if left is None else float(left)
        except ValueError:
            self._left = None
        self._renewed_at = now + (read_span_s(reset) or 0.0)

    def take(self, amount: float) -> None:
        if self._left is not None:
            self._left -= amount

    def hold_s(self, amount: float, now: float) -> float:
        if self._left is None or self._left >= amount or now >= self._renewed_at:
            return 0.0
        return self._renewed_at - now


class Pace:
    """Says how long to wait before the next request to one endpoint."""

    def __init__(
        self,
        requests: int | None,
        tokens: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._sent: deque[Sent] = deque()
        self._tokens_sent = 0.0
        self._mean = 0.0
        self._heard = 0
        self._left_requests = _Left()
        self._left_tokens = _Left()

    def hold_s(self) -> float:
        """Seconds until a request may be sent; 0 when it may be now."""
        now = self._clock()
        told = max(
            self._left_requests.hold_s(1, now), self._left_tokens.hold_s(max(1.0, self._mean), now)
        )
        if self._requests is None and self._tokens is None:
            return told
        self._forget(now)
        hold = 0.0
        if self._requests is not None and len(self._sent) >= self._requests:
            hold = self._sent[len(self._sent) - self._requests].at + MINUTE_S - now
        if self._tokens is not None:
            hold = max(hold, self._token_hold_s(now))
        return max(told, hold)

    def begin(self) -> Sent:
        """A request is sent."""
        sent = Sent(self._clock(), self._mean)
        self._left_requests.take(1)
        self._left_tokens.take(self._mean)
        if self._requests is not None or self._tokens is not None:
            self._sent.append(sent)
            self._tokens_sent += sent.tokens
        return sent

    def replied(self, sent: Sent, tokens: int) -> None:
        """Its reply is there, with so many tokens in and out."""
        self._heard = min(self._heard + 1, _MEMORY)
        self._mean += (tokens - self._mean) / self._heard
        if self._sent and sent.at >= self._sent[0].at:
            self._tokens_sent += tokens - sent.tokens
        sent.tokens = tokens

    def heard(self, headers: Mapping[str, str]) -> None:
        """The headers of a reply or of a refusal."""
        for kind, left in (("requests", self._left_requests), ("tokens", self._left_tokens)):
            told = headers.get(f"x-ratelimit-remaining-{kind}")
            if told is not None:
                left.hear(told, headers.get(f"x-ratelimit-reset-{kind}"), self._clock())

    def _token_hold_s(self, now: float) -> float:
        """Until enough of the last minute's tokens are a minute old; never for a first request."""
        limit = self._tokens or 0
        excess = self._tokens_sent + self._mean - limit
        for sent in self._sent:
            if excess <= 0:
                return 0.0
            excess -= sent.tokens
            if excess <= 0:
                return sent.at + MINUTE_S - now
        return 0.0 if not self._sent else self._sent[-1].at + MINUTE_S - now

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0].at <= now - MINUTE_S:
            self._tokens_sent -= self._sent.popleft().tokens


def read_span_s(text: str | None) -> float | None:
    """Seconds of `1s`, `6m0s`, `20ms` or a plain number.

    >>> read_span_s("6m0s"), read_span_s("20ms"), read_span_s("1.5"), read_span_s("soon")
    (360.0, 0.02, 1.5, None)
    """
    if not text:
        return None
    parts = _PARTS.findall(text)
    try:
        if parts:
            return sum(float(number) * _SECONDS[unit] for number, unit in parts)
        return float(text)
    except ValueError:
        return None
