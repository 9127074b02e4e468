"""Events: who did what to which thing."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.prepared import Prepared
from db.tables import Event
from db.tables.base import new_id, now
from schemas.people import Actor

_COLUMNS = (
    "id",
    "project_id",
    "subject",
    "subject_id",
    "person_id",
    "role",
    "action",
    "before",
    "after",
    "why",
    "at",
)
_INSERT = Prepared(sa.insert(Event.metadata.tables["event"]), *_COLUMNS)


def add_event(
    session: Session,
    who: Actor,
    subject: str,
    subject_id: str,
    action: str,
    *,
    before: str | None = None,
    after: str | None = None,
    why: dict[str, object] | None = None,
) -> None:
    """Record one change of state in the transaction that makes it."""
    session.flush()
    _INSERT.run(
        session,
        id=new_id(),
        project_id=who.project_id,
        subject=subject,
        subject_id=subject_id,
        person_id=who.person_id,
        role=who.role,
        action=action,
        before=before,
        after=after,
        why=why or {},
        at=now(),
    )


def list_events(session: Session, project_id: str, subject: str, subject_id: str) -> list[Event]:
    """The history of one thing, oldest first."""
    statement = select(Event).where(
        Event.project_id == project_id, Event.subject == subject, Event.subject_id == subject_id
    )
    return list(session.exec(statement.order_by(col(Event.id))))
