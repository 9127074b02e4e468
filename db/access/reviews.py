"""Reviews: verdicts on revisions."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from db.tables import Person, Review
from schemas.desk import ReturnNote


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


def _to_note(review: Review, reviewer: str) -> ReturnNote:
    return ReturnNote(
        reason_code=review.reason_code or "other",
        reason=review.reason,
        path=review.path,
        reviewer=reviewer,
        at=review.decided_at,
    )
