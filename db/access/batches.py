"""Batches of questions to a model, and the answers they want."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.engine import take_turns
from db.tables import Event, Query, SynthesisBatch, SynthesisRequest
from db.tables.base import now
from schemas.synthesis import (
    BatchState,
    Budget,
    QueryPins,
    Reason,
    RequestKind,
    SynthesisOrder,
)

_KEYS_AT_ONCE = 500
_LETS_GO: tuple[BatchState, ...] = ("done", "stopped", "cancelled")
"""States in which another batch may take what is left open; one that is paused keeps it."""


class NewRequest(NamedTuple):
    """One answer wanted; a `trace`, a `decode`, a `repair` or a `trial` likewise."""

    query_id: str
    candidate: int
    request_key: str
    kind: RequestKind = "answer"
    revision_id: str | None = None
    rederivation_id: str | None = None
    prompt_version_id: str | None = None
    suggestion_id: str | None = None


class Batch(NamedTuple):
    """A batch as those who work on it see it."""

    id: str
    project_id: str
    order: SynthesisOrder
    state: BatchState
    round: int
    budget: Budget | None
    currency: str
    spent_money: float
    spent_tokens: int


def add_batch(
    session: Session,
    project_id: str,
    order: SynthesisOrder,
    person_id: str,
    *,
    budget: Budget | None = None,
    currency: str = "",
) -> str:
    """A running batch without requests yet; its id."""
    row = SynthesisBatch(
        project_id=project_id,
        order=order.to_plain(),
        order_hash=order.order_hash,
        created_by=person_id,
        budget=None if budget is None else budget.model_dump(),
        currency=currency,
    )
    session.add(row)
    session.flush()
    return row.id


def set_budget(session: Session, batch_id: str, budget: Budget | None) -> None:
    """What a batch may spend from now on."""
    row = session.get_one(SynthesisBatch, batch_id)
    row.budget = None if budget is None else budget.model_dump()
    session.add(row)


def add_spending(session: Session, batch_id: str, money: float, tokens: int) -> None:
    """What replies have cost, in the transaction that stores them."""
    statement = (
        sa.update(SynthesisBatch)
        .where(col(SynthesisBatch.id) == batch_id)
        .values(
            spent_money=SynthesisBatch.spent_money + money,
            spent_tokens=SynthesisBatch.spent_tokens + tokens,
        )
    )
    session.connection().execute(statement)


def find_batch(session: Session, project_id: str, batch_id: str) -> Batch | None:
    """A batch of this project."""
    statement = select(SynthesisBatch).where(
        SynthesisBatch.project_id == project_id, SynthesisBatch.id == batch_id
    )
    row = session.exec(statement).first()
    return None if row is None else _to_batch(row)


def get_batch_to_work_on(session: Session, batch_id: str) -> Batch:
    """A batch by its id alone, for the workflow that was started with it."""
    return _to_batch(session.get_one(SynthesisBatch, batch_id))


def find_unfinished(session: Session, project_id: str, order: SynthesisOrder) -> Batch | None:
    """The newest batch of this very order that did not come to its end.

    Two who start the same order at once take turns here, and meet in one batch.
    """
    take_turns(session, f"synthesis of {project_id}")
    statement = select(SynthesisBatch).where(
        SynthesisBatch.project_id == project_id,
        SynthesisBatch.order_hash == order.order_hash,
        SynthesisBatch.state != "done",
    )
    row = session.exec(statement.order_by(col(SynthesisBatch.id).desc()).limit(1)).first()
    return None if row is None else _to_batch(row)


def list_batch_ids(session: Session, project_id: str, limit: int) -> list[str]:
    """The newest batches first."""
    statement = select(SynthesisBatch.id).where(SynthesisBatch.project_id == project_id)
    return list(session.exec(statement.order_by(col(SynthesisBatch.id).desc()).limit(limit)))


def set_state(
    session: Session,
    batch_id: str,
    state: BatchState,
    *,
    only_from: Sequence[BatchState],
    reason: Reason | None = None,
) -> bool:
    """Move a batch on; False when it was in none of the states named."""
    at = now()
    values: dict[str, object] = {
        "state": state,
        "reason": None if reason is None else {"code": reason[0], "values": dict(reason[1])},
        "finished_at": None if state in ("running", "paused") else at,
    }
    if state == "running":
        values |= {"round": SynthesisBatch.round + 1, "resumed_at": at}
    statement = (
        sa.update(SynthesisBatch)
        .where(col(SynthesisBatch.id) == batch_id, col(SynthesisBatch.state).in_(only_from))
        .values(values)
        .returning(col(SynthesisBatch.id))
    )
    return session.connection().execute(statement).first() is not None


def end_batch(session: Session, batch: Batch, state: BatchState, reason: Reason | None) -> None:
    """A running batch has come to its end or has stopped, by itself."""
    if set_state(session, batch.id, state, only_from=["running"], reason=reason):
        session.add(
            Event(
                project_id=batch.project_id,
                subject="synthesis_batch",
                subject_id=batch.id,
                action="stopped" if state == "stopped" else "ended",
                before="running",
                after=state,
                why={} if reason is None else {"code": reason[0]},
            )
        )


def pick_queries(
    session: Session,
    project_id: str,
    list_version_id: str | None,
    states: Sequence[str],
    *,
    after: str,
    count: int,
    only: sa.ColumnElement[bool] | None = None,
) -> list[QueryPins]:
    """Queries that a model may be asked, by id; `history` rows have their answer already."""
    statement = sa.select(
        col(Query.id),
        col(Query.list_version_id),
        col(Query.prompt_version_id),
        col(Query.dialect),
        col(Query.window),
    ).where(
        col(Query.project_id) == project_id,
        col(Query.kind) != "history",
        col(Query.state).in_(states),
        col(Query.id) > after,
    )
    if list_version_id is not None:
        statement = statement.where(col(Query.list_version_id) == list_version_id)
    if only is not None:
        statement = statement.where(only)
    rows = session.connection().execute(statement.order_by(col(Query.id)).limit(count))
    return [
        QueryPins(
            query_id=query_id,
            list_version_id=list_id,
            prompt_version_id=prompt_id,
            dialect=dialect,
            window=window,
        )
        for query_id, list_id, prompt_id, dialect, window in rows
    ]


def known_requests(session: Session, keys: Sequence[str]) -> dict[str, str]:
    """Those of the keys that are known: `left` open by a batch at rest, or else `known`."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        statement = (
            sa.select(
                col(SynthesisRequest.request_key),
                sa.and_(
                    col(SynthesisRequest.state) == "open",
                    col(SynthesisBatch.state).in_(_LETS_GO),
                ),
            )
            .join(SynthesisBatch, col(SynthesisBatch.id) == col(SynthesisRequest.batch_id))
            .where(col(SynthesisRequest.request_key).in_(keys[start : start + _KEYS_AT_ONCE]))
        )
        for key, is_left in session.connection().execute(statement):
            found[key] = "left" if is_left else "known"
    return found


def add_requests(
    session: Session, project_id: str, batch_id: str, requests: Sequence[NewRequest]
) -> None:
    """Open requests of a batch."""
    if requests:
        session.connection().execute(
            sa.insert(SynthesisRequest),
            [
                {"project_id": project_id, "batch_id": batch_id, **request._asdict()}
                for request in requests
            ],
        )


def sample_queries(
    session: Session, project_id: str, list_version_id: str | None, *, is_accepted: bool, after: str
) -> list[QueryPins]:
    """A page of queries by id, those with an accepted plan or those without."""
    states = ("decided",) if is_accepted else ("waiting", "ready", "in_work", "in_review")
    chosen = col(Query.chosen_annotation_id).is_not(None) if is_accepted else sa.true()
    return pick_queries(
        session, project_id, list_version_id, states, after=after, count=1000, only=chosen
    )


def adopt_requests(session: Session, batch_id: str, keys: Sequence[str]) -> int:
    """Take open requests over from batches that are not running any more; how many."""
    dead = select(SynthesisBatch.id).where(col(SynthesisBatch.state).in_(_LETS_GO))
    adopted = 0
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        statement = (
            sa.update(SynthesisRequest)
            .where(
                col(SynthesisRequest.request_key).in_(keys[start : start + _KEYS_AT_ONCE]),
                col(SynthesisRequest.state) == "open",
                col(SynthesisRequest.batch_id).in_(dead),
            )
            .values(batch_id=batch_id)
            .returning(col(SynthesisRequest.id))
        )
        adopted += len(session.connection().execute(statement).all())
    return adopted


def reopen_failed(session: Session, project_id: str, batch_id: str) -> int:
    """Open the failed requests of a batch for another round; how many."""
    statement = (
        sa.update(SynthesisRequest)
        .where(
            col(SynthesisRequest.project_id) == project_id,
            col(SynthesisRequest.batch_id) == batch_id,
            col(SynthesisRequest.state) == "failed",
            col(SynthesisRequest.kind) != "repair",
        )
        .values(
            state="open",
            round=SynthesisRequest.round + 1,
            attempts=0,
            failure=None,
            detail=None,
            updated_at=now(),
        )
        .returning(col(SynthesisRequest.id))
    )
    return len(session.connection().execute(statement).all())


def _to_batch(row: SynthesisBatch) -> Batch:
    states: dict[str, BatchState] = {
        "running": "running",
        "done": "done",
        "stopped": "stopped",
        "paused": "paused",
        "cancelled": "cancelled",
    }
    return Batch(
        id=row.id,
        project_id=row.project_id,
        order=SynthesisOrder.model_validate(row.order),
        state=states[row.state],
        round=row.round,
        budget=None if row.budget is None else Budget.model_validate(row.budget),
        currency=row.currency,
        spent_money=row.spent_money,
        spent_tokens=row.spent_tokens,
    )
