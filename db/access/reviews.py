"""Reviews: verdicts on revisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.lots import Member
from db.access.tasks import TASK
from db.tables import Person, Review
from db.tables.base import new_id
from schemas.desk import ReturnNote
from schemas.people import Actor
from schemas.reasons import Reason, reasons_of

_REVIEW = Review.metadata.tables["review"]


def add_review(session: Session, review: Review) -> None:
    """Record a verdict; the database refuses one on one's own work."""
    session.add(review)
    session.flush()


def find_verdict(session: Session, revision_id: str, reviewer_id: str) -> Review | None:
    """What this reviewer said of this revision."""
    statement = select(Review).where(
        Review.revision_id == revision_id, Review.reviewer_id == reviewer_id
    )
    return session.exec(statement).first()


class LastVerdict(NamedTuple):
    """Who decided on an annotation last, and when."""

    reviewer: str
    at: datetime


def find_last(session: Session, annotation_id: str) -> LastVerdict | None:
    """The newest verdict on an annotation."""
    statement = (
        select(Person.name, Review.decided_at)
        .join(Review, col(Review.reviewer_id) == Person.id)
        .where(Review.annotation_id == annotation_id)
        .order_by(col(Review.decided_at).desc(), col(Review.id).desc())
        .limit(1)
    )
    row = session.exec(statement).first()
    return None if row is None else LastVerdict(row[0], row[1])


def list_returns(session: Session, annotation_id: str) -> list[ReturnNote]:
    """Why an annotation was returned, each time, oldest first."""
    return [
        _to_note(review, name)
        for review, name in list_of_annotations(session, [annotation_id])
        if review.verdict == "returned"
    ]


def last_returns(session: Session, annotation_ids: Sequence[str]) -> dict[str, ReturnNote]:
    """The newest return of each annotation that has one."""
    return {
        review.annotation_id: _to_note(review, name)
        for review, name in list_of_annotations(session, annotation_ids)
        if review.verdict == "returned"
    }


def list_of_annotations(
    session: Session, annotation_ids: Sequence[str]
) -> list[tuple[Review, str]]:
    """Verdicts with their reviewers' names, oldest first."""
    statement = (
        select(Review, Person.name)
        .join(Person, col(Person.id) == Review.reviewer_id)
        .where(col(Review.annotation_id).in_(annotation_ids))
        .order_by(col(Review.id))
    )
    return [(review, name) for review, name in session.exec(statement)]


def add_reviews(
    session: Session, who: Actor, members: Sequence[Member], verdict: str, **signed: object
) -> None:
    """The same verdict on each of many; the database refuses one on one's own work."""
    rows = [
        {
            "id": new_id(),
            "project_id": who.project_id,
            "annotation_id": member.annotation_id,
            "revision_id": member.revision_id,
            "reviewer_id": who.person_id,
            "author_id": member.author_id,
            "verdict": verdict,
            "reason": "",
            **signed,
        }
        for member in members
    ]
    if rows:
        session.connection().execute(sa.insert(_REVIEW), rows)


def close_task(session: Session, query_id: str, annotation_id: str) -> None:
    """End the review of an annotation that others have decided on, whoever has it in hand."""
    statement = (
        sa.update(TASK)
        .where(
            TASK.c.kind == "review",
            TASK.c.query_id == query_id,
            TASK.c.annotation_id == annotation_id,
        )
        .values(status="done", person_id=None, lease_until=None)
    )
    session.connection().execute(statement)


def _to_note(review: Review, reviewer: str) -> ReturnNote:
    return ReturnNote(
        reasons=reasons_of(review.model_dump()) or (Reason(code="other"),),
        reviewer=reviewer,
        at=review.decided_at,
    )
