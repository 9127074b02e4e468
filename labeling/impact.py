"""What publishing a version of an expert list would mean for what was decided under another."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from db.access import impact as access
from db.access.impact import DecidedPlan
from db.engine import Database, Session
from labeling.experts import get_list
from labeling.list_changes import changes_between
from labeling.list_drafts import draft_list, get_draft
from schemas.change_proposals import propose_changes
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.list_changes import ListChange, ListChanges, check_changes
from schemas.list_files import parse_list_file
from schemas.list_impact import Fate, ImpactCounts, ListImpact, PlanFate
from schemas.list_impact_report import AffectedQuery, ImpactReport
from schemas.old_answers import read_old_answer
from schemas.people import Actor

MOST_SHOWN = 60
"""Examples of each fate."""
CHUNK = 1_000

Progress = Callable[[int], None]


class Weighed(NamedTuple):
    """What is weighed: the older version's id and list, the newer list, and its changes."""

    version_id: str
    before: ExpertList
    after: ExpertList
    changes: ListChanges


def impact(database: Database, who: Actor, before: str, after: str) -> ImpactReport:
    """What becomes of plans of one published version under another; nothing is changed.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    return weigh(database, who, weighed(database, who, before, after))


def impact_of_file(
    database: Database,
    who: Actor,
    before: str,
    content: bytes,
    changes: tuple[ListChange, ...] | None = None,
) -> ImpactReport:
    """The same for a list that is not published yet; of a file of many, the first.

    Raises:
        NotFound: `experts.list_not_found`.
        InvalidInput: `files.*`, `experts.refused` or `experts.changes_refused`.
    """
    who.require("reviewer")
    version_id, old = get_list(database, who, before)
    new = parse_list_file(content)[0]
    return weigh(database, who, Weighed(version_id, old, new, _said(changes, old, new)))


def weighed(database: Database, who: Actor, before: str, after: str) -> Weighed:
    """Two published versions, ready to be weighed.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    who.require("reviewer")
    version_id, old = get_list(database, who, before)
    _, new = get_list(database, who, after)
    return Weighed(version_id, old, new, changes_between(database, who, before, after))


def weighed_draft(database: Database, who: Actor, draft_id: str) -> Weighed:
    """A draft against the version that it began from, ready to be weighed.

    Raises:
        NotFound: `experts.draft_not_found`.
        InvalidInput: `experts.refused`, `experts.changes_refused`, `experts.no_base`.
    """
    who.require("reviewer")
    draft = get_draft(database, who, draft_id)
    if draft.base is None:
        raise InvalidInput("experts.no_base")
    version_id, old = get_list(database, who, draft.base)
    new = draft_list(draft)
    return Weighed(version_id, old, new, _said(draft.changes, old, new))


def weigh(
    database: Database, who: Actor, what: Weighed, on_progress: Progress | None = None
) -> ImpactReport:
    """Every decided plan of the older version by its fate under the newer list."""
    judge = ListImpact(what.before, what.after, what.changes.changes)
    rows: Counter[Fate] = Counter()
    shown: list[AffectedQuery] = []
    with database.reading() as session:
        for page in plans_of(session, who.project_id, what.version_id):
            for row in page:
                plan = plan_of(row, what.before)
                if plan is None:
                    continue
                found = judge.fate_of(plan)
                rows[found.fate] += 1
                if found.fate != "untouched" and rows[found.fate] <= MOST_SHOWN:
                    shown.append(_affected(row, found))
            if on_progress is not None:
                on_progress(rows.total())
        questions = access.list_questions(session, who.project_id, what.version_id)
        planners = access.list_planners(session, who.project_id, what.version_id)
    return ImpactReport(
        before=what.before.reference,
        after=what.after.reference,
        changes=what.changes,
        rows=ImpactCounts.of(rows),
        questions=ImpactCounts.of(_counted(judge, (plan for _, plan in questions))),
        benchmarks=tuple(sorted({name for name, _ in questions})),
        planners=tuple(planners) if what.changes.changes else (),
        affected=tuple(shown),
    )


def plans_of(session: Session, project_id: str, version_id: str) -> Iterator[list[DecidedPlan]]:
    """Decided plans of a version in pages, by the ids of their queries."""
    after = ""
    while page := access.list_plans(session, project_id, version_id, after, CHUNK):
        yield page
        after = page[-1].query_id


def plan_of(row: DecidedPlan, expert_list: ExpertList) -> Mapping[str, Any] | None:
    """The decided plan; none where an old answer holds no plan that is valid under its list."""
    if row.plan is not None:
        return orjson.loads(row.plan)
    return read_old_answer(row.answer or "", row.dialect, expert_list).plan


def _said(
    changes: tuple[ListChange, ...] | None, before: ExpertList, after: ExpertList
) -> ListChanges:
    if changes is None:
        return ListChanges(source="proposed", changes=propose_changes(before, after))
    check_changes(changes, before, after)
    return ListChanges(source="recorded", changes=changes)


def _affected(row: DecidedPlan, found: PlanFate) -> AffectedQuery:
    return AffectedQuery(
        query_id=row.query_id,
        text=row.text,
        fate=found.fate,
        rule=found.rule,
        candidates=tuple(each.candidates for each in found.steps),
    )


def _counted(judge: ListImpact, plans: Iterable[str]) -> Counter[Fate]:
    return Counter(judge.fate_of(orjson.loads(plan)).fate for plan in plans)
