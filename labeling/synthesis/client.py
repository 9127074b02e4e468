"""One question to one OpenAI-compatible endpoint, and how it can fail.

Nothing is retried here and nothing is read: the reply comes back as the bytes that arrived. Seconds
everywhere. The key is taken from the environment, goes into the header and nowhere else.
"""

import asyncio
import email.utils
import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import openai
from httpx2 import Limits, Response
from pydantic import JsonValue

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
    ) -> None:
        super().__init__(kind, detail)
        self.kind: FailureKind = kind
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: base URL (`https://host/v1`), model, and the name of the key's variable."""

    endpoint: str
    model: str
    key_env: str | None
    timeout_s: float

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
        self._client = openai.AsyncOpenAI(
            api_key=self._key,
            base_url=target.endpoint,
            timeout=openai.Timeout(target.timeout_s, connect=_CONNECT_S),
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(limits=Limits(max_connections=connections)),
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
    ) -> bytes:
        """The body of the reply, as it came (HTTP 200).

        `reply_key` goes along as an idempotency key, for gateways that know what to do with it.

        Raises:
            CallFailed: no reply within `timeout_s`, counted over the whole call.
        """
        asked = {**parameters, "model": self._target.model, "messages": messages}
        headers = {"Idempotency-Key": reply_key} if reply_key else {}
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
            raise self._refused(error) from error
        return response.content

    def _refused(self, error: openai.APIStatusError) -> CallFailed:
        detail = error.message.replace(self._key, "***")[:_DETAIL_LENGTH]
        return CallFailed(
            _kind_of(error.status_code, error.code),
            detail,
            status=error.status_code,
            retry_after_s=_retry_after_s(error.response.headers),
        )


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
