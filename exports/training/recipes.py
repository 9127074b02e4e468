"""Recipes: arguments for ms-swift, by stage, as YAML that `swift sft` and `swift rlhf` take.

The files in `recipes/NAME/` hold every argument in plain sight; what a bundle, a person or a run
decides (rewards, thinking, paths, overrides) is filled in here, and nothing else.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml
from pydantic import BaseModel, ConfigDict, JsonValue

from exports.training.script import train_script
from exports.training.variants import Variant, chosen_variants, lay_over
from schemas.errors import NotFound
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.training_stages import TRAINED, Program, TrainingStage

__all__ = ["TrainingStage"]

FOLDER = Path(__file__).parent / "recipes"
NAMES = ("cpu-smoke", "single-gpu", "3x8-a100", "3x8-megatron")
KNOBS: dict[TrainingStage, tuple[str, ...]] = {
    "sft": (
        "learning_rate",
        "lr",
        "max_length",
        "max_steps",
        "num_train_epochs",
        "per_device_train_batch_size",
        "global_batch_size",
    ),
    "dpo": ("learning_rate", "lr", "beta", "rpo_alpha", "max_steps", "num_train_epochs"),
    "kto": (
        "learning_rate",
        "lr",
        "beta",
        "desirable_weight",
        "undesirable_weight",
        "max_steps",
        "num_train_epochs",
    ),
    "grpo": (
        "learning_rate",
        "lr",
        "beta",
        "epsilon",
        "num_generations",
        "temperature",
        "max_completion_length",
        "max_length",
        "max_steps",
        "num_train_epochs",
        "per_device_train_batch_size",
        "global_batch_size",
    ),
}
"""Arguments that pages show and let change; raising each is explained by `training.knob_…`."""


class EvaluationTerms(BaseModel):
    """The short evaluation after a stage: at most `limit` questions, answers of `max_tokens`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int
    max_tokens: int


class PassRateTerms(BaseModel):
    """Before GRPO so many of its prompts are asked, each so many times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompts: int = 64
    completions: int = 8


class TrainingRecipe(BaseModel):
    """One recipe; title and summary are `training.recipe_…` with `-` as `_`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    program: Program = "swift"
    builds_model: bool
    nodes: int
    devices: int
    minutes: int
    """What a chain takes, roughly, on the machines that it was made for."""
    evaluation: EvaluationTerms
    pass_rate: PassRateTerms = PassRateTerms()
    without_thinking: dict[str, Any] = {}
    """What each stage changes where the answers do not think."""
    variants: tuple[Variant, ...] = ()
    sft: dict[str, Any]
    dpo: dict[str, Any]
    kto: dict[str, Any]
    grpo: dict[str, Any]

    def stage(self, stage: TrainingStage) -> dict[str, Any]:
        """The arguments of a stage, as in its file and under the chosen variants."""
        return dict(cast(dict[str, Any], getattr(self, stage)))


class Knob(NamedTuple):
    """An argument in plain sight, and the code of the sentence on what raising it does."""

    stage: TrainingStage
    name: str
    value: JsonValue
    code: str


def list_recipes() -> tuple[TrainingRecipe, ...]:
    """The recipes that ship, smallest first."""
    return tuple(get_recipe(name) for name in NAMES)


def get_recipe(name: str, variants: Sequence[str] = ()) -> TrainingRecipe:
    """A recipe by name, under variants of it.

    Raises:
        NotFound: `training.recipe_not_found`, `training.variant_not_found`.
        InvalidInput: `training.variants_exclude`.
    """
    return _recipe(name, tuple(variants))


@cache
def _recipe(name: str, variants: tuple[str, ...]) -> TrainingRecipe:
    if name not in NAMES:
        raise NotFound("training.recipe_not_found", name=name, names=", ".join(NAMES))
    terms = _read(FOLDER / name / "recipe.yaml")
    chosen = chosen_variants(name, variants)
    stages = lay_over({each: _read(FOLDER / name / f"{each}.yaml") for each in TRAINED}, chosen)
    return TrainingRecipe.model_validate({"name": name, "variants": chosen, **terms, **stages})


def knobs(recipe: TrainingRecipe) -> tuple[Knob, ...]:
    """What pages show of a recipe, in the order of the stages."""
    return tuple(
        Knob(stage, name, recipe.stage(stage)[name], f"training.knob_{name}")
        for stage in TRAINED
        for name in KNOBS[stage]
        if name in recipe.stage(stage)
    )


def reward_weights(
    weights: Mapping[str, float] | None = None, *, with_thinking: bool = True
) -> dict[str, float]:
    """Reward → weight in the order of the seven, zeros left out.

    Without thinking the two rewards of the trace are left out and the others scaled to sum 1.
    """
    given = weights or dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
    kept = {
        name: given[name]
        for name in REWARDS
        if given.get(name, 0) > 0 and (with_thinking or not name.startswith("Think"))
    }
    if with_thinking:
        return kept
    total = sum(kept.values()) or 1
    return {name: round(weight / total, 6) for name, weight in kept.items()}


def stage_arguments(
    recipe: TrainingRecipe,
    stage: TrainingStage,
    *,
    with_thinking: bool = True,
    weights: Mapping[str, float] | None = None,
    overrides: Mapping[str, JsonValue] | None = None,
) -> dict[str, Any]:
    """The recipe's arguments with rewards and thinking filled in; overrides come last."""
    arguments = recipe.stage(stage)
    if not with_thinking:
        arguments |= recipe.without_thinking
    if stage == "grpo":
        chosen = reward_weights(weights, with_thinking=with_thinking)
        arguments["reward_funcs"] = list(chosen)
        arguments["reward_weights"] = list(chosen.values())
        arguments["enable_thinking"] = with_thinking
    return arguments | dict(overrides or {})


def recipe_files(
    name: str,
    *,
    with_thinking: bool = True,
    weights: Mapping[str, float] | None = None,
    model: str | None = None,
    preferences: Sequence[TrainingStage] = (),
) -> dict[str, bytes]:
    """What a bundle carries so that a person can train by hand: YAML files and `train.sh`.

    `preferences` are `dpo` and `kto` where the bundle has their rows.

    Paths in them are relative to the bundle, so the bytes are the same wherever it is made.
    """
    recipe = get_recipe(name)
    files: dict[str, bytes] = {}
    stages: list[TrainingStage] = [
        each for each in TRAINED if each in ("sft", "grpo", *preferences)
    ]
    for stage in stages:
        arguments = stage_arguments(recipe, stage, with_thinking=with_thinking, weights=weights)
        arguments["model"] = model or arguments["model"]
        files[f"{stage}.yaml"] = to_yaml(arguments)
    begins_with = model or (None if recipe.builds_model else str(recipe.sft["model"]))
    files["train.sh"] = train_script(stages, program=recipe.program, model=begins_with)
    if begins_with is None:
        files["tiny_model.py"] = (Path(__file__).parent / "tiny_model.py").read_bytes()
    return files


def to_yaml(arguments: Mapping[str, Any]) -> bytes:
    """Arguments as a file that `swift` takes as its first word; there is no null in it."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return yaml.safe_dump(given, allow_unicode=True, sort_keys=False).encode()


def _read(path: Path) -> dict[str, Any]:
    return cast(dict[str, Any], yaml.safe_load(path.read_text("utf-8")))
