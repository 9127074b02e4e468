"""Annotations: one person's plan for a query, its draft and its revisions."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Annotation, Draft, Event, Person, Query, Revision, Task
from db.tables.base import new_id
from schemas.drafts import content_hash

EXCERPT = 200


class LastEvent(NamedTuple):
    """The newest thing that happened to an annotation."""

    action: str
    person: str | None
    at: datetime


def find_annotation(session: Session, project_id: str, annotation_id: str) -> Annotation | None:
    """An annotation of this project."""
    annotation = session.get(Annotation, annotation_id)
    return annotation if annotation and annotation.project_id == project_id else None


def get_annotation(session: Session, project_id: str, annotation_id: str) -> Annotation:
    """An annotation that is known to be there.

    Raises:
        LookupError: it is not; a defect of ours.
    """
    annotation = find_annotation(session, project_id, annotation_id)
    if annotation is None:
        raise LookupError(annotation_id)
    return annotation


def find_of_author(session: Session, query_id: str, author_id: str) -> Annotation | None:
    """This person's annotation of a query; there is at most one."""
    statement = select(Annotation).where(
        Annotation.query_id == query_id, Annotation.author_id == author_id
    )
    return session.exec(statement).first()


def open_annotation(
    session: Session,
    project_id: str,
    query_id: str,
    author_id: str,
    *,
    suggestion_id: str | None,
    content: dict[str, Any],
    at: datetime,
) -> Annotation:
    """A new annotation with its opening draft, number 0."""
    annotation = Annotation(
        id=new_id(),
        project_id=project_id,
        query_id=query_id,
        author_id=author_id,
        suggestion_id=suggestion_id,
        opened_at=at,
    )
    session.add(annotation)
    session.flush()
    session.add(
        Draft(
            annotation_id=annotation.id,
            project_id=project_id,
            number=0,
            content=content,
            saved_by=author_id,
            saved_at=at,
        )
    )
    return annotation


def get_draft(session: Session, annotation_id: str) -> Draft:
    """The draft of an annotation; every annotation has one."""
    return session.get_one(Draft, annotation_id)


def write_draft(
    session: Session, draft: Draft, content: dict[str, Any], person_id: str, at: datetime
) -> Draft:
    """The next draft; whoever calls holds the annotation's turn and has compared the numbers."""
    draft.number += 1
    draft.content = content
    draft.saved_by = person_id
    draft.saved_at = at
    return draft


def add_revision(
    session: Session,
    annotation: Annotation,
    content: dict[str, Any],
    *,
    kind: str,
    author_id: str,
    at: datetime,
) -> str:
    """Store a plan as it was handed in, on top of the newest one; returns its id."""
    newest = session.scalar(
        sa.select(sa.func.max(Revision.number)).where(col(Revision.annotation_id) == annotation.id)
    )
    revision = Revision(
        id=new_id(),
        project_id=annotation.project_id,
        annotation_id=annotation.id,
        number=(newest or 0) + 1,
        kind=kind,
        author_id=author_id,
        based_on_id=annotation.revision_id,
        content=content,
        content_hash=content_hash(content),
        created_at=at,
    )
    session.add(revision)
    session.flush()
    return revision.id


def has_revision(session: Session, annotation_id: str, kind: str, digest: str) -> bool:
    """Whether the same content is kept already."""
    statement = select(Revision.id).where(
        Revision.annotation_id == annotation_id,
        Revision.kind == kind,
        Revision.content_hash == digest,
    )
    return session.exec(statement).first() is not None


def find_revision(session: Session, revision_id: str | None) -> Revision | None:
    """A revision."""
    return None if revision_id is None else session.get(Revision, revision_id)


def get_revision(session: Session, revision_id: str | None) -> Revision:
    """A revision that is known to be there.

    Raises:
        LookupError: it is not; a defect of ours.
    """
    revision = find_revision(session, revision_id)
    if revision is None:
        raise LookupError(revision_id)
    return revision


def author_name(session: Session, annotation: Annotation) -> str:
    """Who wrote an annotation."""
    return session.get_one(Person, annotation.author_id).name


def find_last_event(session: Session, project_id: str, annotation_id: str) -> LastEvent | None:
    """What happened to an annotation last, refused saves aside."""
    statement = (
        select(Event.action, Person.name, Event.at)
        .join(Person, col(Person.id) == Event.person_id, isouter=True)
        .where(
            Event.project_id == project_id,
            Event.subject == "annotation",
            Event.subject_id == annotation_id,
            Event.action != "refused",
        )
        .order_by(col(Event.id).desc())
        .limit(1)
    )
    row = session.exec(statement).first()
    return None if row is None else LastEvent(row[0], row[1], row[2])


def list_of_author(
    session: Session, project_id: str, author_id: str, state: str | None, limit: int
) -> list[tuple[Annotation, str, bool]]:
    """A person's annotations with the query's text (cut) and whether put aside, newest first."""
    postponed = (
        sa.exists()
        .where(
            col(Task.kind) == "label",
            col(Task.query_id) == col(Annotation.query_id),
            col(Task.annotation_id) == col(Annotation.id),
            col(Task.status) == "postponed",
        )
        .correlate(Annotation)
    )
    statement = (
        select(Annotation, sa.func.substr(col(Query.text), 1, EXCERPT), postponed)
        .join(Query, col(Query.id) == Annotation.query_id)
        .where(Annotation.project_id == project_id, Annotation.author_id == author_id)
        .order_by(col(Annotation.id).desc())
        .limit(limit)
    )
    if state == "postponed":
        statement = statement.where(postponed)
    elif state is not None:
        statement = statement.where(Annotation.state == state)
    return [(row, text, is_postponed) for row, text, is_postponed in session.exec(statement)]


def count_submitted_since(
    session: Session, project_id: str, author_id: str, since: datetime
) -> int:
    """How many annotations a person handed in since then and has not taken back."""
    statement = sa.select(sa.func.count()).where(
        col(Annotation.author_id) == author_id,
        col(Annotation.submitted_at) >= since,
        col(Annotation.project_id) == project_id,
        col(Annotation.state) != "draft",
    )
    return session.scalar(statement) or 0


def count_by_state(session: Session, project_id: str) -> dict[str, int]:
    """Annotations by state."""
    statement = (
        sa.select(col(Annotation.state), sa.func.count())
        .where(col(Annotation.project_id) == project_id)
        .group_by(col(Annotation.state))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def count_flagged(session: Session, project_id: str) -> int:
    """Annotations that somebody asked reviewers to look at and that are not decided."""
    statement = sa.select(sa.func.count()).where(
        col(Annotation.project_id) == project_id,
        col(Annotation.flag).is_not(None),
        col(Annotation.state).in_(("draft", "submitted", "returned")),
    )
    return session.scalar(statement) or 0
