"""What can be known before training is known: ms-swift itself is asked, in its own interpreter."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from exports.training.ask import ask_trainer, tiny_model
from exports.training.preflight import Plan, preflight
from exports.training.recipes import TrainingStage, get_recipe, stage_arguments
from exports.training.verify import verify_bundle
from schemas.errors import TrainingError
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from schemas.training import Check
from tests.bundles import a_bundle_folder, write_manifest

STAGES: tuple[TrainingStage, ...] = ("sft", "grpo")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation that keeps the tiny model between tests."""
    return Settings(home=tmp_path_factory.mktemp("checks") / "home")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return a_bundle_folder(tmp_path / "bundle", rows=12)


def a_plan(bundle: Path, settings: Settings, **changes: Mapping[str, Any]) -> Plan:
    """The recipe `cpu-smoke` on a bundle, with changed arguments by stage."""
    model = str(tiny_model(settings, bundle))
    arguments: dict[TrainingStage, dict[str, Any]] = {}
    for stage in STAGES:
        arguments[stage] = stage_arguments(get_recipe("cpu-smoke"), stage)
        arguments[stage] |= {"model": model, "dataset": [str(bundle / f"{stage}.jsonl")]}
        if stage == "grpo":
            arguments[stage]["external_plugins"] = [str(bundle / "reward_plugin.py")]
        arguments[stage] |= changes.get(stage, {})
    return Plan(bundle, get_recipe("cpu-smoke"), arguments, model, with_thinking=True)


def failed(checks: tuple[Check, ...]) -> dict[str, str]:
    """Code by name of the checks that did not pass, each with a sentence in both languages."""
    for check in checks:
        assert all(sentence(check.code, check.values, language) for language in LANGUAGES)
    return {
        check.name: check.code.removeprefix("training.") for check in checks if not check.is_passed
    }


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def assert_same_files(one: Path, other: Path) -> None:
    names = sorted(path.name for path in one.iterdir())
    assert "model.safetensors" in names
    assert sorted(path.name for path in other.iterdir()) == names
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def test_the_tiny_model_is_the_same_each_time(
    installation: Settings, bundle: Path, tmp_path: Path
) -> None:
    first = tiny_model(installation, bundle)
    assert_same_files(first, tiny_model(Settings(home=tmp_path / "other"), bundle))


def test_an_abbreviation_and_a_value_of_another_type_are_refused(installation: Settings) -> None:
    wrong = {"stage": "sft", "arguments": {"max_len": 5}, "is_bare": True}
    refused = {"stage": "sft", "arguments": {"learning_rate": "fast"}, "is_bare": True}
    said = ask_trainer(installation, arguments=[wrong, refused])["arguments"]
    assert said[0]["unknown"] == {"max_len": "max_length"}
    assert said[1]["error"]


def test_every_row_of_a_good_bundle_comes_back_by_a_tiny_model_built_on_the_way(
    installation: Settings, bundle: Path, tmp_path: Path
) -> None:
    own = Settings(home=tmp_path / "own")
    report = verify_bundle(bundle, own, model="tiny")
    assert report.is_true
    assert report.lengths_known
    assert report.differences == ()
    for name in ("sft.jsonl", "grpo.jsonl"):
        file = report.files[name]
        assert file.rows_in == file.rows_read == file.rows_tokenised == 12
        assert file.lengths
        assert 0 < file.lengths["min"] <= file.lengths["max"] < 1000
    assert list(own.home.glob("ask-*")) == []
    assert_same_files(tiny_model(own, bundle), tiny_model(installation, bundle))


def test_without_a_tokenizer_lengths_are_unknown(installation: Settings, bundle: Path) -> None:
    report = verify_bundle(bundle, installation)
    assert report.is_true
    assert not report.lengths_known
    assert report.files["sft.jsonl"].rows_read == 12
    assert report.files["sft.jsonl"].rows_tokenised is None


def test_every_row_that_does_not_come_back_is_named(installation: Settings, bundle: Path) -> None:
    lost = rows_of(bundle / "sft.jsonl")
    lost[1]["messages"][1]["role"] = "robot"
    lost[4]["messages"][2]["content"] = None
    del lost[7]["messages"][:]
    faulty = rows_of(bundle / "sft.jsonl")
    del faulty[2]["messages"][2]
    faulty[5]["messages"][1]["content"] = "长" * 9000
    write_rows(bundle / "sft.jsonl", lost)
    write_rows(bundle / "sft_val.jsonl", faulty)
    (bundle / "dpo.jsonl").write_text("{broken\n", "utf-8")
    write_manifest(bundle)
    report = verify_bundle(bundle, installation, model="tiny")
    named = {(each.file, each.line, each.code) for each in report.differences}
    assert named == {
        ("sft.jsonl", 2, "training.row_lost"),
        ("sft.jsonl", 5, "training.row_lost"),
        ("sft.jsonl", 8, "training.row_lost"),
        ("sft_val.jsonl", 3, "training.row_no_answer"),
        ("sft_val.jsonl", 6, "training.row_too_long"),
        ("dpo.jsonl", 1, "training.row_not_json"),
    }
    assert not report.is_true
    assert report.files["grpo.jsonl"].differences == 0
    for each in report.differences:
        assert all(sentence(each.code, each.values, language) for language in LANGUAGES)


def test_a_folder_without_dataset_is_refused(installation: Settings, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as refusal:
        verify_bundle(tmp_path, installation)
    assert refusal.value.code == "training.no_dataset"


def test_a_trainer_that_is_not_there_is_named(bundle: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", trainer_python=tmp_path / "python")
    with pytest.raises(TrainingError) as refusal:
        verify_bundle(bundle, settings)
    assert refusal.value.code == "training.trainer_missing"


def test_a_good_plan_passes_every_check(installation: Settings, bundle: Path) -> None:
    result = preflight(a_plan(bundle, installation), installation)
    assert failed(result.checks) == {}
    assert len(result.checks) >= 14


def test_every_fault_of_a_plan_is_named_at_once(installation: Settings, bundle: Path) -> None:
    rows = rows_of(bundle / "sft.jsonl")
    rows[3]["messages"][1]["role"] = "robot"
    write_rows(bundle / "sft.jsonl", rows)
    (bundle / "reward_plugin.py").write_text("import schemas.plan\n", "utf-8")
    plan = a_plan(
        bundle,
        installation,
        sft={"max_len": 4096},
        grpo={
            "num_generations": 3,
            "reward_funcs": ["StrictFormatReward", "NiceReward"],
            "reward_weights": [1.0],
            "max_completion_length": 9000,
        },
    )
    assert failed(preflight(plan, installation).checks) == {
        "arguments_sft": "unknown_argument",
        "arguments_grpo": "argument_refused",
        "rows": "rows_not_true",
        "rewards": "unknown_reward",
        "batch": "batch_not_divisible",
        "plugin": "plugin_broken",
        "prompt": "prompt_too_long",
    }


def test_what_needs_no_trainer_is_found_without_one(installation: Settings, bundle: Path) -> None:
    plan = a_plan(bundle, installation)
    (bundle / "grpo.jsonl").write_text("", "utf-8")
    missing = plan._replace(model="/nowhere/Qwen3-8B", recipe=get_recipe("3x8-a100"))
    assert failed(preflight(missing, installation).checks) == {
        "model": "model_missing",
        "nodes": "several_machines",
        "data_grpo": "no_rows",
    }
    empty = bundle / "no-model"
    empty.mkdir()
    assert failed(preflight(plan._replace(model=str(empty)), installation).checks) == {
        "model": "model_incomplete",
        "data_grpo": "no_rows",
    }
    shutil.rmtree(empty)
