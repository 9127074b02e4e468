"""What people decided about plans, for the question whether the rewards agree with them.

Gold items are left out: their verdict is reckoned from a plan that is given beforehand. So are
verdicts of whole lots and batches, where nobody looked at each plan.
"""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.tables import Annotation

_ANNOTATION, _GOLD, _REVIEW, _REVISION = (
    Annotation.metadata.tables[name] for name in ("annotation", "gold_item", "review", "revision")
)


class JudgedPlan(NamedTuple):
    """A plan (JSON text) that a reviewer looked at, and what the reviewer said of it."""

    query_id: str
    annotation_id: str
    suggestion_id: str | None
    author_id: str
    reviewer_id: str
    verdict: str
    plan: str


class AcceptedPlan(NamedTuple):
    """An accepted annotation with its plan (JSON text).

    `writer_id` wrote the plan as it is now (a reviewer who fixed it, else the author);
    `reviewer_id` gave the last verdict, absent where a lot passed.
    """

    query_id: str
    annotation_id: str
    suggestion_id: str | None
    author_id: str
    writer_id: str
    reviewer_id: str | None
    plan: str


def list_judged_plans(session: Session, project_id: str, most: int) -> list[JudgedPlan]:
    """The newest verdicts on single plans, newest first."""
    statement = (
        sa.select(
            _ANNOTATION.c.query_id,
            _ANNOTATION.c.id,
            _ANNOTATION.c.suggestion_id,
            _REVIEW.c.author_id,
            _REVIEW.c.reviewer_id,
            _REVIEW.c.verdict,
            sa.cast(_REVISION.c.content, sa.Text),
        )
        .select_from(_REVIEW)
        .join(_ANNOTATION, _ANNOTATION.c.id == _REVIEW.c.annotation_id)
        .join(_REVISION, _REVISION.c.id == _REVIEW.c.revision_id)
        .where(_REVIEW.c.project_id == project_id, _REVIEW.c.mode == "single", _is_no_gold_item())
        .order_by(_REVIEW.c.id.desc())
        .limit(most)
    )
    return [JudgedPlan(*row) for row in session.connection().execute(statement)]


def list_accepted_plans(session: Session, project_id: str, most: int) -> list[AcceptedPlan]:
    """The newest accepted annotations, newest first."""
    last = (
        sa.select(_REVIEW.c.reviewer_id)
        .where(_REVIEW.c.annotation_id == _ANNOTATION.c.id)
        .order_by(_REVIEW.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        sa.select(
            _ANNOTATION.c.query_id,
            _ANNOTATION.c.id,
            _ANNOTATION.c.suggestion_id,
            _ANNOTATION.c.author_id,
            _REVISION.c.author_id,
            last,
            sa.cast(_REVISION.c.content, sa.Text),
        )
        .join(_REVISION, _REVISION.c.id == _ANNOTATION.c.revision_id)
        .where(
            _ANNOTATION.c.project_id == project_id,
            _ANNOTATION.c.state == "accepted",
            _is_no_gold_item(),
        )
        .order_by(_ANNOTATION.c.id.desc())
        .limit(most)
    )
    return [AcceptedPlan(*row) for row in session.connection().execute(statement)]


def _is_no_gold_item() -> sa.ColumnElement[bool]:
    return _ANNOTATION.c.query_id.not_in(sa.select(_GOLD.c.query_id))
