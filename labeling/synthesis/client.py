"""One question to one OpenAI-compatible endpoint, and how it can fail.

Nothing is retried here and nothing is read: the reply comes back as the bytes that arrived, a
stream as the completion that its events make up. Seconds everywhere. The key is taken from the
environment, goes into the header and nowhere else.
"""

import asyncio
import email.utils
import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, Protocol, cast

import httpx2
import openai
import orjson
from httpx2 import Limits, Response
from pydantic import JsonValue

from labeling.synthesis.streams import condense
from schemas.errors import ModelServiceError

FailureKind = Literal[
    "unreachable",
    "timeout",
    "rate_limited",
    "server_error",
    "refused_request",
    "key_refused",
    "model_unknown",
    "no_credit",
]
LONGEST = 6
_CONNECT_S = 10.0
_OTHER_FILES = 512
_DETAIL_LENGTH = 500


class CallFailed(Exception):
    """No reply came; `detail` is what the endpoint or the network said, without the key."""

    def __init__(
        self,
        kind: FailureKind,
        detail: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind, detail)
        self.kind: FailureKind = kind
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s
        self.headers = headers or {}


class Came(NamedTuple):
    """A reply as it came, with its headers (names in small letters)."""

    body: bytes
    headers: Mapping[str, str]


class Asks(Protocol):
    """A client: one question, one reply, or `CallFailed`."""

    async def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        parameters: Mapping[str, JsonValue],
        *,
        reply_key: str | None = None,
    ) -> Came:
        """The reply."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: base URL (`https://host/v1`), model, and the name of the key's variable.

    `timeout_s` is for the whole reply; of a `stream`, it is for the silence between two signs of
    life, and the whole may take `LONGEST` times as long.
    """

    endpoint: str
    model: str
    key_env: str | None
    timeout_s: float
    stream: bool = False

    def key(self) -> str:
        """The key; a stand-in when the endpoint wants none.

        Raises:
            ModelServiceError: `synthesis.key_missing`.
        """
        if self.key_env is None:
            return "none"
        key = os.environ.get(self.key_env, "").strip()
        if not key:
            raise ModelServiceError("synthesis.key_missing", name=self.key_env)
        return key


class ChatClient:
    """An open connection pool to one target; use as an async context manager.

    Its connections are those of aiohttp: with a thousand of them the pool of httpx takes longer to
    find one than the endpoint is given to accept it.
    """

    def __init__(self, target: Target, connections: int = 16) -> None:
        self._target = target
        self._key = target.key()
        _allow_open_files(connections)
        self._http = openai.DefaultAioHttpClient(limits=Limits(max_connections=connections))
        self._client = openai.AsyncOpenAI(
            api_key=self._key,
            base_url=target.endpoint,
            timeout=openai.Timeout(target.timeout_s, connect=_CONNECT_S),
            max_retries=0,
            http_client=self._http,
        )

    async def __aenter__(self) -> "ChatClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def ask(
        self,
        messages: Sequence[Mapping[str, str]],
        parameters: Mapping[str, JsonValue],
        *,
        reply_key: str | None = None,
    ) -> Came:
        """The reply, as it came (HTTP 200).

        `reply_key` goes along as an idempotency key, for gateways that know what to do with it.

        Raises:
            CallFailed: there is nothing of a reply within the time of the target.
        """
        asked = {**parameters, "model": self._target.model, "messages": messages}
        headers = {"Idempotency-Key": reply_key} if reply_key else {}
        if self._target.stream:
            return await self._ask_for_stream(asked, headers)
        try:
            async with asyncio.timeout(self._target.timeout_s):
                # Not `chat.completions.create`, which spends a third of its time on types.
                response = await self._client.post(
                    "/chat/completions", cast_to=Response, body=asked, options={"headers": headers}
                )
        except TimeoutError as error:
            raise CallFailed("timeout", f"no answer in {self._target.timeout_s:g} s") from error
        except openai.APITimeoutError as error:
            kind = "unreachable" if _is_connecting(error) else "timeout"
            raise CallFailed(kind, _cause(error)) from error
        except openai.APIConnectionError as error:
            raise CallFailed("unreachable", _cause(error)) from error
        except openai.APIStatusError as error:
            raise self._refused(
                error.status_code, error.code, error.message, error.response.headers
            ) from error
        return Came(response.content, response.headers)

    async def _ask_for_stream(self, asked: Mapping[str, Any], headers: Mapping[str, str]) -> Came:
        """What a stream makes up, also when it broke off after something of a reply had come."""
        target = self._target
        body = {**asked, "stream": True, "stream_options": {"include_usage": True}}
        sent = {**headers, "Authorization": f"Bearer {self._key}", "Accept": "text/event-stream"}
        parts: list[bytes] = []
        came: Mapping[str, str] = {}
        failure: CallFailed | None = None
        try:
            async with (
                asyncio.timeout(LONGEST * target.timeout_s),
                self._http.stream(
                    "POST",
                    f"{target.endpoint}/chat/completions",
                    content=orjson.dumps(body),
                    headers={**sent, "Content-Type": "application/json"},
                    timeout=httpx2.Timeout(target.timeout_s, connect=_CONNECT_S),
                ) as response,
            ):
                came = response.headers
                if response.status_code != 200:
                    code, message = _read_error(await response.aread())
                    raise self._refused(response.status_code, code, message, came)
                async for part in response.aiter_bytes():
                    parts.append(part)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise CallFailed("unreachable", f"{type(error).__name__}: {error}") from error
        except (TimeoutError, httpx2.TimeoutException):
            failure = CallFailed("timeout", f"no sign of life in {target.timeout_s:g} s")
        except httpx2.TransportError as error:
            failure = CallFailed("server_error", f"{type(error).__name__}: {error}")
        raw = b"".join(parts)
        whole = condense(raw) if raw else None
        if whole is None and failure is not None:
            raise failure
        return Came(raw if whole is None else whole, came)

    def _refused(
        self, status: int, code: str | None, message: str, headers: Mapping[str, str]
    ) -> CallFailed:
        return CallFailed(
            _kind_of(status, code),
            message.replace(self._key, "***")[:_DETAIL_LENGTH],
            status=status,
            retry_after_s=_retry_after_s(headers),
            headers=headers,
        )


def _read_error(body: bytes) -> tuple[str | None, str]:
    """Code and message of an error; what was said, where it has no such form."""
    try:
        told = cast(object, orjson.loads(body))
    except ValueError:
        told = None
    error = cast(dict[str, Any], told).get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return None, body.decode("utf-8", "replace")
    named = cast(dict[str, Any], error)
    code = named.get("code")
    return code if isinstance(code, str) else None, str(named.get("message") or "")


def _allow_open_files(connections: int) -> None:
    """Raise this process's own limit where it is too low for so many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _kind_of(status: int, code: str | None) -> FailureKind:
    if status in (401, 403):
        return "key_refused"
    if status == 402 or code == "insufficient_quota":
        return "no_credit"
    if status == 404:
        return "model_unknown"
    if status == 429:
        return "rate_limited"
    if status >= 500 or status in (408, 409, 425):
        return "server_error"
    return "refused_request"


def _is_connecting(error: openai.APITimeoutError) -> bool:
    return type(error.__cause__).__name__ == "ConnectTimeout"  # httpx or httpx2, as openai likes


def _cause(error: openai.APIConnectionError) -> str:
    cause = error.__cause__
    return f"{type(cause).__name__}: {cause}"[:_DETAIL_LENGTH] if cause else error.message


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms`, or from `Retry-After` as a number or a date (RFC 9110)."""
    milliseconds, after = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds:
            return max(0.0, float(milliseconds) / 1000)
        if after:
            return max(0.0, float(after))
    except ValueError:
        try:
            at = email.utils.parsedate_to_datetime(after or "")
        except ValueError:
            return None
        return max(0.0, (at - datetime.now(UTC)).total_seconds())
    return None
