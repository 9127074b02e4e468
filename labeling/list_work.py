"""Weighing an expert list and moving rows to one, as durable work whose progress a page can follow.

What is small is weighed at once. The same order given twice is one piece of work; one whose process
died goes on where it stood when it is ordered again, or when `serve` is back.
"""

from typing import Any, cast

from db import durable
from db.access import impact as plans
from db.access import list_work as access
from db.access.list_work import WorkFacts
from db.durable import Durable, Interrupted, resources
from db.engine import Database, take_turns
from labeling.experts import get_list
from labeling.impact import Weighed, weigh, weighed, weighed_draft
from labeling.migration import Migration, move_some, prepare
from schemas.errors import NotFound
from schemas.experts import ExpertList
from schemas.list_changes import ListChanges
from schemas.list_impact_report import ImpactReport, ListWorkView, MigrationCounts
from schemas.people import Actor

SOON = 2_000
"""So many rows are weighed before anybody could look at progress."""


def start_impact(
    database: Database,
    work: Durable,
    who: Actor,
    *,
    before: str = "",
    after: str = "",
    draft_id: str | None = None,
) -> ListWorkView:
    """Weigh a published version against an older one, or a draft against its base.

    Raises:
        NotFound: `experts.list_not_found`, `experts.draft_not_found`.
        InvalidInput: `experts.refused`, `experts.changes_refused`, `experts.no_base`.
    """
    who.require("reviewer")
    if draft_id is None:
        what = weighed(database, who, before, after)
    else:
        what = weighed_draft(database, who, draft_id)
    order = _order(what) | {
        "version_id": what.version_id,
        "list": what.after.model_dump(mode="json"),
        "changes": what.changes.model_dump(mode="json"),
    }
    found = _begin(database, who, "impact", order, what.version_id)
    if found.total <= SOON:
        _weigh_now(database, who, found.id, what)
    else:
        work.start(_run_impact, f"lists-{found.id}", found.id, _to_plain(who))
    return get_work(database, who, found.id)


def start_migration(
    database: Database, work: Durable, who: Actor, before: str, after: str
) -> ListWorkView:
    """Propose every touched row of a version under another, in the background.

    Raises:
        NotFound: `experts.list_not_found`.
        InvalidInput: `experts.same_version`.
    """
    found, _ = begin_migration(database, who, before, after)
    work.start(_run_migration, f"lists-{found.id}", found.id, _to_plain(who))
    return get_work(database, who, found.id)


def begin_migration(
    database: Database, who: Actor, before: str, after: str
) -> tuple[WorkFacts, Migration]:
    """The row of a migration, one that is under way already if there is one."""
    who.require("admin")
    migration = prepare(database, who, before, after)
    order = _order(migration.what)
    return _begin(database, who, "migrate", order, migration.from_version_id), migration


def get_work(database: Database, who: Actor, work_id: str) -> ListWorkView:
    """How far a piece of work is.

    Raises:
        NotFound: `experts.work_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        found = access.find_work(session, who.project_id, work_id)
    if found is None:
        raise NotFound("experts.work_not_found")
    return _view(found)


def list_migrations(database: Database, who: Actor, *, limit: int = 10) -> list[ListWorkView]:
    """The newest first."""
    who.require("reviewer")
    with database.reading() as session:
        return [_view(each) for each in access.list_work(session, who.project_id, "migrate", limit)]


@durable.step("lists.weigh")
def _weigh_step(work_id: str, person: dict[str, Any]) -> None:
    have, who = resources(), Actor(**person)
    with have.database.reading() as session:
        found = access.find_work(session, who.project_id, work_id)
    if found is None or found.state != "running":
        return
    order = found.order
    _, before = get_list(have.database, who, order["before"])
    after = ExpertList.model_validate(order["list"])
    changes = ListChanges.model_validate(order["changes"])
    _weigh_now(have.database, who, work_id, Weighed(order["version_id"], before, after, changes))


@durable.workflow("lists.impact")
def _run_impact(work_id: str, person: dict[str, Any]) -> None:
    _weigh_step(work_id, person)


@durable.step("lists.move")
def _move_step(work_id: str, person: dict[str, Any]) -> bool:
    have, who = resources(), Actor(**person)
    with have.database.reading() as session:
        found = access.find_work(session, who.project_id, work_id)
    if found is None:
        return False
    migration = prepare(have.database, who, found.order["before"], found.order["after"])
    while more := move_some(have.database, who, migration, work_id):
        if have.closing.is_set():
            raise Interrupted
    return more


@durable.workflow("lists.migrate")
def _run_migration(work_id: str, person: dict[str, Any]) -> None:
    while _move_step(work_id, person):
        pass


def _weigh_now(database: Database, who: Actor, work_id: str, what: Weighed) -> None:
    def on_progress(done: int) -> None:
        with database.transaction() as session:
            access.save_progress(session, work_id, done, {})

    report = weigh(database, who, what, on_progress)
    with database.transaction() as session:
        plain = report.model_dump(mode="json")
        access.end_work(session, work_id, "done", report.rows.total, plain)


def _begin(
    database: Database, who: Actor, kind: str, order: dict[str, Any], version_id: str
) -> WorkFacts:
    with database.transaction() as session:
        take_turns(session, f"{kind} of lists of {who.project_id}")
        found = access.find_running(session, who.project_id, kind, order)
        if found is None:
            total = plans.count_plans(session, who.project_id, version_id)
            work_id = access.add_work(
                session, who.project_id, kind, order, total=total, person_id=who.person_id
            )
            found = access.find_work(session, who.project_id, work_id)
    if found is None:
        raise LookupError(kind)
    return found


def _order(what: Weighed) -> dict[str, Any]:
    return {"before": what.before.reference, "after": what.after.reference}


def _view(found: WorkFacts) -> ListWorkView:
    report = found.report or {}
    is_weighed = found.kind == "impact" and found.state == "done"
    counts = MigrationCounts.model_validate(report.get("counts", {}))
    return ListWorkView(
        id=found.id,
        kind=cast(Any, found.kind),
        before=found.order["before"],
        after=found.order["after"],
        state=found.state,
        done=found.done,
        total=found.total,
        impact=ImpactReport.model_validate(report) if is_weighed else None,
        counts=counts if found.kind == "migrate" else None,
        created_by=found.created_by,
        created_at=found.created_at,
    )


def _to_plain(who: Actor) -> dict[str, Any]:
    return {name: getattr(who, name) for name in Actor.__slots__}
