"""What publishing a version of an expert list would mean for what was decided under another."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from db.access import impact as access
from db.access.impact import DecidedPlan
from db.engine import Database, Session
from labeling.experts import get_list
from schemas.experts import ExpertList
from schemas.list_files import parse_list_file
from schemas.list_impact import Fate, ImpactCounts, ListImpact, PlanFate
from schemas.list_impact_report import AffectedQuery, ImpactReport
from schemas.old_answers import read_old_answer
from schemas.people import Actor

MOST_SHOWN = 200
CHUNK = 1_000


def impact(database: Database, who: Actor, before: str, after: str) -> ImpactReport:
    """What becomes of plans of one published version under another; nothing is changed.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    who.require("reviewer")
    version_id, old = get_list(database, who, before)
    return _report(database, who, version_id, old, get_list(database, who, after)[1])


def impact_of_file(database: Database, who: Actor, before: str, content: bytes) -> ImpactReport:
    """The same for a list that is not published yet; of a file of many, the first.

    Raises:
        NotFound: `experts.list_not_found`.
        InvalidInput: `files.*` or `experts.refused`.
    """
    who.require("reviewer")
    version_id, old = get_list(database, who, before)
    return _report(database, who, version_id, old, parse_list_file(content)[0])


def _report(
    database: Database, who: Actor, version_id: str, old: ExpertList, new: ExpertList
) -> ImpactReport:
    judge = ListImpact(old, new)
    rows: Counter[Fate] = Counter()
    shown: list[AffectedQuery] = []
    with database.reading() as session:
        for row in _plans(session, who.project_id, version_id):
            plan = _plan_of(row, old)
            if plan is None:
                continue
            found = judge.fate_of(plan)
            rows[found.fate] += 1
            if found.fate in ("people", "lost") and len(shown) < MOST_SHOWN:
                shown.append(_affected(row, found))
        questions = access.list_questions(session, who.project_id, version_id)
        planners = access.list_planners(session, who.project_id, version_id)
    return ImpactReport(
        before=old.reference,
        after=new.reference,
        rows=ImpactCounts.of(rows),
        questions=ImpactCounts.of(_counted(judge, (plan for _, plan in questions))),
        benchmarks=tuple(sorted({name for name, _ in questions})),
        planners=tuple(planners),
        affected=tuple(shown),
    )


def _plans(session: Session, project_id: str, version_id: str) -> Iterator[DecidedPlan]:
    after = ""
    while page := access.list_plans(session, project_id, version_id, after, CHUNK):
        yield from page
        after = page[-1].query_id


def _plan_of(row: DecidedPlan, expert_list: ExpertList) -> Mapping[str, Any] | None:
    """The decided plan; none where an old answer holds no plan that is valid under its list."""
    if row.plan is not None:
        return orjson.loads(row.plan)
    return read_old_answer(row.answer or "", row.dialect, expert_list).plan


def _affected(row: DecidedPlan, found: PlanFate) -> AffectedQuery:
    candidates = tuple(each.candidates for each in found.steps)
    return AffectedQuery(
        query_id=row.query_id, text=row.text, fate=found.fate, candidates=candidates
    )


def _counted(judge: ListImpact, plans: Iterable[str]) -> Counter[Fate]:
    return Counter(judge.fate_of(orjson.loads(plan)).fate for plan in plans)
