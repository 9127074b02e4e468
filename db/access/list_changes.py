"""Recorded changes between two versions of an expert list."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from db.tables import ListChange as Row
from schemas.list_changes import ListChange


def add_changes(
    session: Session,
    project_id: str,
    before_id: str,
    version_id: str,
    changes: Sequence[ListChange],
    *,
    confirmed_by: str,
) -> None:
    """Record what a person says became of the experts from one version to another."""
    session.add_all(
        Row(
            list_version_id=version_id,
            position=position,
            before_version_id=before_id,
            project_id=project_id,
            confirmed_by=confirmed_by,
            **each.model_dump(mode="json"),
        )
        for position, each in enumerate(changes, start=1)
    )
    session.flush()


def find_changes(
    session: Session, project_id: str, before_id: str, version_id: str
) -> tuple[ListChange, ...]:
    """The recorded changes, in their order; empty where none were recorded."""
    statement = (
        select(Row)
        .where(
            Row.project_id == project_id,
            Row.list_version_id == version_id,
            Row.before_version_id == before_id,
        )
        .order_by(col(Row.position))
    )
    return tuple(_to_change(row) for row in session.exec(statement))


def _to_change(row: Row) -> ListChange:
    return ListChange.model_validate({name: getattr(row, name) for name in ListChange.model_fields})
