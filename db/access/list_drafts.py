"""Drafts of expert lists."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import ListDraft, ListVersion, Person, RefusedListDraft
from schemas.list_changes import ListChange
from schemas.list_drafts import ListDraftSummary


class DraftFacts(NamedTuple):
    """An open draft as it stands."""

    id: str
    project_id: str
    name: str
    base_version_id: str | None
    number: int
    content: dict[str, Any]
    changes: tuple[ListChange, ...] | None
    saved_by: str
    saved_at: datetime


def add_draft(
    session: Session,
    project_id: str,
    name: str,
    *,
    base_version_id: str | None,
    content: Mapping[str, Any],
    person_id: str,
) -> str:
    """Begin a draft; returns its id."""
    row = ListDraft(
        project_id=project_id,
        name=name,
        base_version_id=base_version_id,
        content=dict(content),
        saved_by=person_id,
    )
    session.add(row)
    session.flush()
    return row.id


def find_draft(session: Session, project_id: str, draft_id: str) -> DraftFacts | None:
    """An open draft by its id."""
    return _find(session, project_id, col(ListDraft.id) == draft_id)


def find_draft_of(session: Session, project_id: str, name: str) -> DraftFacts | None:
    """The open draft of a list."""
    return _find(session, project_id, col(ListDraft.name) == name)


def list_drafts(session: Session, project_id: str) -> list[ListDraftSummary]:
    """Open drafts, by the name of their list."""
    statement = (
        select(ListDraft, Person.name, ListVersion.name, ListVersion.version)
        .join(Person, col(Person.id) == ListDraft.saved_by)
        .join(ListVersion, col(ListVersion.id) == ListDraft.base_version_id, isouter=True)
        .where(ListDraft.project_id == project_id, ListDraft.state == "open")
        .order_by(ListDraft.name)
    )
    return [
        ListDraftSummary(
            id=draft.id,
            name=draft.name,
            base=f"{name}@{version}" if draft.base_version_id else None,
            number=draft.number,
            saved_by=person,
            saved_at=draft.saved_at,
        )
        for draft, person, name, version in session.exec(statement)
    ]


def save_draft(
    session: Session,
    draft: DraftFacts,
    *,
    content: Mapping[str, Any],
    changes: Sequence[ListChange] | None,
    person_id: str,
    at: datetime,
    base_version_id: str | None = None,
) -> int:
    """Replace a draft, by one who has its turn; returns its new number."""
    plain = None if changes is None else [each.model_dump(mode="json") for each in changes]
    statement = (
        sa.update(ListDraft)
        .where(col(ListDraft.id) == draft.id)
        .values(
            number=draft.number + 1,
            content=dict(content),
            changes=plain,
            saved_by=person_id,
            saved_at=at,
            base_version_id=base_version_id or draft.base_version_id,
        )
    )
    session.connection().execute(statement)
    return draft.number + 1


def keep_refused(
    session: Session,
    draft: DraftFacts,
    content: Mapping[str, Any],
    *,
    based_on: int,
    person_id: str,
) -> None:
    """Keep what could not become the draft."""
    session.add(
        RefusedListDraft(
            project_id=draft.project_id,
            draft_id=draft.id,
            based_on=based_on,
            content=dict(content),
            saved_by=person_id,
        )
    )
    session.flush()


def end_draft(session: Session, draft_id: str, state: str) -> None:
    """Close a draft: `published` or `dropped`."""
    statement = sa.update(ListDraft).where(col(ListDraft.id) == draft_id).values(state=state)
    session.connection().execute(statement)


def _find(session: Session, project_id: str, which: sa.ColumnElement[bool]) -> DraftFacts | None:
    statement = select(ListDraft).where(
        ListDraft.project_id == project_id, ListDraft.state == "open", which
    )
    row = session.exec(statement.execution_options(populate_existing=True)).first()
    if row is None:
        return None
    changes = row.changes
    return DraftFacts(
        row.id,
        row.project_id,
        row.name,
        row.base_version_id,
        row.number,
        dict(row.content),
        None if changes is None else tuple(map(ListChange.model_validate, changes)),
        row.saved_by,
        row.saved_at,
    )
