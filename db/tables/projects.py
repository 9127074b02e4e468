"""Projects and the versioned things that queries are pinned to."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class Project(Table, table=True):
    """One planner's world; `settings` is a `schemas.project.ProjectSettings`."""

    id: str = Field(default_factory=new_id, primary_key=True)
    name: str = Field(unique=True)
    is_demo: bool = False
    settings: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class ListVersion(Table, table=True):
    """A published version of an expert list; never changed."""

    __table_args__ = (
        sa.UniqueConstraint("project_id", "name", "version"),
        sa.UniqueConstraint("project_id", "name", "content_hash"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    name: str
    version: int
    content: dict[str, object] = Field(sa_type=sa.JSON)
    content_hash: str
    note: str = ""
    published_by: str | None = Field(default=None, foreign_key="person.id")
    published_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class PromptVersion(Table, table=True):
    """A published prompt template; never changed."""

    __table_args__ = (
        sa.UniqueConstraint("project_id", "name", "version"),
        sa.UniqueConstraint("project_id", "name", "content_hash"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    name: str
    version: int
    template: str = Field(sa_type=sa.Text)
    content_hash: str
    published_by: str | None = Field(default=None, foreign_key="person.id")
    published_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class GuidelineVersion(Table, table=True):
    """The annotators' guideline (Markdown by admins), one row a version."""

    __table_args__ = (sa.UniqueConstraint("project_id", "version"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    version: int
    text: str = Field(sa_type=sa.Text)
    published_by: str | None = Field(default=None, foreign_key="person.id")
    published_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Event(Table, table=True):
    """Who did what to which thing, when, from which state to which, and why."""

    __table_args__ = (sa.Index("ix_event_subject", "project_id", "subject", "subject_id"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    subject: str
    subject_id: str
    person_id: str | None = Field(default=None, foreign_key="person.id")
    role: str | None = None
    action: str
    before: str | None = None
    after: str | None = None
    why: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
