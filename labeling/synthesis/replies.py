"""The body of a chat completion: what the model said in it, and what it cost."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from db.access.suggestions import Reading
from labeling.synthesis.streams import CUT, condense, is_stream
from schemas.experts import ExpertList
from schemas.trace import read_reply

_CUT_OFF = ("length", CUT)


class ChatReply(NamedTuple):
    """The first choice of a completion; tokens as the endpoint counted them, 0 where it did not."""

    content: str
    reasoning: str
    finish_reason: str | None
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    usage: dict[str, Any] | None

    @property
    def is_cut_off(self) -> bool:
        """Whether it ran into a limit, or its stream broke off."""
        return self.finish_reason in _CUT_OFF

    @property
    def is_empty(self) -> bool:
        """Whether the model said nothing at all."""
        return not self.content.strip() and not self.reasoning.strip()


def read_body(body: bytes) -> ChatReply | None:
    """The reply in a body, `None` if it is no chat completion.

    Thinking is read from `reasoning_content` (DeepSeek, older vLLM) or `reasoning` (vLLM since
    0.11, OpenRouter). Blank lines that some endpoints send to keep the connection are no harm, and
    a stream is read as the completion that it makes up.
    """
    if is_stream(body):
        body = condense(body) or b""
    try:
        value = json.loads(body.decode("utf-8", "replace"))
        message, choice, completion = _first_choice(value)
    except (ValueError, RecursionError):
        return None
    usage = completion.get("usage")
    counts = cast(dict[str, Any], usage) if isinstance(usage, dict) else None
    details = (counts or {}).get("completion_tokens_details")
    finish = choice.get("finish_reason")
    return ChatReply(
        content=_text(message.get("content")),
        reasoning=_text(message.get("reasoning_content")) or _text(message.get("reasoning")),
        finish_reason=finish if isinstance(finish, str) else None,
        input_tokens=_count(counts, "prompt_tokens"),
        output_tokens=_count(counts, "completion_tokens"),
        reasoning_tokens=_count(details, "reasoning_tokens"),
        usage=None if counts is None else _numbers(counts),
    )


def read_suggestion(reply: ChatReply | None, dialect: str, expert_list: ExpertList) -> Reading:
    """What a reply means under the query's own dialect and list."""
    if reply is None:
        return Reading(None, None, None, None, "synthesis.unreadable_body", is_repaired=False)
    if reply.finish_reason == "content_filter" and not reply.content.strip():
        return Reading(None, None, None, None, "replies.refused", is_repaired=False)
    read = read_reply(reply.content, reply.reasoning, dialect=dialect, expert_list=expert_list)
    failure = read.failure
    if failure is not None and reply.is_cut_off:
        failure = "replies.cut_off"
    return Reading(
        shape=read.shape,
        trace=read.trace,
        plan=None if read.plan is None else read.plan.to_plain(),
        partial_plan=read.partial_plan,
        failure=failure,
        is_repaired=read.is_repaired,
    )


def _first_choice(value: object) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - one kind of failure for the caller
    completion = cast(dict[str, Any], value)
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices:
        raise ValueError("no choices")
    choice = cast(list[Any], choices)[0]
    message = cast(dict[str, Any], choice).get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise ValueError("no message")  # noqa: TRY004
    return cast(dict[str, Any], message), cast(dict[str, Any], choice), completion


def _text(value: object) -> str:
    """A text, or the texts of a list of parts (`[{"type": "text", "text": …}]`)."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = cast(list[object], value)
        return "".join(
            str(cast(dict[str, Any], part).get("text") or "")
            for part in parts
            if isinstance(part, dict)
        )
    return ""


def _numbers(counts: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a usage block, and those one level down; whatever else is in it is dropped."""
    kept: dict[str, Any] = {}
    for name, value in counts.items():
        if isinstance(value, int | float):
            kept[name] = value
        elif isinstance(value, dict):
            details = cast(dict[str, Any], value)
            kept[name] = {k: v for k, v in details.items() if isinstance(v, int | float)}
    return kept


def _count(counts: object, name: str) -> int:
    number = cast(dict[str, Any], counts).get(name) if isinstance(counts, dict) else None
    return number if isinstance(number, int) and 0 <= number < 2**31 else 0
