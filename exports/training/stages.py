"""What each stage of a chain does; each may be asked again and does nothing twice.

The driver gives a `Job` and takes an `Outcome`. Between two looks at a run the job pauses, which
raises when the process wants to leave: the run goes on, and the next process looks again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import JsonValue

from db.access import training
from db.engine import Database
from exports.checks.sources import Ground
from exports.training.ask import tiny_model
from exports.training.beginning import files_of, start_from
from exports.training.preflight import Plan, preflight
from exports.training.recipes import TrainingRecipe, TrainingStage, stage_arguments
from exports.training.verify import read_manifest
from schemas.settings import Settings
from schemas.training import TRAINED, ChainOrder, Stage, StageState

POLL_S = 0.5


@dataclass(frozen=True)
class Job:
    """A chain in hand; `pause` waits so many seconds, or raises when this process must leave."""

    database: Database
    settings: Settings
    chain_id: str
    project_id: str
    person_id: str | None
    bundle_id: str
    bundle: Path
    recipe: TrainingRecipe
    order: ChainOrder
    pause: Callable[[float], None]
    executor_id: str = ""
    """Who drives it; answers for its place in a queue."""

    @cached_property
    def terms(self) -> dict[str, Any]:
        """The recipe that the bundle was made by."""
        return read_manifest(self.bundle).get("recipe", {})

    @property
    def with_thinking(self) -> bool:
        """Whether the bundle's answers think."""
        return bool(self.terms.get("with_thinking", True))

    def model(self) -> str:
        """The model to begin from, as an absolute folder where it is one."""
        if self.order.model is not None:
            path = Path(self.order.model)
            return str(path.resolve()) if path.exists() else self.order.model
        if self.recipe.builds_model:
            return str(tiny_model(self.settings, self.bundle))
        return str(self.recipe.sft["model"])

    def arguments(self, stage: TrainingStage) -> dict[str, Any]:
        """The recipe's arguments for this bundle, with absolute paths."""
        arguments = stage_arguments(
            self.recipe,
            stage,
            with_thinking=self.with_thinking,
            weights=self.order.weights or self.terms.get("weights"),
            overrides=self.order.overrides.get(stage),
        )
        return arguments | files_of(stage, str(self.bundle.resolve()))

    def is_stopping(self) -> bool:
        """Whether somebody has asked the chain to stop."""
        with self.database.reading() as session:
            return training.get_chain(session, None, self.chain_id).state == "stopping"

    def tell(self, stage: Stage, **changes: JsonValue) -> None:
        """Write down what a stage has to say while it runs."""
        with self.database.transaction() as session:
            training.set_stage(session, self.chain_id, stage, **changes)


class Outcome(NamedTuple):
    """How a stage ended, in words of the area `training` (or `evaluate`), and what it found."""

    state: StageState
    reason: str
    values: Mapping[str, JsonValue] = MappingProxyType({})
    found: Mapping[str, JsonValue] = MappingProxyType({})


def check(job: Job) -> Outcome:
    """Preflight."""
    model = job.model()
    arguments: dict[TrainingStage, dict[str, Any]] = {
        stage: start_from(stage, job.arguments(stage), model=model, checkpoint=None)
        for stage in TRAINED
        if stage in job.order.stages
    }
    if not arguments:
        return Outcome("succeeded", "training.nothing_to_check")
    plan = Plan(job.bundle, job.recipe, arguments, model, job.with_thinking, job.order.nodes)
    result = preflight(plan, job.settings, Ground(job.database, job.project_id))
    found: dict[str, JsonValue] = {
        "checks": [each.model_dump(mode="json") for each in result.checks],
        "figures": {
            f"{file}/{name}": value
            for file, report in (result.rows.files if result.rows else {}).items()
            for name, value in (report.lengths or {}).items()
        },
    }
    failed = [each for each in result.checks if not each.is_passed]
    if failed:
        return Outcome("failed", failed[0].code, failed[0].values, found)
    return Outcome("succeeded", "training.checks_passed", {"count": len(result.checks)}, found)


def freeze(job: Job) -> Outcome:
    """The files must be those that the manifest names, byte for byte."""
    files = read_manifest(job.bundle).get("files", {})
    for name, fact in files.items():
        path = job.bundle / name
        if not path.exists():
            return Outcome("failed", "training.file_missing", {"file": name})
        if file_hash(path) != fact["sha256"]:
            return Outcome("failed", "training.file_changed", {"file": name})
    if not files:
        return Outcome("failed", "training.no_manifest")
    return Outcome("succeeded", "training.frozen", {"count": len(files)})


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
