"""A recipe says what is wrong with it in one sentence."""

from pathlib import Path

import pytest

from exports.bundle_commands import RECIPES, load_recipe, shipped_recipes
from exports.training.recipes import NAMES
from schemas.errors import InvalidInput
from schemas.project import ProjectSettings, ThinkTarget
from schemas.recipe import BundleRecipe, parse_recipe, read_recipe

POOL = "sft: {sources: [{kind: suggestions}]}\n"


def _refused(text: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        parse_recipe(text)
    assert refused.value.sentence("zh")
    return refused.value.sentence("en")


@pytest.mark.parametrize("name", ["mixed", "cold-start"])
def test_recipes_that_ship_are_right(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name in shipped_recipes()
    assert recipe.training in NAMES
    assert (RECIPES / f"{name}.yaml").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nformats: [sft]\n" + POOL + "seed: many\n", "seed cannot be “many”"),
        ("name: x\nformats: [sft]\n" + POOL + "shoes: 1\n", "means nothing here: shoes"),
        ("formats: [sft]\n" + POOL, "lacks name"),
        ("name: x\nformats: [csv]\n" + POOL, "it can be sft, agent, grpo, dpo, kto"),
        ("name: x\nformats: [sft]\n" + POOL + "val_share: 0.9\n", "must be ≤ 0.5"),
        ("name: x\n" + POOL, "pool grpo, but that pool has no source"),
        (
            "name: x\nformats: [sft]\nsft: {sources: [{kind: history, share: 0.3}, "
            "{kind: accepted, share: 0.5}]}\n",
            "The shares of sft add up to 80 %, not to 100 %",
        ),
        (
            "name: x\nformats: [sft]\nsft: {sources: [{kind: history, share: 0.3}, "
            "{kind: accepted}]}\n",
            "some sources have a share and others do not",
        ),
        (
            "name: x\nformats: [sft]\nsft: {sources: [{kind: history, share: 1, count: 3}]}\n",
            "history has a share and a count",
        ),
        (
            "name: x\nformats: [sft]\nsft: {size: 3, sources: [{kind: history}]}\n",
            "sft has a size but no shares",
        ),
        ("name: x\nformats: [sft]\n" + POOL + "think: {min: 9, max: 3}\n", "(9) is longer than"),
        (
            "name: x\nformats: [grpo]\ngrpo: {sources: [{kind: suggestions}]}\n",
            "suggestions cannot be a source",
        ),
        ("name: x\nformats: [sft]\n" + POOL + "weights: {Luck: 1}\n", "no reward Luck"),
        (
            "name: x\nformats: [sft]\n" + POOL + "weights: {CorrectnessReward: -1}\n",
            "must not be negative",
        ),
        (
            "name: x\nformats: [sft]\nwith_thinking: false\n"
            + POOL
            + "weights: {ThinkLengthReward: 1}\n",
            "one that applies must be above 0",
        ),
        (
            "name: x\nformats: [sft]\nsft: {sources: [{kind: history, labels: [fixed]}]}\n",
            "the source history cannot be narrowed by labels",
        ),
        (
            "name: x\nformats: [sft]\nsft: {sources: [{kind: accepted, labels: [good]}]}\n",
            "it can be accepted, fixed",
        ),
        (
            "name: x\nformats: [sft]\n" + POOL + "augmentation: {share: 0.5, shuffle: false}\n",
            "changes nothing in them",
        ),
        (
            "name: x\nformats: [sft]\nwith_thinking: false\nplain_share: 0.5\n" + POOL,
            "plain_share means nothing",
        ),
        ("name: x\nformats: [sft]\nplain_share: 1\n" + POOL, "must be ≤ 0.9"),
        ("name: x\nformats: [sft]\nexpert_quota: 0\n" + POOL, "must be ≥ 1"),
        ("name: x\nformats: [agent]\n", "pool sft, but that pool has no source"),
        ("name: [x\n", "line 2 cannot be read"),
        ("- a\n- b\n", "keys and values"),
        ("", "keys and values"),
    ],
)
def test_a_wrong_recipe_is_told_in_a_sentence(text: str, said: str) -> None:
    assert said in _refused(text)


def test_json_is_a_recipe_too() -> None:
    recipe = parse_recipe(
        '{"name": "x", "formats": ["sft"], "sft": {"sources": [{"kind": "history"}]}}'
    )
    assert recipe.sft.sources[0].kind == "history"


def test_a_missing_recipe_names_those_that_ship(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cold-start, mixed"):
        load_recipe(str(tmp_path / "nowhere.yaml"))


def test_what_a_recipe_leaves_open_is_the_project_s() -> None:
    project = ProjectSettings(think=ThinkTarget(min=5, max=9), banned_words=("微信",))
    recipe = parse_recipe("name: x\nformats: [sft]\n" + POOL)
    resolved = recipe.resolved(project)
    assert resolved.think is not None
    assert (resolved.think.min, resolved.think.max, resolved.banned_words) == (5, 9, ("微信",))
    assert resolved.resolved(ProjectSettings()) == resolved


def test_a_recipe_survives_being_stored() -> None:
    recipe = load_recipe("mixed").resolved(ProjectSettings())
    assert read_recipe(recipe.model_dump(mode="json")) == recipe
    assert isinstance(recipe, BundleRecipe)
