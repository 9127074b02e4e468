"""Pauses: who gets no new work in a project."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Person, WorkPause
from schemas.pauses import PauseView

_PAUSE, _PERSON = (WorkPause.metadata.tables[name] for name in ("work_pause", "person"))


def is_paused(
    project_id: sa.ColumnElement[str], person_id: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Whether somebody is paused; knows nothing of any other table, so it is answered once."""
    pause = _PAUSE.alias("pause")
    return sa.exists().where(
        pause.c.project_id == project_id,
        pause.c.person_id == person_id,
        pause.c.lifted_at.is_(None),
    )


def find_active(session: Session, project_id: str, person_id: str) -> WorkPause | None:
    """The pause of a person that stands now."""
    statement = select(WorkPause).where(
        WorkPause.project_id == project_id,
        WorkPause.person_id == person_id,
        col(WorkPause.lifted_at).is_(None),
    )
    return session.exec(statement).first()


def find_last_lift(session: Session, project_id: str, person_id: str) -> datetime | None:
    """When a pause of a person was last lifted."""
    statement = select(sa.func.max(WorkPause.lifted_at)).where(
        WorkPause.project_id == project_id, WorkPause.person_id == person_id
    )
    return session.exec(statement).one()


def add_pause(session: Session, pause: WorkPause) -> None:
    """Pause somebody."""
    session.add(pause)
    session.flush()


def list_active(session: Session, project_id: str) -> list[PauseView]:
    """Everybody who is paused, the newest pause first."""
    by = _PERSON.alias("by_person")
    statement = (
        select(WorkPause, Person.name, by.c.name)
        .join(Person, col(Person.id) == col(WorkPause.person_id))
        .outerjoin(by, by.c.id == col(WorkPause.paused_by))
        .where(col(WorkPause.project_id) == project_id, col(WorkPause.lifted_at).is_(None))
        .order_by(col(WorkPause.id).desc())
    )
    return [
        PauseView(
            person_id=pause.person_id,
            name=name,
            reason_code=pause.reason_code,
            why=pause.why,
            paused_by=paused_by,
            paused_at=pause.paused_at,
        )
        for pause, name, paused_by in session.exec(statement)
    ]
