"""Reading the answers of historical chat rows, which nobody has read before."""

from typing import Any, NamedTuple, cast

from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.scoring.answer import TAGS, WITH_THINKING, WITHOUT_THINKING
from schemas.scoring.check import VISIBLE, plan_problems
from schemas.scoring.wire import to_canonical
from schemas.strict_json import parse_json
from schemas.trace import read_reply


class OldAnswer(NamedTuple):
    """What an old answer says; `failure` is a code of the area `replies` where `plan` is absent."""

    plan: dict[str, Any] | None
    trace: str | None
    failure: str | None


def read_old_answer(answer: str, dialect: str, expert_list: ExpertList) -> OldAnswer:
    """The plan (canonical, valid under its list) and the trace of an old answer in any form.

    The strict form, which most have, is read without looking for anything else.
    """
    strict = _read_strict(answer, dialect, expert_list)
    if strict is not None:
        return strict
    read = read_reply(answer, None, dialect=dialect, expert_list=expert_list)
    plan = cast(dict[str, Any], read.plan.to_plain()) if read.plan else None
    return OldAnswer(plan, _visible(read.trace), read.failure)


def _read_strict(answer: str, dialect: str, expert_list: ExpertList) -> OldAnswer | None:
    found = WITH_THINKING.fullmatch(answer) or WITHOUT_THINKING.fullmatch(answer)
    if found is None or any(answer.count(tag) > 1 for tag in TAGS):
        return None
    *thinking, text = found.groups()
    try:
        plan = to_canonical(parse_json(text), dialect)
    except (InvalidInput, ValueError):
        return None
    if plan_problems(plan, expert_list.names):
        return None
    trace = _visible(thinking[0].strip()) if thinking else None
    return OldAnswer(cast(dict[str, Any], plan), trace, None)


def _visible(trace: str | None) -> str | None:
    return trace if trace and VISIBLE.search(trace) else None
