"""What somebody who labels can find: their own items, and those that are free for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session

from db.access.leases import claimable
from db.access.queries import EXCERPT
from db.access.tasks import TASK
from schemas.desk import FoundItem

_QUERY, _ANNOTATION, _PERSON = (
    TASK.metadata.tables[name] for name in ("query", "annotation", "person")
)
_WHAT = (_QUERY.c.id, _QUERY.c.external_id, sa.func.substr(_QUERY.c.text, 1, EXCERPT).label("text"))


class Submission(NamedTuple):
    """A submission as a reviewer searches for it; `is_taken` is 1 where another has it in hand."""

    annotation_id: str
    external_id: str | None
    text: str
    author: str
    submitted_at: datetime | None
    is_taken: int


def list_own(
    session: Session, project_id: str, person_id: str, text: str, limit: int
) -> list[FoundItem]:
    """A person's annotations whose query has this text or id, the newest first."""
    statement = (
        sa.select(*_WHAT, _ANNOTATION.c.state)
        .join(_ANNOTATION, _ANNOTATION.c.query_id == _QUERY.c.id)
        .where(
            _ANNOTATION.c.author_id == person_id,
            _ANNOTATION.c.project_id == project_id,
            _matches(text),
        )
        .order_by(_ANNOTATION.c.id.desc())
        .limit(limit)
    )
    return [_to_found(row, is_mine=True) for row in session.connection().execute(statement)]


def list_claimable(
    session: Session, project_id: str, person_id: str, text: str, limit: int
) -> list[FoundItem]:
    """Queries with this text or id that are free for a person, oldest first."""
    is_free = sa.exists().where(TASK.c.query_id == _QUERY.c.id, *claimable("label"))
    begun = sa.exists().where(
        _ANNOTATION.c.query_id == _QUERY.c.id, _ANNOTATION.c.author_id == bindparam("me")
    )
    statement = (
        sa.select(*_WHAT, sa.literal("open"))
        .where(_QUERY.c.project_id == project_id, _matches(text), is_free, ~begun)
        .order_by(_QUERY.c.id)
        .limit(limit)
    )
    asker = {"project": project_id, "me": person_id}
    found = session.connection().execute(statement, asker)
    return [_to_found(row, is_mine=False) for row in found]


def list_submissions(
    session: Session, project_id: str, person_id: str, text: str, limit: int, *, at: datetime
) -> list[Submission]:
    """Submissions of others whose query has this text or id, oldest first."""
    is_elsewhere = sa.and_(
        TASK.c.status == "taken", TASK.c.lease_until >= at, TASK.c.person_id != person_id
    )
    statement = (
        sa.select(
            _ANNOTATION.c.id,
            _QUERY.c.external_id,
            sa.func.substr(_QUERY.c.text, 1, EXCERPT),
            _PERSON.c.name,
            _ANNOTATION.c.submitted_at,
            sa.case((is_elsewhere, 1), else_=0),
        )
        .join(_ANNOTATION, _ANNOTATION.c.query_id == _QUERY.c.id)
        .join(_PERSON, _PERSON.c.id == _ANNOTATION.c.author_id)
        .join(TASK, sa.and_(TASK.c.kind == "review", TASK.c.annotation_id == _ANNOTATION.c.id))
        .where(
            _ANNOTATION.c.project_id == project_id,
            _ANNOTATION.c.state == "submitted",
            _ANNOTATION.c.author_id != person_id,
            TASK.c.status.in_(("open", "taken")),
            sa.or_(_matches(text), _ANNOTATION.c.id == text),
        )
        .order_by(_ANNOTATION.c.submitted_at, _ANNOTATION.c.id)
        .limit(limit)
    )
    return [Submission(*row) for row in session.connection().execute(statement)]


def _matches(text: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        _QUERY.c.text.icontains(text, autoescape=True),
        _QUERY.c.external_id == text,
        _QUERY.c.id == text,
    )


def _to_found(row: Sequence[Any], *, is_mine: bool) -> FoundItem:
    query_id, external_id, text, state = row
    return FoundItem(
        query_id=query_id, external_id=external_id, text=text, state=state, is_mine=is_mine
    )
