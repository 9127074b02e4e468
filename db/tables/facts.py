"""What is known of each row that a bundle could hold, so that recipes are counted by columns.

Derived, and made again from the rows themselves whenever triggers have noted that one of them
changed; a backup leaves these tables out.
"""

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table


class QueryChange(Table, table=True):
    """A query whose facts are to be made again; without a query, all of the project.

    Written by triggers on queries, suggestions, annotations, and on what must not leak. There are
    no foreign keys, since a trigger writes in the middle of the work of others.
    """

    __table_args__ = (sa.Index("ix_query_change_project", "project_id", "query_id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: str
    query_id: str | None = None


class FactProfile(Table, table=True):
    """What many rows have in common; `key` is a hash of the rest.

    `experts` is a JSON list, the steps of the plan in order. `is_paired` says that a suggestion
    differs from the accepted plan, `is_paired_thinking` that one with a trace does.
    """

    __table_args__ = (sa.UniqueConstraint("project_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    key: str
    kind: str
    list_version_id: str
    model: str | None = None
    day: str | None = None
    label: str | None = None
    size: int
    trace_state: str | None = None
    reason: str | None = None
    trace_reason: str | None = None
    experts: str = Field(sa_type=sa.Text)
    own_prompt: bool
    is_paired: bool
    is_paired_thinking: bool


class RowFact(Table, table=True):
    """One row that a source could offer; `number` keeps the order of what one query offers."""

    __table_args__ = (
        sa.Index(
            "ix_row_fact_counted",
            "project_id",
            "query_id",
            "number",
            "profile_id",
            "trace_length",
            "cluster",
        ),
    )

    query_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    project_id: str
    source_id: str
    cluster: str
    profile_id: int
    trace_length: int
