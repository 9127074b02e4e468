"""Batches of requests to a model endpoint; one row for each answer wanted."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class SynthesisBatch(Table, table=True):
    """What is asked of which endpoint; `request` is a `schemas.synthesis.SynthesisOrder`."""

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    order: dict[str, object] = Field(sa_type=sa.JSON)
    state: str = "running"
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SynthesisRequest(Table, table=True):
    """One answer wanted; its key says when it is the same answer again."""

    __table_args__ = (
        sa.Index("ix_synthesis_request_batch_state", "batch_id", "state", "id"),
        sa.CheckConstraint("state IN ('open', 'done', 'failed')", name="known_state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    batch_id: str = Field(foreign_key="synthesis_batch.id")
    query_id: str = Field(foreign_key="query.id")
    candidate: int
    request_key: str = Field(unique=True)
    state: str = "open"
    attempts: int = 0
    failure: str | None = None
    detail: str | None = Field(default=None, sa_type=sa.Text)
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
