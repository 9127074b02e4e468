"""Of several suggestions to one query a recipe takes the one that its rewards are highest for."""

from pathlib import Path

import numpy as np

from db.engine import Database
from exports.best_of import BestOf
from exports.bundle import rebuild
from exports.fact_table import FactTable
from exports.facts import load_judge, offers_of, refresh_facts
from exports.formats import RowForm
from exports.manifest import read_manifest
from exports.materials import Materials
from exports.pinned import load_pinned
from exports.preview import preview_recipe
from exports.scored import ScoredRows
from schemas.people import Actor
from schemas.recipe import BundleRecipe
from schemas.settings import Settings
from tests.exporting import (
    SUGGESTED,
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    a_trace,
    an_accepted_query,
    bytes_of,
    exclusions,
    rows_of,
    written,
)
from tests.factories import EXPERTS, a_project

CLEAN = a_trace(120)
BANNED = f"在微信里说。{a_trace(70)}"
THINK = {"min": 60, "max": 180}


def _recipe(prefer: str, **changes: object) -> BundleRecipe:
    return a_recipe(
        **(SUGGESTED | {"prefer": prefer, "banned_words": ["微信"], "think": THINK} | changes)
    )


def _a_project_with_two_answers(database: Database) -> Actor:
    """The shorter thinking says a banned word."""
    who = a_project(database)
    query_id = a_pinned_query(database, who, "看看流量")
    for place, trace in enumerate((BANNED, CLEAN), start=1):
        a_suggestion(database, who, query_id, a_plan("看看流量"), trace, candidate=place)
    return who


def _taught(folder: Path) -> str:
    (row,) = rows_of(folder, "sft.jsonl")
    return row["messages"][-1]["content"]


def test_the_rewards_take_another_than_the_shortest(database: Database, settings: Settings) -> None:
    who = _a_project_with_two_answers(database)
    for prefer, trace, reason in (
        ("shortest", BANNED, "not_shortest"),
        ("reward", CLEAN, "not_best"),
    ):
        _, folder = written(database, settings, who, _recipe(prefer))
        assert f"<think>\n{trace}\n</think>" in _taught(folder)
        assert exclusions(database, who, _recipe(prefer), "sft") == {reason: 1}


def test_the_weights_decide_what_is_best(database: Database, settings: Settings) -> None:
    who = a_project(database)
    query_id = a_pinned_query(database, who, "看看流量")
    short = f"在微信里说。{a_trace(60)}"
    for place, trace in enumerate((short, a_trace(400)), start=1):
        a_suggestion(database, who, query_id, a_plan("看看流量"), trace, candidate=place)
    for reward, taken in (("ThinkLengthReward", short), ("ThinkQualityReward", a_trace(400))):
        recipe = _recipe("reward", weights={reward: 1.0})
        _, folder = written(database, settings, who, recipe)
        assert f"<think>\n{taken}\n</think>" in _taught(folder)


def test_of_equals_the_shortest_that_is_long_enough_is_taken(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    query_id = a_pinned_query(database, who, "看看流量")
    for place, length in enumerate((150, 90, 20), start=1):
        plan = a_plan("看看流量")
        a_suggestion(database, who, query_id, plan, a_trace(length), candidate=place)
    recipe = _recipe("reward", weights={"StrictFormatReward": 1.0})
    _, folder = written(database, settings, who, recipe)
    assert f"<think>\n{a_trace(90)}\n</think>" in _taught(folder)


def test_a_bundle_says_how_it_chose_and_is_rebuilt_to_the_byte(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    who = _a_project_with_two_answers(database)
    for prefer in ("reward", "shortest"):
        _, folder = written(database, settings, who, _recipe(prefer))
        said = read_manifest(folder)["recipe"]
        assert said.get("prefer") == (None if prefer == "shortest" else "reward")
        again = tmp_path / prefer
        assert rebuild(database, who, folder / "manifest.json", again).differing == ()
        assert bytes_of(again) == bytes_of(folder)


def test_where_people_decided_a_suggestion_is_measured_by_their_plan(
    sqlite_database: Database,
) -> None:
    database, who = sqlite_database, a_project(sqlite_database)
    query_id = an_accepted_query(database, who, "看看流量")
    recipe = _recipe("reward")
    with database.reading() as session:
        judge = load_judge(session, who.project_id, recipe)
        (offered,) = offers_of(session, who.project_id, judge, [query_id])
        form = RowForm.of(recipe)
        best_of = BestOf(recipe, Materials(load_pinned(session, who.project_id), form))
    (accepted,) = offered.by_kind["accepted"]
    other = a_plan("看看流量", EXPERTS[3])
    query, plan = offered.query, accepted.plan
    assert best_of.score(query, plan, CLEAN, plan) > best_of.score(query, other, CLEAN, plan)
    assert best_of.score(query, plan, CLEAN, None) == best_of.score(query, other, CLEAN, None)


def test_a_preview_in_haste_says_of_how_many_it_does_not_know_the_best(
    database: Database,
) -> None:
    who, recipe = _a_project_with_two_answers(database), _recipe("reward")
    other = a_pinned_query(database, who, "看看退款")
    for place, trace in enumerate((BANNED, CLEAN), start=1):
        a_suggestion(database, who, other, a_plan("看看退款"), trace, candidate=place)
    assert preview_recipe(database, who, recipe).not_scored == 0
    refresh_facts(database, who.project_id)
    with database.reading() as session:
        table = FactTable.load(session, who.project_id, recipe)
        judge = load_judge(session, who.project_id, recipe)
        for most, unscored, known in ((None, 0, 4), (1, 1, 2), (0, 2, 0)):
            scored = ScoredRows(session, who.project_id, table, judge, most)
            scored.scores(np.arange(len(table)))  # a second source of the pool asks again
            scores = scored.scores(np.arange(len(table)))
            assert (scored.unscored, int((scores > 0).sum())) == (unscored, known)
