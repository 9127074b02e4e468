"""Traces that were written anew are taught when a recipe says so, tagged and counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from db.engine import Database
from db.tables import QueryChange, Suggestion
from exports.bundle import rebuild
from exports.checks.examine import examine
from exports.checks.sources import Ground
from exports.preview import preview_recipe
from schemas.bundle import REDERIVED
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import (
    a_pinned_query,
    a_plan,
    a_recipe,
    a_rederived_trace,
    a_suggestion,
    an_acceptance,
    an_accepted_query,
    bytes_of,
    exclusions,
    rows_of,
    written,
)
from tests.factories import EXPERTS, a_project

ACCEPTED = {"sources": [{"kind": "accepted"}]}
MODELS, PEOPLES = a_plan("店铺流量"), a_plan("店铺流量", EXPERTS[0], EXPERTS[3])


def _recipe(**changes: Any) -> Any:
    return a_recipe(**({"sft": ACCEPTED, "grpo": ACCEPTED, "stale_traces": "rederived"} | changes))


def _corrected(database: Database, who: Actor, text: str) -> tuple[str, str]:
    query_id = a_pinned_query(database, who, text)
    own = a_suggestion(database, who, query_id, MODELS, "旧的思考")
    return query_id, an_acceptance(database, who, query_id, PEOPLES, own)


@pytest.fixture
def who(database: Database) -> Actor:
    """A project with a fresh row, a stale one, and one whose trace was written anew."""
    actor = a_project(database)
    an_accepted_query(database, actor, "原样通过", trace="新鲜的思考")
    _corrected(database, actor, "改过")
    query_id, revision_id = _corrected(database, actor, "改过并重写")
    a_rederived_trace(database, actor, query_id, revision_id)
    return actor


def _taught(folder: Path) -> dict[str, str]:
    return {
        row["messages"][1]["content"]: row["messages"][-1]["content"]
        for row in rows_of(folder, "sft.jsonl")
    }


def test_a_recipe_that_asks_for_it_teaches_the_new_trace_with_the_accepted_plan(
    database: Database, settings: Settings, who: Actor
) -> None:
    _, folder = written(database, settings, who, _recipe())
    taught = _taught(folder)
    assert taught.keys() == {"原样通过", "改过并重写"}
    assert "<think>\n重写的思考\n</think>" in taught["改过并重写"]
    assert EXPERTS[3] in taught["改过并重写"]
    assert exclusions(database, who, _recipe(), "sft") == {"stale": 1}


@pytest.mark.parametrize("policy", ["leave_out", "keep"])
def test_no_other_recipe_does(
    database: Database, settings: Settings, who: Actor, policy: str
) -> None:
    _, folder = written(database, settings, who, _recipe(stale_traces=policy))
    assert not any("重写的思考" in each for each in _taught(folder).values())


def test_such_rows_are_tagged_and_counted(
    database: Database, settings: Settings, who: Actor
) -> None:
    _, folder = written(database, settings, who, _recipe())
    states = next(
        each for each in preview_recipe(database, who, _recipe()).pools if each.pool == "sft"
    ).spread.by_trace_state
    assert states == {"fresh": 1, "rederived": 1}
    manifest = (folder / "manifest.json").read_text("utf-8")
    assert manifest.count(f'"{REDERIVED}"') >= 2  # the policy, the count, the row's own origin
    variants = [row[-1] for row in json.loads(manifest)["rows"]["sft.jsonl"]]
    assert sorted(variants) == ["", REDERIVED]
    card = (folder / "CARD.md").read_text("utf-8")
    assert "1 rows are taught with thinking that was written anew" in card
    assert "1 行采用为验收规划重新写出的思考过程" in card


def test_a_rebuilt_bundle_has_the_same_bytes(
    database: Database, settings: Settings, who: Actor, tmp_path: Path
) -> None:
    _, folder = written(database, settings, who, _recipe())
    rebuilt = rebuild(database, who, folder / "manifest.json", tmp_path / "again")
    assert rebuilt.differing == ()
    assert bytes_of(tmp_path / "again")["sft.jsonl"] == bytes_of(folder)["sft.jsonl"]


def test_a_trace_for_an_earlier_revision_or_without_a_reviewer_is_of_no_use(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    query_id, revision_id = _corrected(database, who, "又改过")
    a_rederived_trace(database, who, query_id, revision_id)
    an_acceptance(database, who, query_id, a_plan("店铺流量", EXPERTS[3]))
    waiting, _ = _corrected(database, who, "还没人看过")
    a_rederived_trace(database, who, waiting, None)
    an_accepted_query(database, who, "原样通过", trace="新鲜的思考")
    _, folder = written(database, settings, who, _recipe())
    assert _taught(folder).keys() == {"原样通过"}


def test_a_sibling_that_leads_there_goes_before_a_new_trace(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    query_id, revision_id = _corrected(database, who, "旁边有对的")
    a_suggestion(database, who, query_id, PEOPLES, "旁边的思考", candidate=2)
    a_rederived_trace(database, who, query_id, revision_id)
    _, folder = written(database, settings, who, _recipe())
    assert "旁边的思考" in _taught(folder)["旁边有对的"]


def test_a_new_trace_is_no_suggestion_of_a_model(
    database: Database, settings: Settings, who: Actor
) -> None:
    suggestions = {"sources": [{"kind": "suggestions"}]}
    recipe = _recipe(sft=suggestions, formats=["sft"])
    _, folder = written(database, settings, who, recipe)
    assert not any("重写的思考" in each for each in _taught(folder).values())
    found = sum(s.found for p in preview_recipe(database, who, recipe).pools for s in p.sources)
    assert found == 3


def test_an_acceptance_is_noted_so_that_previews_count_it(database: Database) -> None:
    who = a_project(database)
    an_accepted_query(database, who, "原样通过", trace="新鲜的思考")
    query_id, revision_id = _corrected(database, who, "改过并重写")
    trace_id = a_rederived_trace(database, who, query_id, None)
    assert exclusions(database, who, _recipe(pools="shared"), "sft") == {"stale": 1}
    with database.transaction() as session:
        session.get_one(Suggestion, trace_id).rederived_for = revision_id
    with database.reading() as session:
        noted = select(QueryChange.query_id).where(col(QueryChange.query_id) == query_id)
        assert session.exec(noted).first() == query_id
    assert exclusions(database, who, _recipe(pools="shared"), "sft") == {}


def test_the_bundles_own_checks_find_nothing_wrong_and_see_a_trace_of_another_plan(
    database: Database, settings: Settings, who: Actor
) -> None:
    _, folder = written(database, settings, who, _recipe())
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    ground = Ground(database, who.project_id)
    assert "row_thinking_stale" not in str(examine(folder, manifest, ground).differences)
    with database.transaction() as session:
        trace = session.exec(select(Suggestion).where(Suggestion.origin == "rederived")).one()
        trace.rederived_for = "another revision"
    assert "row_thinking_stale" in str(examine(folder, manifest, ground).differences)
