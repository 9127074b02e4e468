"""The one file that knows SQLite from PostgreSQL.

`Database.transaction` is one unit of work: it commits at the end of the block and rolls back if
the block raises. On SQLite all writers of a process take turns on one connection, in the order they
came, because SQLite's own lock is unfair under many threads; another process waits at the busy
timeout. `Database.reading` never waits for a writer.
"""

import json
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, assert_never

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import URL, Engine, make_url
from sqlmodel import Session

from db.connections import (
    CACHE_KIB,
    postgresql_engine,
    sqlite_engine,
    sqlite_url,
    with_driver,
)
from db.plain import Name, PlainSource, PlainStatement
from db.power_loss import LogSync
from db.turnstile import Turnstile
from schemas.settings import Settings


class Backend(Enum):
    """The two engines that the same promises are tested on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


_DRIVER = "planwright.driver"
_SCAN_CACHE_KIB = 8192
_SQLITE = SQLiteDialect_pysqlite(paramstyle="named")


class Database:
    """An open database: `transaction()` to write, `reading()` to read, `close()` at the end.

    A transaction that has ended survives a crash of the process, and a power loss too unless
    `is_synced` is False, which is for tests and for what can be made again.
    """

    def __init__(self, url: str | URL, *, is_synced: bool = True) -> None:
        self.url = with_driver(make_url(url))
        self._log: LogSync | None = None
        self.backend = Backend(self.url.get_backend_name())
        match self.backend:
            case Backend.SQLITE:
                self._readers = sqlite_engine(self.url, is_writer=False)
                self._writers = sqlite_engine(self.url, is_writer=True)
                self._turnstile: Turnstile | None = Turnstile()
                if is_synced and self.url.database:
                    self._log = LogSync(Path(self.url.database))
            case Backend.POSTGRESQL:
                self._writers = postgresql_engine(self.url)
                # A reading that ended with ROLLBACK would make the driver forget every statement
                # that it has prepared, and PostgreSQL plan each of them anew.
                self._readers = self._writers.execution_options(isolation_level="AUTOCOMMIT")
                self._turnstile = None
            case _ as never:
                assert_never(never)

    @property
    def writer(self) -> Engine:
        """The engine that writes; for migrations and bulk work inside `db` only."""
        return self._writers

    @contextmanager
    def transaction(self) -> Generator[Session]:
        """One unit of work, committed at the end of the block, rolled back if it raises."""
        if self._turnstile is None:
            with Session(self._writers, expire_on_commit=False) as session, session.begin():
                yield session
            return
        writer = Session(self._writers, expire_on_commit=False)
        with self._turnstile, writer as session, session.begin():
            yield session
        if self._log is not None:
            self._log.wait()

    @contextmanager
    def reading(self) -> Generator[Session]:
        """Reads that never wait for a writer; on SQLite all of one moment."""
        with Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading_through(self) -> Generator[Session]:
        """As `reading`, for whoever reads very much once: SQLite need not keep it in memory."""
        with self.reading() as session:
            self._keep(session, _SCAN_CACHE_KIB)
            try:
                yield session
            finally:
                self._keep(session, CACHE_KIB)

    @contextmanager
    def writing_through(self) -> Generator[None]:
        """While the block writes very much once: SQLite need not keep it in memory."""
        with self.transaction() as session:
            self._keep(session, _SCAN_CACHE_KIB)
        try:
            yield
        finally:
            with self.transaction() as session:
                self._keep(session, CACHE_KIB)

    def _keep(self, session: Session, kib: int) -> None:
        """How much of its file SQLite's connection keeps in memory from now on."""
        if self.backend is Backend.SQLITE:
            session.connection().exec_driver_sql(f"PRAGMA cache_size = -{kib}")

    @contextmanager
    def snapshot(self) -> Generator[sa.Connection]:
        """Everything as it stands at one moment, however long the block reads."""
        engine = self._readers
        if self.backend is Backend.POSTGRESQL:
            # Not of the readers: what they say of autocommit would stand beside this.
            engine = self._writers.execution_options(isolation_level="REPEATABLE READ")
        with engine.begin() as connection:
            yield connection

    def migration_engine(self) -> Engine:
        """A connection of its own for migrations.

        On SQLite its foreign keys are off: rewriting a table drops the original, and a cascade
        would take the child rows with it without a word.
        """
        if self.backend is Backend.SQLITE:
            return sqlite_engine(self.url, is_writer=True, foreign_keys=False)
        return sa.create_engine(self.url)

    def close(self) -> None:
        """Give back all connections."""
        self._readers.dispose()
        self._writers.dispose()
        if self._log is not None:
            self._log.close()


def open_database(settings: Settings) -> Database:
    """The database that the settings name; SQLite in `home` by default."""
    if settings.database_url is not None:
        return Database(settings.database_url.get_secret_value())
    settings.home.mkdir(parents=True, exist_ok=True)
    return Database(sqlite_url(settings.home / "planwright.db"))


def driver_of(session: Session) -> tuple[Any, sa.Dialect]:
    """The driver's own connection, in the transaction of a session, and its dialect.

    A session is one unit of work, so the connection stays the same.
    """
    found = session.info.get(_DRIVER)
    if found is None:
        connection = session.connection()
        found = connection.connection.driver_connection, connection.dialect
        session.info[_DRIVER] = found
    return found


def take_turns(session: Session, what: str) -> None:
    """Until this transaction ends, no other process is past this line with the same words.

    For look-then-insert on rows that others may insert too. SQLite has one writer anyway.
    """
    driver, dialect = driver_of(session)
    if dialect.name == Backend.POSTGRESQL.value:
        driver.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (what,)).close()


@contextmanager
def in_one_trip(session: Session) -> Generator[None]:
    """Changes of the block reach PostgreSQL together; SQLite is no trip away.

    For `Prepared.run` and `take_turns` alone, which have no answer: SQLAlchemy would miss its own.
    A refused change raises at the end of the block.
    """
    driver, dialect = driver_of(session)
    if dialect.name == Backend.POSTGRESQL.value:
        with driver.pipeline():
            yield
    else:
        yield


def backend_of(session: Session) -> Backend:
    """The engine that a session speaks to."""
    return Backend(session.get_bind().dialect.name)


def plain_source(
    session: Session,
    statements: Mapping[Name, sa.Select[*tuple[Any, ...]]],
    values: Mapping[str, object],
) -> PlainSource[Name]:
    """Statements on a session's database, secrets and all, for a process without SQLAlchemy."""
    connection = session.connection()
    url, is_sqlite = connection.engine.url, backend_of(session) is Backend.SQLITE
    plain: dict[Name, PlainStatement] = {}
    for name, statement in statements.items():
        compiled = statement.compile(dialect=_SQLITE if is_sqlite else connection.dialect)
        plain[name] = PlainStatement(str(compiled), {**(compiled.params or {}), **values})
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PlainSource(is_sqlite, (url.database or "") if is_sqlite else conninfo, plain)


def values_among(backend: Backend, name: str) -> Any:
    """One list parameter, made by `among_value`, as something to join: its column is `value`.

    `IN` would be rendered anew for every value, and a subquery put into a table of its own first.
    """
    if backend is Backend.SQLITE:
        return sa.func.json_each(sa.bindparam(name)).table_valued("value")
    values = sa.func.unnest(sa.bindparam(name, type_=sa.ARRAY(sa.Text)))
    return values.table_valued("value").render_derived()


def among_value(session: Session, values: Sequence[str]) -> object:
    """What a statement with `values_among` is given for its parameter."""
    return json.dumps(values) if backend_of(session) is Backend.SQLITE else values


def json_rows(backend: Backend, name: str) -> tuple[Any, Any, Callable[[int], Any]]:
    """One parameter, a JSON array of arrays, as rows to select from.

    What to select from, the number of a row (from 0), and its item at a place, as text.
    """
    match backend:
        case Backend.SQLITE:
            rows = sa.func.json_each(sa.bindparam(name)).table_valued("key", "value")
            return (
                rows,
                rows.c.key,
                lambda place: rows.c.value.op("->>")(sa.literal_column(f"{place}")),
            )
        case Backend.POSTGRESQL:
            array = sa.cast(sa.bindparam(name, type_=sa.Text), JSONB)
            rows = (
                sa.func.jsonb_array_elements(array)
                .table_valued(sa.column("value", JSONB), with_ordinality="number")
                .render_derived()
            )
            return (
                rows,
                rows.c.number - 1,
                lambda place: rows.c.value.op("->>")(sa.literal_column(f"{place}")),
            )
        case _ as never:
            assert_never(never)


def day_text(backend: Backend, column: Any) -> sa.ColumnElement[str]:
    """The day of a time in UTC, as YYYY-MM-DD, in SQL."""
    match backend:
        case Backend.SQLITE:
            return sa.func.substr(sa.cast(column, sa.Text), 1, 10)
        case Backend.POSTGRESQL:
            return sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD")
        case _ as never:
            assert_never(never)


def fetch_rows(
    session: Session, statement: sa.Select[*tuple[Any, ...]], values: Mapping[str, object]
) -> Sequence[tuple[Any, ...]]:
    """All rows of a statement as the driver gives them: no type of ours is applied.

    For statements that are made once and kept: SQLAlchemy's part was half of an export's reading.
    """
    connection = session.connection()
    match backend_of(session):
        case Backend.SQLITE:
            asked, driver = _compiled(statement), connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            parameters = asked.construct_params(dict(values)) or {}
            return driver.execute(str(asked), parameters).fetchall()
        case Backend.POSTGRESQL:
            rows: Any = connection.execute(statement, dict(values)).all()
            return rows
        case _ as never:
            assert_never(never)


@lru_cache(64)
def _compiled(statement: sa.Select[*tuple[Any, ...]]) -> sa.Compiled:
    return statement.compile(dialect=_SQLITE)


def insert_many(
    session: Session,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[object, ...]],
    constants: Mapping[str, object],
) -> None:
    """Insert many rows past the ORM, as fast as the engine can.

    Values are as the database stores them: JSON as text. Only constants may hold times, which must
    be aware.

    Args:
        session: The unit of work.
        table: Name of the table; Python defaults do not apply.
        columns: Columns of `rows`, in order.
        rows: One tuple a row.
        constants: Columns with the same value in every row.
    """
    if not rows:
        return
    names = ", ".join(f'"{column}"' for column in (*columns, *constants))
    connection = session.connection()
    match Backend(connection.dialect.name):
        case Backend.SQLITE:
            # As SQLAlchemy writes times; the driver's own adapter is deprecated.
            same = tuple(
                f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
                if isinstance(value, datetime)
                else value
                for value in constants.values()
            )
            marks = ", ".join("?" * (len(columns) + len(same)))
            statement = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608  (our own names)
            many = [row + same for row in rows] if same else list(rows)
            connection.exec_driver_sql(statement, many)
        case Backend.POSTGRESQL:
            same = tuple(constants.values())
            driver: Any = connection.connection.driver_connection
            with driver.cursor().copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row + same)
        case _ as never:
            assert_never(never)
