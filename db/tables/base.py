"""Column types and habits that every table shares."""

import os
import re
import time
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import declared_attr
from sqlmodel import SQLModel
from uuid6 import uuid7

from db import clock

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

_ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Table(SQLModel):
    """A table named as its class, in snake case: `ListVersion` is `list_version`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805  # pyright: ignore[reportIncompatibleVariableOverride]
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class UtcDateTime(sa.TypeDecorator[datetime]):
    """Aware UTC times on both engines; SQLite would give them back naive."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def new_id() -> str:
    """A UUIDv7 as text: sortable by time, safe to leave the database."""
    return str(uuid7())


def is_id(text: str) -> bool:
    """Whether a text that came from outside is an id as `new_id` writes it."""
    return _ID.fullmatch(text) is not None


def new_ids(count: int) -> list[str]:
    """Many UUIDv7 at once, rising in their order; at most 4,096.

    They share one millisecond; the twelve bits after it count (RFC 9562, 6.2, method 1).
    """
    if count > 4096:
        raise ValueError("twelve bits count to 4,096")
    time_part = f"{time.time_ns() // 1_000_000:012x}"
    head = f"{time_part[:8]}-{time_part[8:]}-7"
    tails = os.urandom(8 * count).hex()
    return [
        f"{head}{number:03x}-{'89ab'[int(tail[0], 16) & 3]}{tail[1:4]}-{tail[4:16]}"
        for number in range(count)
        for tail in (tails[16 * number : 16 * number + 16],)
    ]


def now() -> datetime:
    """The current time, UTC."""
    return clock.now()
