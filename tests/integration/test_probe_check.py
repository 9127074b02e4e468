"""The launch gate: no training begins under weights, or with a plugin, by which a trick pays."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from exports.training.ask import tiny_model
from exports.training.preflight import Plan, preflight
from exports.training.recipes import get_recipe, stage_arguments
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from schemas.training import Check
from tests.bundles import a_bundle_folder, write_manifest


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("gate") / "home")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return a_bundle_folder(tmp_path / "bundle", rows=12)


def gate(
    bundle: Path, settings: Settings, weights: Mapping[str, float] | None = None
) -> tuple[Check | None, list[str]]:
    """The check of the probes, and the names of all checks that did not pass."""
    recipe = get_recipe("cpu-smoke")
    model = str(tiny_model(settings, bundle))
    arguments = stage_arguments(recipe, "grpo", weights=weights) | {
        "model": model,
        "dataset": [str(bundle / "grpo.jsonl")],
        "external_plugins": [str(bundle / "reward_plugin.py")],
    }
    plan = Plan(bundle, recipe, {"grpo": arguments}, model, with_thinking=True)
    checks = preflight(plan, settings).checks
    found = next((each for each in checks if each.name == "probes"), None)
    return found, [each.name for each in checks if not each.is_passed]


def test_the_weights_that_ship_are_launched_and_the_bundle_is_left_as_it_is(
    installation: Settings, bundle: Path
) -> None:
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    found, failed = gate(bundle, installation)
    assert {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()} == before
    assert failed == []
    assert found is not None
    assert found.code == "training.passed_probes"
    assert int(str(found.values["count"])) >= 14


@pytest.mark.parametrize("reward", ["StrictFormatReward", "CorrectnessReward"])
def test_weights_under_which_a_trick_pays_are_not(
    installation: Settings, bundle: Path, reward: str
) -> None:
    found, failed = gate(bundle, installation, {reward: 1.0})
    assert failed == ["probes"]
    assert found is not None
    assert found.code == "training.probe_pays"
    probe = found.values["probe"]
    assert isinstance(probe, dict)
    for language in LANGUAGES:
        trick = sentence(str(probe["code"]), {}, language)
        assert trick in sentence(found.code, found.values, language)


def test_a_plugin_that_pays_for_long_answers_is_not(installation: Settings, bundle: Path) -> None:
    rewards = bundle / "planwright_scoring" / "rewards.py"
    cheated = "\nREWARD_FUNCTIONS |= {'ThinkLengthReward': lambda text, _: len(text) / 1e3}\n"
    rewards.write_text(rewards.read_text("utf-8") + cheated, "utf-8")
    write_manifest(bundle)
    found, failed = gate(bundle, installation, {"ThinkLengthReward": 0.6, "JSONValidReward": 0.4})
    assert failed == ["probes"]
    assert found is not None
    assert found.code == "training.probe_pays"


def test_a_broken_plugin_is_told_once(installation: Settings, bundle: Path) -> None:
    (bundle / "reward_plugin.py").write_text("import schemas.plan\n", "utf-8")
    found, failed = gate(bundle, installation)
    assert found is None
    assert "plugin" in failed
    assert "probes" not in failed
