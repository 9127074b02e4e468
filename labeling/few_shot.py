"""The bank of examples for prompts: accepted plans that models got most wrong.

What a benchmark or a gold item asks never becomes an example, nor what is nearly the same. A plan
must be valid under its own list and stand without a dialogue; of examples that are alike only the
most corrected is taken.
"""

from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import Any, NamedTuple

import orjson

from db.access import exports
from db.access.parts import read_span
from db.engine import Database, Session
from labeling import prompts
from labeling.duplicates import guard_of
from schemas.agreement import plan_distance
from schemas.experts import ExpertList
from schemas.few_shot import Example, can_be_written, is_near, wanted_examples, write_examples
from schemas.leaks import BenchmarkGuard
from schemas.parts import QueryPart, SuggestionPart
from schemas.people import Actor
from schemas.prompt_versions import PublishedPrompt
from schemas.scoring.check import plan_problems

_KEPT = 400


class Banked(NamedTuple):
    """An example, how far the model's plan was from it (0 to 1], and whose query it is."""

    distance: float
    query_id: str
    example: Example


def list_examples(database: Database, who: Actor, *, count: int = 16) -> list[Banked]:
    """The most corrected accepted plans, the most corrected first."""
    who.require("reviewer")
    with database.reading() as session:
        return _pick(session, who.project_id, count)


def publish_prompt(
    database: Database, who: Actor, template: str, *, name: str = "planner"
) -> PublishedPrompt:
    """Publish a template, with the most corrected plans of now in the place of `{few_shot}`.

    Raises:
        InvalidInput: as `labeling.prompts.publish_prompt` does.
    """
    who.require("admin")
    if count := wanted_examples(template):
        examples = [each.example for each in list_examples(database, who, count=count)]
        template = write_examples(template, examples)
    return prompts.publish_prompt(database, who, template, name=name)


def _pick(session: Session, project_id: str, count: int) -> list[Banked]:
    chosen: list[Banked] = []
    for each in nlargest(_KEPT, _corrected(session, project_id), key=lambda one: one[:2]):
        if len(chosen) == count:
            break
        query = each.example.query
        if not any(is_near(query, other.example.query) for other in chosen):
            chosen.append(each)
    return chosen


def _corrected(session: Session, project_id: str) -> Iterator[Banked]:
    guard = guard_of(session, project_id)
    lists = exports.list_pinned_lists(session, project_id)
    fetch = exports.fetch_parts(session, project_id, {"accepted"})
    for span in exports.list_spans(session, project_id):
        for query, said, _ in read_span(fetch, span):
            banked = _banked(query, said, guard, lists.get(query.list_version_id))
            if banked is not None:
                yield banked


def _banked(
    query: QueryPart,
    said: Sequence[SuggestionPart],
    guard: BenchmarkGuard,
    expert_list: ExpertList | None,
) -> Banked | None:
    """What a query is worth as an example; None where it must not be one, or nothing was wrong."""
    is_free = query.revision_id and query.messages is None and query.history in ("", "[]")
    if not is_free or not can_be_written(query.text) or expert_list is None:
        return None
    plan: Any = orjson.loads(query.plan or "null")
    if plan is None or plan_problems(plan, expert_list.names):
        return None
    if guard.is_leak(query, plan["rewritten_query"]):
        return None
    own = [each for each in said if each.plan and each.id == query.own_suggestion_id]
    models = [each for each in said if each.origin != "rederived"]
    plans = [orjson.loads(each.plan) for each in own or models if each.plan]
    distance = min((plan_distance(plan, each) for each in plans), default=0.0)
    kept = {name: plan[name] for name in ("rewritten_query", "steps")}
    return Banked(distance, query.id, Example(query.text, kept)) if distance > 0 else None
