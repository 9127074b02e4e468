"""What is about to be trained, as the checks before a launch see it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from exports.training.recipes import TrainingRecipe
from schemas.training import Check, TrainingStage

__all__ = ["Plan", "told"]


class Plan(NamedTuple):
    """The final arguments by stage, and where they begin."""

    bundle: Path
    recipe: TrainingRecipe
    arguments: Mapping[TrainingStage, Mapping[str, Any]]
    model: str
    with_thinking: bool
    nodes: tuple[str, ...] = ()
    """Names of the nodes that train together; empty for this machine."""


def told(name: str, problem: str | None = None, **values: JsonValue) -> Check:
    """A check that passed, or the sentence on why it did not."""
    return Check(
        name=name,
        is_passed=problem is None,
        code=f"training.{problem or f'passed_{name}'}",
        values=values,
    )
