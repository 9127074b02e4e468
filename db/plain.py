"""Reading with statements that another process has compiled.

SQLAlchemy with our tables takes half a second to import and 50 MB; a process that runs three
statements and ends does without. What to run, and where, comes from `db.engine.plain_source`.
"""

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

_CACHE_KIB = 8192
Name = TypeVar("Name", bound=str)
Rows = Sequence[tuple[Any, ...]]


class PlainStatement(NamedTuple):
    """SQL as the driver takes it, and the values that are always the same."""

    text: str
    constants: Mapping[str, object]


class PlainSource(NamedTuple, Generic[Name]):
    """A database (`address` is a path for SQLite, a URL for PostgreSQL) and what to ask it."""

    is_sqlite: bool
    address: str
    statements: Mapping[Name, PlainStatement]


@contextmanager
def plain_reading(
    source: PlainSource[Name],
) -> Generator[Callable[[Name, Mapping[str, object]], Rows]]:
    """Runs statements by name and nothing else; SQLite is read as of one moment."""
    connection: Any
    if source.is_sqlite:
        connection = sqlite3.connect(source.address, isolation_level=None)
        begin = ("PRAGMA query_only = ON", f"PRAGMA cache_size = -{_CACHE_KIB}", "BEGIN")
    else:
        import psycopg  # noqa: PLC0415  (not where there is no PostgreSQL)

        connection = psycopg.connect(source.address, autocommit=True)
        begin = ("SET default_transaction_read_only = on",)
    with closing(connection):
        for text in begin:
            connection.execute(text)

        def fetch(name: Name, values: Mapping[str, object]) -> Rows:
            statement = source.statements[name]
            return connection.execute(statement.text, {**statement.constants, **values}).fetchall()

        yield fetch
