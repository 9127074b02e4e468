"""Figures of the work: how much is handed in, by whom, and what reviewers make of it."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, select

from db.tables import Review
from schemas.quality import DayFigures, PersonFigures

_ANNOTATION, _PERSON, _REVIEW = (
    SQLModel.metadata.tables[name] for name in ("annotation", "person", "review")
)


def list_days(session: Session, project_id: str, since: datetime) -> list[DayFigures]:
    """Submissions and decisions of each day since a time (UTC), the newest day first."""
    submitted = _by_day(session, _ANNOTATION, _ANNOTATION.c.submitted_at, project_id, since)
    decided = _by_day(session, _REVIEW, _REVIEW.c.decided_at, project_id, since)
    days = sorted(submitted.keys() | decided.keys(), reverse=True)
    return [
        DayFigures(day=day, submitted=submitted.get(day, 0), decided=decided.get(day, 0))
        for day in days
    ]


def list_people(session: Session, project_id: str) -> list[PersonFigures]:
    """Everybody who has annotated here, by name: what they handed in and what became of it."""
    worked = (
        sa.select(
            _PERSON.c.id,
            _PERSON.c.name,
            sa.func.count(),
            sa.func.count(_ANNOTATION.c.submitted_at),
            sa.func.avg(sa.func.nullif(_ANNOTATION.c.lead_seconds, 0)),
        )
        .join(_ANNOTATION, _ANNOTATION.c.author_id == _PERSON.c.id)
        .where(_ANNOTATION.c.project_id == project_id)
        .group_by(_PERSON.c.id, _PERSON.c.name)
        .order_by(_PERSON.c.name)
    )
    verdicts = _verdicts(session, project_id)
    return [
        PersonFigures(
            person_id=person_id,
            name=name,
            annotations=annotations,
            submitted=submitted,
            mean_seconds=seconds,
            verdicts=verdicts.get(person_id, {}),
        )
        for person_id, name, annotations, submitted, seconds in session.connection().execute(worked)
    ]


def _verdicts(session: Session, project_id: str) -> dict[str, dict[str, int]]:
    counted = (
        select(Review.author_id, Review.verdict, sa.func.count())
        .where(Review.project_id == project_id)
        .group_by(Review.author_id, Review.verdict)
    )
    found: dict[str, dict[str, int]] = {}
    for author_id, verdict, count in session.exec(counted):
        found.setdefault(author_id, {})[verdict] = count
    return found


def _by_day(
    session: Session, table: sa.Table, at: sa.Column[datetime], project_id: str, since: datetime
) -> dict[date, int]:
    times = sa.select(at).where(table.c.project_id == project_id, at >= since)
    days: dict[date, int] = {}
    for moment in session.connection().execute(times).scalars():
        days[moment.date()] = days.get(moment.date(), 0) + 1
    return days
