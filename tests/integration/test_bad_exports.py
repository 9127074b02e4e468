"""Exports that cannot be: a sentence each, in preview, export and command; nothing half written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.access import training
from db.engine import Database
from exports.bundle import FOLDER, begin_bundle, write_rows
from exports.preview import preview_recipe
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.recipe import read_recipe
from schemas.settings import Settings
from tests.bundles import a_benchmark
from tests.exporting import (
    a_full_project,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    an_accepted_query,
    bytes_of,
    written,
)
from tests.factories import a_project

Asked = Callable[[Database, Actor], tuple[dict[str, Any], str]]
"""Makes what is wrong: what a recipe says then, and a part of the sentence it is refused with."""


def nothing(_database: Database, _who: Actor) -> tuple[dict[str, Any], str]:
    sources = {"sources": [{"kind": "accepted", "since": "2999-01-01"}]}
    return {"formats": ["grpo"], "grpo": sources}, "selects no row for grpo.jsonl"


def an_unknown_list(_database: Database, _who: Actor) -> tuple[dict[str, Any], str]:
    sources = {"sources": [{"kind": "accepted", "lists": ["merchant@7"]}]}
    return {"formats": ["grpo"], "grpo": sources}, "merchant@7, which was never published"


def a_question(database: Database, who: Actor) -> tuple[dict[str, Any], str]:
    benchmark_id = a_benchmark(database, who, 1)
    with database.reading() as session:
        question_id = training.list_questions(session, benchmark_id, 1)[0].id
    return _by_id("accepted", question_id), "benchmark question or a gold item"


def a_query_that_is_a_question(database: Database, who: Actor) -> tuple[dict[str, Any], str]:
    benchmark_id = a_benchmark(database, who, 1)
    with database.reading() as session:
        text = training.list_questions(session, benchmark_id, 1)[0].text
    query_id = an_accepted_query(database, who, f" {text}？")
    return _by_id("accepted", query_id), "benchmark question or a gold item"


def a_plan_that_breaks_its_list(database: Database, who: Actor) -> tuple[dict[str, Any], str]:
    query_id = a_pinned_query(database, who, "谁也不认识的专家")
    a_suggestion(database, who, query_id, a_plan("谁也不认识的专家", "法务专家"))
    return _by_id("suggestions", query_id), "the plan breaks its own expert list"


def a_stranger(_database: Database, _who: Actor) -> tuple[dict[str, Any], str]:
    return _by_id("accepted", "0190-nobody"), "no query with this id in the project"


def _by_id(kind: str, query_id: str) -> dict[str, Any]:
    pool = "sft" if kind == "suggestions" else "grpo"
    return {"formats": [pool], pool: {"sources": [{"kind": kind, "queries": [query_id]}]}}


@pytest.fixture
def who(sqlite_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Actor:
    """The admin of a project that the command line finds."""
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")
    found = a_project(sqlite_database)
    a_full_project(sqlite_database, found)
    return found


@pytest.mark.parametrize(
    "asked",
    [
        nothing,
        an_unknown_list,
        a_question,
        a_query_that_is_a_question,
        a_plan_that_breaks_its_list,
        a_stranger,
    ],
    ids=lambda asked: asked.__name__,
)
def test_it_is_refused_in_one_sentence_and_the_old_bundle_stays(
    asked: Asked,
    sqlite_database: Database,
    settings: Settings,
    who: Actor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    database = sqlite_database
    _, old = written(database, settings, who, a_recipe(name="old"))
    before = bytes_of(old)
    changes, sentence = asked(database, who)
    recipe = a_recipe(name="new", **changes)

    with pytest.raises(InvalidInput) as previewed:
        preview_recipe(database, who, recipe)
    bundle_id = begin_bundle(database, who, recipe)
    with pytest.raises(InvalidInput) as exported:
        write_rows(database, settings, who, bundle_id)
    for refused in (previewed.value, exported.value):
        assert sentence in "\n".join([refused.sentence("en"), *refused.problem_lines("en")])
        assert refused.sentence("zh") != refused.sentence("en")
    assert previewed.value.problems == exported.value.problems

    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json"), allow_unicode=True))
    out = tmp_path / "out"
    assert main(["export", "--recipe", str(path), "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    assert not out.exists()
    assert [each.name for each in (settings.home / FOLDER).iterdir()] == [old.name]
    assert bytes_of(old) == before


def test_shares_that_do_not_add_up_are_no_recipe(
    sqlite_database: Database, who: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = [{"kind": "accepted", "share": 0.5}, {"kind": "history", "share": 0.3}]
    changes = {"name": "new", "sft": {"sources": shares}}
    with pytest.raises(InvalidInput, match="add up to 80 %, not to 100 %"):
        read_recipe(changes)
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(changes))
    for more in (["--preview"], ["--out", str(tmp_path / "out")]):
        assert main(["export", "--recipe", str(path), *more]) == 1
        assert "add up to 80 %, not to 100 %" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_manifest_whose_rows_have_gone_names_each(
    sqlite_database: Database,
    settings: Settings,
    who: Actor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, old = written(sqlite_database, settings, who, a_recipe(name="old"))
    manifest = json.loads((old / "manifest.json").read_bytes())
    for name, gone in (("grpo.jsonl", "0190-gone"), ("sft.jsonl", "0190-lost")):
        manifest["rows"][name][0][1] = gone
    changed = tmp_path / "manifest.json"
    changed.write_text(json.dumps(manifest), "utf-8")
    again = tmp_path / "again"
    assert main(["export", "--rebuild", str(changed), "--out", str(again)]) == 1
    said = capsys.readouterr().err
    assert "2 queries of this manifest are not here as they were" in said
    for query_id in ("0190-gone", "0190-lost"):
        assert f"{query_id}: a row of this query is no longer in this database" in said
    assert sorted(each.name for each in tmp_path.iterdir()) == ["home", "manifest.json"]
