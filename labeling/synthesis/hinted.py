"""Questions of a re-derivation: a trace for an accepted plan, and a plan from a trace alone."""

import re
from collections.abc import Iterable, Mapping

import orjson

from db.access.requests import Held, Hint
from db.access.suggestions import Reading
from labeling.synthesis.replies import ChatReply
from schemas.dialects import get_dialect
from schemas.experts import ExpertList
from schemas.prompt import prompt_language, render_system, to_messages
from schemas.rederivation import own_prompts, rederivation_prompts, same_experts, trace_fault
from schemas.scoring.check import FORBIDDEN
from schemas.scoring.wire import to_text
from schemas.sentences import Language

_TRACE = re.compile(r"<trace>(.*?)</trace>", re.IGNORECASE | re.DOTALL)
_WORDS: Mapping[Language, tuple[str, str, str, str]] = {
    "zh": ("用户", "助手", "用户问题", "规划（只供核对）"),
    "en": ("User", "Assistant", "The user's query", "The plan (to check against)"),
}


def ask_for_trace(
    held: Held, hint: Hint, template: str, expert_list: ExpertList
) -> list[dict[str, str]]:
    """The messages that ask for a trace with the accepted plan as a hint."""
    if held.messages is not None:
        return _ask_after(held.messages, held, hint, expert_list)
    language = prompt_language(template)
    system = render_system(
        rederivation_prompts(language).write,
        expert_list,
        held.pins.window,
        get_dialect(held.pins.dialect),
        with_thinking=True,
    )
    _, *turns, query = to_messages("", held.history, held.text, held.pins.window)
    user, assistant, asked, told = _WORDS[language]
    names = {"user": user, "assistant": assistant}
    lines = [f"{names[turn['role']]}: {turn['content']}" for turn in turns]
    plan = to_text(hint.plan, held.pins.dialect)
    parts = [*lines, f"{asked}: {query['content']}", f"{told}:\n{plan}"]
    return [_said("system", system), _said("user", "\n\n".join(parts))]


def _ask_after(
    messages: str, held: Held, hint: Hint, expert_list: ExpertList
) -> list[dict[str, str]]:
    """A chat's own messages as they came, the accepted plan as their answer, then what is asked."""
    own: list[dict[str, str]] = orjson.loads(messages)
    asked = render_system(
        own_prompts(language_of(own)).write,
        expert_list,
        held.pins.window,
        get_dialect(held.pins.dialect),
        with_thinking=True,
    )
    plan = to_text(hint.plan, held.pins.dialect)
    return [*own, _said("assistant", plan), _said("user", asked)]


def language_of(messages: Iterable[Mapping[str, str]]) -> Language:
    """The language that a chat's own messages are in."""
    return prompt_language("\n".join(each["content"] for each in messages))


def ask_for_plan(
    held: Held, hint: Hint, template: str, expert_list: ExpertList
) -> list[dict[str, str]]:
    """The messages that ask what plan a trace leads to; neither query nor plan is told."""
    system = render_system(
        rederivation_prompts(prompt_language(template)).decode,
        expert_list,
        held.pins.window,
        get_dialect(held.pins.dialect),
        with_thinking=False,
    )
    return [_said("system", system), _said("user", hint.trace or "")]


def read_trace(
    reply: ChatReply | None, held: Held, hint: Hint, expert_list: ExpertList
) -> tuple[Reading, str | None]:
    """The trace in a reply with what speaks against it, and the passage that does.

    The model's own thinking is not it: that speaks of the hint, as it must.
    """
    if reply is None:
        return _failed("synthesis.unreadable_body"), None
    found = _TRACE.findall(reply.content)
    if not found:
        return _failed(
            "replies.cut_off" if reply.is_cut_off else "synthesis.rederived_no_trace"
        ), None
    trace = FORBIDDEN.sub("\ufffd", found[-1]).strip()
    spoken = [held.text, *(turn["content"] for turn in held.history)]
    fault = trace_fault(trace, hint.plan, expert_list, spoken)
    return (
        Reading(
            shape="trace",
            trace=trace or None,
            plan=None,
            partial_plan=None,
            failure=fault.failure,
            is_repaired=False,
        ),
        fault.passage,
    )


def is_same(hint: Hint, reading: Reading, reply: ChatReply | None) -> bool | None:
    """Whether a blind plan is the accepted one; unknown where there was no reply to read."""
    return None if reply is None else same_experts(hint.plan, reading.plan)


def _failed(code: str) -> Reading:
    return Reading(None, None, None, None, code, is_repaired=False)


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
