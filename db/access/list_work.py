"""Work on expert lists: weighing one, moving rows to one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import ListWork, Person
from db.tables.base import now


class WorkFacts(NamedTuple):
    """A piece of work as it stands."""

    id: str
    kind: str
    order: dict[str, Any]
    state: str
    done: int
    total: int
    report: dict[str, Any] | None
    created_by: str | None
    created_at: datetime


def add_work(
    session: Session,
    project_id: str,
    kind: str,
    order: Mapping[str, Any],
    *,
    total: int,
    person_id: str,
) -> str:
    """Begin; returns the id."""
    row = ListWork(
        project_id=project_id, kind=kind, order=dict(order), total=total, created_by=person_id
    )
    session.add(row)
    session.flush()
    return row.id


def find_work(session: Session, project_id: str, work_id: str) -> WorkFacts | None:
    """A piece of work of this project."""
    return next(iter(_list(session, project_id, 1, col(ListWork.id) == work_id)), None)


def find_running(
    session: Session, project_id: str, kind: str, order: Mapping[str, Any]
) -> WorkFacts | None:
    """What is under way with the same order, if anything is."""
    running = _list(
        session, project_id, 50, col(ListWork.kind) == kind, col(ListWork.state) == "running"
    )
    return next((each for each in running if each.order == order), None)


def list_work(session: Session, project_id: str, kind: str, limit: int) -> list[WorkFacts]:
    """The newest first."""
    return _list(session, project_id, limit, col(ListWork.kind) == kind)


def save_progress(session: Session, work_id: str, done: int, report: Mapping[str, Any]) -> None:
    """How far it is, in the transaction that makes it so."""
    _save(session, work_id, done=done, report=dict(report))


def end_work(
    session: Session, work_id: str, state: str, done: int, report: Mapping[str, Any] | None
) -> None:
    """It is `done`, or it `failed`."""
    said = None if report is None else dict(report)
    _save(session, work_id, state=state, done=done, report=said, finished_at=now())


def _save(session: Session, work_id: str, **values: Any) -> None:
    statement = sa.update(ListWork).where(col(ListWork.id) == work_id).values(**values)
    session.connection().execute(statement)


def _list(
    session: Session, project_id: str, limit: int, *which: sa.ColumnElement[bool]
) -> list[WorkFacts]:
    statement = (
        select(ListWork, Person.name)
        .join(Person, col(Person.id) == ListWork.created_by, isouter=True)
        .where(ListWork.project_id == project_id, *which)
        .order_by(col(ListWork.id).desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [
        WorkFacts(
            row.id,
            row.kind,
            dict(row.order),
            row.state,
            row.done,
            row.total,
            row.report,
            person,
            row.created_at,
        )
        for row, person in session.exec(statement)
    ]
