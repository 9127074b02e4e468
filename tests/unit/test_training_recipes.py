"""Recipes are complete, portable, and explained in both languages."""

import json
from pathlib import Path

import pytest
import yaml

from exports.training.beginning import start_from
from exports.training.recipes import (
    NAMES,
    get_recipe,
    knobs,
    list_recipes,
    recipe_files,
    reward_weights,
    stage_arguments,
)
from schemas.errors import NotFound
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.sentences import LANGUAGES, sentence

ALWAYS = {"strict": True, "check_model": False, "logging_steps": 1, "add_version": False}


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_holds_what_must_always_hold(name: str) -> None:
    recipe = get_recipe(name)
    for stage in ("sft", "grpo"):
        arguments = stage_arguments(recipe, stage)
        assert arguments.items() >= ALWAYS.items()
        is_megatron = recipe.program == "megatron"  # which knows no callback that saves and leaves
        assert is_megatron or arguments["callbacks"] == ["graceful_exit"]
        rate = "lr" if is_megatron else "learning_rate"
        assert {rate, "model_type", "template", "torch_dtype"} <= arguments.keys()
    assert stage_arguments(recipe, "grpo")["enable_thinking"] is True
    assert stage_arguments(recipe, "grpo")["log_completions"] is True


@pytest.mark.parametrize("name", NAMES)
def test_what_travels_in_a_bundle_names_no_place_on_this_machine(name: str) -> None:
    files = recipe_files(name)
    assert recipe_files(name) == files
    assert {"sft.yaml", "grpo.yaml", "train.sh"} <= files.keys()
    assert not any(str(Path.cwd()).encode() in content for content in files.values())
    grpo = yaml.safe_load(files["grpo.yaml"])
    assert grpo["reward_funcs"] == list(REWARDS)
    assert grpo["reward_weights"] == list(DEFAULT_WEIGHTS)
    assert grpo["dataset"] == ["grpo.jsonl"]


def test_a_lora_checkpoint_is_an_adapter_and_a_full_one_a_model(tmp_path: Path) -> None:
    arguments = stage_arguments(get_recipe("single-gpu"), "grpo")
    assert start_from("grpo", arguments, model="M", checkpoint=None)["model"] == "M"
    assert start_from("grpo", arguments, model="M", checkpoint=str(tmp_path))["model"] == str(
        tmp_path
    )
    (tmp_path / "adapter_config.json").touch()
    from_adapter = start_from("grpo", arguments, model="M", checkpoint=str(tmp_path))
    assert from_adapter["model"] == "M"
    assert from_adapter["adapters"] == from_adapter["ref_adapters"] == [str(tmp_path)]


def test_without_thinking_two_rewards_are_left_out_and_the_others_scaled_to_1() -> None:
    weights = reward_weights(with_thinking=False)
    assert list(weights) == [name for name in REWARDS if not name.startswith("Think")]
    assert sum(weights.values()) == pytest.approx(1)
    arguments = stage_arguments(get_recipe("cpu-smoke"), "grpo", with_thinking=False)
    assert arguments["reward_funcs"] == list(weights)
    assert arguments["enable_thinking"] is False


def test_a_reward_without_weight_is_not_asked_for() -> None:
    assert reward_weights({"StrictFormatReward": 1.0, "CorrectnessReward": 0.0}) == {
        "StrictFormatReward": 1.0
    }


def test_an_override_comes_last() -> None:
    recipe = get_recipe("cpu-smoke")
    assert stage_arguments(recipe, "grpo", overrides={"beta": 0.5})["beta"] == 0.5
    assert get_recipe("cpu-smoke").grpo["beta"] == 0.04


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_knob_and_recipe_is_explained(language: str) -> None:
    for recipe in list_recipes():
        assert sentence(f"training.recipe_{recipe.name.replace('-', '_')}", {}, language)  # pyright: ignore
        shown = knobs(recipe)
        rate = "lr" if recipe.program == "megatron" else "learning_rate"
        assert {(knob.stage, knob.name) for knob in shown} >= {
            ("sft", rate),
            ("grpo", rate),
            ("grpo", "beta"),
        }
        assert all(sentence(knob.code, {}, language) for knob in shown)  # pyright: ignore


def test_an_unknown_recipe_is_named_with_those_that_ship() -> None:
    with pytest.raises(NotFound, match="cpu-smoke, single-gpu, 3x8-a100"):
        get_recipe("huge")


def test_no_argument_is_null() -> None:
    for recipe in list_recipes():
        assert "null" not in json.dumps([recipe.sft, recipe.grpo])
