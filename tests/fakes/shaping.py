"""What the fake endpoint does beyond plans: streams, forms that are asked for, repairs, prose."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse

SHAPES = ("reasoning_content", "reasoning", "inline", "no_opening", "fenced", "bare")
_QUOTED = re.compile("「(.*?)」")


def is_repair(system: str) -> bool:
    """Whether a plan is to be written in good form."""
    return "整理员" in system or "You tidy up plans" in system


def in_prose(plan: Mapping[str, Any]) -> str:
    """A plan as a model tells it that forgot the form."""
    steps = "，然后".join(
        f"请「{each['expert']}」回答「{each['sub_questions'][0]}」" for each in plan["steps"]
    )
    return f"补全后的问题是「{plan['rewritten_query']}」。{steps}。"


def repaired(text: str, *, adds: bool) -> dict[str, Any]:
    """The plan of such a telling; with something of the repairer's own when it adds."""
    query, *rest = _QUOTED.findall(text) or ["?"]
    steps = [
        {"expert": expert, "sub_questions": [question], "order": place}
        for place, (expert, question) in enumerate(zip(rest[::2], rest[1::2], strict=True), 1)
    ]
    if adds and steps:
        steps[0]["sub_questions"] = ["再问问天气如何？"]
    return {"rewritten_query": query, "steps": steps}


def formed(body: Mapping[str, Any], time: str, *, obeys: bool) -> str | None:
    """The answer to a question that asks for a form or a number; None for any other."""
    query = body["messages"][-1]["content"]
    form = body.get("response_format") or {}
    if form.get("type") == "json_object" and obeys:
        return '{"said": "The sea is wide."}'
    if form.get("type") == "json_schema" and obeys:
        fields = form["json_schema"]["schema"]["properties"]
        return json.dumps({name: each["enum"][0] for name, each in fields.items()})
    if form:
        return "The sea is wide."
    if "eight digits" in query:
        seed = json.dumps(body, sort_keys=True) + ("" if obeys else time)
        return str(int(hashlib.sha256(seed.encode()).hexdigest()[:12], 16))[:8]
    return None


def streamed(
    completion: Mapping[str, Any], *, keep_alives: int, keep_alive_s: float, is_cut: bool
) -> Response:
    """A completion as server-sent events; a cut one ends in the middle of its text."""
    choice = completion["choices"][0]
    pieces = [
        {name: text[start : start + 40]}
        for name in ("reasoning_content", "reasoning", "content")
        if (text := choice["message"].get(name))
        for start in range(0, len(text), 40)
    ]
    if is_cut:
        pieces = pieces[: max(1, len(pieces) - 1)]

    async def events() -> AsyncIterator[bytes]:
        for _ in range(keep_alives):
            yield b": keep-alive\n\n"
            await asyncio.sleep(keep_alive_s)
        for piece in pieces:
            yield _event(completion, [{"index": 0, "delta": piece, "finish_reason": None}])
        if is_cut:
            raise ConnectionResetError("the fake endpoint breaks off")
        ends = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
        yield _event(completion, [ends])
        yield _event(completion, [], usage=completion["usage"])
        yield b"data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def _event(completion: Mapping[str, Any], choices: list[Any], **more: Any) -> bytes:
    head = {"id": completion["id"], "object": "chat.completion.chunk", "model": completion["model"]}
    return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n".encode()


def trace_of(plan: Mapping[str, Any], length: int, *, with_nul: bool) -> str:
    """A trace of so many characters."""
    names = "、".join(step["expert"] for step in plan["steps"])
    text = f"用户想知道：{plan['rewritten_query']}。需要{names}，按先后处理。"
    if with_nul:
        text = "\x00" + text
    padding = "再核对一遍各位专家的职责与先后。"
    while len(text) < length:
        text += padding
    return text[: max(length, 1)]


def message_of(shape: str, content: str, trace: str, answer: str, text: str) -> dict[str, Any]:
    """A message with its thinking where the shape has it."""
    if shape == "mixed":
        shape = SHAPES[int(content[8:12], 16) % len(SHAPES)]
    message: dict[str, Any] = {"role": "assistant", "content": answer}
    if shape in ("reasoning_content", "reasoning"):
        message[shape] = trace
    elif shape == "inline":
        message["content"] = f"<think>\n{trace}\n</think>\n\n{answer}"
    elif shape == "no_opening":
        message["content"] = f"{trace}\n</think>\n\n{answer}"
    elif shape == "fenced":
        message["content"] = f"<think>\n{trace}\n</think>\n\n```json\n{text}\n```"
    elif shape == "bare":
        message["content"] = f"<think>\n{trace}\n</think>\n\n{text}"
    return message
