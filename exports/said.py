"""What models said to a query, held against the plan that people decided on."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from schemas.parts import SuggestionPart
from schemas.scoring.check import VISIBLE
from schemas.staleness import TraceState, trace_state


class Said(NamedTuple):
    """A suggestion with a plan, and what people did to that plan.

    `trace_length` is 0 where there is nothing to read in its trace.
    """

    part: SuggestionPart
    plan: Any
    state: TraceState
    trace_length: int


def said_beside(
    accepted: Any, accepted_text: str | None, suggestions: Iterable[SuggestionPart]
) -> list[Said]:
    """The suggestions that have a plan, in order, each compared with the accepted plan."""
    said: list[Said] = []
    for part in suggestions:
        if part.plan is None:
            continue
        plan, state = accepted, "fresh"
        if part.plan != accepted_text:
            plan = orjson.loads(part.plan)
            state = trace_state(accepted, plan)
        said.append(Said(part, plan, state, trace_length_of(part)))
    return said


def trace_length_of(part: SuggestionPart) -> int:
    """0 where there is nothing to read in the trace."""
    return part.trace_length if part.trace and VISIBLE.search(part.trace) else 0
