"""Who is given which gold item next, and the label that carries it.

No label of a gold query is ever open to everybody: each is reserved for one person, or closed. So
the claim of the normal queue needs to know nothing of gold.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session

from db.access.leases import Asker, claimable
from db.prepared import Prepared, word
from db.tables import GoldItem
from db.tables.base import UtcDateTime

_GOLD, _ANSWER, _TASK, _SKIP, _ANNOTATION = (
    GoldItem.metadata.tables[name]
    for name in ("gold_item", "gold_answer", "task", "task_skip", "annotation")
)


class Standing(NamedTuple):
    """How far somebody is with gold items.

    `since` is what they handed in after their last answer, gold aside, counted no further than was
    asked. `waits`: an item is theirs already, in hand, put aside, or given back.
    """

    answered: int
    since: int
    waits: bool


_ME, _PROJECT = bindparam("me", type_=sa.String()), bindparam("project", type_=sa.String())
_BEGINNING = datetime.min.replace(year=1970, tzinfo=UTC)


def _standing() -> Prepared:
    """One statement for the way of every claim; each part has an index of its own."""
    mine = (_ANSWER.c.project_id == _PROJECT, _ANSWER.c.person_id == _ME)
    last = sa.select(sa.func.max(_ANSWER.c.answered_at)).where(*mine).scalar_subquery()
    beginning = bindparam("beginning", type_=UtcDateTime())
    some = (
        sa.select(_ANNOTATION.c.id)
        .where(
            _ANNOTATION.c.author_id == _ME,
            _ANNOTATION.c.project_id == _PROJECT,
            _ANNOTATION.c.submitted_at > sa.func.coalesce(last, beginning),
            _ANNOTATION.c.state != word("draft"),
            ~sa.exists().where(_GOLD.c.query_id == _ANNOTATION.c.query_id),
        )
        .limit(bindparam("most", type_=sa.Integer()))
        .subquery()
    )
    waits = sa.exists().where(
        _TASK.c.for_person_id == _ME,
        _TASK.c.kind == word("label"),
        _TASK.c.status.in_([word(each) for each in ("open", "taken", "postponed")]),
        _GOLD.c.query_id == _TASK.c.query_id,
    )
    return Prepared(
        sa.select(
            sa.select(sa.func.count()).where(*mine).scalar_subquery(),
            sa.select(sa.func.count()).select_from(some).scalar_subquery(),
            waits,
        )
    )


_STANDING = _standing()


def find_standing(session: Session, project_id: str, person_id: str, most: int) -> Standing:
    """How far somebody is with gold items; what was handed in since is counted up to `most`."""
    found = _STANDING.first(
        session, project=project_id, me=person_id, beginning=_BEGINNING, most=most
    )
    return Standing(*found) if found else Standing(0, 0, waits=False)


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
