"""What models answered: stored raw, read as well as we can today."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from db.access.batches import Batch
from db.access.requests import Held
from db.tables.base import new_id, now
from schemas.desk import SuggestionView
from schemas.model_endpoints import EndpointSettings
from schemas.synthesis import SuggestionSample

_SUGGESTION = SQLModel.metadata.tables["suggestion"]
_QUERY = SQLModel.metadata.tables["query"]


class Reading(NamedTuple):
    """What a reply says, as far as it can be read; a plan or a failure, never both."""

    shape: str | None
    trace: str | None
    plan: dict[str, Any] | None
    partial_plan: dict[str, Any] | None
    failure: str | None
    is_repaired: bool


class Reply(NamedTuple):
    """An answer to a request: its bytes, what was read from them, what it cost, and whose it is.

    `suffix` keeps the key of a reply apart that another one followed.
    """

    held: Held
    reading: Reading
    raw: bytes
    usage: dict[str, Any] | None
    by: EndpointSettings | None = None
    suffix: str = ""


class StoredReply(NamedTuple):
    """A raw reply without a plan, with what is needed to read it again."""

    id: str
    query_id: str
    request_key: str | None
    raw_reply: bytes
    failure: str
    dialect: str
    list_version_id: str


def add_replies(
    session: Session, batch: Batch, replies: Sequence[Reply], *, origin: str = "model"
) -> list[str]:
    """Store models' replies; their ids. A query that waited for its first plan is ready then."""
    if not replies:
        return []
    same = {
        "project_id": batch.project_id,
        "origin": origin,
        "batch_id": batch.id,
        "created_at": now(),
    }
    ids = [new_id() for _ in replies]
    rows = [
        {
            **same,
            "id": suggestion_id,
            "query_id": each.held.pins.query_id,
            "request_key": each.held.reply_key + each.suffix,
            "model": each.by.model if each.by else batch.order.model,
            "endpoint": each.by.url if each.by else batch.order.endpoint,
            "candidate": each.held.candidate,
            "raw_reply": each.raw,
            "usage": each.usage,
            **_columns(each.reading),
        }
        for suggestion_id, each in zip(ids, replies, strict=True)
    ]
    session.connection().execute(sa.insert(_SUGGESTION), rows)
    mark_ready(
        session, {each.held.pins.query_id for each in replies if each.reading.plan is not None}
    )
    return ids


def add_single(
    session: Session,
    project_id: str,
    query_id: str,
    *,
    request_key: str,
    model: str,
    endpoint: str,
    raw: bytes,
    reading: Reading,
    usage: dict[str, Any] | None,
) -> None:
    """Store one model's reply that no batch asked for; it is there once for its key."""
    known = sa.select(_SUGGESTION.c.id).where(_SUGGESTION.c.request_key == request_key)
    if session.connection().execute(known).first() is not None:
        return
    number = sa.select(sa.func.count()).where(_SUGGESTION.c.query_id == query_id)
    row = {
        "id": new_id(),
        "project_id": project_id,
        "query_id": query_id,
        "origin": "model",
        "request_key": request_key,
        "candidate": (session.connection().execute(number).scalar() or 0) + 1,
        "model": model,
        "endpoint": endpoint,
        "raw_reply": raw,
        "usage": usage,
        "created_at": now(),
        **_columns(reading),
    }
    session.connection().execute(sa.insert(_SUGGESTION), [row])
    if reading.plan is not None:
        mark_ready(session, [query_id])


def update_reading(session: Session, suggestion_id: str, reading: Reading) -> None:
    """Replace what was read from a raw reply; the raw reply stays as it is."""
    statement = sa.update(_SUGGESTION).where(_SUGGESTION.c.id == suggestion_id)
    session.connection().execute(statement.values(**_columns(reading)))


def mark_ready(session: Session, query_ids: Collection[str]) -> None:
    """Queries that waited for their first suggestion have one."""
    if not query_ids:
        return
    statement = sa.update(_QUERY).where(
        _QUERY.c.id.in_(sorted(query_ids)), _QUERY.c.state == "waiting"
    )
    session.connection().execute(statement.values(state="ready"))


def list_unread(
    session: Session,
    project_id: str,
    *,
    after: str,
    count: int,
    batch_id: str | None = None,
) -> Sequence[StoredReply]:
    """Replies of models that gave no plan, by id."""
    statement = (
        sa.select(
            _SUGGESTION.c.id,
            _SUGGESTION.c.query_id,
            _SUGGESTION.c.request_key,
            _SUGGESTION.c.raw_reply,
            _SUGGESTION.c.failure,
            _QUERY.c.dialect,
            _QUERY.c.list_version_id,
        )
        .join(_QUERY, _QUERY.c.id == _SUGGESTION.c.query_id)
        .where(
            _SUGGESTION.c.project_id == project_id,
            _SUGGESTION.c.failure.is_not(None),
            _SUGGESTION.c.raw_reply.is_not(None),
            _SUGGESTION.c.origin == "model",
            _SUGGESTION.c.id > after,
        )
        .order_by(_SUGGESTION.c.id)
        .limit(count)
    )
    if batch_id is not None:
        statement = statement.where(_SUGGESTION.c.batch_id == batch_id)
    return [StoredReply(*row) for row in session.connection().execute(statement)]


def _columns(reading: Reading) -> dict[str, Any]:
    return {
        "reply_shape": reading.shape,
        "trace": reading.trace,
        "trace_length": len(reading.trace or ""),
        "plan": reading.plan,
        "partial_plan": reading.partial_plan,
        "failure": reading.failure,
        "is_repaired": reading.is_repaired,
    }


def list_samples(
    session: Session, project_id: str, batch_id: str, limit: int
) -> list[SuggestionSample]:
    """The newest suggestions of a batch with what was asked."""
    names = list(SuggestionView.model_fields)
    statement = (
        sa.select(_SUGGESTION.c.query_id, _QUERY.c.text, *(_SUGGESTION.c[name] for name in names))
        .join(_QUERY, _QUERY.c.id == _SUGGESTION.c.query_id)
        .where(_SUGGESTION.c.project_id == project_id, _SUGGESTION.c.batch_id == batch_id)
        .order_by(_SUGGESTION.c.id.desc())
        .limit(limit)
    )
    return [
        SuggestionSample(
            query_id=row["query_id"],
            query=row["text"],
            suggestion=SuggestionView.model_validate({name: row[name] for name in names}),
        )
        for row in session.connection().execute(statement).mappings()
    ]
