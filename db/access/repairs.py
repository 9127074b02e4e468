"""What was made of answers that were nearly a plan, and answers under prompts on trial."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from db.access.requests import Held, mend_request
from db.access.suggestions import Reading, mark_ready
from db.tables.base import new_id, now
from schemas.model_endpoints import EndpointSettings

_REPAIR, _TRIAL, _SUGGESTION, _QUERY, _ANNOTATION, _REVISION = (
    SQLModel.metadata.tables[name]
    for name in ("repair_call", "trial_reply", "suggestion", "query", "annotation", "revision")
)


class Repaired(NamedTuple):
    """What a repair brought: a plan that may be used, or why not."""

    held: Held
    raw: bytes
    reading: Reading
    usage: dict[str, Any] | None
    by: EndpointSettings


class Tried(NamedTuple):
    """An answer under a prompt on trial."""

    held: Held
    raw: bytes
    reading: Reading
    by: EndpointSettings
    cost: float
    tokens: int


class TriedPlan(NamedTuple):
    """An answer under a prompt on trial beside the accepted plan, where there is one."""

    query_id: str
    prompt_version_id: str
    candidate: int
    plan: dict[str, Any] | None
    failure: str | None
    trace_length: int
    is_repaired: bool
    cost: float
    tokens: int
    accepted: dict[str, Any] | None


def add_repairs(
    session: Session, project_id: str, batch_id: str, items: Sequence[Repaired]
) -> None:
    """Store repairs; a plan goes into the suggestion that lacked it, unless that has one by now."""
    if not items:
        return
    at = now()
    session.connection().execute(
        sa.insert(_REPAIR),
        [
            {
                "id": new_id(),
                "project_id": project_id,
                "batch_id": batch_id,
                "suggestion_id": each.held.broken.suggestion_id if each.held.broken else "",
                "request_key": each.held.reply_key,
                "model": each.by.model,
                "endpoint": each.by.url,
                "raw_reply": each.raw,
                "plan": each.reading.plan,
                "failure": each.reading.failure,
                "usage": each.usage,
                "created_at": at,
            }
            for each in items
        ],
    )
    for each in items:
        broken, plan = each.held.broken, each.reading.plan
        if broken is None or plan is None:
            continue
        statement = (
            sa.update(_SUGGESTION)
            .where(_SUGGESTION.c.id == broken.suggestion_id, _SUGGESTION.c.plan.is_(None))
            .values(plan=plan, partial_plan=None, failure=None, is_repaired=True)
            .returning(_SUGGESTION.c.id)
        )
        if session.connection().execute(statement).first() is not None:
            mark_ready(session, [each.held.pins.query_id])
            mend_request(session, broken.request_key.partition("#")[0])


def add_trials(session: Session, project_id: str, batch_id: str, items: Sequence[Tried]) -> None:
    """Store answers under prompts on trial."""
    if not items:
        return
    at = now()
    session.connection().execute(
        sa.insert(_TRIAL),
        [
            {
                "id": new_id(),
                "project_id": project_id,
                "batch_id": batch_id,
                "query_id": each.held.pins.query_id,
                "prompt_version_id": each.held.pins.prompt_version_id,
                "candidate": each.held.candidate,
                "request_key": each.held.reply_key,
                "model": each.by.model,
                "endpoint": each.by.url,
                "raw_reply": each.raw,
                "reply_shape": each.reading.shape,
                "trace_length": len(each.reading.trace or ""),
                "plan": each.reading.plan,
                "failure": each.reading.failure,
                "is_repaired": each.reading.is_repaired,
                "cost": each.cost,
                "tokens": each.tokens,
                "created_at": at,
            }
            for each in items
        ],
    )


def count_repairs(session: Session, batch_id: str) -> tuple[int, int]:
    """How many repairs have come, and how many brought a plan."""
    statement = sa.select(sa.func.count(), sa.func.count(_REPAIR.c.plan)).where(
        _REPAIR.c.batch_id == batch_id
    )
    made, usable = session.connection().execute(statement).one()
    return int(made), int(usable)


def list_tried(session: Session, project_id: str, batch_id: str) -> Iterator[TriedPlan]:
    """The answers of a trial by query, the last of each key, with the accepted plans."""
    is_accepted = sa.and_(
        _ANNOTATION.c.id == _QUERY.c.chosen_annotation_id, _ANNOTATION.c.state == "accepted"
    )
    statement = (
        sa.select(
            _TRIAL.c.query_id,
            _TRIAL.c.prompt_version_id,
            _TRIAL.c.candidate,
            _TRIAL.c.plan,
            _TRIAL.c.failure,
            _TRIAL.c.trace_length,
            _TRIAL.c.is_repaired,
            _TRIAL.c.cost,
            _TRIAL.c.tokens,
            _REVISION.c.content,
        )
        .join(_QUERY, _QUERY.c.id == _TRIAL.c.query_id)
        .outerjoin(_ANNOTATION, is_accepted)
        .outerjoin(_REVISION, _REVISION.c.id == _ANNOTATION.c.revision_id)
        .where(_TRIAL.c.project_id == project_id, _TRIAL.c.batch_id == batch_id)
        .order_by(_TRIAL.c.query_id, _TRIAL.c.id)
    )
    for row in session.connection().execute(statement):
        yield TriedPlan(*row)
