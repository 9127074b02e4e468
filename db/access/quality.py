"""Rows behind the figures of a team: what was handed in, what was said of it, what was changed."""

from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.tables import Annotation
from schemas.reasons import Reason, reasons_of

_ANNOTATION, _GOLD, _ANSWER, _LOT, _PAUSE, _PERSON, _QUERY, _REVIEW, _REVISION, _SUGGESTION = (
    Annotation.metadata.tables[name]
    for name in (
        "annotation",
        "gold_item",
        "gold_answer",
        "lot",
        "work_pause",
        "person",
        "query",
        "review",
        "revision",
        "suggestion",
    )
)


class Submission(NamedTuple):
    """One annotation that was handed in; `seconds` is the time at it, 0 where unknown."""

    author_id: str
    at: datetime
    seconds: float


class Verdict(NamedTuple):
    """What a reviewer said of somebody's annotation; `mode` tells how (`db.tables.Review`)."""

    author_id: str
    annotation_id: str
    verdict: str
    mode: str
    at: datetime


class Correction(NamedTuple):
    """A model's plan and what it became; plans as JSON text."""

    model: str
    suggested: str
    decided: str
    seconds: float
    day: date


class SharedPlan(NamedTuple):
    """One person's plan for a query that several worked on; the plan as JSON text."""

    query_id: str
    list_version_id: str
    author_id: str
    plan: str


def list_submissions(session: Session, project_id: str, since: datetime) -> list[Submission]:
    """Submissions since a time, gold items aside."""
    statement = sa.select(
        _ANNOTATION.c.author_id, _ANNOTATION.c.submitted_at, _ANNOTATION.c.lead_seconds
    ).where(
        _ANNOTATION.c.project_id == project_id,
        _ANNOTATION.c.submitted_at >= since,
        _ANNOTATION.c.state != "draft",
        _ANNOTATION.c.query_id.not_in(sa.select(_GOLD.c.query_id)),
    )
    return [Submission(*row) for row in session.connection().execute(statement)]


def list_verdicts(session: Session, project_id: str, since: datetime) -> list[Verdict]:
    """Verdicts since a time, oldest first."""
    statement = (
        sa.select(*(_REVIEW.c[name] for name in (*Verdict._fields[:-1], "decided_at")))
        .where(_REVIEW.c.project_id == project_id, _REVIEW.c.decided_at >= since)
        .order_by(_REVIEW.c.id)
    )
    return [Verdict(*row) for row in session.connection().execute(statement)]


def list_reasons(session: Session, project_id: str, since: datetime) -> list[tuple[Reason, ...]]:
    """What plans came back for since a time, of those that a reviewer looked at."""
    names = ("reason_code", "reason", "path", "span", "more_reasons")
    statement = sa.select(*(_REVIEW.c[name] for name in names)).where(
        _REVIEW.c.project_id == project_id,
        _REVIEW.c.decided_at >= since,
        _REVIEW.c.verdict == "returned",
        _REVIEW.c.mode == "single",
    )
    found = session.connection().execute(statement)
    return [reasons_of(dict(zip(names, row, strict=True))) for row in found]


def list_corrections(session: Session, project_id: str, most: int) -> list[Correction]:
    """The newest accepted annotations that began from a model's plan, newest first."""
    statement = (
        sa.select(
            sa.func.coalesce(_SUGGESTION.c.model, ""),
            sa.cast(_SUGGESTION.c.plan, sa.Text),
            sa.cast(_REVISION.c.content, sa.Text),
            _ANNOTATION.c.lead_seconds,
            _ANNOTATION.c.decided_at,
        )
        .join(_SUGGESTION, _SUGGESTION.c.id == _ANNOTATION.c.suggestion_id)
        .join(_REVISION, _REVISION.c.id == _ANNOTATION.c.revision_id)
        .where(
            _ANNOTATION.c.project_id == project_id,
            _ANNOTATION.c.state == "accepted",
            _ANNOTATION.c.decided_at.is_not(None),
            _SUGGESTION.c.plan.is_not(None),
        )
        .order_by(_ANNOTATION.c.id.desc())
        .limit(most)
    )
    rows = session.connection().execute(statement)
    return [Correction(*row[:4], row[4].date()) for row in rows]


def list_shared_plans(session: Session, project_id: str, most: int) -> list[SharedPlan]:
    """What people handed in on the newest queries that more than one worked on.

    Of each annotation its author's first submission: what a reviewer said came later.

    Args:
        session: An open session.
        project_id: The project.
        most: How many queries at most.
    """
    handed_in = sa.and_(_ANNOTATION.c.project_id == project_id, _ANNOTATION.c.state != "draft")
    shared = (
        sa.select(_ANNOTATION.c.query_id)
        .where(handed_in)
        .group_by(_ANNOTATION.c.query_id)
        .having(sa.func.count() > 1)
        .order_by(_ANNOTATION.c.query_id.desc())
        .limit(most)
    )
    first = (
        sa.select(_REVISION.c.annotation_id, sa.func.min(_REVISION.c.number).label("number"))
        .join(_ANNOTATION, _ANNOTATION.c.id == _REVISION.c.annotation_id)
        .where(handed_in, _ANNOTATION.c.query_id.in_(shared), _REVISION.c.kind == "submitted")
        .group_by(_REVISION.c.annotation_id)
        .subquery()
    )
    statement = (
        sa.select(
            _ANNOTATION.c.query_id,
            _QUERY.c.list_version_id,
            _ANNOTATION.c.author_id,
            sa.cast(_REVISION.c.content, sa.Text),
        )
        .join(first, first.c.annotation_id == _ANNOTATION.c.id)
        .join(
            _REVISION,
            sa.and_(
                _REVISION.c.annotation_id == first.c.annotation_id,
                _REVISION.c.number == first.c.number,
            ),
        )
        .join(_QUERY, _QUERY.c.id == _ANNOTATION.c.query_id)
        .order_by(_ANNOTATION.c.query_id, _ANNOTATION.c.author_id)
    )
    return [SharedPlan(*row) for row in session.connection().execute(statement)]


def list_gold_answers(session: Session, project_id: str) -> dict[str, list[bool]]:
    """By person: whether their answers on gold items were right, oldest first."""
    statement = (
        sa.select(_ANSWER.c.person_id, _ANSWER.c.is_right)
        .where(_ANSWER.c.project_id == project_id)
        .order_by(_ANSWER.c.answered_at, _ANSWER.c.id)
    )
    answers: dict[str, list[bool]] = {}
    for person_id, is_right in session.connection().execute(statement):
        answers.setdefault(person_id, []).append(is_right)
    return answers


def count_lots(session: Session, project_id: str) -> dict[str, dict[str, int]]:
    """By author: lots that passed and lots that failed."""
    statement = (
        sa.select(_LOT.c.author_id, _LOT.c.state, sa.func.count())
        .where(_LOT.c.project_id == project_id, _LOT.c.state.in_(("passed", "failed")))
        .group_by(_LOT.c.author_id, _LOT.c.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for author_id, state, count in session.connection().execute(statement):
        counts.setdefault(author_id, {})[state] = count
    return counts


def list_paused(session: Session, project_id: str) -> set[str]:
    """Who gets no new work now."""
    statement = sa.select(_PAUSE.c.person_id).where(
        _PAUSE.c.project_id == project_id, _PAUSE.c.lifted_at.is_(None)
    )
    return set(session.connection().execute(statement).scalars())


def names_of(session: Session, person_ids: set[str]) -> dict[str, str]:
    """Names by id."""
    statement = sa.select(_PERSON.c.id, _PERSON.c.name).where(_PERSON.c.id.in_(person_ids))
    return {row[0]: row[1] for row in session.connection().execute(statement)}
