"""People, how they sign in, and which role they hold where."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class Person(Table, table=True):
    """Somebody who works here; deactivated, never deleted."""

    id: str = Field(default_factory=new_id, primary_key=True)
    name: str = Field(unique=True)
    password_hash: str
    language: str | None = None
    theme: str | None = None
    preferences: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    is_active: bool = True
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Membership(Table, table=True):
    """The role of a person in a project."""

    __table_args__ = (
        sa.CheckConstraint("role IN ('annotator', 'reviewer', 'admin')", name="known_role"),
    )

    project_id: str = Field(foreign_key="project.id", primary_key=True)
    person_id: str = Field(foreign_key="person.id", primary_key=True)
    role: str
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SignIn(Table, table=True):
    """A live session; the token itself is never stored."""

    token_hash: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    project_id: str = Field(foreign_key="project.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class SignInAttempt(Table, table=True):
    """A failed sign-in, counted for the rate limit."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    address: str = Field(index=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SetupLink(Table, table=True):
    """A one-time link that makes the first admin."""

    token_hash: str = Field(primary_key=True)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
