"""Variants of a recipe: named changes of its arguments, such as LoRA instead of all weights.

They stand in `recipes/NAME/variants.yaml`, in plain sight: what each changes, by stage and for
`every` stage; an argument that becomes null is left out. Of a group at most one is chosen.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import BaseModel, ConfigDict

from schemas.errors import InvalidInput, NotFound
from schemas.training_stages import TRAINED, Stage, TrainingStage

FOLDER = Path(__file__).parent / "recipes"
EVERY = "every"


class Variant(BaseModel):
    """One variant; the sentence on it is `training.variant_…` with `-` as `_`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    group: str
    """What it decides: weights, sharding, sampling or order."""
    without: tuple[Stage, ...] = ()
    """Stages that it leaves out."""
    beside: str | None = None
    """A command that must run beside the training, with `{model}` in it."""
    every: dict[str, Any] = {}
    sft: dict[str, Any] = {}
    dpo: dict[str, Any] = {}
    kto: dict[str, Any] = {}
    grpo: dict[str, Any] = {}

    @property
    def code(self) -> str:
        """The sentence on what it changes, of the area `training`."""
        return f"training.variant_{self.name.replace('-', '_')}"

    def changes_alone(self, stage: TrainingStage) -> bool:
        """Whether it changes this stage in a way of its own."""
        return bool(getattr(self, stage))

    def changes(self, stage: TrainingStage) -> dict[str, Any]:
        """What becomes of the arguments of a stage."""
        return self.every | cast(dict[str, Any], getattr(self, stage))


@cache
def list_variants(recipe: str) -> tuple[Variant, ...]:
    """The variants of a recipe, in the order of its file."""
    path = FOLDER / recipe / "variants.yaml"
    found = cast(dict[str, dict[str, Any]], yaml.safe_load(path.read_text("utf-8")))
    return tuple(Variant.model_validate({"name": name, **each}) for name, each in found.items())


def chosen_variants(recipe: str, names: Sequence[str]) -> tuple[Variant, ...]:
    """The variants with these names.

    Raises:
        NotFound: `training.variant_not_found`.
        InvalidInput: `training.variants_exclude`, two that decide the same.
    """
    known = {each.name: each for each in list_variants(recipe)}
    by_group: dict[str, Variant] = {}
    for name in names:
        if name not in known:
            raise NotFound("training.variant_not_found", name=name, names=", ".join(known))
        variant = known[name]
        other = by_group.setdefault(variant.group, variant)
        if other is not variant:
            raise InvalidInput("training.variants_exclude", one=other.name, other=name)
    return tuple(by_group.values())


def one_of_each_group(recipe: str, names: Sequence[str]) -> tuple[str, ...]:
    """The variants that stay where several of a group are named: the last of each."""
    known = {each.name: each.group for each in list_variants(recipe)}
    kept = {known[name]: name for name in names if name in known}
    return tuple(kept.values())


def lay_over(
    stages: Mapping[TrainingStage, Mapping[str, Any]], chosen: Sequence[Variant]
) -> dict[TrainingStage, dict[str, Any]]:
    """The arguments by stage under these variants; what is unknown to a stage it does not get."""
    found: dict[TrainingStage, dict[str, Any]] = {}
    for stage in TRAINED:
        arguments = dict(stages[stage])
        for variant in chosen:
            arguments |= variant.changes(stage)
        found[stage] = {name: value for name, value in arguments.items() if value is not None}
    return found


def stages_left(stages: Sequence[Stage], chosen: Sequence[Variant]) -> tuple[Stage, ...]:
    """The stages that the variants leave on."""
    off = {stage for variant in chosen for stage in variant.without}
    return tuple(stage for stage in stages if stage not in off)
