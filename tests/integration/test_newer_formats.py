"""Every form of a bundle is read back by ms-swift, row by row, and keeps what it promises."""

import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from db.engine import Database, sqlite_url
from exports.bundle import bundle_folder, create_bundle, get_bundle, rebuild
from labeling import experts
from labeling.accounts import command_line_actor
from labeling.demo import load_demo
from schemas.bundle import AUGMENTED, PLAIN
from schemas.people import Actor
from schemas.scoring.answer import find_answer, has_strict_form, parse_strict
from schemas.scoring.check import plan_problems
from schemas.scoring.context import context_from_row
from schemas.scoring.wire import to_canonical
from schemas.settings import Settings
from tests.exporting import a_recipe, bytes_of, rows_of
from tests.mixed_lists import Mixed, a_mixed_project

Rows = list[dict[str, Any]]
ALL = ("sft", "agent", "grpo", "dpo", "kto")
TWINS = {"share": 0.6, "shuffle": True, "drop_unused": 0.6, "decoys": 2}
PAIRS = ("corrected", "siblings", "length")


class Shared(NamedTuple):
    """A bundle of a mixed project, and its rows by file."""

    mixed: Mixed
    folder: Path
    rows: dict[str, Rows]


@pytest.fixture
def mixed(sqlite_database: Database) -> Mixed:
    return a_mixed_project(sqlite_database)


def read_back(
    database: Database, settings: Settings, who: Actor, **changes: Any
) -> tuple[Path, dict[str, Rows]]:
    """The folder and the rows of a bundle all of whose rows ms-swift has tokenised."""
    recipe = a_recipe(**{"verification": {"model": "tiny"}, "val_share": 0.3} | changes)
    bundle_id = create_bundle(database, settings, who, recipe)
    bundle = get_bundle(database, who, bundle_id)
    assert bundle.state == "ready"
    assert bundle.verification is not None
    folder = bundle_folder(settings, bundle)
    files: Any = bundle.verification["files"]
    assert set(files) == {path.name for path in folder.glob("*.jsonl")}
    for name, file in files.items():
        assert file["rows_in"] == file["rows_tokenised"] == len(rows_of(folder, name)) > 0
    again = folder.with_name("again")
    assert rebuild(database, who, folder, again).differing == ()
    assert bytes_of(again) == bytes_of(folder)
    return folder, {path.stem: rows_of(folder, path.name) for path in folder.glob("*.jsonl")}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Shared]:
    """One bundle for the tests that only read it: answers, calls, completions and twins."""
    settings = Settings(home=tmp_path_factory.mktemp("shared") / "home")
    settings.home.mkdir()
    shutil.copy(migrated_sqlite, settings.home / "planwright.db")
    database = Database(sqlite_url(settings.home / "planwright.db"), is_synced=False)
    mixed = a_mixed_project(database)
    formats = ("sft", "agent", "grpo", "kto")
    folder, rows = read_back(database, settings, mixed.who, formats=formats, augmentation=TWINS)
    yield Shared(mixed, folder, rows)
    database.close()


def origins(folder: Path) -> dict[str, list[list[Any]]]:
    """By file (without `.jsonl`): kind, query, source, trace, against, hashes and variant."""
    held = json.loads((folder / "manifest.json").read_bytes())["rows"]
    return {name.removesuffix(".jsonl"): rows for name, rows in held.items()}


def answer_of(text: str) -> Any:
    return to_canonical(parse_strict(find_answer(text)), "zh@1")


def experts_shown(system: str) -> list[str]:
    """The experts of a prompt that was rendered here, in order."""
    return re.findall(r"^- ([^：\n]+)：", system, re.MULTILINE)


def test_all_formats_mixed_and_with_twins_come_back(
    sqlite_database: Database, settings: Settings, mixed: Mixed
) -> None:
    folder, rows = read_back(
        sqlite_database,
        settings,
        mixed.who,
        formats=ALL,
        plain_share=0.4,
        augmentation=TWINS,
        dpo_pairs=PAIRS,
        shortest_traces=0.7,
        expert_quota=2,
        stale_traces="keep",
    )
    assert set(rows) >= {f"{name}{part}" for name in ALL for part in ("", "_val")}
    held = origins(folder)
    _twins_stay_beside_their_parents(held)
    _twins_never_contradict_their_plans(rows, held)
    for row in rows["grpo"]:
        meta = json.loads(row["plan_meta"])
        assert row["chat_template_kwargs"] == {"enable_thinking": meta["with_thinking"]}
        assert context_from_row(row).gold is not None
    thinking = Counter(json.loads(row["plan_meta"])["with_thinking"] for row in rows["grpo"])
    assert thinking[True] and thinking[False]
    for name in ("sft", "dpo", "kto"):
        for row in rows[name]:
            text = row["messages"][-1]["content"]
            assert has_strict_form(text, with_thinking="<think>" in text), name
    is_plain = {True, False}
    assert {"<think>" not in row["messages"][-1]["content"] for row in rows["sft"]} == is_plain
    assert any(each[-1] == PLAIN for each in held["dpo"])


def _twins_stay_beside_their_parents(held: dict[str, list[list[Any]]]) -> None:
    for name in ("sft", "agent", "grpo"):
        parts: defaultdict[str, set[str]] = defaultdict(set)
        for part in (name, f"{name}_val"):
            for origin in held[part]:
                parts[origin[1]].add(part)
        assert all(len(each) == 1 for each in parts.values())
        twins = [each[1] for part in (name, f"{name}_val") for each in held[part] if each[-1]]
        parents = {each[1] for part in (name, f"{name}_val") for each in held[part] if not each[-1]}
        assert twins
        assert len(set(twins)) == len(twins)
        assert set(twins) <= parents


def _twins_never_contradict_their_plans(
    rows: dict[str, Rows], held: dict[str, list[list[Any]]]
) -> None:
    by_query = {
        origin[1]: row
        for row, origin in zip(rows["grpo"], held["grpo"], strict=True)
        if origin[-1] == ""
    }
    changes: Counter[str] = Counter()
    for row, origin in zip(rows["grpo"], held["grpo"], strict=True):
        if origin[-1] != AUGMENTED:
            continue
        parent, names = by_query[origin[1]], json.loads(row["plan_experts"])
        assert row["solution"] == parent["solution"]
        assert experts_shown(row["messages"][0]["content"]) == names
        assert plan_problems(context_from_row(row).gold, names) == []
        own = json.loads(parent["plan_experts"])
        changes["decoy"] += bool(set(names) - set(own))
        changes["dropped"] += bool(set(own) - set(names))
        changes["moved"] += [each for each in own if each in names] != [
            each for each in names if each in own
        ]
    assert min(changes[each] for each in ("decoy", "dropped", "moved")) > 0


def test_an_agent_calls_what_its_plan_says_and_only_what_it_has(shared: Shared) -> None:
    rows = shared.rows
    assert any(origin[-1] == AUGMENTED for origin in origins(shared.folder)["agent"])
    plans = Counter(
        json.dumps(answer_of(row["messages"][-1]["content"])["steps"], ensure_ascii=False)
        for row in rows["sft"]
        if row["channel"] != "history"
    )
    calls: Counter[str] = Counter()
    for row in rows["agent"]:
        names = [each["function"]["name"] for each in json.loads(row["tools"])]
        said = [
            json.loads(each["content"]) for each in row["messages"] if each["role"] == "tool_call"
        ]
        assert {each["name"] for each in said} <= set(names)
        assert "专家列表" not in row["messages"][0]["content"]
        steps = [{"expert": each["name"], **each["arguments"]} for each in said]
        calls[json.dumps(steps, ensure_ascii=False)] += 1
    assert calls == plans


@pytest.mark.parametrize("pair", PAIRS)
def test_each_kind_of_pair_comes_back(
    sqlite_database: Database, settings: Settings, mixed: Mixed, pair: str
) -> None:
    folder, rows = read_back(
        sqlite_database,
        settings,
        mixed.who,
        formats=("dpo", "kto"),
        dpo_pairs=(pair,),
        grpo={"sources": [{"kind": "accepted"}]},
    )
    for row in rows["dpo"]:
        chosen, rejected = row["messages"][-1]["content"], row["rejected_response"]
        assert chosen != rejected
        assert has_strict_form(rejected, with_thinking=True)
        assert "错" not in chosen
        is_same_plan = answer_of(chosen) == answer_of(rejected)
        assert is_same_plan == (pair == "length")
        if pair == "length":
            assert len(rejected) > len(chosen) + 100
    by_query = Counter(each[1] for each in origins(folder)["dpo"])
    assert max(by_query.values()) == (2 if pair == "siblings" else 1)


def test_labels_of_kto_are_those_of_its_plans(shared: Shared) -> None:
    rows = shared.rows
    answers = [row["messages"][-1]["content"] for row in rows["kto"]]
    assert all(one != other for one, other in pairwise(answers))
    assert {row["label"] for row in rows["kto"]} == {True, False}
    assert all(row["label"] == ("错" not in row["messages"][-1]["content"]) for row in rows["kto"])


def test_a_recipe_without_thinking_comes_back_in_every_format(
    sqlite_database: Database, settings: Settings, mixed: Mixed
) -> None:
    _, rows = read_back(
        sqlite_database,
        settings,
        mixed.who,
        formats=ALL,
        with_thinking=False,
        augmentation=TWINS,
        dpo_pairs=("corrected", "siblings"),
    )
    assert "<think>" not in json.dumps(rows, ensure_ascii=False)


def test_one_bundle_mixes_history_and_new_rows_of_every_list_version(shared: Shared) -> None:
    held = json.loads((shared.folder / "manifest.json").read_bytes())
    assert set(held["lists"]) == {"merchant@1", "merchant@2", "merchant@3"}
    seen: set[tuple[str, str]] = set()
    told = origins(shared.folder)
    for row, origin in (
        pair
        for part in ("grpo", "grpo_val")  # near-duplicates may all stand on one side
        for pair in zip(shared.rows[part], told[part], strict=True)
    ):
        if origin[-1] == AUGMENTED:  # of which the first test tells
            continue
        meta = json.loads(row["plan_meta"])
        names = shared.mixed.experts[meta["list_version"]]
        assert json.loads(row["plan_experts"]) == list(names)
        assert plan_problems(context_from_row(row).gold, names) == []
        assert f"第{meta['list_version'][-1]}版" in row["messages"][-1]["content"]
        system = row["messages"][0]["content"]
        if origin[0] == "history":
            assert system == f"旧提示，第{meta['list_version'][-1]}版：{'、'.join(names)}"
        else:
            assert experts_shown(system) == list(names)
        seen.add((origin[0], meta["list_version"]))
    assert seen == {
        (kind, f"merchant@{version}") for kind in ("accepted", "history") for version in (1, 2, 3)
    }


def test_the_demo_s_list_versions_are_mixed_each_row_under_its_own(
    sqlite_database: Database, settings: Settings
) -> None:
    load_demo(sqlite_database, settings)
    who = command_line_actor(sqlite_database, "demo")
    folder, rows = read_back(
        sqlite_database,
        settings,
        who,
        formats=("sft", "agent", "grpo"),
        sft={"sources": [{"kind": "suggestions"}, {"kind": "history"}]},
        grpo={"sources": [{"kind": "history"}]},
        pools="apart",
    )
    held = json.loads((folder / "manifest.json").read_bytes())
    assert {"merchant@1", "merchant@2"} <= set(held["lists"])
    channels = Counter(row["channel"] for row in rows["sft"])
    assert channels["suggestions"] and channels["history"]
    assert {row["channel"] for row in rows["agent"]} == {"suggestions"}
    lists = {json.loads(row["plan_meta"])["list_version"] for row in rows["grpo"]}
    assert "merchant@1" in lists
    _, newest = experts.get_list(sqlite_database, who, "merchant@2")
    names = {each.name for each in newest.experts}
    shown = Counter(
        len(names.intersection(experts_shown(row["messages"][0]["content"]))) for row in rows["sft"]
    )
    assert shown[len(names)] and shown[len(names) - 1]
