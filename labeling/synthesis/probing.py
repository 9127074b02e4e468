"""What an endpoint does, found out by a few small questions: where it thinks, what it honours.

Seven questions at most, each of a few words. A thinking model thinks about them all the same, so it
may take a minute and cost some cents. What a single answer shows is no proof; it is written down
with its day, and can be asked again.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from pydantic import JsonValue

from db.tables.base import now
from labeling.synthesis.client import Asks, CallFailed, ChatClient, Target
from labeling.synthesis.replies import ChatReply, read_body
from labeling.synthesis.streams import is_stream
from schemas.errors import ModelServiceError
from schemas.model_endpoints import EndpointSettings, Probe, Thinking, Verdict

TIMEOUT_S = 300.0
_PLACE = "Ytterviken"
_SCHEMA: Mapping[str, JsonValue] = {
    "type": "object",
    "properties": {"place": {"type": "string", "enum": [_PLACE]}},
    "required": ["place"],
    "additionalProperties": False,
}
_ADD = "What is 17 + 25? Answer with the number."
_SEA = "Write one short sentence about the sea, in plain words."
_JSON = "Name a place by the sea. If you are to write JSON, use one key only."
_DICE = (
    "Invent a number of eight digits that nobody could guess. Write the number and nothing else."
)


def probe_endpoint(settings: EndpointSettings, *, timeout_s: float = TIMEOUT_S) -> Probe:
    """Ask an endpoint a few small questions; a failure is a finding too."""
    return asyncio.run(_probe(settings, timeout_s))


async def _probe(settings: EndpointSettings, timeout_s: float) -> Probe:
    target = Target(settings.url, settings.model, settings.key_env, timeout_s)
    streaming = Target(settings.url, settings.model, settings.key_env, timeout_s, stream=True)
    try:
        async with ChatClient(target, 4) as client, ChatClient(streaming, 4) as stream:
            return await _ask_all(client, stream)
    except ModelServiceError as error:
        told = {name: str(value) for name, value in error.values.items()}
        return Probe(probed_at=now(), problem=(error.code, told))
    except CallFailed as error:
        return Probe(probed_at=now(), problem=_problem(settings, error))


async def _ask_all(client: Asks, stream: Asks) -> Probe:
    begun = time.monotonic()
    reply = await _reply(client, _ADD)
    latency_s = time.monotonic() - begun
    json_mode, json_schema, temperature, (streams, keep_alives) = await asyncio.gather(
        _json_mode(client), _json_schema(client), _temperature(client), _streams(stream)
    )
    return Probe(
        probed_at=now(),
        latency_s=round(latency_s, 2),
        thinking=thinking_of(reply),
        json_mode=json_mode,
        json_schema=json_schema,
        temperature=temperature,
        streams=streams,
        keep_alives=keep_alives,
    )


def thinking_of(body: bytes) -> Thinking:
    """Where the thinking of a reply is."""
    message = _message(body)
    for name in ("reasoning_content", "reasoning"):
        if str(message.get(name) or "").strip():
            return cast(Thinking, name)
    return "inline" if "</think>" in str(message.get("content") or "") else "none"


async def _json_mode(client: Asks) -> Verdict:
    """A question whose answer is no JSON by itself."""
    try:
        body = await _reply(client, _SEA + " (JSON)", response_format={"type": "json_object"})
    except CallFailed as error:
        return _refusal(error)
    return "yes" if isinstance(_value(body), dict) else "no"


async def _json_schema(client: Asks) -> Verdict:
    """A schema that allows one place only, which nobody would name."""
    wanted: JsonValue = {"name": "place", "strict": True, "schema": dict(_SCHEMA)}
    form: JsonValue = {"type": "json_schema", "json_schema": wanted}
    try:
        body = await _reply(client, _JSON, response_format=form)
    except CallFailed as error:
        return _refusal(error)
    return "yes" if _value(body) == {"place": _PLACE} else "no"


async def _temperature(client: Asks) -> Verdict:
    """Whether answers are the same at 0, and others at 1.5; a model that varies at 0 ignores it."""
    try:
        cold = [_said(await _reply(client, _DICE, temperature=0)) for _ in range(2)]
        hot = [_said(await _reply(client, _DICE, temperature=1.5)) for _ in range(2)]
    except CallFailed as error:
        return _refusal(error)
    if cold[0] != cold[1]:
        return "no"
    return "yes" if set(hot) != set(cold) else "unknown"


async def _streams(client: Asks) -> tuple[Verdict, bool]:
    """Whether a stream comes as one, and whether it showed signs of life that were no text."""
    try:
        came = await client.ask([_said_by_user(_ADD)], {})
    except CallFailed as error:
        return _refusal(error), False
    told = _object(came.body).get("stream")
    if not isinstance(told, dict):
        return ("no" if not is_stream(came.body) else "unknown"), False
    return "yes", bool(cast(dict[str, Any], told).get("keep_alives"))


async def _reply(client: Asks, question: str, **parameters: JsonValue) -> bytes:
    return (await client.ask([_said_by_user(question)], parameters)).body


def _said_by_user(question: str) -> Mapping[str, str]:
    return {"role": "user", "content": question}


def _refusal(error: CallFailed) -> Verdict:
    return "refused" if error.kind == "refused_request" else "unknown"


def _said(body: bytes) -> str:
    reply: ChatReply | None = read_body(body)
    if reply is None:
        return ""
    return reply.content.rpartition("</think>")[2].strip()


def _value(body: bytes) -> object:
    """The answer as JSON, if it is nothing else."""
    try:
        return orjson.loads(_said(body))
    except ValueError:
        return None


def _message(body: bytes) -> Mapping[str, Any]:
    choices = _object(body).get("choices")
    first: object = cast(Sequence[Any], choices)[0] if isinstance(choices, list) and choices else {}
    message = cast(dict[str, Any], first).get("message") if isinstance(first, dict) else None
    return cast(dict[str, Any], message) if isinstance(message, dict) else {}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value: object = orjson.loads(body)
    except ValueError:
        return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _problem(
    settings: EndpointSettings, error: CallFailed
) -> tuple[str, Mapping[str, str | int | None]]:
    values: Mapping[str, str | int | None] = {
        "endpoint": settings.url,
        "model": settings.model,
        "name": settings.key_env or "—",
        "status": error.status,
        "detail": error.detail,
    }
    return f"synthesis.{error.kind}", values
