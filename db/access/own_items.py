"""What one person has worked on, for their own list."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from db.prepared import Prepared, word
from db.tables import Annotation, Lot, LotItem, Query, Task
from db.tables.base import UtcDateTime

EXCERPT = 200
_ANNOTATION, _GOLD, _TASK = (
    Annotation.metadata.tables[name] for name in ("annotation", "gold_item", "task")
)
_SUBMITTED = Prepared(
    sa.select(sa.func.count()).where(
        _ANNOTATION.c.author_id == bindparam("me"),
        _ANNOTATION.c.submitted_at >= bindparam("since", type_=UtcDateTime()),
        _ANNOTATION.c.project_id == bindparam("project"),
        _ANNOTATION.c.state != word("draft"),
    )
)
_RETURNED = Prepared(
    sa.select(sa.func.count())
    .select_from(_TASK)
    .join(_ANNOTATION, _ANNOTATION.c.id == _TASK.c.annotation_id)
    .where(
        _TASK.c.project_id == bindparam("project"),
        _TASK.c.for_person_id == bindparam("me"),
        _TASK.c.status.in_((word("open"), word("taken"), word("postponed"))),
        _ANNOTATION.c.state == word("returned"),
    )
)


def list_of_author(
    session: Session,
    project_id: str,
    author_id: str,
    state: str | None,
    limit: int,
    *,
    at: datetime,
) -> list[tuple[Annotation, str, bool, bool]]:
    """A person's annotations, newest first.

    With each the query's text (cut), whether it was put aside, and whether it is handed in and can
    still be taken back: no reviewer has it in hand, its lot is not drawn. A gold item, which no
    reviewer gets, is like any other here.
    """
    postponed = _has_task("label", col(Task.status) == "postponed")
    text = sa.func.substr(col(Query.text), 1, EXCERPT)
    statement = (
        select(Annotation, text, postponed, _can_be_taken_back(at))
        .join(Query, col(Query.id) == Annotation.query_id)
        .where(Annotation.project_id == project_id, Annotation.author_id == author_id)
        .order_by(col(Annotation.id).desc())
        .limit(limit)
    )
    if state == "postponed":
        statement = statement.where(postponed)
    elif state is not None:
        statement = statement.where(Annotation.state == state)
    return [(row[0], row[1], row[2], row[3]) for row in session.exec(statement)]


def count_submitted_since(
    session: Session, project_id: str, author_id: str, since: datetime
) -> int:
    """How many annotations a person handed in since then and has not taken back."""
    return _count(_SUBMITTED.first(session, me=author_id, since=since, project=project_id))


def count_returned(session: Session, project_id: str, person_id: str) -> int:
    """Annotations that reviewers returned to this person; gold items are kept for them too."""
    return _count(_RETURNED.first(session, me=person_id, project=project_id))


def _count(row: tuple[int] | None) -> int:
    return row[0] if row else 0


def _can_be_taken_back(at: datetime) -> sa.ColumnElement[bool]:
    is_free = sa.or_(
        col(Task.status) == "open",
        sa.and_(col(Task.status) == "taken", col(Task.lease_until) < at),
    )
    is_gold = sa.exists().where(_GOLD.c.query_id == col(Annotation.query_id))
    return sa.and_(
        col(Annotation.state) == "submitted",
        ~_waits_in_lot("inspecting"),
        sa.or_(_has_task("review", is_free), _waits_in_lot("open"), is_gold),
    )


def _has_task(kind: str, condition: sa.ColumnElement[bool]) -> sa.Exists:
    return (
        sa.exists()
        .where(
            col(Task.kind) == kind,
            col(Task.query_id) == col(Annotation.query_id),
            col(Task.annotation_id) == col(Annotation.id),
            condition,
        )
        .correlate(Annotation)
    )


def _waits_in_lot(state: str) -> sa.Exists:
    return sa.exists().where(
        col(LotItem.annotation_id) == col(Annotation.id),
        col(LotItem.verdict).is_(None),
        col(Lot.id) == col(LotItem.lot_id),
        col(Lot.state) == state,
    )
