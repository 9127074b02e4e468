"""Comments: threads on an annotation, and which of them wait for its author."""

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.prepared import Prepared
from db.tables import Comment, Person

EXCERPT = 200


class Said(NamedTuple):
    """A comment as it is stored."""

    id: str
    reply_to_id: str | None
    author_id: str
    anchor: dict[str, Any]
    text: str
    created_at: datetime
    resolved_by: str | None
    resolved_at: datetime | None


class Waiting(NamedTuple):
    """An open thread in which another than the annotation's author has the last word, and that."""

    thread_id: str
    text: str
    at: datetime
    query_id: str
    annotation_id: str
    query: str
    state: str
    writer: str


_COMMENT, _ANNOTATION, _QUERY, _PERSON = (
    Comment.metadata.tables[name] for name in ("comment", "annotation", "query", "person")
)
_THREAD, _LAST, _LATER = (_COMMENT.alias(name) for name in ("thread", "last", "later"))
# Read with every item that is laid on a desk; mostly nothing has been said.
_SAID = Prepared(
    sa.select(*(_COMMENT.c[name] for name in Said._fields))
    .where(
        _COMMENT.c.project_id == sa.bindparam("project"),
        _COMMENT.c.query_id == sa.bindparam("query"),
        _COMMENT.c.annotation_id == sa.bindparam("annotation"),
    )
    .order_by(_COMMENT.c.created_at, _COMMENT.c.id)
)


def _is_in_thread(comment: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(
        comment.c.project_id == _THREAD.c.project_id,
        comment.c.query_id == _THREAD.c.query_id,
        sa.or_(comment.c.id == _THREAD.c.id, comment.c.reply_to_id == _THREAD.c.id),
    )


_WAITING = (
    sa.select(_THREAD.c.id)
    .join(_LAST, _is_in_thread(_LAST))
    .join(_ANNOTATION, _ANNOTATION.c.id == _THREAD.c.annotation_id)
    .where(
        _THREAD.c.project_id == sa.bindparam("project"),
        _THREAD.c.reply_to_id.is_(None),
        _THREAD.c.resolved_at.is_(None),
        _ANNOTATION.c.author_id == sa.bindparam("me"),
        _LAST.c.author_id != _ANNOTATION.c.author_id,
        ~sa.exists().where(
            _is_in_thread(_LATER),
            sa.or_(
                _LATER.c.created_at > _LAST.c.created_at,
                sa.and_(_LATER.c.created_at == _LAST.c.created_at, _LATER.c.id > _LAST.c.id),
            ),
        ),
    )
)
_COUNT_WAITING = sa.select(sa.func.count()).select_from(_WAITING.subquery())


def find_comment(session: Session, comment_id: str) -> Comment | None:
    """A comment of any project."""
    return session.get(Comment, comment_id)


def find_thread(session: Session, project_id: str, thread_id: str) -> Comment | None:
    """The first comment of a thread of this project."""
    comment = session.get(Comment, thread_id)
    if comment is None or comment.reply_to_id is not None or comment.project_id != project_id:
        return None
    return comment


def add_comment(session: Session, comment: Comment) -> None:
    """Say something."""
    session.add(comment)
    session.flush()


def count_comments(session: Session, project_id: str, query_id: str, annotation_id: str) -> int:
    """How much has been said on an annotation."""
    statement = sa.select(sa.func.count()).where(
        col(Comment.project_id) == project_id,
        col(Comment.query_id) == query_id,
        col(Comment.annotation_id) == annotation_id,
    )
    return session.scalar(statement) or 0


def list_comments(
    session: Session, project_id: str, query_id: str, annotation_id: str
) -> list[Said]:
    """What has been said on an annotation, in the order in which it was said."""
    found = _SAID.all(session, project=project_id, query=query_id, annotation=annotation_id)
    return [Said(*row) for row in found]


def list_commented(session: Session, project_id: str, query_id: str) -> list[str]:
    """Annotations of a query on which something has been said."""
    statement = (
        sa.select(_COMMENT.c.annotation_id)
        .where(
            _COMMENT.c.project_id == project_id,
            _COMMENT.c.query_id == query_id,
            _COMMENT.c.annotation_id.is_not(None),
        )
        .distinct()
        .order_by(_COMMENT.c.annotation_id)
    )
    return [row[0] for row in session.connection().execute(statement)]


def names_of(session: Session, people: set[str]) -> dict[str, str]:
    """Names by the ids of people."""
    found = session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
    return {row[0]: row[1] for row in found}


def settle(session: Session, thread: Comment, person_id: str | None, at: datetime | None) -> None:
    """Resolve a thread, or open it again with None."""
    thread.resolved_by = person_id
    thread.resolved_at = at
    session.add(thread)
    session.flush()


def list_waiting(session: Session, project_id: str, author_id: str, limit: int) -> list[Waiting]:
    """Open threads on somebody's annotations in which another has the last word, newest first."""
    statement = (
        _WAITING.add_columns(
            _LAST.c.text,
            _LAST.c.created_at,
            _ANNOTATION.c.query_id,
            _ANNOTATION.c.id,
            sa.func.substr(_QUERY.c.text, 1, EXCERPT),
            _ANNOTATION.c.state,
            _PERSON.c.name,
        )
        .join(_QUERY, _QUERY.c.id == _ANNOTATION.c.query_id)
        .join(_PERSON, _PERSON.c.id == _LAST.c.author_id)
        .order_by(_LAST.c.created_at.desc(), _LAST.c.id.desc())
        .limit(limit)
    )
    values = {"project": project_id, "me": author_id}
    return [Waiting(*row) for row in session.connection().execute(statement, values)]


def count_waiting(session: Session, project_id: str, author_id: str) -> int:
    """How many threads wait for somebody's word."""
    values = {"project": project_id, "me": author_id}
    return session.connection().execute(_COUNT_WAITING, values).scalar_one()
