"""What happens around expert lists: drafts, recorded changes, long work, proposals to move rows."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class ListDraft(Table, table=True):
    """The next version of a list while admins edit it; `number` guards against lost edits.

    `content` is a list as a file has it and may be wrong; `changes` are those that a person has
    confirmed, None while they are only proposed. A list has one open draft.
    """

    __table_args__ = (
        sa.Index(
            "uq_list_draft_open",
            "project_id",
            "name",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.CheckConstraint("state IN ('open', 'published', 'dropped')", name="known_state"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    name: str
    state: str = "open"
    base_version_id: str | None = Field(default=None, foreign_key="list_version.id")
    number: int = 0
    content: dict[str, object] = Field(sa_type=sa.JSON)
    changes: list[dict[str, object]] | None = Field(
        default=None, sa_type=sa.JSON(none_as_null=True)
    )
    saved_by: str = Field(foreign_key="person.id")
    saved_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class RefusedListDraft(Table, table=True):
    """What somebody would have saved when another had been faster; kept so that nothing is lost."""

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    draft_id: str = Field(foreign_key="list_draft.id", index=True)
    based_on: int
    content: dict[str, object] = Field(sa_type=sa.JSON)
    saved_by: str = Field(foreign_key="person.id")
    saved_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class ListChange(Table, table=True):
    """One recorded change from `before_version_id` to a version, as `schemas.list_changes`."""

    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('rename', 'describe', 'add', 'retire', 'split', 'merge')", name="known_kind"
        ),
    )

    list_version_id: str = Field(foreign_key="list_version.id", primary_key=True)
    position: int = Field(primary_key=True)
    before_version_id: str = Field(foreign_key="list_version.id")
    project_id: str = Field(foreign_key="project.id", index=True)
    kind: str
    before: list[str] = Field(sa_type=sa.JSON)
    after: list[str] = Field(sa_type=sa.JSON)
    reason: str
    likeness: float | None = None
    confirmed_by: str | None = Field(default=None, foreign_key="person.id")


class ListWork(Table, table=True):
    """Weighing a version or moving rows to it: what was ordered, how far it is, what came of it."""

    __table_args__ = (
        sa.Index("ix_list_work_newest", "project_id", "kind", "id"),
        sa.CheckConstraint("kind IN ('impact', 'migrate')", name="known_kind"),
        sa.CheckConstraint("state IN ('running', 'done', 'failed')", name="known_state"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    kind: str
    order: dict[str, object] = Field(sa_type=sa.JSON)
    state: str = "running"
    done: int = 0
    total: int = 0
    report: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MigrationProposal(Table, table=True):
    """A row that was looked at for a newer list: its parent, what it takes, and by which rule.

    `query_id` is the query made for it under the newer list; a lost one has none. The parent stays
    as it is. Unique, so that moving twice adds nothing.
    """

    __table_args__ = (
        sa.UniqueConstraint("list_version_id", "parent_query_id"),
        sa.CheckConstraint("fate IN ('automatic', 'people', 'lost')", name="known_fate"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    list_version_id: str = Field(foreign_key="list_version.id")
    from_version_id: str = Field(foreign_key="list_version.id")
    parent_query_id: str = Field(foreign_key="query.id", index=True)
    query_id: str | None = Field(default=None, foreign_key="query.id", unique=True)
    fate: str
    rule: str
    candidates: list[list[str]] = Field(default_factory=list, sa_type=sa.JSON)
    work_id: str = Field(foreign_key="list_work.id", index=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
