"""Batches that a reviewer accepts by a sample, and what has become of their items."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.tasks import TASK
from db.access.waiting import EXCERPT, Found, Reader
from db.tables import ReviewBatch

_BATCH, _ITEM, _ANNOTATION, _QUERY, _REVIEW = (
    ReviewBatch.metadata.tables[name]
    for name in ("review_batch", "review_batch_item", "annotation", "query", "review")
)


class Item(NamedTuple):
    """A submission of a batch as it stands now; `verdict` is the one on the revision drawn."""

    annotation_id: str
    query_id: str
    author_id: str
    revision_id: str
    is_sampled: bool
    external_id: str | None
    text: str
    state: str
    revision_now: str | None
    flag: str | None
    verdict: str | None
    mode: str | None
    reviewer_id: str | None


def find_open(session: Session, project_id: str, reviewer_id: str) -> ReviewBatch | None:
    """The batch that a reviewer is at."""
    statement = select(ReviewBatch).where(
        ReviewBatch.project_id == project_id,
        ReviewBatch.reviewer_id == reviewer_id,
        ReviewBatch.state == "open",
    )
    return session.exec(statement).first()


def find_batch(session: Session, project_id: str, batch_id: str) -> ReviewBatch | None:
    """A batch of this project."""
    statement = select(ReviewBatch).where(
        col(ReviewBatch.id) == batch_id, ReviewBatch.project_id == project_id
    )
    return session.exec(statement).first()


def add_batch(
    session: Session, batch: ReviewBatch, found: Sequence[Found], sample: Sequence[str]
) -> None:
    """A new batch with its items."""
    session.add(batch)
    session.flush()
    sampled = set(sample)
    rows = [
        {
            "batch_id": batch.id,
            "annotation_id": each.annotation_id,
            "project_id": batch.project_id,
            "revision_id": each.revision_id,
            "is_sampled": each.annotation_id in sampled,
        }
        for each in found
    ]
    session.connection().execute(sa.insert(_ITEM), rows)


def change(session: Session, batch_id: str, **values: object) -> None:
    """Set columns of a batch."""
    session.connection().execute(sa.update(_BATCH).where(_BATCH.c.id == batch_id).values(**values))


def list_items(session: Session, batch_id: str) -> list[Item]:
    """The items of a batch as they stand now, by annotation."""
    newest = (
        sa.select(sa.func.max(_REVIEW.c.id))
        .where(
            _REVIEW.c.annotation_id == _ITEM.c.annotation_id,
            _REVIEW.c.revision_id == _ITEM.c.revision_id,
        )
        .correlate(_ITEM)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            _ITEM.c.annotation_id,
            _ANNOTATION.c.query_id,
            _ANNOTATION.c.author_id,
            _ITEM.c.revision_id,
            _ITEM.c.is_sampled,
            _QUERY.c.external_id,
            sa.func.substr(_QUERY.c.text, 1, EXCERPT),
            _ANNOTATION.c.state,
            _ANNOTATION.c.revision_id.label("revision_now"),
            _ANNOTATION.c.flag,
            _REVIEW.c.verdict,
            _REVIEW.c.mode,
            _REVIEW.c.reviewer_id,
        )
        .select_from(_ITEM)
        .join(_ANNOTATION, _ANNOTATION.c.id == _ITEM.c.annotation_id)
        .join(_QUERY, _QUERY.c.id == _ANNOTATION.c.query_id)
        .outerjoin(_REVIEW, _REVIEW.c.id == newest)
        .where(_ITEM.c.batch_id == batch_id)
        .order_by(_ITEM.c.annotation_id)
    )
    return [Item(*row) for row in session.connection().execute(statement)]


def list_unseen(session: Session, reader: Reader, batch_id: str) -> list[Found]:
    """Reviews of the sample that the reviewer may take or has in hand, those in hand first."""
    is_mine = sa.func.coalesce(
        sa.and_(TASK.c.status == "taken", TASK.c.person_id == reader.person_id), sa.false()
    )
    columns: tuple[Any, ...] = (
        TASK.c.id,
        _ITEM.c.annotation_id,
        TASK.c.query_id,
        _ITEM.c.revision_id,
        is_mine,
    )
    statement = (
        sa.select(*columns)
        .select_from(_ITEM)
        .join(_ANNOTATION, _ANNOTATION.c.id == _ITEM.c.annotation_id)
        .join(
            TASK,
            sa.and_(
                TASK.c.kind == "review",
                TASK.c.query_id == _ANNOTATION.c.query_id,
                TASK.c.annotation_id == _ANNOTATION.c.id,
            ),
        )
        .where(
            _ITEM.c.batch_id == batch_id,
            _ITEM.c.is_sampled,
            _ANNOTATION.c.state == "submitted",
            sa.or_(TASK.c.status == "open", is_mine),
        )
        .order_by(is_mine.desc(), TASK.c.rank, TASK.c.id)
    )
    return [Found(*row) for row in session.connection().execute(statement)]


def close_task(session: Session, reader: Reader, item: Item) -> bool:
    """End the review of an item, unless another reviewer has it in hand."""
    is_free = sa.or_(
        TASK.c.status == "open",
        sa.and_(
            TASK.c.status == "taken",
            sa.or_(TASK.c.person_id == reader.person_id, TASK.c.lease_until < reader.at),
        ),
    )
    statement = (
        sa.update(TASK)
        .where(
            TASK.c.kind == "review",
            TASK.c.query_id == item.query_id,
            TASK.c.annotation_id == item.annotation_id,
            is_free,
        )
        .values(status="done", person_id=reader.person_id, lease_until=None)
    )
    return session.connection().execute(statement).rowcount == 1
