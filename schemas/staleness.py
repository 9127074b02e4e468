"""Whether a model's trace still leads to the plan that people decided on (computed, never typed).

`fresh`: the model's plan was accepted as it stood. `cosmetic`: only spelling, punctuation or the
position within a stage changed. `stale`: experts, stages, numbers or wording changed, so the
thinking leads elsewhere. `rescued`: the annotation's own suggestion is stale or absent, but a
sibling already has the accepted plan, so its trace is used. `rederived`: a model wrote a new trace
for the accepted plan.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

TraceState = Literal["fresh", "cosmetic", "stale", "rescued", "rederived"]
PlainPlan = Mapping[str, Any]

# What carries no meaning once a text is in NFKC and folded case; marks inside numbers, dates and
# times do (3.5 is not 35, 10:30 is not 1030), and so does a sign.
_NOISE = re.compile(r"[^\w%+<>=$€£¥°≤≥.:/~\-]|(?<!\d)[.:/~]|[.:/~\-](?!\d)")


class Compared(NamedTuple):
    """One suggestion with a plan and a trace, and what people did to its plan."""

    suggestion_id: str
    state: TraceState
    trace_length: int


class TraceChoice(NamedTuple):
    """The state, and whose trace to use (of the sibling when rescued); none where there is none."""

    state: TraceState | None
    suggestion_id: str | None


def trace_state(accepted: PlainPlan, suggested: PlainPlan) -> TraceState:
    """`fresh`, `cosmetic` or `stale`: what people did to one suggested plan (canonical values)."""
    if accepted == suggested:
        return "fresh"
    if _stages(accepted) != _stages(suggested):  # so is their substance, at a tenth of the price
        return "stale"
    return "cosmetic" if substance(accepted) == substance(suggested) else "stale"


def choose_trace(own_id: str | None, suggestions: Iterable[Compared]) -> TraceChoice:
    """Which trace leads to an accepted plan.

    Args:
        own_id: the suggestion that the annotation began from, if any.
        suggestions: all suggestions of the query that have a plan and a trace, in any order, each
            compared with the accepted plan.
    """
    own: TraceState | None = None
    siblings: list[tuple[bool, int, str]] = []
    for suggestion_id, state, trace_length in suggestions:
        if suggestion_id == own_id:
            own = state
            if state != "stale":
                return TraceChoice(state, own_id)
        elif state != "stale":
            siblings.append((state != "fresh", trace_length, suggestion_id))
    if siblings:
        return TraceChoice("rescued", min(siblings)[2])
    return TraceChoice(own, own_id if own else None)


def substance(plan: PlainPlan) -> object:
    """What two plans must share for one trace to lead to both; comparable, without form."""
    steps = sorted(
        (step["order"], step["expert"], sorted(map(_plain_text, step["sub_questions"])))
        for step in plan["steps"]
    )
    return _plain_text(plan["rewritten_query"]), steps


def _stages(plan: PlainPlan) -> list[tuple[int, str]]:
    return sorted((step["order"], step["expert"]) for step in plan["steps"])


def _plain_text(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())
