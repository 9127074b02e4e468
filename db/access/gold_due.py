"""Who is given which gold item next, and the label that carries it.

No label of a gold query is ever open to everybody: each is reserved for one person, or closed. So
the claim of the normal queue needs to know nothing of gold.
"""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.access.leases import Asker, claimable
from db.tables import GoldItem

_GOLD, _ANSWER, _TASK, _SKIP, _ANNOTATION = (
    GoldItem.metadata.tables[name]
    for name in ("gold_item", "gold_answer", "task", "task_skip", "annotation")
)
_UNDONE = ("open", "taken", "postponed")


class Answered(NamedTuple):
    """How many gold items somebody has answered, and when last."""

    items: int
    last_at: datetime | None


def count_answers(session: Session, project_id: str, person_id: str) -> Answered:
    """How far somebody is with gold items."""
    statement = sa.select(sa.func.count(), sa.func.max(_ANSWER.c.answered_at)).where(
        _ANSWER.c.project_id == project_id, _ANSWER.c.person_id == person_id
    )
    return Answered(*session.connection().execute(statement).one())


def count_submitted(
    session: Session, project_id: str, person_id: str, since: datetime | None, most: int
) -> int:
    """How much somebody has handed in since then, gold aside; counts no further than `most`."""
    where = [
        _ANNOTATION.c.author_id == person_id,
        _ANNOTATION.c.project_id == project_id,
        _ANNOTATION.c.state != "draft",
        ~sa.exists().where(_GOLD.c.query_id == _ANNOTATION.c.query_id),
    ]
    where.append(
        _ANNOTATION.c.submitted_at.is_not(None)
        if since is None
        else _ANNOTATION.c.submitted_at > since
    )
    some = sa.select(_ANNOTATION.c.id).where(*where).limit(most).subquery()
    return session.connection().execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def has_unanswered(session: Session, person_id: str) -> bool:
    """Whether a gold item waits for this person already: in hand, put aside, or given back."""
    reserved = sa.select(_TASK.c.id).where(
        _TASK.c.for_person_id == person_id,
        _TASK.c.kind == "label",
        _TASK.c.status.in_(_UNDONE),
        sa.exists().where(_GOLD.c.query_id == _TASK.c.query_id),
    )
    return session.connection().execute(reserved.limit(1)).first() is not None


def list_due(session: Session, project_id: str, person_id: str) -> list[str]:
    """Queries of the gold items that somebody may still be given."""
    handed_in = sa.exists().where(
        _ANNOTATION.c.query_id == _GOLD.c.query_id,
        _ANNOTATION.c.author_id == person_id,
        _ANNOTATION.c.state != "draft",
    )
    answered = sa.exists().where(
        _ANSWER.c.gold_item_id == _GOLD.c.id, _ANSWER.c.person_id == person_id
    )
    skipped = sa.exists().where(
        _TASK.c.query_id == _GOLD.c.query_id,
        _TASK.c.kind == "label",
        _SKIP.c.task_id == _TASK.c.id,
        _SKIP.c.person_id == person_id,
    )
    statement = (
        sa.select(_GOLD.c.query_id)
        .where(
            _GOLD.c.project_id == project_id,
            _GOLD.c.is_active,
            _GOLD.c.created_by.is_distinct_from(person_id),
            ~handed_in,
            ~answered,
            ~skipped,
        )
        .order_by(_GOLD.c.id)
    )
    return list(session.connection().execute(statement).scalars())


def find_next_batch(session: Session, asker: Asker) -> str | None:
    """The batch of the item that a person would get next from the queue, if it is in one.

    A gold item shows it too, because among the items of a batch one without would be told apart.
    """
    statement = (
        sa.select(_TASK.c.work_batch_id)
        .where(*claimable("label"))
        .order_by(_TASK.c.rank, _TASK.c.id)
        .limit(1)
    )
    values = {"project": asker.project_id, "me": asker.person_id}
    return session.connection().execute(statement, values).scalar()


def reserve(
    session: Session,
    project_id: str,
    query_id: str,
    person_id: str,
    *,
    work_batch_id: str | None,
    at: datetime,
) -> int:
    """A label of a gold query for one person, in a slot of its own; returns the task's id.

    By one who has the query's turn.
    """
    connection = session.connection()
    known = sa.select(sa.func.max(_TASK.c.slot)).where(
        _TASK.c.kind == "label", _TASK.c.query_id == query_id
    )
    slot = (connection.execute(known).scalar() or 0) + 1
    statement = sa.insert(_TASK).values(
        project_id=project_id,
        kind="label",
        query_id=query_id,
        slot=slot,
        for_person_id=person_id,
        status="open",
        rank=0,
        work_batch_id=work_batch_id,
        created_at=at,
    )
    return connection.execute(statement.returning(_TASK.c.id)).scalar_one()


def keep_for(session: Session, task_id: int, person_id: str) -> None:
    """Reserve a label of a gold query again, after its answer was withdrawn."""
    statement = sa.update(_TASK).where(_TASK.c.id == task_id).values(for_person_id=person_id)
    session.connection().execute(statement)
