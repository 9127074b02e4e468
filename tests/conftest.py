"""Fixtures that every test may use: settings in a temporary home, a database on both engines."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from schemas.settings import Settings
from tests.postgresql import a_database, a_server, administer
from tests.warm_trainer import forget_warm_python, warm_python

# A busy machine is no failure: speed is measured in tests/bench.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

LONGEST = (
    "test_the_whole_walk.py",
    "test_chain.py",
    "test_serving.py",
    "test_gangs.py",
    "test_gang_losses.py",
    "test_kills.py",
    "test_resuming.py",
    "test_processes.py",
    "test_preflight_faults.py",
    "test_newer_formats.py",
    "test_reward_bench.py",
    "test_faults_for_swift.py",
    "test_durable.py",
    "test_planted_faults.py",
    "test_export_commands.py",
    "test_recipe_variants.py",
    "test_training_checks.py",
    "test_probe_check.py",
    "test_stop_and_go_on.py",
    "test_label_editor.py",
    "test_review_queue.py",
    "test_accessible.py",
    "test_desk_shots.py",
)
"""What takes longest, in this order."""


def pytest_configure() -> None:
    """Every installation of the tests, whoever starts it, asks the trainer that is warm."""
    os.environ.setdefault("PLANWRIGHT_TRAINER_PYTHON", str(warm_python()))


def pytest_unconfigure() -> None:
    """Nothing is left behind."""
    forget_warm_python()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that the others pass beside it and all end together."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of its own."""
    return Settings(home=tmp_path / "home")


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy; migrating for every test would take longer."""
    path = tmp_path_factory.mktemp("sqlite") / "empty.db"
    database = Database(sqlite_url(path), is_synced=False)
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
    database = Database(sqlite_url(path), is_synced=False)
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL on loopback, started for this session; its URL without a database name."""
    with a_server(in_memory=True) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: str) -> str:
    """The name of a migrated, empty database to be used as a template."""
    administer(postgresql_server, "CREATE DATABASE planwright_template")
    database = Database(f"{postgresql_server}/planwright_template")
    upgrade(database)
    database.close()
    return "planwright_template"


@pytest.fixture
def postgresql_database(postgresql_server: str, migrated_postgresql: str) -> Iterator[Database]:
    """A migrated PostgreSQL database of the test's own."""
    with a_database(postgresql_server, migrated_postgresql) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Generator[Database]:
    """The same test on SQLite and on PostgreSQL."""
    yield request.getfixturevalue(f"{request.param}_database")
