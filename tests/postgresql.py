"""A real PostgreSQL on loopback, for tests, benches and whatever else runs outside pytest."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from db.engine import Database

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30


@contextmanager
def a_server(*, fsync: bool = False, in_memory: bool = False) -> Generator[str]:
    """A server of its own while the block runs; its URL without a database name.

    In memory, where there is room, a database for each test is copied in a third of the time.
    `initdb` refuses to run as root, so root starts it as an unprivileged user.
    """
    binaries = _binaries()
    held_in = _memory() if in_memory else None
    folder = Path(tempfile.mkdtemp(prefix="planwright-postgresql-", dir=held_in))
    account = _unprivileged_account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, port = folder / "data", free_port()

    def as_account(*command: str) -> None:
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
        )

    as_account(f"{binaries}/initdb", "-D", str(data), "-U", "planwright", "-A", "trust", "-N")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c max_connections=200"
    options += f" -c fsync={'on' if fsync else 'off'}"
    log = str(folder / "log")
    as_account(f"{binaries}/pg_ctl", "-D", str(data), "-o", options, "-l", log, "-w", "start")
    try:
        yield f"postgresql+psycopg://planwright@127.0.0.1:{port}"
    finally:
        as_account(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def a_database(server: str, template: str = "template1") -> Generator[Database]:
    """A database of its own while the block runs."""
    name = f"test_{time.monotonic_ns()}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    database = Database(f"{server}/{name}")
    try:
        yield database
    finally:
        database.close()
        administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def administer(server: str, statement: str) -> None:
    """Run one statement that wants no transaction."""
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _memory() -> Path | None:
    """A file system in memory with room for a run of the tests, if there is one."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return MEMORY if has_room and os.access(MEMORY, os.W_OK) else None


def _binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        raise LookupError(
            "The data-layer tests need PostgreSQL's server programs. "
            "Install them (Debian: apt-get install postgresql) or put initdb on the PATH."
        )
    return versions[-1].parent


def _unprivileged_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
