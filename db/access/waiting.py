"""Submissions that wait for a reviewer, narrowed and ordered; no JSON column is read or counted."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql import visitors
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
    statement = (
        _select(reader, narrowed, [TASK.c.id, key.column])
        .where(*_after(key, after))
        .order_by(*_order(key))
        .limit(limit + 1)
    )
    found = [tuple(row) for row in session.connection().execute(statement)]
    rows = _read_rows(session, reader, [task_id for task_id, _ in found[:limit]])
    if len(found) <= limit:
        return rows, None
    task_id, value = found[limit - 1]
    return rows, json.dumps([value.isoformat() if isinstance(value, datetime) else value, task_id])


def list_found(
    session: Session, reader: Reader, narrowed: Narrowed, limit: int, *, is_for_batch: bool = False
) -> list[Found]:
    """The first of the list, what the reader has in hand before all others."""
    key, is_mine = _KEYS[narrowed.order], _is_mine(reader)
    columns = [
        TASK.c.id,
        TASK.c.annotation_id,
        TASK.c.query_id,
        _ANNOTATION.c.revision_id,
        is_mine,
    ]
    statement = _select(reader, narrowed, columns)
    if is_for_batch:
        statement = statement.where(_ANNOTATION.c.flag.is_(None), ~_is_in_lot())
    statement = statement.order_by(is_mine.desc(), *_order(key)).limit(limit)
    return [Found(*row) for row in session.connection().execute(statement)]


def count(session: Session, reader: Reader, narrowed: Narrowed) -> int:
    """How many there are in all."""
    anyhow = narrowed.model_copy(update={"order": "queue"})
    return session.scalar(_select(reader, anyhow, [sa.func.count(TASK.c.id)])) or 0


def list_authors(session: Session, reader: Reader) -> list[Choice]:
    """Everybody whose work waits, by name."""
    authors = _select(reader, Narrowed(), [TASK.c.author_id]).distinct()
    statement = sa.select(_PERSON.c.id, _PERSON.c.name).where(_PERSON.c.id.in_(authors))
    found = session.connection().execute(statement.order_by(_PERSON.c.name))
    return [Choice(id=person_id, name=name) for person_id, name in map(tuple, found)]


def list_lists(session: Session, reader: Reader) -> list[Choice]:
    """The list versions of what waits, newest first."""
    used = _select(reader, Narrowed(), [_QUERY.c.list_version_id]).distinct()
    statement = sa.select(_LIST.c.id, _LIST.c.name, _LIST.c.version).where(_LIST.c.id.in_(used))
    found = session.connection().execute(statement.order_by(_LIST.c.id.desc()))
    return [
        Choice(id=list_id, name=f"{name}@{version}") for list_id, name, version in map(tuple, found)
    ]


def list_models(session: Session, reader: Reader) -> list[str]:
    """The models that what waits began from."""
    statement = _select(reader, Narrowed(), [_SUGGESTION.c.model]).distinct()
    found = session.connection().execute(statement.order_by(_SUGGESTION.c.model))
    return [model for model in found.scalars() if model is not None]


def _read_rows(session: Session, reader: Reader, task_ids: Sequence[int]) -> list[WaitingRow]:
    """What is shown of these, in their order; read for a page only."""
    statement = (
        sa.select(
            TASK.c.id,
            TASK.c.annotation_id,
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
        )
        .select_from(TASK)
        .join(_ANNOTATION, _ANNOTATION.c.id == TASK.c.annotation_id)
        .join(_QUERY, _QUERY.c.id == TASK.c.query_id)
        .join(_PERSON, _PERSON.c.id == TASK.c.author_id)
        .join(_LIST, _LIST.c.id == _QUERY.c.list_version_id)
        .outerjoin(_SUGGESTION, _SUGGESTION.c.id == _ANNOTATION.c.suggestion_id)
        .where(TASK.c.id.in_(task_ids))
    )
    found = (tuple(row) for row in session.connection().execute(statement))
    rows = {row[0]: _to_row(row) for row in found}
    return [rows[task_id] for task_id in task_ids if task_id in rows]


def _select(reader: Reader, narrowed: Narrowed, columns: Sequence[Any]) -> Any:
    """A statement over what the reader may take, with the tables that it needs and no others."""
    key = _KEYS[narrowed.order].column
    conditions = [*_may_take(reader), *_conditions(reader, narrowed)]
    used = {
        column.table.name
        for part in (*columns, key, *conditions)
        for column in _columns_of(part)
        if column.table is not None
    }
    statement = sa.select(*columns).select_from(TASK)
    if used & {"annotation", "suggestion"}:
        statement = statement.join(_ANNOTATION, _ANNOTATION.c.id == TASK.c.annotation_id)
    if "query" in used:
        statement = statement.join(_QUERY, _QUERY.c.id == TASK.c.query_id)
    if "suggestion" in used:
        statement = statement.outerjoin(
            _SUGGESTION, _SUGGESTION.c.id == _ANNOTATION.c.suggestion_id
        )
    return statement.where(*conditions)


def _columns_of(part: Any) -> list[Any]:
    """Every column that an expression names."""
    return [each for each in visitors.iterate(part) if isinstance(each, sa.Column)]


def _may_take(reader: Reader) -> list[sa.ColumnElement[bool]]:
    is_free = sa.or_(
        TASK.c.status == "open",
        sa.and_(TASK.c.status == "taken", TASK.c.lease_until < reader.at),
    )
    other = TASK.alias("skipped")
    skipped = (
        sa.select(other.c.query_id)
        .join(SKIP, SKIP.c.task_id == other.c.id)
        .where(other.c.kind == "review", SKIP.c.person_id == reader.person_id)
    )
    return [
        TASK.c.project_id == reader.project_id,
        TASK.c.kind == "review",
        TASK.c.status.in_(("open", "taken")),
        TASK.c.author_id != reader.person_id,
        sa.or_(is_free, _is_mine(reader)),
        TASK.c.query_id.not_in(skipped),
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
