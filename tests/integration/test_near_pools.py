"""What is nearly the same is in one of two pools that are kept apart, and a check says so."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from db.access import near_clusters as access
from db.engine import Database
from db.tables import Query
from exports.bundle import rebuild
from exports.checks.examine import examine
from exports.checks.sources import Ground
from exports.choose import choose
from exports.facts import load_judge
from exports.preview import preview_recipe
from exports.splits import RULE, Splits
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import (
    a_pinned_query,
    a_plan,
    a_recipe,
    a_suggestion,
    an_accepted_query,
    bytes_of,
    written,
)
from tests.factories import a_project
from tests.integration.test_near_splits import QUESTIONS

ACCEPTED: dict[str, Any] = {"kind": "accepted"}
APART: dict[str, Any] = {
    "formats": ["sft", "grpo"],
    "sft": {"sources": [ACCEPTED, {"kind": "suggestions"}]},
    "grpo": {"sources": [ACCEPTED]},
    "pools": "apart",
    "val_share": 0.0,
}
HALF: dict[str, Any] = {
    "sft": {"sources": [{"kind": "suggestions"}, ACCEPTED]},
    "grpo": {"sources": [ACCEPTED | {"count": 5}]},
}


@pytest.fixture
def who(database: Database) -> Actor:
    """The admin of a project in which two of three of many near questions are accepted."""
    found = a_project(database)
    for number, text in enumerate(QUESTIONS):
        if number % 3:
            an_accepted_query(database, found, text)
        else:
            a_suggestion(database, found, a_pinned_query(database, found, text), a_plan(text))
    return found


def pools_by_key(database: Database, who: Actor, folder: Path) -> dict[str, Counter[str]]:
    """Key of a near-cluster → how many of its queries are in each file."""
    rows = json.loads((folder / "manifest.json").read_bytes())["rows"]
    found: dict[str, Counter[str]] = {}
    with database.reading() as session:
        keys = access.list_joined(session, who.project_id)
        for file, origins in rows.items():
            for origin in origins:
                cluster = session.get_one(Query, origin[1]).cluster
                found.setdefault(keys.get(cluster, cluster), Counter())[file] += 1
    return found


@pytest.mark.parametrize("changes", [{}, HALF, {"seed": 3}, {"augmentation": {"share": 0.5}}])
def test_no_near_cluster_is_in_both_pools(
    database: Database, settings: Settings, who: Actor, tmp_path: Path, changes: dict[str, Any]
) -> None:
    recipe = a_recipe(**APART | changes)
    preview = preview_recipe(database, who, recipe)
    _, folder = written(database, settings, who, recipe)
    found = pools_by_key(database, who, folder)
    assert all(len(files) == 1 for files in found.values())
    assert max(files.total() for files in found.values()) > 1
    assert {file for files in found.values() for file in files} == {"sft.jsonl", "grpo.jsonl"}
    counts = {path.name: path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl")}
    assert counts == preview.files
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["apart"] == RULE
    assert examine(folder, manifest, Ground(database, who.project_id)).differences == []
    rebuild(database, who, folder / "manifest.json", tmp_path / "again")
    assert bytes_of(tmp_path / "again") == bytes_of(folder)


def test_a_bundle_whose_pools_went_by_equal_queries_alone_is_held_to_that(
    database: Database, settings: Settings, who: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Splits.load

    def without_keys(*args: Any) -> Splits:
        return load(*args)._replace(keys={})

    monkeypatch.setattr(Splits, "load", without_keys)
    _, folder = written(database, settings, who, a_recipe(**APART))
    both = [files for files in pools_by_key(database, who, folder).values() if len(files) == 2]
    assert both
    ground = Ground(database, who.project_id)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    codes = {each.code for each in examine(folder, manifest, ground).differences}
    assert codes == {"training.row_in_both_pools"}
    old = {name: value for name, value in manifest.items() if name != "apart"}
    assert examine(folder, old, ground).differences == []


def test_a_query_that_was_never_compared_is_in_neither(database: Database, who: Actor) -> None:
    recipe = a_recipe(**APART)
    preview_recipe(database, who, recipe)
    an_accepted_query(database, who, "一个谁也没有比较过的问题")
    with database.reading() as session:
        judge = load_judge(session, who.project_id, recipe)
        selection = choose(session, who.project_id, recipe, judge)
    reasons = [source.exclusions for p in selection.pools.values() for source in p.figures.sources]
    assert [each.get("not_compared", 0) for each in reasons] == [1, 0, 1]
