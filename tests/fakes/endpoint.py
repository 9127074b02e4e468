"""A model endpoint that misbehaves on purpose: a real HTTP server in a process of its own.

It speaks `/v1/chat/completions` and `/v1/models` as OpenAI-compatible servers do. Which request is
treated how depends on a hash of the request alone, so a run can be repeated; transient faults go
away after `fault_times` tries of the same request. Answers are plausible plans for the experts and
in the dialect that the prompt names. Asked for a trace of a plan it writes one, of which shares
betray the hint or turn the order round; asked for the plan of a trace it reads it from the trace,
and a share of those plans is another. It counts every request by its content.

Usage: `python -m tests.fakes.endpoint [--port N] [--config JSON]`; prints its base URL. After
`hold_after` answers others wait until told otherwise, after `down_after` they are refused, so that
a test can stop at a number and not at a moment. `GET /counts` tells what was asked; `POST /config`
changes the behaviour while it runs, and with `forget` what was counted.
"""

import argparse
import asyncio
import hashlib
import json
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.latency import latency_of
from tests.fakes.plans import plan_for, plan_text
from tests.fakes.rederiving import decoded, is_decode, told_trace
from tests.fakes.shaping import (
    SHAPES,
    formed,
    in_prose,
    is_repair,
    message_of,
    repaired,
    streamed,
    trace_of,
)

__all__ = ["SHAPES", "Behaviour", "Endpoint", "content_hash", "fault_of", "plan_for", "plan_text"]


@dataclass(frozen=True)
class Behaviour:
    """Shares of requests (0 to 1) for each fault, in this order; the rest is answered well."""

    rate_limited: float = 0.0
    server_error: float = 0.0
    hangs: float = 0.0
    empty: float = 0.0
    unreadable_body: float = 0.0
    refused: float = 0.0
    cut_off: float = 0.0
    bad_plan: float = 0.0
    repairable: float = 0.0
    prose_plan: float = 0.0
    stream_cut: float = 0.0
    fault_times: int = 1
    retry_after_s: float = 0.05
    hang_s: float = 30.0
    latency_s: float = 0.0
    latency_spread: float = 0.0
    shape: str = "reasoning_content"
    trace_length: int = 120
    trace_nul: bool = False
    key: str | None = None
    model: str | None = None
    credit: bool = True
    max_in_flight: int | None = None
    hold_after: int | None = None
    down_after: int | None = None
    keep_bodies: bool = False
    hint_leak: float = 0.0
    wrong_order: float = 0.0
    dissent: float = 0.0
    keep_alives: int = 0
    keep_alive_s: float = 0.0
    needs_tokens: int | None = None
    left: tuple[int, str] | None = None
    obeys: bool = True
    adds: bool = False


FAULTS = tuple(Behaviour.__dataclass_fields__)[:11]
_TRANSIENT = frozenset(FAULTS[:5])


@dataclass
class Endpoint:
    """The state of one fake: how it behaves, and what it was asked."""

    behaviour: Behaviour
    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    reply_keys: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/chat/completions", self.complete, methods=["POST"]),
            Route("/v1/models", self.models),
            Route("/counts", self.counts),
            Route("/config", self.configure, methods=["POST"]),
        ]

    async def models(self, _: Request) -> Response:
        name = self.behaviour.model or "fake-reasoner"
        return JSONResponse({"object": "list", "data": [{"id": name, "object": "model"}]})

    async def counts(self, _: Request) -> Response:
        return JSONResponse(
            {
                "asked": dict(self.asked),
                "answered": dict(self.answered),
                "reply_keys": dict(self.reply_keys),
                "statuses": dict(self.statuses),
                "most_in_flight": self.most_in_flight,
                "bodies": self.bodies,
            }
        )

    async def configure(self, request: Request) -> Response:
        changes = await request.json()
        if changes.pop("forget", False):
            self.most_in_flight = 0
            for counted in (self.asked, self.answered, self.reply_keys, self.statuses):
                counted.clear()
            self.bodies.clear()
        self.behaviour = replace(self.behaviour, **changes)
        self.changed.set()
        self.changed = asyncio.Event()
        return JSONResponse(asdict(self.behaviour))

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            response = await self._respond(request.headers, body)
        finally:
            self.in_flight -= 1
        self.statuses[str(response.status_code)] += 1
        return response

    @property
    def answers(self) -> int:
        return sum(self.answered.values())

    async def _release(self) -> None:
        """Wait until this answer is not held back any more."""
        while (most := self.behaviour.hold_after) is not None and self.answers >= most:
            await self.changed.wait()

    async def _respond(self, headers: Mapping[str, str], body: dict[str, Any]) -> Response:
        behaviour = self.behaviour
        is_down = behaviour.down_after is not None and self.answers >= behaviour.down_after
        refusal = _refusal(behaviour, headers, body, self.in_flight)
        if is_down or refusal:
            return refusal or _error(503, "down")
        content = content_hash(body)
        self.asked[content] += 1
        if behaviour.keep_bodies:
            self.bodies.append(body)
        self.reply_keys[headers.get("idempotency-key", "")] += 1
        query = body["messages"][-1]["content"]
        await asyncio.sleep(latency_of(query, behaviour.latency_s, behaviour.latency_spread))
        await self._release()
        fault = fault_of(behaviour, content)
        if fault in _TRANSIENT and self.asked[content] > behaviour.fault_times:
            fault = None
        if fault == "hangs":
            await asyncio.sleep(behaviour.hang_s)
            fault = "server_error"  # nobody waits any more; not to be counted as answered
        if fault in ("rate_limited", "server_error", "refused"):
            return _refused_by(fault, behaviour)
        self.answered[content] += 1
        if fault == "unreadable_body":
            return Response("<html>gateway</html>", media_type="text/html")
        time = hashlib.sha256(f"{content} {self.asked[content]}".encode()).hexdigest()
        needs = behaviour.needs_tokens
        if needs is not None and body.get("max_tokens", needs) < needs:
            fault = "cut_off"
        completion = _completion(body, content, behaviour, fault, time)
        if body.get("stream"):
            return streamed(
                completion,
                keep_alives=behaviour.keep_alives,
                keep_alive_s=behaviour.keep_alive_s,
                is_cut=fault == "stream_cut",
            )
        left = behaviour.left
        told: dict[str, str] = {}
        if left is not None:
            told = {
                f"x-ratelimit-{kind}-requests": str(value)
                for kind, value in zip(("remaining", "reset"), left, strict=True)
            }
        return JSONResponse(completion, headers=told)


def content_hash(body: Mapping[str, Any]) -> str:
    """The identity of a request: everything that was sent."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _completion(
    body: Mapping[str, Any], content: str, behaviour: Behaviour, fault: str | None, time: str
) -> dict[str, Any]:
    messages = body["messages"]
    system = messages[0]["content"]
    if "<trace>" in system or "<trace>" in messages[-1]["content"]:
        return _wrapped(
            body,
            {
                "role": "assistant",
                "content": told_trace(
                    messages, content, leaking=behaviour.hint_leak, reversed_=behaviour.wrong_order
                ),
            },
        )
    told = formed(body, time, obeys=behaviour.obeys)
    if is_repair(system):
        plan = repaired(messages[-1]["content"], adds=behaviour.adds)
        told = f"<answer>\n{plan_text(plan, messages)}\n</answer>"
    if told is not None:
        return _wrapped(body, {"role": "assistant", "content": told}, said=len(told))
    is_blind = is_decode(system)
    plan = (
        decoded(messages, time, dissent=behaviour.dissent)
        if is_blind
        else plan_for(messages, content)
    )
    trace, text = (
        trace_of(plan, behaviour.trace_length, with_nul=behaviour.trace_nul),
        plan_text(plan, messages),
    )
    finish = "stop" if fault != "cut_off" else "length"
    if fault == "bad_plan":
        text = '{"补全后的问题": "…", "plan": 三位专家}'
    if fault == "repairable":
        text = text[:-1] + ",}"
    if fault == "prose_plan":
        text = in_prose(plan)
    if fault == "cut_off":
        text = text[: len(text) // 2]
    answer = f"<answer>\n{text}" + ("" if fault == "cut_off" else "\n</answer>")
    message = message_of(behaviour.shape, content, trace, answer, text)
    if fault == "empty":
        message = {"role": "assistant", "content": ""}
    return _wrapped(body, message, finish, len(trace), len(text))


def _wrapped(
    body: Mapping[str, Any],
    message: Mapping[str, Any],
    finish: str = "stop",
    thought: int = 0,
    said: int = 0,
) -> dict[str, Any]:
    asked = sum(len(each["content"]) for each in body["messages"])
    return {
        "id": f"chatcmpl-{content_hash(body)[:12]}",
        "object": "chat.completion",
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": thought + said,
            "total_tokens": asked + thought + said,
            "completion_tokens_details": {"reasoning_tokens": thought},
        },
    }


def _refusal(
    behaviour: Behaviour, headers: Mapping[str, str], body: Mapping[str, Any], in_flight: int
) -> Response | None:
    if behaviour.key is not None and headers.get("authorization") != f"Bearer {behaviour.key}":
        return _error(401, f"wrong key: {headers.get('authorization')}")
    if behaviour.model is not None and body["model"] != behaviour.model:
        return _error(404, "no such model")
    if not behaviour.credit:
        return _error(402, "insufficient balance")
    if behaviour.max_in_flight is not None and in_flight > behaviour.max_in_flight:
        return _error(429, "too many at once", {"Retry-After": f"{behaviour.retry_after_s:g}"})
    return None


def fault_of(behaviour: Behaviour, content: str) -> str | None:
    """The fault that a request is chosen for, by its content hash."""
    share = int(content[16:24], 16) / 0xFFFFFFFF
    for name in FAULTS:
        share -= getattr(behaviour, name)
        if share < 0:
            return name
    return None


def _refused_by(fault: str, behaviour: Behaviour) -> Response:
    if fault == "rate_limited":
        return _error(429, "slow down", {"Retry-After": f"{behaviour.retry_after_s:g}"})
    if fault == "server_error":
        return _error(503, "overloaded")
    return _error(400, "the request is not to our liking")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"error": {"message": message, "type": "fake", "code": None}}
    return JSONResponse(body, status_code=status, headers=headers)


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake model endpoint.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--config", default="{}", help="JSON of the behaviour")
    args = parser.parse_args()
    endpoint = Endpoint(Behaviour(**json.loads(args.config)))
    listener = socket.create_server(("127.0.0.1", args.port), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)
    config = uvicorn.Config(
        Starlette(routes=endpoint.routes()), log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
