"""Exports that cannot be, asked for by the form: a sentence in the notice, and nothing changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.durable import Durable
from db.engine import Database
from exports.bundle import FOLDER, get_bundle, list_bundles
from exports.bundle_work import new_order
from labeling.ui.dataset_form import fill_form
from labeling.ui.dataset_views import bundle_view
from labeling.ui.datasets import DatasetsHandlers
from labeling.ui.i18n import Words
from labeling.ui.session import Services, request_of
from schemas.people import Actor
from schemas.sentences import LANGUAGES
from schemas.settings import Settings
from tests.exporting import (
    ACCEPTED,
    SUGGESTED,
    a_full_project,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    bytes_of,
    written,
)
from tests.factories import a_project
from tests.unit.test_dataset_form import OPENED

SHARES = {"sft_suggestions": 50, "sft_accepted": 30, "sft_history": 0}
SAID = {
    "shares": {"en": "add up to 80 %, not to 100 %", "zh": "80 %"},
    "nothing": {"en": "selects no row for grpo.jsonl", "zh": "grpo.jsonl"},
}
BY_ID = {
    "a question": ("accepted", {"queries": ["0190-question"]}),
    "an unknown list": ("accepted", {"lists": ["merchant@7"]}),
    "a plan that breaks its list": ("suggestions", {"queries": ["0190-broken"]}),
}


@pytest.fixture
def who(sqlite_database: Database) -> Actor:
    return a_project(sqlite_database)


@pytest.fixture
def services(sqlite_database: Database, settings: Settings) -> Iterator[Services]:
    durable = Durable(settings, sqlite_database, "serve")
    durable.launch()
    yield Services(settings, sqlite_database, durable)
    durable.close()


@pytest.fixture
def old(services: Services, who: Actor) -> Path:
    """A bundle that is there already."""
    a_full_project(services.database, who)
    _, folder = written(services.database, services.settings, who, a_recipe(name="old"))
    return folder


def is_as_it_was(output: Any) -> bool:
    """Whether the screen keeps what it shows."""
    return isinstance(output, dict) and output.get("__type__") == "update" and len(output) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_shares_that_do_not_add_up_begin_no_bundle(
    services: Services, who: Actor, old: Path, language: Any
) -> None:
    handlers, request = DatasetsHandlers(services, Words(language)), request_of(who)
    before, fields = bytes_of(old), (OPENED | SHARES).values()
    previewed = handlers.on_preview(request, *fields)
    exported = handlers.on_export(request, new_order(), *fields)
    for told in (previewed, exported):
        assert told.notice["kind"] == "error"
        assert SAID["shares"][language] in told.notice["text"]
        assert all(is_as_it_was(each) for name, each in told._asdict().items() if name != "notice")
    assert [each.name for each in list_bundles(services.database, who)] == ["old"]
    assert [each.name for each in (services.settings.home / FOLDER).iterdir()] == [old.name]
    assert bytes_of(old) == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_selection_is_a_refused_bundle_without_a_folder(
    services: Services, who: Actor, language: Any
) -> None:
    database, settings = services.database, services.settings
    a_suggestion(database, who, a_pinned_query(database, who, "问题"), a_plan("问题"))
    _, old = written(database, settings, who, a_recipe(name="old", **SUGGESTED))
    before, words = bytes_of(old), Words(language)
    handlers, request = DatasetsHandlers(services, words), request_of(who)
    fields = fill_form(a_recipe(name="new", **ACCEPTED))
    previewed = handlers.on_preview(request, *fields)
    assert SAID["nothing"][language] in previewed.notice["text"]
    assert is_as_it_was(previewed.preview)
    order = new_order()
    assert handlers.on_export(request, order, *fields).notice["kind"] == "done"
    services.durable.wait(f"export-{order}")
    bundle = get_bundle(database, who, order)
    assert bundle.state == "refused"
    assert SAID["nothing"][language] in str(bundle_view(bundle, words))
    assert [each.name for each in (settings.home / FOLDER).iterdir()] == [old.name]
    assert bytes_of(old) == before


@pytest.mark.parametrize(("kind", "asked"), BY_ID.values(), ids=BY_ID)
def test_what_the_form_has_no_field_for_is_refused_and_not_forgotten(
    services: Services, who: Actor, kind: str, asked: dict[str, Any]
) -> None:
    """It names rows and lists on the command line only; as text it may not lose them."""
    pool = "sft" if kind == "suggestions" else "grpo"
    changes = {"formats": [pool], pool: {"sources": [{"kind": kind} | asked]}}
    text = a_recipe(**changes).model_dump_json()
    filled = DatasetsHandlers(services, Words("en")).on_fill(text, request_of(who))
    assert f"no field for what this recipe says about {pool}" in filled.notice["text"]
    assert "export --recipe FILE" in filled.notice["text"]
    assert all(is_as_it_was(each) for each in filled[:-1])


def test_a_row_that_breaks_its_list_is_counted_where_the_form_would_take_it(
    services: Services, who: Actor
) -> None:
    database = services.database
    for text, expert in (("好的问题", ()), ("坏的问题", ("法务专家",))):
        plan = a_plan(text, *expert)
        a_suggestion(database, who, a_pinned_query(database, who, text), plan)
    handlers = DatasetsHandlers(services, Words("en"))
    shown = str(handlers.on_preview(request_of(who), *fill_form(a_recipe(**SUGGESTED))).preview)
    assert "the plan breaks its own expert list" in shown
    assert "法务专家" not in shown
