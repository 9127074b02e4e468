"""Planners that are served, and what people tried with them."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class Deployment(Table, table=True):
    """One start of a planner's server; how it fares stands in its folder alone.

    `folder` is relative to the installation's home, on `machine`. The endpoint's key is in no row.
    `ended_at` is written when somebody has looked at a server that is over, or asked it to stop;
    of a planner at most one has none.
    """

    __table_args__ = (
        sa.Index(
            "ix_deployment_live",
            "planner_id",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    planner_id: str = Field(foreign_key="planner.id")
    folder: str
    machine: str
    host: str
    port: int
    key_end: str
    order: dict[str, object] = Field(sa_type=sa.JSON)
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PlaygroundReply(Table, table=True):
    """One question to one planner on the playground, and its answer as it came.

    `terms` is how it was asked (`schemas.serving.ReplyTerms`); `raw_reply` is the body of the
    reply, in bytes, before anything was read from it. `query_id` is the query that it became.
    """

    __table_args__ = (
        sa.Index("ix_playground_reply_person", "project_id", "person_id", "id"),
        sa.CheckConstraint("state IN ('asking', 'done', 'failed')", name="known_state"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    planner_id: str = Field(foreign_key="planner.id", index=True)
    person_id: str = Field(foreign_key="person.id")
    text: str = Field(sa_type=sa.Text)
    history: list[dict[str, str]] = Field(default_factory=list, sa_type=sa.JSON)
    list_version_id: str = Field(foreign_key="list_version.id")
    prompt_version_id: str = Field(foreign_key="prompt_version.id")
    terms: dict[str, object] = Field(sa_type=sa.JSON)
    state: str = "asking"
    raw_reply: bytes | None = None
    reason: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    seconds: float | None = None
    query_id: str | None = Field(default=None, foreign_key="query.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class GeneralCheck(Table, table=True):
    """A planner held against a small general benchmark by EvalScope, beside its evaluations.

    How the tool fares stands in its folder until it is over; then `figures` or `reason` do.
    """

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    planner_id: str = Field(foreign_key="planner.id", index=True)
    benchmark: str
    benchmark_hash: str
    folder: str
    machine: str
    order: dict[str, object] = Field(sa_type=sa.JSON)
    state: str = "running"
    figures: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    reason: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
