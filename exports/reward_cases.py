"""Cases in which people took a plan or did not, as rows and completions to be scored.

Rewards that read the accepted plan would judge in their own cause if that plan were the one that is
judged. So the gold of a case is the accepted plan of somebody who neither wrote, nor corrected, nor
reviewed what is judged; where there is no such plan, only rewards that read none are asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from db.access import exports as access
from db.access import reward_bench as judged
from db.access.reward_bench import AcceptedPlan, JudgedPlan
from db.engine import Session
from exports.formats import RowForm, answer_text, grpo_row
from exports.materials import Materials
from exports.pinned import load_pinned
from exports.training.probing import Line
from schemas.parts import QueryPart, SuggestionPart
from schemas.reward_bench import Question
from schemas.reward_probes import plain_thinking, read_asked
from schemas.staleness import trace_state

MOST = 2_000
"""Verdicts, and accepted plans, that are looked at; the newest."""
Plan = dict[str, Any]


class Case(NamedTuple):
    """One case: the plans that are judged, the gold where there is an independent one.

    `plans` holds one plan, or of a correction the plan after it and the plan before it.
    """

    question: Question
    query_id: str
    is_good: bool
    plans: tuple[Plan, ...]
    suggestion_id: str | None
    gold: Plan | None


class CaseLine(NamedTuple):
    """A case with what is scored of it."""

    case: Case
    line: Line


def find_cases(session: Session, project_id: str, form: RowForm) -> list[CaseLine]:
    """The cases of a project, in the form of a bundle's rows."""
    verdicts = judged.list_judged_plans(session, project_id, MOST)
    accepted = judged.list_accepted_plans(session, project_id, MOST)
    query_ids = sorted({each.query_id for each in [*verdicts, *accepted]})
    suggestions = {
        each.id: each
        for found in access.list_suggestions(session, project_id, query_ids).values()
        for each in found
    }
    cases = list(_cases(verdicts, accepted, suggestions))
    queries = access.get_queries(session, project_id, {each.query_id for each in cases})
    materials = Materials(load_pinned(session, project_id), form)
    return [
        CaseLine(each, _line(each, queries[each.query_id], suggestions, materials))
        for each in cases
        if each.query_id in queries
    ]


def _cases(
    verdicts: Sequence[JudgedPlan],
    accepted: Sequence[AcceptedPlan],
    suggestions: Mapping[str, SuggestionPart],
) -> Iterator[Case]:
    golds: dict[str, list[AcceptedPlan]] = {}
    for each in accepted:
        golds.setdefault(each.query_id, []).append(each)
    final = {each.annotation_id: each for each in accepted}
    for verdict in verdicts:
        plan, is_good = orjson.loads(verdict.plan), verdict.verdict == "accepted"
        people = {verdict.author_id, verdict.reviewer_id}
        gold = _gold(golds, verdict, people)
        yield Case("submissions", verdict.query_id, is_good, (plan,), verdict.suggestion_id, gold)
        end = final.get(verdict.annotation_id)
        if end is not None and verdict.verdict in ("fixed", "returned"):
            yield from _correction(plan, end, golds, people)
    for each in accepted:
        suggested = suggestions.get(each.suggestion_id or "")
        if suggested is None or suggested.plan is None or suggested.origin == "migration":
            continue
        before, after = orjson.loads(suggested.plan), orjson.loads(each.plan)
        is_kept = trace_state(after, before) != "stale"
        gold = _gold(golds, each, _people(each))
        yield Case("suggestions", each.query_id, is_kept, (before,), each.suggestion_id, gold)
        yield from _correction(before, each, golds, set())


def _correction(
    before: Plan, end: AcceptedPlan, golds: Mapping[str, list[AcceptedPlan]], people: set[str]
) -> Iterator[Case]:
    after = orjson.loads(end.plan)
    if trace_state(after, before) == "stale":
        gold = _gold(golds, end, people | _people(end))
        plans = (after, before)
        yield Case("corrections", end.query_id, True, plans, end.suggestion_id, gold)


def _people(each: AcceptedPlan) -> set[str]:
    return {each.author_id, each.writer_id, each.reviewer_id or ""}


def _gold(
    golds: Mapping[str, list[AcceptedPlan]], of: JudgedPlan | AcceptedPlan, people: set[str]
) -> Plan | None:
    """The accepted plan of somebody who had no hand in what is judged."""
    for each in golds.get(of.query_id, ()):
        is_other = each.annotation_id != of.annotation_id
        if is_other and not people & {each.author_id, each.writer_id}:
            return orjson.loads(each.plan)
    return None


def _line(
    case: Case,
    query: QueryPart,
    suggestions: Mapping[str, SuggestionPart],
    materials: Materials,
) -> Line:
    """The row under the independent gold (else under the plan itself), and what is judged.

    All plans of a case stand behind the same thinking: the model's, or a plain one.
    """
    form = materials.form
    material = materials.make(query, "accepted", case.gold or case.plans[0], None)
    row = grpo_row(material, form)
    suggested = suggestions.get(case.suggestion_id or "")
    trace = suggested.trace if suggested else None
    if material.thinks(form) and not trace:
        asked = read_asked(row)
        trace = plain_thinking(asked) if asked else None
    completions = [
        answer_text(material._replace(plan=plan, trace=trace, plan_text=None), form)
        for plan in case.plans
    ]
    return Line(row, tuple(completions))
