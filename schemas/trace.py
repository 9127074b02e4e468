"""Reading a model's reply: the thinking, the plan, or why there is none.

Replies arrive in many shapes: thinking in a field of its own, inline, or with its opening tag
missing; the plan in `<answer>`, in a fence or bare, in any dialect, with a comma too many, or cut
off. What had to be repaired is marked; what is uncertain is no plan, only a beginning for a person.
The raw reply is stored before it comes here, so a better reader can read it again.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

from schemas.experts import ExpertList
from schemas.plan import Plan
from schemas.plan_import import plan_from_import
from schemas.reply_json import Found, find_plan_json
from schemas.scoring.check import FORBIDDEN, MAX_STEPS, PLAN_KEYS, STEP_KEYS, Problem

MAX_REPLY = 1_000_000
Thinking = Literal["reasoning", "inline", "no_opening", "unclosed", "none"]

_OPENING = re.compile(r"<(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_ANSWER = re.compile(r"<answer>(.*?)(</answer>|\Z)", re.IGNORECASE | re.DOTALL)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n(.*?)(```|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ReadReply:
    """What a reply says. Exactly one of `plan` and `failure` is there.

    `trace` and `partial_plan` hold no character that a database refuses. `partial_plan` has
    canonical keys and only those; it may be wrong. `failure` is a code of the area `replies`.
    `shape` names where thinking and plan were found, such as `reasoning+answer`.
    """

    trace: str | None
    plan: Plan | None
    partial_plan: dict[str, Any] | None
    failure: str | None
    shape: str
    is_repaired: bool
    problems: tuple[Problem, ...] = ()


def read_reply(
    content: str | None, reasoning: str | None, *, dialect: str, expert_list: ExpertList
) -> ReadReply:
    """Read a reply, whatever its shape; never raises on what a model wrote.

    `dialect` is the one that was asked for; an answer in another one that we know is understood.
    """
    text, aside = content or "", reasoning or ""
    if len(text) + len(aside) > MAX_REPLY:
        return _failed("too_long", None, "none+none")
    thinking, trace, rest = _parted(text, aside)
    if trace is not None:
        trace = _storable(trace).strip() or None
    if not rest.strip():
        code = "cut_off" if trace else "empty"
        return _failed(code, trace, f"{thinking}+none")
    place, blocks = _blocks(rest)
    shape = f"{thinking}+{place}"
    found = [find_plan_json(block.text, block.is_closed, dialect) for block in blocks]
    plans = [each for each in found if each.value is not None]
    if not plans:
        return _failed(_worst(found), trace, shape)
    if any(each.value != plans[0].value for each in plans):
        partial = _clean(plan_from_import(plans[-1].value, expert_list).partial)
        return _failed("several_plans", trace, shape, partial)
    return _judged(plans[0], trace, shape, expert_list)


def _judged(found: Found, trace: str | None, shape: str, expert_list: ExpertList) -> ReadReply:
    read = plan_from_import(found.value, expert_list)
    partial = _clean(read.partial)
    if found.failure is not None:
        code = found.failure
    elif read.plan is None:
        code = "incomplete" if read.is_incomplete else "invalid_plan"
    else:
        return ReadReply(trace, read.plan, None, None, shape, found.is_repaired)
    repaired, problems = found.is_repaired, read.problems
    return _failed(code, trace, shape, partial, is_repaired=repaired, problems=problems)


def _failed(
    code: str,
    trace: str | None,
    shape: str,
    partial: dict[str, Any] | None = None,
    *,
    is_repaired: bool = False,
    problems: tuple[Problem, ...] = (),
) -> ReadReply:
    return ReadReply(trace, None, partial, f"replies.{code}", shape, is_repaired, problems)


def _parted(text: str, aside: str) -> tuple[Thinking, str | None, str]:
    """Where the thinking was, the thinking, and what stands after it."""
    closings = list(_CLOSING.finditer(text))
    opening = _OPENING.search(text)
    if aside.strip():
        return "reasoning", aside, text[closings[-1].end() :] if closings else text
    if closings:
        # The last one: a trace may talk about the tags that it is to write.
        before, rest = text[: closings[-1].start()], text[closings[-1].end() :]
        if opening and opening.start() < closings[-1].start():
            return "inline", before[opening.end() :], rest
        return "no_opening", before, rest
    if opening:
        inside = text[opening.end() :]
        answer = inside.rfind("<answer>")
        if answer < 0:
            return "unclosed", inside, ""
        return "unclosed", inside[:answer], inside[answer:]
    return "none", None, text


class _Block(NamedTuple):
    text: str
    is_closed: bool


def _blocks(rest: str) -> tuple[str, list[_Block]]:
    """Where to look for the plan, from the surest place to the least sure."""
    for place, form in (("answer", _ANSWER), ("fenced", _FENCE)):
        blocks = [_Block(each[1], bool(each[2])) for each in form.finditer(rest)]
        blocks = [each for each in blocks if each.text.strip()]
        if blocks:
            return place, blocks
    return "bare", [_Block(rest, is_closed=False)]


def _worst(found: list[Found]) -> str:
    """The failure to be told when no block held a plan: the one nearest to a plan."""
    order = ("doubled_keys", "too_deep", "too_long", "cut_off", "broken_json", "not_a_plan")
    codes = {each.failure for each in found}
    return next((code for code in order if code in codes), "no_plan")


def _storable(text: str) -> str:
    return FORBIDDEN.sub("\ufffd", text)


def _clean(partial: dict[str, Any] | None) -> dict[str, Any] | None:
    """Canonical keys only, texts that a database takes; enough for an editor to begin from."""
    if not partial:
        return None
    cleaned = {key: _cleaned_value(partial[key]) for key in PLAN_KEYS if key in partial}
    steps = cleaned.get("steps")
    if isinstance(steps, list):
        cleaned["steps"] = [
            {key: step[key] for key in STEP_KEYS if key in step}
            for step in cast(list[Any], steps)[:MAX_STEPS]
            if isinstance(step, dict)
        ]
    return cleaned or None


def _cleaned_value(value: object) -> Any:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list):
        return [_cleaned_value(each) for each in cast(list[object], value)]
    if isinstance(value, dict):
        fields = cast(dict[str, object], value)
        return {_storable(key): _cleaned_value(each) for key, each in fields.items()}
    return value
