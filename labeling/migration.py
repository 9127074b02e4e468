"""Moving decided rows to a newer expert list: proposals, each of which goes through review.

The old row stays as it is, under its old list. For each row that the newer list touches, a query
of its own is made under the newer list, in the same cluster (so in the same split of any bundle):

* rules rewrite it (rename, merge): the rewritten plan is handed in for review as it stands, by
  whoever moves the rows, and so reviewed by somebody else;
* people are needed (split, retired with likely heirs, described anew): it waits to be labelled,
  with a candidate plan for each likely expert;
* nobody does a step any more: nothing is made, and it is remembered as lost.

Moving again adds nothing. What nobody has touched can be taken back.
"""

from collections import Counter
from typing import NamedTuple

from db import clock
from db.access import annotations, leases, list_work, taking_back
from db.access import impact as plans
from db.access import migration as access
from db.access.events import add_event
from db.access.impact import DecidedPlan
from db.access.migration import Move, Moving
from db.engine import Database, Session, take_turns
from labeling import queue
from labeling.experts import get_list
from labeling.handing_in import hand_in
from labeling.holding import begin
from labeling.impact import Weighed, plan_of, plans_of, weighed
from schemas.errors import InvalidInput
from schemas.list_impact import ListImpact
from schemas.list_impact_report import MigrationCounts, MovedRow
from schemas.people import Actor

CHUNK = 100
"""Rows of one transaction, so that others get their turn."""


class Migration(NamedTuple):
    """Two versions of one list, and the judge of plans between them."""

    what: Weighed
    to_version_id: str
    judge: ListImpact

    @property
    def from_version_id(self) -> str:
        """Where the rows are now."""
        return self.what.version_id


def prepare(database: Database, who: Actor, before: str, after: str) -> Migration:
    """Two versions between which rows can be moved.

    Raises:
        NotFound: `experts.list_not_found`.
        InvalidInput: `experts.same_version`.
    """
    what = weighed(database, who, before, after)
    to_version_id, _ = get_list(database, who, after)
    if to_version_id == what.version_id:
        raise InvalidInput("experts.same_version", reference=what.before.reference)
    judge = ListImpact(what.before, what.after, what.changes.changes)
    return Migration(what, to_version_id, judge)


def preview(database: Database, who: Actor, before: str, after: str) -> MigrationCounts:
    """What moving the rows would make; nothing is changed.

    Raises:
        NotFound: `experts.list_not_found`.
        InvalidInput: `experts.same_version`.
    """
    who.require("admin")
    migration = prepare(database, who, before, after)
    counts: Counter[str] = Counter()
    with database.reading() as session:
        for page in plans_of(session, who.project_id, migration.from_version_id):
            counts += _counted(session, migration, page)
    return MigrationCounts(**counts)


def move_some(database: Database, who: Actor, migration: Migration, work_id: str) -> bool:
    """Propose the next rows of a piece of work; whether there may be more.

    Where it stands is in its row, which changes in the transaction that makes the proposals: killed
    at any moment, it goes on as if nothing had been.
    """
    who.require("admin")
    with database.reading() as session:
        work = list_work.find_work(session, who.project_id, work_id)
        if work is None or work.state != "running":
            return False
        after = (work.report or {}).get("after", "")
        rows = (session, who.project_id, migration.from_version_id)
        page = plans.list_plans(*rows, after, CHUNK)
    judged = [(row, _move(migration, row)) for row in page]
    with database.transaction() as session:
        take_turns(session, f"moves to {migration.to_version_id}")
        now = list_work.find_work(session, who.project_id, work_id)
        if now is None or now.report != work.report or now.state != "running":
            return True  # another process was faster
        made = write_moves(session, who, migration, work_id, judged)
        counts = MigrationCounts.model_validate((work.report or {}).get("counts", {})).plus(made)
        report = {"counts": counts.model_dump(), "after": page[-1].query_id if page else after}
        done = work.done + len(page)
        if len(page) == CHUNK:
            list_work.save_progress(session, work_id, done, report)
        else:
            list_work.end_work(session, work_id, "done", done, report)
            why: dict[str, object] = {
                "from": migration.what.before.reference,
                **counts.model_dump(),
            }
            add_event(session, who, "list", migration.to_version_id, "rows_moved", why=why)
    return len(page) == CHUNK


def write_moves(
    session: Session,
    who: Actor,
    migration: Migration,
    work_id: str,
    judged: list[tuple[DecidedPlan, Move | None]],
) -> MigrationCounts:
    """Make what is new of some judged rows, within an open unit of work."""
    ids = [row.query_id for row, _ in judged]
    known = access.list_known(session, migration.to_version_id, ids)
    moves = [move for row, move in judged if move is not None and row.query_id not in known]
    counts = Counter(move.fate for move in moves)
    counts["known"] = len(known)
    counts["untouched"] = sum(1 for _, move in judged if move is None)
    moving = Moving(
        who.project_id, migration.from_version_id, migration.to_version_id, work_id, clock.now()
    )
    made = access.add_moves(session, moving, moves)
    for move in moves:
        if move.parent_query_id in made:
            _tell(session, who, migration, made[move.parent_query_id], move)
        if move.fate == "automatic":
            _hand_in(session, who, made[move.parent_query_id], move)
    return MigrationCounts(**counts)


def list_moved(
    database: Database, who: Actor, reference: str, *, after: str = "", limit: int = 50
) -> list[MovedRow]:
    """Rows that were moved to a version, after a parent's id.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    who.require("reviewer")
    version_id, _ = get_list(database, who, reference)
    with database.reading() as session:
        return access.list_moved(
            session, who.project_id, version_id, after=after, limit=max(1, min(limit, 200))
        )


def count_moved(database: Database, who: Actor, reference: str) -> dict[tuple[str, str], int]:
    """How many rows were moved to a version, by fate and by the state of the new query.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    who.require("reviewer")
    version_id, _ = get_list(database, who, reference)
    with database.reading() as session:
        return access.count_moved(session, who.project_id, version_id)


def take_back(database: Database, who: Actor, before: str, after: str) -> int:
    """Take back the proposals that nobody has touched; what somebody has begun on stays.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    who.require("admin")
    from_id, _ = get_list(database, who, before)
    to_id, _ = get_list(database, who, after)
    total, taken = 0, -1
    while taken:
        with database.transaction() as session:
            take_turns(session, f"moves to {to_id}")
            taken = taking_back.take_back(session, who.project_id, to_id, from_id, CHUNK)
            total += taken
            if taken:
                why: dict[str, object] = {"from": before, "count": taken}
                add_event(session, who, "list", to_id, "moves_taken_back", why=why)
    return total


def _counted(session: Session, migration: Migration, page: list[DecidedPlan]) -> Counter[str]:
    known = access.list_known(session, migration.to_version_id, [row.query_id for row in page])
    moves = {row.query_id: _move(migration, row) for row in page}
    return Counter(
        "known" if query_id in known else move.fate if move else "untouched"
        for query_id, move in moves.items()
    )


def _move(migration: Migration, row: DecidedPlan) -> Move | None:
    """What moving a row takes; None where it means the same under both lists."""
    plan = plan_of(row, migration.what.before)
    if plan is None:
        return None
    found = migration.judge.fate_of(plan)
    if found.fate == "untouched":
        return None
    if found.plan is not None:
        made = (dict(found.plan),)
    else:
        made = tuple(migration.judge.candidate_plans(plan, found))
    candidates = tuple(each.candidates for each in found.steps)
    return Move(row.query_id, found.fate, found.rule or "add", candidates, made)


def _tell(session: Session, who: Actor, migration: Migration, query_id: str, move: Move) -> None:
    why: dict[str, object] = {
        "parent": move.parent_query_id,
        "from": migration.what.before.reference,
        "to": migration.what.after.reference,
        "rule": move.rule,
    }
    add_event(session, who, "query", query_id, "moved", why=why)


def _hand_in(session: Session, who: Actor, query_id: str, move: Move) -> None:
    """Hand a rewritten plan in as it stands: it counts when a reviewer has accepted it."""
    asker = queue.passing(who)
    task = leases.take_of_query(session, asker, query_id)
    if task is None:
        raise LookupError(query_id)
    annotation = annotations.get_annotation(
        session, who.project_id, begin(session, who, asker, task)
    )
    refusal = hand_in(
        session,
        who,
        asker,
        annotation,
        number=annotation.draft_number,
        content=move.plans[0],
        seconds=0,
    )
    if refusal is not None:
        raise refusal
