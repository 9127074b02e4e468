"""One living process for each executor id, known to all who share the database.

A lock ends with its process, however that ends: a locked file beside an SQLite database, whose
users are all on one machine; a session's advisory lock in PostgreSQL, whose users may not be.
"""

import fcntl
import os
from pathlib import Path
from typing import Protocol, assert_never

import sqlalchemy as sa

from db.engine import Backend, Database


class ExecutorLock(Protocol):
    """Held until closed, or until the process ends."""

    def close(self) -> None:
        """Let go."""
        ...


def take_executor_lock(database: Database, home: Path, executor_id: str) -> ExecutorLock | None:
    """Hold this id; `None` if a living process holds it."""
    match database.backend:
        case Backend.SQLITE:
            return _take_file(home / "executors" / f"{executor_id.replace('/', '_')}.lock")
        case Backend.POSTGRESQL:
            return _take_advisory(database, executor_id)
        case _ as never:
            assert_never(never)


class _FileLock:
    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def close(self) -> None:
        # The path goes while the lock is held: whoever opened it in between finds no path, and
        # opens a new file (see `_take_file`).
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def _take_file(path: Path) -> ExecutorLock | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return _FileLock(path, descriptor)
        os.close(descriptor)


class _AdvisoryLock:
    def __init__(self, engine: sa.Engine, connection: sa.Connection) -> None:
        self._engine = engine
        self._connection = connection

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


def _take_advisory(database: Database, executor_id: str) -> ExecutorLock | None:
    engine = sa.create_engine(database.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    connection = engine.connect()
    is_ours = connection.execute(
        sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 1))"), {"name": executor_id}
    ).scalar_one()
    lock = _AdvisoryLock(engine, connection)
    if is_ours:
        return lock
    lock.close()
    return None
