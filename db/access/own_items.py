"""What one person has worked on, for their own list."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Annotation, Lot, LotItem, Query, Task

EXCERPT = 200
_GOLD = Annotation.metadata.tables["gold_item"]


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
    statement = sa.select(sa.func.count()).where(
        col(Annotation.author_id) == author_id,
        col(Annotation.submitted_at) >= since,
        col(Annotation.project_id) == project_id,
        col(Annotation.state) != "draft",
    )
    return session.scalar(statement) or 0


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
