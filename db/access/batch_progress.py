"""How far a batch is, counted from its requests."""

from datetime import datetime, timedelta
from typing import NamedTuple, cast

import sqlalchemy as sa
from pydantic import JsonValue
from sqlmodel import Session, SQLModel, col, select

from db.access.repairs import count_repairs
from db.tables import Person, SynthesisBatch
from db.tables.base import now
from schemas.synthesis import BatchProgress, BatchState, Budget, Reason, SynthesisOrder

_RATE_WINDOW = timedelta(minutes=2)
_REQUEST = SQLModel.metadata.tables["synthesis_request"]


def read_progress(session: Session, project_id: str, batch_id: str) -> BatchProgress | None:
    """How far a batch is, counted from its requests."""
    statement = (
        select(SynthesisBatch, Person.name)
        .join(Person, col(Person.id) == SynthesisBatch.created_by, isouter=True)
        .where(SynthesisBatch.project_id == project_id, SynthesisBatch.id == batch_id)
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    row, person = found
    counts = _Counts.of(session, row)
    ended = counts.done + counts.failed
    share = counts.open / ended if ended else None
    repairs, repaired = count_repairs(session, batch_id)
    return BatchProgress(
        id=row.id,
        order=SynthesisOrder.model_validate(row.order),
        state=cast(BatchState, row.state),
        reason=_to_reason(row),
        total=counts.open + counts.done + counts.failed,
        open=counts.open,
        in_flight=counts.in_flight,
        done=counts.done,
        failed=counts.failed,
        failures=counts.failures,
        input_tokens=counts.tokens[0],
        output_tokens=counts.tokens[1],
        reasoning_tokens=counts.tokens[2],
        rate_per_minute=counts.rate_per_minute,
        spent_money=row.spent_money,
        spent_tokens=row.spent_tokens,
        currency=row.currency,
        forecast_money=None if share is None else row.spent_money * (1 + share),
        forecast_tokens=None if share is None else round(row.spent_tokens * (1 + share)),
        budget=None if row.budget is None else Budget.model_validate(row.budget),
        repairs=repairs,
        repaired=repaired,
        eta_s=60 * counts.open / counts.rate_per_minute if counts.rate_per_minute else None,
        started_at=row.created_at,
        finished_at=row.finished_at,
        created_by=person,
    )


class _Group(NamedTuple):
    """Requests of one state and failure code; repairs are no answers, and counted apart."""

    state: str
    failure: str | None
    is_repair: bool
    requests: int
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int
    recent: int
    held: int


class _Counts(NamedTuple):
    open: int
    in_flight: int
    done: int
    failed: int
    failures: tuple[tuple[str, int], ...]
    tokens: tuple[int, int, int]
    rate_per_minute: float

    @classmethod
    def of(cls, session: Session, batch: SynthesisBatch) -> "_Counts":
        at = now()
        since = max(batch.resumed_at, at - _RATE_WINDOW)
        all_groups = _read_groups(session, batch.id, since, at)
        groups = [each for each in all_groups if not each.is_repair]
        by_state = {
            state: sum(group.requests for group in groups if group.state == state)
            for state in ("open", "done", "failed")
        }
        failures = [(str(each.failure), each.requests) for each in groups if each.state == "failed"]
        recent = sum(group.recent for group in groups if group.state != "open")
        minutes = max((at - since).total_seconds(), 1.0) / 60
        return cls(
            open=by_state["open"],
            in_flight=sum(group.held for group in all_groups if group.state == "open"),
            done=by_state["done"],
            failed=by_state["failed"],
            failures=tuple(sorted(failures, key=lambda each: (-each[1], each[0]))),
            tokens=(
                sum(group.input_tokens for group in all_groups),
                sum(group.output_tokens for group in all_groups),
                sum(group.reasoning_tokens for group in all_groups),
            ),
            rate_per_minute=recent / minutes if batch.state == "running" else 0.0,
        )


def _read_groups(session: Session, batch_id: str, since: datetime, at: datetime) -> list[_Group]:
    def total(expression: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(expression), 0)

    is_repair = (_REQUEST.c.kind == "repair").label("is_repair")
    statement = (
        sa.select(
            _REQUEST.c.state,
            _REQUEST.c.failure,
            is_repair,
            sa.func.count(),
            total(_REQUEST.c.input_tokens),
            total(_REQUEST.c.output_tokens),
            total(_REQUEST.c.reasoning_tokens),
            total(sa.case((_REQUEST.c.updated_at > since, 1))),
            total(sa.case((_REQUEST.c.lease_until > at, 1))),
        )
        .where(_REQUEST.c.batch_id == batch_id)
        .group_by(_REQUEST.c.state, _REQUEST.c.failure, is_repair)
    )
    return [_Group(*row) for row in session.connection().execute(statement)]


def _to_reason(row: SynthesisBatch) -> Reason | None:
    if row.reason is None:
        return None
    return str(row.reason["code"]), cast(dict[str, JsonValue], row.reason["values"])
