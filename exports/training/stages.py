"""What each stage of a chain does; each may be asked again and does nothing twice.

The driver gives a `Job` and takes an `Outcome`. Between two looks at a run the job pauses, which
raises when the process wants to leave: the run goes on, and the next process looks again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import JsonValue

from db.access import training
from db.engine import Database
from db.tables import Run
from db.tables.base import now
from exports.checks.sources import Ground
from exports.training import launch
from exports.training.ask import tiny_model
from exports.training.preflight import Plan, preflight
from exports.training.recipes import TrainingRecipe, TrainingStage, stage_arguments, start_from
from exports.training.verify import read_manifest
from schemas.scoring.source import source_hash
from schemas.settings import Settings
from schemas.training import ChainOrder, RunOrder, Stage, StageState

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
        arguments["dataset"] = [str((self.bundle / f"{stage}.jsonl").resolve())]
        if stage == "grpo":
            arguments["external_plugins"] = [str((self.bundle / "reward_plugin.py").resolve())]
        return arguments

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
    stages: tuple[TrainingStage, ...] = ("sft", "grpo")
    arguments: dict[TrainingStage, dict[str, Any]] = {
        stage: start_from(job.arguments(stage), model=model, checkpoint=None)
        for stage in stages
        if stage in job.order.stages
    }
    if not arguments:
        return Outcome("succeeded", "training.nothing_to_check")
    plan = Plan(job.bundle, job.recipe, arguments, model, job.with_thinking)
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


def train(job: Job, stage: TrainingStage) -> Outcome:
    """SFT or GRPO: find or start the run, then stay beside it until it is over."""
    run = _find_or_add_run(job, stage)
    folder = job.settings.home / run.folder
    _prepare(job, run, folder)
    job.tell(stage, run_id=run.id)
    while True:
        seen = launch.look(folder)
        if seen.state in launch.OVER:
            break
        if seen.status is None and not launch.is_supervised(folder):
            launch.ensure_started(folder)
        if job.is_stopping():
            launch.ask_to_stop(folder)
        _note(job, run.id, seen)
        job.pause(POLL_S)
    _settle(job, run.id, seen)
    reason = seen.reason or "training.supervisor_lost"
    match seen.state:
        case "succeeded":
            return Outcome("succeeded", reason, seen.values)
        case "stopped":
            return Outcome("stopped", reason, seen.values)
        case _:
            return Outcome("failed", reason, seen.values)


def last_checkpoint(job: Job, stage: TrainingStage) -> str | None:
    """The checkpoint that a stage of this chain ended with."""
    with job.database.reading() as session:
        run = training.find_run(session, job.chain_id, stage)
        return run.checkpoint if run and run.state == "succeeded" else None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find_or_add_run(job: Job, stage: TrainingStage) -> Run:
    """The run of this stage that is not over, or a new attempt; one transaction, so only one."""
    with job.database.transaction() as session:
        known = training.find_run(session, job.chain_id, stage)
        if known is not None and known.state not in launch.OVER:
            return known
        run = Run(
            project_id=job.project_id,
            chain_id=job.chain_id,
            bundle_id=job.bundle_id,
            stage=stage,
            attempt=known.attempt + 1 if known else 1,
            recipe=job.recipe.name,
            folder="",
            token=token_hex(16),
            scoring_hash=source_hash(),
            dataset_hash=file_hash(job.bundle / f"{stage}.jsonl"),
            created_by=job.person_id,
        )
        run.folder = f"runs/{run.id}"
        if known is not None and known.checkpoint:
            run.parameters = {"resume_from_checkpoint": known.checkpoint}
        session.add(run)
        return run


def _prepare(job: Job, run: Run, folder: Path) -> None:
    """Write the run folder; the stage before gives the checkpoint to begin from."""
    stage: TrainingStage = "grpo" if run.stage == "grpo" else "sft"
    begun = last_checkpoint(job, "sft") if stage == "grpo" else None
    arguments = start_from(job.arguments(stage), model=job.model(), checkpoint=begun)
    arguments |= run.parameters
    arguments |= {"output_dir": str((folder / "output").resolve()), "add_version": False}
    rows = (job.bundle / f"{stage}.jsonl").read_bytes().count(b"\n")
    config = (folder / "config.yaml").resolve()
    order = RunOrder(
        command=launch.stage_command(job.settings, stage, config),
        environment={
            "MODELSCOPE_CACHE": str((folder / "modelscope").resolve()),
            "PYTHONUNBUFFERED": "1",
            "PLANWRIGHT_REWARD_LOG": str((folder / "rewards.jsonl").resolve()),
        },
        token=run.token,
        expected_rows=rows,
    )
    launch.prepare(folder, order, arguments)


def _note(job: Job, run_id: str, seen: launch.Look) -> None:
    """Keep the run's row in step with its folder, writing only when something is new."""
    with job.database.reading() as session:
        known = session.get_one(Run, run_id)
        pid = seen.status.trainer.pid if seen.status and seen.status.trainer else None
        if known.state == seen.state and known.pid == pid:
            return
    with job.database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.state = seen.state
        if seen.status and seen.status.trainer:
            run.pid = seen.status.trainer.pid
            run.process_started = float(seen.status.trainer.started)
        session.add(run)


def _settle(job: Job, run_id: str, seen: launch.Look) -> None:
    """The verdict, once and for all."""
    with job.database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.state, run.reason, run.finished_at = seen.state, seen.reason, now()
        if seen.status:
            run.exit_code, run.checkpoint = seen.status.exit_code, seen.status.checkpoint
        session.add(run)
