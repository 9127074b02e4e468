"""Events: who did what to which thing."""

from sqlmodel import Session, col, select

from db.tables import Event
from schemas.people import Actor


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
    session.add(
        Event(
            project_id=who.project_id,
            subject=subject,
            subject_id=subject_id,
            person_id=who.person_id,
            role=who.role,
            action=action,
            before=before,
            after=after,
            why=why or {},
        )
    )


def list_events(session: Session, project_id: str, subject: str, subject_id: str) -> list[Event]:
    """The history of one thing, oldest first."""
    statement = select(Event).where(
        Event.project_id == project_id, Event.subject == subject, Event.subject_id == subject_id
    )
    return list(session.exec(statement.order_by(col(Event.id))))
