"""A small team in one project, and a clock that stands still until it is moved."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from db import clock
from db.engine import Database
from schemas.people import Actor
from tests.factories import a_person, a_project
from tests.fakes.clock import Clock
from tests.good_bundle import Made, good_bundles


@pytest.fixture
def time() -> Iterator[Clock]:
    """The time, which passes only by `time.move`."""
    moved = Clock()
    with clock.told_by(moved):
        yield moved


@pytest.fixture
def admin(database: Database, time: Clock) -> Actor:
    return a_project(database)


@pytest.fixture
def li(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "annotator", name="Li")


@pytest.fixture
def wang(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "annotator", name="Wang")


@pytest.fixture
def chen(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Chen")


@pytest.fixture(scope="session")
def good_home(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> tuple[Made, Path]:
    """Good bundles and their home, once for all workers; whoever spoils them takes `a_copy`."""
    own = tmp_path_factory.getbasetemp()
    of_all = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return good_bundles(of_all, migrated_sqlite)
