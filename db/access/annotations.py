"""Annotations: one person's plan for a query, its draft and its revisions.

Statements on the way of every save are built once, as values: building them costs more than running
them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from db.prepared import Prepared, word
from db.tables import Annotation, Person, Revision
from db.tables.base import new_id
from schemas.drafts import content_hash

_ANNOTATION, _DRAFT, _QUERY, _REVISION, _EVENT, _PERSON, _GOLD = (
    Annotation.metadata.tables[name]
    for name in ("annotation", "draft", "query", "revision", "event", "person", "gold_item")
)


@dataclass(frozen=True, slots=True)
class AnnotationFacts:
    """An annotation as it stands, with its draft, its newest revision's hash and its list."""

    id: str
    query_id: str
    author_id: str
    state: str
    suggestion_id: str | None
    revision_id: str | None
    revision_hash: str | None
    flag: str | None
    lead_seconds: float
    submitted_at: datetime | None
    decided_at: datetime | None
    list_version_id: str
    draft_number: int
    draft: dict[str, Any]
    draft_saved_at: datetime
    gold_item_id: str | None = None
    """The gold item that its query is, if it is one."""


class LastEvent(NamedTuple):
    """The newest thing that happened to an annotation."""

    action: str
    person: str | None
    at: datetime


_FACTS = (
    sa.select(
        _ANNOTATION.c.id,
        _ANNOTATION.c.query_id,
        _ANNOTATION.c.author_id,
        _ANNOTATION.c.state,
        _ANNOTATION.c.suggestion_id,
        _ANNOTATION.c.revision_id,
        _REVISION.c.content_hash.label("revision_hash"),
        _ANNOTATION.c.flag,
        _ANNOTATION.c.lead_seconds,
        _ANNOTATION.c.submitted_at,
        _ANNOTATION.c.decided_at,
        _QUERY.c.list_version_id,
        _DRAFT.c.number,
        _DRAFT.c.content,
        _DRAFT.c.saved_at,
        _GOLD.c.id.label("gold_item_id"),
    )
    .join(_DRAFT, _DRAFT.c.annotation_id == _ANNOTATION.c.id)
    .join(_QUERY, _QUERY.c.id == _ANNOTATION.c.query_id)
    .outerjoin(_REVISION, _REVISION.c.id == _ANNOTATION.c.revision_id)
    .outerjoin(_GOLD, _GOLD.c.query_id == _ANNOTATION.c.query_id)
    .where(_ANNOTATION.c.project_id == bindparam("project_id"))
)
_OF_ID = Prepared(_FACTS.where(_ANNOTATION.c.id == bindparam("annotation_id")))
_OF_AUTHOR = Prepared(
    _FACTS.where(
        _ANNOTATION.c.query_id == bindparam("query_id"),
        _ANNOTATION.c.author_id == bindparam("author_id"),
    )
)
_INSERT = Prepared(
    sa.insert(_ANNOTATION).values(state=word("draft"), lead_seconds=sa.literal_column("0.0")),
    "id",
    "project_id",
    "query_id",
    "author_id",
    "suggestion_id",
    "opened_at",
)
_INSERT_DRAFT = Prepared(
    sa.insert(_DRAFT),
    "annotation_id",
    "project_id",
    "number",
    "content",
    "saved_by",
    "saved_at",
)
_CHANGE = sa.update(_ANNOTATION).where(_ANNOTATION.c.id == bindparam("key"))
_SUBMIT = Prepared(
    _CHANGE.values(state=word("submitted")), "revision_id", "submitted_at", "lead_seconds"
)
_WRITE_DRAFT = Prepared(
    sa.update(_DRAFT).where(_DRAFT.c.annotation_id == bindparam("key")),
    "number",
    "content",
    "saved_by",
    "saved_at",
)
_ADD_REVISION = Prepared(
    sa.insert(_REVISION).values(
        number=sa.select(sa.func.coalesce(sa.func.max(_REVISION.c.number), 0) + 1)
        .where(_REVISION.c.annotation_id == bindparam("key"))
        .scalar_subquery()
    ),
    "id",
    "project_id",
    "annotation_id",
    "kind",
    "author_id",
    "based_on_id",
    "content",
    "content_hash",
    "created_at",
)
_LAST_EVENT = (
    sa.select(_EVENT.c.action, _PERSON.c.name, _EVENT.c.at)
    .outerjoin(_PERSON, _PERSON.c.id == _EVENT.c.person_id)
    .where(
        _EVENT.c.project_id == bindparam("project_id"),
        _EVENT.c.subject == "annotation",
        _EVENT.c.subject_id == bindparam("annotation_id"),
        _EVENT.c.action != "refused",
    )
    .order_by(_EVENT.c.id.desc())
    .limit(1)
)


def find_annotation(
    session: Session, project_id: str, annotation_id: str
) -> AnnotationFacts | None:
    """An annotation of this project."""
    row = _OF_ID.first(session, project_id=project_id, annotation_id=annotation_id)
    return None if row is None else AnnotationFacts(*row)


def get_annotation(session: Session, project_id: str, annotation_id: str) -> AnnotationFacts:
    """An annotation that is known to be there.

    Raises:
        LookupError: it is not; a defect of ours.
    """
    annotation = find_annotation(session, project_id, annotation_id)
    if annotation is None:
        raise LookupError(annotation_id)
    return annotation


def find_of_author(
    session: Session, project_id: str, query_id: str, author_id: str
) -> AnnotationFacts | None:
    """This person's annotation of a query; there is at most one."""
    row = _OF_AUTHOR.first(session, project_id=project_id, query_id=query_id, author_id=author_id)
    return None if row is None else AnnotationFacts(*row)


def open_annotation(
    session: Session,
    project_id: str,
    query_id: str,
    author_id: str,
    *,
    suggestion_id: str | None,
    content: Mapping[str, Any],
    at: datetime,
) -> str:
    """A new annotation with its opening draft, number 0; returns its id."""
    annotation_id = new_id()
    _INSERT.run(
        session,
        id=annotation_id,
        project_id=project_id,
        query_id=query_id,
        author_id=author_id,
        suggestion_id=suggestion_id,
        opened_at=at,
    )
    _INSERT_DRAFT.run(
        session,
        annotation_id=annotation_id,
        project_id=project_id,
        number=0,
        content=content,
        saved_by=author_id,
        saved_at=at,
    )
    return annotation_id


def change(session: Session, annotation_id: str, **values: object) -> None:
    """Set columns of an annotation, by one who has its turn."""
    session.connection().execute(_CHANGE, {"key": annotation_id, **values})


def submit(
    session: Session,
    annotation: AnnotationFacts,
    *,
    revision_id: str,
    lead_seconds: float,
    at: datetime,
) -> None:
    """Hand an annotation in as a revision, by one who has its turn."""
    _SUBMIT.run(
        session,
        key=annotation.id,
        revision_id=revision_id,
        submitted_at=at,
        lead_seconds=lead_seconds,
    )


def write_draft(
    session: Session,
    annotation: AnnotationFacts,
    content: Mapping[str, Any],
    person_id: str,
    at: datetime,
) -> int:
    """Replace the draft, by one who has the annotation's turn; returns its new number."""
    number = annotation.draft_number + 1
    _WRITE_DRAFT.run(
        session,
        key=annotation.id,
        number=number,
        content=content,
        saved_by=person_id,
        saved_at=at,
    )
    return number


def add_revision(
    session: Session,
    project_id: str,
    annotation: AnnotationFacts,
    content: Mapping[str, Any],
    *,
    kind: str,
    author_id: str,
    at: datetime,
) -> str:
    """Store a plan as it was handed in, on top of the newest one; returns its id."""
    revision_id = new_id()
    _ADD_REVISION.run(
        session,
        key=annotation.id,
        id=revision_id,
        project_id=project_id,
        annotation_id=annotation.id,
        kind=kind,
        author_id=author_id,
        based_on_id=annotation.revision_id,
        content=content,
        content_hash=content_hash(content),
        created_at=at,
    )
    return revision_id


def has_revision(session: Session, annotation_id: str, kind: str, digest: str) -> bool:
    """Whether the same content is kept already."""
    statement = select(Revision.id).where(
        Revision.annotation_id == annotation_id,
        Revision.kind == kind,
        Revision.content_hash == digest,
    )
    return session.exec(statement).first() is not None


def get_revision(session: Session, revision_id: str | None) -> Revision:
    """A revision that is known to be there.

    Raises:
        LookupError: it is not; a defect of ours.
    """
    revision = None if revision_id is None else session.get(Revision, revision_id)
    if revision is None:
        raise LookupError(revision_id)
    return revision


def author_name(session: Session, annotation: AnnotationFacts) -> str:
    """Who wrote an annotation."""
    return session.get_one(Person, annotation.author_id).name


def person_name(session: Session, person_id: str) -> str:
    """The name of somebody who is known to be there."""
    return session.get_one(Person, person_id).name


def find_last_event(session: Session, project_id: str, annotation_id: str) -> LastEvent | None:
    """What happened to an annotation last, refused saves aside."""
    values = {"project_id": project_id, "annotation_id": annotation_id}
    row = session.connection().execute(_LAST_EVENT, values).first()
    return None if row is None else LastEvent(*row)


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
