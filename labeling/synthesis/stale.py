"""Which accepted plans no trace leads to: what a re-derivation asks for.

Plans that are no good to train on, and questions to evaluate with, are left out: their traces could
never be used, and a benchmark's question is asked of no model with its answer beside it. Historical
chats keep the prompt that they came with and are asked under it; those whose own prompt does not
tell of every expert of the plan are counted and left out, since no thinking under it leads there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from db.access import exports, rederivations
from db.access.batches import NewRequest
from db.access.parts import read_span
from db.engine import Session
from labeling.duplicates import guard_of
from labeling.synthesis.hinted import language_of
from schemas.experts import ExpertList
from schemas.leaks import BenchmarkGuard
from schemas.parts import QueryPart, SuggestionPart
from schemas.prompt import prompt_language
from schemas.rederivation import names_experts, own_prompts, rederivation_prompts
from schemas.scoring.check import VISIBLE, plan_problems
from schemas.staleness import Compared, choose_trace, trace_state
from schemas.synthesis import QueryPins, SynthesisOrder

OTHER_EXPERTS = "synthesis.rederived_other_experts"


class Wanted(NamedTuple):
    """An accepted plan that wants a trace, and the requests for it, or why none can be made."""

    pins: QueryPins
    requests: list[NewRequest]
    left_out: str | None = None


def list_wanted(
    session: Session, project_id: str, list_version_id: str | None, order: SynthesisOrder
) -> Iterator[list[Wanted]]:
    """Accepted plans whose trace is stale or missing, where no sibling's leads there, by query."""
    guard = guard_of(session, project_id)
    lists = exports.list_pinned_lists(session, project_id)
    prompts = exports.list_pinned_prompts(session, project_id)
    fetch = exports.fetch_parts(session, project_id, {"accepted"})
    for span in exports.list_spans(session, project_id):
        parts = [
            (query, said)
            for query, said, _ in read_span(fetch, span)
            if query.revision_id is not None and list_version_id in (None, query.list_version_id)
        ]
        if not parts:
            continue
        known = rederivations.known_revisions(session, [q.revision_id or "" for q, _ in parts])
        yield [
            _wanted(query, prompts[query.prompt_version_id].template, lists, order)
            for query, said in parts
            if query.revision_id not in known
            and _wants_trace(query, said, guard, lists[query.list_version_id])
        ]


def _wants_trace(
    query: QueryPart,
    suggestions: Sequence[SuggestionPart],
    guard: BenchmarkGuard,
    expert_list: ExpertList,
) -> bool:
    plan: Any = orjson.loads(query.plan or "null")
    if plan_problems(plan, expert_list.names) or guard.is_leak(query, plan["rewritten_query"]):
        return False
    compared = [
        Compared(each.id, trace_state(plan, orjson.loads(each.plan)), each.trace_length)
        for each in suggestions
        if each.plan and each.trace and VISIBLE.search(each.trace)
    ]
    return choose_trace(query.own_suggestion_id, compared).state in (None, "stale")


def _wanted(
    query: QueryPart, template: str, lists: Mapping[str, ExpertList], order: SynthesisOrder
) -> Wanted:
    pins = QueryPins(
        query_id=query.id,
        list_version_id=query.list_version_id,
        prompt_version_id=query.prompt_version_id,
        dialect=query.dialect,
        window=query.window,
    )
    revision_id = query.revision_id or ""
    version = rederivation_prompts(prompt_language(template)).version
    if query.messages is not None:
        own = orjson.loads(query.messages)
        told = "\n".join(each["content"] for each in own if each["role"] != "assistant")
        if not names_experts(told, orjson.loads(query.plan or ""), lists[query.list_version_id]):
            return Wanted(pins, [], OTHER_EXPERTS)
        version = own_prompts(language_of(own)).version
    requests = [
        NewRequest(
            query.id,
            candidate,
            order.trace_key(pins, revision_id, version, candidate),
            "trace",
            revision_id,
        )
        for candidate in range(1, order.n + 1)
    ]
    return Wanted(pins, requests)
