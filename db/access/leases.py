"""Leases: how a task comes into exactly one pair of hands, by one conditional UPDATE … RETURNING.

An open task with a `person_id` is a lapsed one: its lease ran out, and until somebody else takes
it, its last holder may go on as if nothing had happened. `for_person_id` keeps a returned task for
its author, through a lapse too, until it is handed in again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.access.starts import Place, find_start, move_start, opened_again, sweep_is_due
from db.access.tasks import FACTS, SKIP, TASK, Kind, TaskFacts, is_of, to_facts

Standing = Literal["held", "kept", "postponed"]

_ANNOTATION = TASK.metadata.tables["annotation"]


class Mine(NamedTuple):
    """A task that is mine: in hand (or lapsed), kept for me, or put aside."""

    task_id: int
    standing: Standing


class Asker(NamedTuple):
    """Who asks for a task, when, and until when they would have it."""

    project_id: str
    person_id: str
    at: datetime
    until: datetime


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
    held = sa.and_(TASK.c.person_id == person_id, TASK.c.status.in_(("taken", "open")))
    kept = sa.and_(TASK.c.for_person_id == person_id, TASK.c.status == "open")
    postponed = sa.and_(TASK.c.person_id == person_id, TASK.c.status == "postponed")
    place = sa.case((held, 0), (kept, 1), else_=2)
    statement = (
        sa.select(TASK.c.id, place)
        .where(TASK.c.project_id == project_id, TASK.c.kind == kind, sa.or_(held, kept, postponed))
        .order_by(place, TASK.c.taken_at, TASK.c.id)
    )
    standings: tuple[Standing, Standing, Standing] = ("held", "kept", "postponed")
    return [
        Mine(task_id, standings[place])
        for task_id, place in session.connection().execute(statement)
    ]


def take_mine(session: Session, asker: Asker, task_id: int) -> TaskFacts | None:
    """Take up or keep a task that is mine already; None when it no longer is."""
    statement = (
        sa.update(TASK)
        .where(TASK.c.id == task_id, is_of(asker.person_id))
        .values(
            status="taken",
            person_id=asker.person_id,
            lease_until=asker.until,
            taken_at=sa.case((TASK.c.status == "taken", TASK.c.taken_at), else_=asker.at),
        )
        .returning(*FACTS)
    )
    return to_facts(session.connection().execute(statement).first())


def take_next(session: Session, asker: Asker, kind: Kind) -> TaskFacts | None:
    """Take the first open task that the asker may have; None when there is none.

    The answer's `annotation_id` still names the annotation that the task lapsed from, if any.
    """
    where = [TASK.c.project_id == asker.project_id, ~_has_skipped(asker.person_id)]
    start = find_start(session, asker.project_id, kind, asker.person_id, asker.at)
    task = None
    if start is not None:
        after = sa.tuple_(TASK.c.rank, TASK.c.id) > sa.tuple_(*start)
        task = _take_first(session, asker, kind, [*where, after])
    since = None
    if task is None:
        task, since = _take_first(session, asker, kind, where), asker.at
    if task is not None:
        place = Place(task.rank, task.id)
        move_start(session, asker.project_id, kind, asker.person_id, place, since=since)
    return task


def take_of_query(session: Session, asker: Asker, query_id: str) -> TaskFacts | None:
    """Take a free label slot of one query, even one skipped before."""
    where = [TASK.c.project_id == asker.project_id, TASK.c.query_id == query_id]
    return _take_first(session, asker, "label", where)


def take_review_of(
    session: Session, asker: Asker, query_id: str, annotation_id: str
) -> TaskFacts | None:
    """Take the open review of one annotation, even one skipped before."""
    where = [
        TASK.c.project_id == asker.project_id,
        TASK.c.query_id == query_id,
        TASK.c.annotation_id == annotation_id,
    ]
    return _take_first(session, asker, "review", where)


def _take_first(
    session: Session, asker: Asker, kind: Kind, among: Sequence[sa.ColumnElement[bool]]
) -> TaskFacts | None:
    where = [*among, TASK.c.kind == kind, TASK.c.status == "open"]
    match kind:
        case "label":
            where += [TASK.c.for_person_id.is_(None), ~_has_part_in(asker.person_id)]
        case "review":
            where.append(TASK.c.author_id != asker.person_id)
    first = (
        sa.select(TASK.c.id)
        .where(*where)
        .order_by(TASK.c.rank, TASK.c.id)
        .limit(1)
        # SQLite has one writer and no such clause; its dialect leaves it out.
        .with_for_update(skip_locked=True, of=TASK)
        .scalar_subquery()
    )
    statement = (
        sa.update(TASK)
        .where(TASK.c.id == first, TASK.c.status == "open")
        .values(
            status="taken",
            person_id=asker.person_id,
            lease_until=asker.until,
            taken_at=asker.at,
        )
        .returning(*FACTS)
    )
    return to_facts(session.connection().execute(statement).first())


def _has_part_in(person_id: str) -> sa.ColumnElement[bool]:
    """Whether a person handed in an annotation of the query, or has another slot of it."""
    handed_in = sa.exists().where(
        _ANNOTATION.c.query_id == TASK.c.query_id,
        _ANNOTATION.c.author_id == person_id,
        _ANNOTATION.c.state != "draft",
    )
    other = TASK.alias("other")
    holds = sa.exists().where(
        other.c.kind == "label",
        other.c.query_id == TASK.c.query_id,
        other.c.id != TASK.c.id,
        other.c.person_id == person_id,
        other.c.status != "done",
    )
    return sa.or_(handed_in, holds)


def _has_skipped(person_id: str) -> sa.ColumnElement[bool]:
    """Whether a person skipped any slot of the query."""
    other = TASK.alias("skipped")
    return sa.exists().where(
        other.c.kind == TASK.c.kind,
        other.c.query_id == TASK.c.query_id,
        SKIP.c.task_id == other.c.id,
        SKIP.c.person_id == person_id,
    )
