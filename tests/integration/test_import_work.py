"""Imports from the pages: in the background, found again, refused rows to be fetched."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.durable import Durable
from db.engine import Database
from labeling import import_work
from schemas.errors import NotAllowed, NotFound
from schemas.intake import ImportView
from schemas.people import Actor
from schemas.settings import Settings
from tests.factories import a_person, a_project


@pytest.fixture
def work(sqlite_database: Database, settings: Settings) -> Iterator[Durable]:
    """Long work that is done in this process."""
    durable = Durable(settings, sqlite_database, executor_id="serve")
    durable.launch()
    yield durable
    durable.close()


@pytest.fixture
def lead(sqlite_database: Database) -> Actor:
    """An admin on SQLite."""
    return a_project(sqlite_database)


def _wait(database: Database, who: Actor, import_id: str) -> ImportView:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = import_work.import_view(database, who, import_id)
        if found.state != "running":
            return found
        time.sleep(0.05)
    pytest.fail("the import did not end")


def test_an_import_is_done_in_the_background_and_its_refused_rows_can_be_fetched(
    sqlite_database: Database, settings: Settings, work: Durable, lead: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "query": "one"}\n{"id": "b"}\n', "utf-8")
    import_id = import_work.start_import(
        sqlite_database, work, settings, lead, path, kind="queries"
    )
    path.unlink()
    found = _wait(sqlite_database, lead, import_id)
    assert (found.state, found.counts.read, found.counts.added, found.counts.refused) == (
        "done",
        2,
        1,
        1,
    )
    assert import_work.list_imports(sqlite_database, lead) == [found]
    errors = import_work.errors_file(sqlite_database, settings, lead, import_id)
    assert json.loads(errors.read_text("utf-8"))["line"] == 2


def test_a_file_that_cannot_be_read_at_all_says_why(
    sqlite_database: Database, settings: Settings, work: Durable, lead: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"no parquet at all")
    import_id = import_work.start_import(
        sqlite_database, work, settings, lead, path, kind="queries"
    )
    assert _wait(sqlite_database, lead, import_id).state == "failed"
    errors = import_work.errors_file(sqlite_database, settings, lead, import_id)
    assert json.loads(errors.read_text("utf-8"))["reason"]


def test_imports_belong_to_their_project_and_to_admins(
    sqlite_database: Database, settings: Settings, work: Durable, lead: Actor, tmp_path: Path
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "b"}\n', "utf-8")
    import_id = import_work.start_import(
        sqlite_database, work, settings, lead, path, kind="queries"
    )
    _wait(sqlite_database, lead, import_id)
    stranger = a_project(sqlite_database, "other")
    with pytest.raises(NotFound):
        import_work.import_view(sqlite_database, stranger, import_id)
    with pytest.raises(NotFound):
        import_work.errors_file(sqlite_database, settings, stranger, import_id)
    annotator = a_person(sqlite_database, lead.project_id, "annotator")
    for refused in (
        lambda: import_work.list_imports(sqlite_database, annotator),
        lambda: import_work.errors_file(sqlite_database, settings, annotator, import_id),
        lambda: import_work.start_import(
            sqlite_database, work, settings, annotator, path, kind="queries"
        ),
    ):
        with pytest.raises(NotAllowed):
            refused()
