"""A second process reads its share of the queries, and the bundle is the same to the byte."""

from pathlib import Path
from typing import Any

import pytest

from db.access import exports as access
from db.engine import Database
from exports import second_reader
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import (
    a_full_project,
    a_plan,
    a_recipe,
    a_suggestion,
    an_accepted_query,
    bytes_of,
    written,
)
from tests.factories import EXPERTS, a_project

ALL = ["sft", "grpo", "dpo", "kto"]


def a_large_project(database: Database) -> Actor:
    """A project whose queries fill many spans of `FEW`."""
    who = a_project(database)
    a_full_project(database, who, accepted=8)
    for number in range(8):
        query_id = an_accepted_query(database, who, f"第{number}周的流量，怎么样？")
        a_suggestion(database, who, query_id, a_plan("别的问法", EXPERTS[3]), candidate=2)
    return who


@pytest.fixture(autouse=True)
def few_queries_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "CHUNK", 2)


def a_patient_first(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first process hands out before it takes a span itself; how many it has given away."""
    given: list[int] = []
    serve = second_reader.Second.serve

    def wait(self: second_reader.Second, waiting: Any) -> None:
        before = len(waiting)
        self.wait_until_ready()
        serve(self, waiting)
        given.append(before - len(waiting))

    monkeypatch.setattr(second_reader.Second, "serve", wait)
    return given


@pytest.mark.parametrize(
    "changes", [{}, {"pools": "apart", "val_share": 0.3}, {"prefer": "reward"}]
)
def test_two_processes_write_what_one_writes(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
) -> None:
    who, recipe = a_large_project(database), a_recipe(formats=ALL, **changes)
    _, alone = written(database, settings, who, recipe)
    given = a_patient_first(monkeypatch)
    together = settings.model_copy(update={"export_alone_until": 0})
    _, shared = written(database, together, who, recipe)
    assert sum(given) > 0
    assert bytes_of(shared) == bytes_of(alone)


def test_a_second_process_that_dies_costs_no_row(
    sqlite_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, who = sqlite_database, a_large_project(sqlite_database)
    recipe = a_recipe(formats=ALL)
    _, alone = written(database, settings, who, recipe)
    given = a_patient_first(monkeypatch)
    dying = "import exports.second_reader as s; s.fill = lambda *_: s.os._exit(1); s.main()"
    monkeypatch.setattr(second_reader, "_START", dying)
    together = settings.model_copy(update={"export_alone_until": 0})
    _, shared = written(database, together, who, recipe)
    assert sum(given) > 0
    assert bytes_of(shared) == bytes_of(alone)


def test_a_second_process_that_cannot_start_is_done_without(
    sqlite_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, who = sqlite_database, a_large_project(sqlite_database)
    monkeypatch.setattr(second_reader, "_START", "raise SystemExit")
    together = settings.model_copy(update={"export_alone_until": 0})
    bundle_id, folder = written(database, together, who, a_recipe(formats=ALL))
    assert (folder / "kto.jsonl").stat().st_size > 0
    assert [path.name for path in Path(folder.parent).iterdir()] == [folder.name]
    assert bundle_id
