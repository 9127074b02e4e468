"""Leases: how a task comes into exactly one pair of hands, by one conditional UPDATE … RETURNING.

An open task with a `person_id` is a lapsed one: its lease ran out, and until somebody else takes
it, its last holder may go on as if nothing had happened. `for_person_id` keeps a returned task for
its author, through a lapse too, until it is handed in again.
"""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session

from db.access.pauses import is_paused
from db.access.starts import Place, find_start, move_start, opened_again, sweep_is_due
from db.access.tasks import FACTS, KINDS, SKIP, TASK, Kind, TaskFacts, is_of, to_facts
from db.access.work_batches import goes_to
from db.prepared import ONE, Prepared, word
from db.tables.base import UtcDateTime
from schemas.project import GoldSettings

Standing = Literal["held", "kept", "postponed"]

_NEVER = datetime.min.replace(tzinfo=UTC)
_ANNOTATION = TASK.metadata.tables["annotation"]


class Mine(NamedTuple):
    """A task that is mine: in hand (or lapsed), kept for me, or put aside."""

    task_id: int
    standing: Standing


class Asker(NamedTuple):
    """Who asks for a task, when, until when they would have it, and how often gold comes."""

    project_id: str
    person_id: str
    at: datetime
    until: datetime
    gold: GoldSettings = GoldSettings()


_ME, _PROJECT = bindparam("me", type_=sa.String()), bindparam("project", type_=sa.String())
_AT, _UNTIL = bindparam("now", type_=UtcDateTime()), bindparam("until", type_=UtcDateTime())
# Two halves, each on its own index. The second leaves the project to Python, because without
# statistics SQLite would take the index of all open tasks for it.
_OPEN, _TAKEN, _POSTPONED = word("open"), word("taken"), word("postponed")
_NOT_DONE = (_TAKEN, _OPEN, _POSTPONED)
_WHICH = (TASK.c.project_id, TASK.c.kind, TASK.c.taken_at, TASK.c.id)
_MINE = Prepared(
    sa.union_all(
        sa.select(*_WHICH, TASK.c.status == _POSTPONED, sa.false()).where(
            TASK.c.person_id == _ME, TASK.c.status.in_(_NOT_DONE)
        ),
        sa.select(*_WHICH, sa.false(), sa.true()).where(
            TASK.c.for_person_id == _ME, TASK.c.status == _OPEN, TASK.c.person_id.is_(None)
        ),
    )
)
_TAKE_MINE = Prepared(
    sa.update(TASK)
    .where(TASK.c.id == bindparam("key"), is_of(_ME))
    .values(
        status=_TAKEN,
        person_id=_ME,
        lease_until=_UNTIL,
        taken_at=sa.case((TASK.c.status == _TAKEN, TASK.c.taken_at), else_=_AT),
    )
    .returning(*FACTS)
)


def _has_no_part_in() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """That a person handed in no annotation of the query, and has no other slot of it.

    Two conditions and not one with OR, which PostgreSQL would answer by hashing everything that the
    person ever handed in.
    """
    handed_in = sa.exists().where(
        _ANNOTATION.c.query_id == TASK.c.query_id,
        _ANNOTATION.c.author_id == _ME,
        _ANNOTATION.c.state != word("draft"),
    )
    other = TASK.alias("other")
    holds = sa.exists().where(
        other.c.kind == word("label"),
        other.c.query_id == TASK.c.query_id,
        other.c.id != TASK.c.id,
        other.c.person_id == _ME,
        other.c.status.in_(_NOT_DONE),
    )
    return ~handed_in, ~holds


def _has_skipped() -> sa.ColumnElement[bool]:
    """Whether a person skipped any slot of the query."""
    other = TASK.alias("skipped")
    return sa.exists().where(
        other.c.kind == TASK.c.kind,
        other.c.query_id == TASK.c.query_id,
        SKIP.c.task_id == other.c.id,
        SKIP.c.person_id == _ME,
    )


def claimable(kind: Kind) -> list[sa.ColumnElement[bool]]:
    """That a task is open and a person (`me`) of a project (`project`) may have it."""
    where = [TASK.c.project_id == _PROJECT, TASK.c.kind == word(kind)]
    where += [TASK.c.status == _OPEN, ~is_paused(_PROJECT, _ME)]
    match kind:
        case "label":
            where.append(TASK.c.for_person_id.is_(None))
            where += [goes_to(_PROJECT, _ME), *_has_no_part_in()]
        case "review":
            where.append(TASK.c.author_id != _ME)
    return where


def _take_first(kind: Kind, *among: sa.ColumnElement[bool]) -> Prepared:
    """The claim: the first open task that a person may have becomes theirs."""
    first = (
        sa.select(TASK.c.id)
        .where(*among, *claimable(kind))
        .order_by(TASK.c.rank, TASK.c.id)
        .limit(ONE)
        # SQLite has one writer and no such clause; its dialect leaves it out.
        .with_for_update(skip_locked=True, of=TASK)
        .scalar_subquery()
    )
    return Prepared(
        sa.update(TASK)
        .where(TASK.c.id == first, TASK.c.status == _OPEN)
        .values(status=_TAKEN, person_id=_ME, lease_until=_UNTIL, taken_at=_AT)
        .returning(*FACTS)
    )


_IS_AFTER = sa.tuple_(TASK.c.rank, TASK.c.id) > sa.tuple_(
    bindparam("after_rank", type_=sa.Integer()), bindparam("after_id", type_=sa.Integer())
)
_TAKE_FIRST = {kind: _take_first(kind, ~_has_skipped()) for kind in KINDS}
_TAKE_AFTER = {kind: _take_first(kind, ~_has_skipped(), _IS_AFTER) for kind in KINDS}
_TAKE_OF_QUERY = _take_first("label", TASK.c.query_id == bindparam("of_query"))
_TAKE_REVIEW_OF = _take_first(
    "review",
    TASK.c.query_id == bindparam("of_query"),
    TASK.c.annotation_id == bindparam("of_annotation"),
)


def reopen_lapsed(session: Session, project_id: str, kind: Kind, at: datetime) -> list[str]:
    """Open tasks whose lease ran out, at most once a second; returns their queries."""
    if not sweep_is_due(session, project_id, kind, at):
        return []
    statement = (
        sa.update(TASK)
        .where(
            TASK.c.project_id == project_id,
            TASK.c.kind == kind,
            TASK.c.status == "taken",
            TASK.c.lease_until < at,
        )
        .values(status="open", lease_until=None)
        .returning(TASK.c.rank, TASK.c.id, TASK.c.query_id)
    )
    lapsed = session.connection().execute(statement).all()
    for rank, task_id, _ in lapsed:
        opened_again(session, project_id, kind, Place(rank, task_id))
    return [query_id for _, _, query_id in lapsed]


def list_mine(session: Session, project_id: str, kind: Kind, person_id: str) -> list[Mine]:
    """What I hold, then what is kept for me, then what I put aside; oldest first in each."""
    ordered = sorted(
        (is_postponed, is_kept, taken_at or _NEVER, task_id)
        for of_project, of_kind, taken_at, task_id, is_postponed, is_kept in _MINE.all(
            session, me=person_id
        )
        if of_project == project_id and of_kind == kind
    )
    return [
        Mine(task_id, "postponed" if is_postponed else "kept" if is_kept else "held")
        for is_postponed, is_kept, _, task_id in ordered
    ]


def take_mine(session: Session, asker: Asker, task_id: int) -> TaskFacts | None:
    """Take up or keep a task that is mine already; None when it no longer is."""
    return _take(session, asker, _TAKE_MINE, key=task_id)


def take_next(session: Session, asker: Asker, kind: Kind) -> TaskFacts | None:
    """Take the first open task that the asker may have; None when there is none.

    The answer's `annotation_id` still names the annotation that the task lapsed from, if any.
    """
    start = find_start(session, asker.project_id, kind, asker.person_id, asker.at)
    task = None
    if start is not None:
        after = {"after_rank": start.rank, "after_id": start.id}
        task = _take(session, asker, _TAKE_AFTER[kind], **after)
    since = None
    if task is None:
        task, since = _take(session, asker, _TAKE_FIRST[kind]), asker.at
    if task is not None:
        place = Place(task.rank, task.id)
        move_start(session, asker.project_id, kind, asker.person_id, place, since=since)
    return task


def take_of_query(session: Session, asker: Asker, query_id: str) -> TaskFacts | None:
    """Take a free label slot of one query, even one skipped before."""
    return _take(session, asker, _TAKE_OF_QUERY, of_query=query_id)


def take_review_of(
    session: Session, asker: Asker, query_id: str, annotation_id: str
) -> TaskFacts | None:
    """Take the open review of one annotation, even one skipped before."""
    among = {"of_query": query_id, "of_annotation": annotation_id}
    return _take(session, asker, _TAKE_REVIEW_OF, **among)


def _take(session: Session, asker: Asker, statement: Prepared, **among: object) -> TaskFacts | None:
    found = statement.first(
        session,
        project=asker.project_id,
        me=asker.person_id,
        now=asker.at,
        until=asker.until,
        **among,
    )
    return to_facts(found)
