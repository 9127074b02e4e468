"""Submissions that wait for a reviewer, narrowed and ordered; no JSON column is read or counted."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.access.tasks import SKIP, TASK
from db.tables.base import UtcDateTime
from schemas.errors import InvalidInput
from schemas.waiting import Choice, Narrowed, WaitingOrder, WaitingRow

EXCERPT = 200
_ANNOTATION, _QUERY, _SUGGESTION, _PERSON, _LIST, _LOT, _ITEM = (
    TASK.metadata.tables[name]
    for name in ("annotation", "query", "suggestion", "person", "list_version", "lot", "lot_item")
)
_DISAGREEMENT = sa.func.coalesce(_QUERY.c.disagreement, -1.0)


class Reader(NamedTuple):
    """Whose list it is, and when."""

    project_id: str
    person_id: str
    at: datetime


class Found(NamedTuple):
    """A submission that may be taken."""

    task_id: int
    annotation_id: str
    query_id: str
    revision_id: str
    is_in_hand: bool


class _Key(NamedTuple):
    """What the list is ordered by, and how its values are read from the address of a page."""

    column: Any
    is_descending: bool
    type: Any
    read: Callable[[Any], object]


_KEYS: dict[WaitingOrder, _Key] = {
    "queue": _Key(TASK.c.rank, is_descending=False, type=sa.Integer(), read=int),
    "oldest": _Key(
        _ANNOTATION.c.submitted_at,
        is_descending=False,
        type=UtcDateTime(),
        read=datetime.fromisoformat,
    ),
    "newest": _Key(
        _ANNOTATION.c.submitted_at,
        is_descending=True,
        type=UtcDateTime(),
        read=datetime.fromisoformat,
    ),
    "disagreement": _Key(_DISAGREEMENT, is_descending=True, type=sa.Float(), read=float),
}


def list_rows(
    session: Session, reader: Reader, narrowed: Narrowed, after: str | None, limit: int
) -> tuple[list[WaitingRow], str | None]:
    """A page of the list and where the next begins.

    Raises:
        InvalidInput: `review.bad_page`.
    """
    key = _KEYS[narrowed.order]
    columns = (
        TASK.c.id,
        _ANNOTATION.c.id,
        _QUERY.c.id,
        _QUERY.c.external_id,
        sa.func.substr(_QUERY.c.text, 1, EXCERPT),
        _PERSON.c.name,
        _LIST.c.name,
        _LIST.c.version,
        _SUGGESTION.c.model,
        _QUERY.c.disagreement,
        _ANNOTATION.c.flag,
        _ANNOTATION.c.submitted_at,
        _is_mine(reader),
        key.column,
    )
    statement = (
        _select(reader, narrowed, *columns)
        .join(_PERSON, _PERSON.c.id == TASK.c.author_id)
        .join(_LIST, _LIST.c.id == _QUERY.c.list_version_id)
        .where(*_after(key, after))
        .order_by(*_order(key))
        .limit(limit + 1)
    )
    found = session.connection().execute(statement).all()
    rows = [_to_row(tuple(row)) for row in found[:limit]]
    if len(found) <= limit:
        return rows, None
    last = found[limit - 1]
    value = last[-1].isoformat() if isinstance(last[-1], datetime) else last[-1]
    return rows, json.dumps([value, last[0]])


def list_found(
    session: Session, reader: Reader, narrowed: Narrowed, limit: int, *, is_for_batch: bool = False
) -> list[Found]:
    """The first of the list, what the reader has in hand before all others."""
    key, is_mine = _KEYS[narrowed.order], _is_mine(reader)
    columns = (
        TASK.c.id,
        _ANNOTATION.c.id,
        _QUERY.c.id,
        _ANNOTATION.c.revision_id,
        is_mine,
    )
    statement = _select(reader, narrowed, *columns)
    if is_for_batch:
        statement = statement.where(_ANNOTATION.c.flag.is_(None), ~_is_in_lot())
    statement = statement.order_by(is_mine.desc(), *_order(key)).limit(limit)
    return [Found(*row) for row in session.connection().execute(statement)]


def count(session: Session, reader: Reader, narrowed: Narrowed) -> int:
    """How many there are in all."""
    return session.scalar(_select(reader, narrowed, sa.func.count())) or 0


def list_authors(session: Session, reader: Reader) -> list[Choice]:
    """Everybody whose work waits, by name."""
    statement = _select(reader, Narrowed(), _PERSON.c.id, _PERSON.c.name)
    statement = statement.join(_PERSON, _PERSON.c.id == TASK.c.author_id).distinct()
    found = session.connection().execute(statement.order_by(_PERSON.c.name))
    return [Choice(id=person_id, name=name) for person_id, name in map(tuple, found)]


def list_lists(session: Session, reader: Reader) -> list[Choice]:
    """The list versions of what waits, newest first."""
    statement = _select(reader, Narrowed(), _LIST.c.id, _LIST.c.name, _LIST.c.version).join(
        _LIST, _LIST.c.id == _QUERY.c.list_version_id
    )
    found = session.connection().execute(statement.distinct().order_by(_LIST.c.id.desc()))
    return [
        Choice(id=list_id, name=f"{name}@{version}") for list_id, name, version in map(tuple, found)
    ]


def list_models(session: Session, reader: Reader) -> list[str]:
    """The models that what waits began from."""
    statement = _select(reader, Narrowed(), _SUGGESTION.c.model)
    statement = statement.where(_SUGGESTION.c.model.is_not(None)).distinct()
    found = session.connection().execute(statement.order_by(_SUGGESTION.c.model))
    return list(found.scalars())


def _select(reader: Reader, narrowed: Narrowed, *columns: Any) -> Any:
    joined = (
        sa.select(*columns)
        .select_from(TASK)
        .join(_ANNOTATION, _ANNOTATION.c.id == TASK.c.annotation_id)
        .join(_QUERY, _QUERY.c.id == TASK.c.query_id)
        .outerjoin(_SUGGESTION, _SUGGESTION.c.id == _ANNOTATION.c.suggestion_id)
    )
    return joined.where(*_may_take(reader), *_conditions(reader, narrowed))


def _may_take(reader: Reader) -> list[sa.ColumnElement[bool]]:
    is_free = sa.or_(
        TASK.c.status == "open",
        sa.and_(TASK.c.status == "taken", TASK.c.lease_until < reader.at),
    )
    other = TASK.alias("skipped")
    has_skipped = sa.exists().where(
        other.c.kind == "review",
        other.c.query_id == TASK.c.query_id,
        SKIP.c.task_id == other.c.id,
        SKIP.c.person_id == reader.person_id,
    )
    return [
        TASK.c.project_id == reader.project_id,
        TASK.c.kind == "review",
        TASK.c.status.in_(("open", "taken")),
        TASK.c.author_id != reader.person_id,
        sa.or_(is_free, _is_mine(reader)),
        ~has_skipped,
    ]


def _is_mine(reader: Reader) -> sa.ColumnElement[bool]:
    is_mine = sa.and_(TASK.c.status == "taken", TASK.c.person_id == reader.person_id)
    return sa.func.coalesce(is_mine, sa.false())


def _is_in_lot() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        _ITEM.c.annotation_id == _ANNOTATION.c.id,
        _ITEM.c.verdict.is_(None),
        _LOT.c.id == _ITEM.c.lot_id,
        _LOT.c.state.in_(("open", "inspecting")),
    )


def _conditions(reader: Reader, narrowed: Narrowed) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if narrowed.author_id is not None:
        conditions.append(TASK.c.author_id == narrowed.author_id)
    if narrowed.list_version_id is not None:
        conditions.append(_QUERY.c.list_version_id == narrowed.list_version_id)
    if narrowed.model is not None:
        conditions.append(_SUGGESTION.c.model == narrowed.model)
    if narrowed.agreement == "agree":
        conditions.append(_QUERY.c.disagreement == 0)
    if narrowed.agreement == "disagree":
        conditions.append(_QUERY.c.disagreement > 0)
    if narrowed.is_flagged:
        conditions.append(_ANNOTATION.c.flag.is_not(None))
    if narrowed.older_than_h is not None:
        before = reader.at - timedelta(hours=narrowed.older_than_h)
        conditions.append(_ANNOTATION.c.submitted_at < before)
    return conditions


def _order(key: _Key) -> tuple[Any, Any]:
    return (key.column.desc() if key.is_descending else key.column, TASK.c.id)


def _after(key: _Key, after: str | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    try:
        value, task_id = json.loads(after)
        last = sa.literal(key.read(value), key.type)
        is_same = sa.and_(key.column == last, TASK.c.id > int(task_id))
    except (TypeError, ValueError) as error:
        raise InvalidInput("review.bad_page") from error
    is_past = key.column < last if key.is_descending else key.column > last
    return [sa.or_(is_past, is_same)]


def _to_row(row: Sequence[Any]) -> WaitingRow:
    return WaitingRow(
        task_id=row[0],
        annotation_id=row[1],
        query_id=row[2],
        external_id=row[3],
        text=row[4],
        author=row[5],
        expert_list=f"{row[6]}@{row[7]}",
        model=row[8],
        disagreement=row[9],
        flag=row[10],
        submitted_at=row[11],
        is_in_hand=bool(row[12]),
    )
