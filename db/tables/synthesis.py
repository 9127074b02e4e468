"""Batches of requests to a model endpoint; one row for each answer wanted."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class SynthesisBatch(Table, table=True):
    """What is asked of which endpoint; `order` is a `schemas.synthesis.SynthesisOrder`.

    `reason` says why a batch stopped before its end (`code` and `values` of a sentence). `round`
    grows each time the batch is set going again, so that each time is its own piece of work.
    """

    __table_args__ = (
        sa.CheckConstraint(
            "state IN ('running', 'done', 'stopped', 'cancelled')", name="known_state"
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    order: dict[str, object] = Field(sa_type=sa.JSON)
    order_hash: str = Field(index=True)
    state: str = "running"
    reason: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    round: int = 1
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    resumed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SynthesisRequest(Table, table=True):
    """One answer wanted; its key says when it is the same answer again.

    A process that works on a row holds it (`owner`) until `lease_until`. `round` grows each time
    the answer is asked for again; `failure` is a code of the area `synthesis` or `replies`.
    """

    __table_args__ = (
        sa.Index("ix_synthesis_request_batch_state", "batch_id", "state", "id"),
        sa.CheckConstraint("state IN ('open', 'done', 'failed')", name="known_state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    batch_id: str = Field(foreign_key="synthesis_batch.id")
    query_id: str = Field(foreign_key="query.id", index=True)
    candidate: int
    request_key: str = Field(unique=True)
    state: str = "open"
    round: int = 1
    attempts: int = 0
    failure: str | None = None
    detail: str | None = Field(default=None, sa_type=sa.Text)
    owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
