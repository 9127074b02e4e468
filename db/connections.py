"""How connections to SQLite and to PostgreSQL are opened; for `db.engine` alone."""

import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import StaticPool

CACHE_KIB = 65_536
_IDLE_SINCE = "planwright.idle_since"
_TRUSTED_FOR_S = 2.0


def postgresql_engine(url: URL) -> Engine:
    """As many connections as there are threads that serve; those that lay idle are tried first."""
    engine = sa.create_engine(url, pool_size=24, max_overflow=8)

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: object, record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        record.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: Any, _proxy: object) -> None:  # pyright: ignore[reportUnusedFunction]
        now = time.monotonic()
        if now - record.info.get(_IDLE_SINCE, now) > _TRUSTED_FOR_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    return engine


def sqlite_engine(url: URL, *, is_writer: bool, foreign_keys: bool = True) -> Engine:
    """An SQLite file: one connection that writes, or some that read."""
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False, "timeout": 30}}
    if is_writer:
        options["poolclass"] = StaticPool
    else:
        options |= {"pool_size": 16, "max_overflow": 48}
    engine = sa.create_engine(url, **options)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        # SQLAlchemy, not the driver, opens transactions: the driver would open them too late for
        # BEGIN IMMEDIATE and never for reads.
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",  # LogSync makes up the difference to FULL
            "busy_timeout = 30000",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
            f"cache_size = -{CACHE_KIB}",
            "temp_store = MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file."""
    return f"sqlite:///{path.resolve()}"


def with_driver(url: URL) -> URL:
    """PostgreSQL always through psycopg 3, however the URL was written."""
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url
