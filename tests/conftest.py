"""Fixtures that every test may use: settings in a temporary home, a database on both engines."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from schemas.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of its own."""
    return Settings(home=tmp_path / "home")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy; migrating for every test would take longer."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    database = Database(sqlite_url(path))
    upgrade(database)
    database.close()
    with sa.create_engine(sqlite_url(path)).connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, settings: Settings) -> Iterator[Database]:
    """A migrated SQLite database where `open_database(settings)` finds it too."""
    settings.home.mkdir(parents=True)
    path = settings.home / "planwright.db"
    shutil.copy(migrated_sqlite, path)
    database = Database(sqlite_url(path))
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL on loopback, started for this session; its URL without a database name.

    `initdb` refuses to run as root, so root starts it as an unprivileged user.
    """
    binaries = _postgresql_binaries()
    folder = Path(tempfile.mkdtemp(prefix="planwright-postgresql-"))
    account = _unprivileged_account()
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data, port = folder / "data", _free_port()

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
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c max_connections=200"
    log = str(folder / "log")
    as_account(f"{binaries}/pg_ctl", "-D", str(data), "-o", options, "-l", log, "-w", "start")
    try:
        yield f"postgresql+psycopg://planwright@127.0.0.1:{port}"
    finally:
        as_account(f"{binaries}/pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> str:
    """The name of a migrated, empty database to be used as a template."""
    _administer(postgresql_server, "CREATE DATABASE planwright_template")
    database = Database(f"{postgresql_server}/planwright_template")
    upgrade(database)
    database.close()
    return "planwright_template"


@pytest.fixture
def postgresql_database(postgresql_server: str, migrated_postgresql: str) -> Iterator[Database]:
    """A migrated PostgreSQL database of the test's own."""
    name = f"test_{time.monotonic_ns()}"
    _administer(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {migrated_postgresql}")
    database = Database(f"{postgresql_server}/{name}")
    yield database
    database.close()
    _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Generator[Database]:
    """The same test on SQLite and on PostgreSQL."""
    yield request.getfixturevalue(f"{request.param}_database")


def _administer(server: str, statement: str) -> None:
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _postgresql_binaries() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not versions:
        pytest.fail(
            "The data-layer tests need PostgreSQL's server programs. "
            "Install them (Debian: apt-get install postgresql) or put initdb on the PATH."
        )
    return versions[-1].parent


def _unprivileged_account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    names = {account.pw_name: account for account in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
