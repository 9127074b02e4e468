"""The attempts of a training stage: each is a run, and a later one goes on from what was saved.

Every function may be asked again, by another process too, and does nothing twice.
"""

from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from pydantic import JsonValue

from db.access import training
from db.tables import Run
from db.tables.base import now
from exports.training import gathering, launch, places
from exports.training.beginning import start_from
from exports.training.recipes import TrainingRecipe, TrainingStage
from exports.training.resuming import find_resume_point, to_resume_point
from exports.training.stages import Job, Outcome, file_hash
from exports.training.waiting import label, wait_for_devices
from schemas.errors import TrainingError
from schemas.scoring.source import source_hash
from schemas.training import TRAINED, RunOrder, Told
from schemas.training_stages import to_training_stage

POLL_S = 0.5
RESUMED = "resume_from_checkpoint"


def train(job: Job, stage: TrainingStage) -> Outcome:
    """A training: find or start the run, then stay beside it until it is over."""
    run = _find_or_add_run(job, stage)
    folders = gathering.folders_of(job, run) if job.order.nodes else [run.folder]
    job.tell(stage, run_id=run.id)
    try:
        seen = _train_together(job, stage, run) if job.order.nodes else _train_here(job, stage, run)
    except TrainingError as error:  # it cannot begin; nobody waits for it any more
        _settle(job, run.id, launch.Look("failed", error.code, {}, None))
        places.give_back(job.database, folders)
        if job.order.nodes:
            gathering.disband(job, run)
        raise
    if seen is None:
        seen = launch.Look("stopped", "training.stopped_waiting", {}, None)
    _settle(job, run.id, seen)
    places.give_back(job.database, folders)
    reason = seen.reason or "training.supervisor_lost"
    match seen.state:
        case "succeeded":
            return Outcome("succeeded", reason, seen.values)
        case "stopped":
            return Outcome("stopped", reason, seen.values)
        case _:
            return Outcome("failed", reason, seen.values)


def _train_here(job: Job, stage: TrainingStage, run: Run) -> launch.Look | None:
    """On this machine; None if it was stopped while it waited."""
    folder = job.settings.home / run.folder
    if launch.read_status(folder) is None:
        wanted = job.recipe.devices
        devices = wait_for_devices(
            job, stage, run.folder, wanted, lambda: _set_waiting(job, run.id)
        )
        if devices is None:
            return None
        _prepare(job, run, folder, devices)
    job.tell(stage, state="running", **({"reason": None} | _beginning(run)))
    while True:
        seen = launch.look(folder)
        if seen.state in launch.OVER:
            return seen
        if seen.status is None and not launch.is_supervised(folder):
            launch.ensure_started(folder)
        if job.is_stopping():
            launch.ask_to_stop(folder)
        _note(job, run.id, seen)
        job.pause(POLL_S)


def _train_together(job: Job, stage: TrainingStage, run: Run) -> launch.Look | None:
    """On the nodes of the order; None if it was stopped while it waited."""
    folder = job.settings.home / run.folder
    gathering.open_gang(job, run)
    _prepare(job, run, folder, ())
    told: Told | None = None
    while not gathering.has_begun(job, run):
        if job.is_stopping():
            gathering.disband(job, run)
            return None
        waiting = gathering.gather(job, run, label(job, stage))
        if waiting and waiting != told:
            told = waiting
            _set_waiting(job, run.id)
            job.tell(stage, state="waiting", reason=told.code, values=told.values)
        job.pause(POLL_S)
    job.tell(stage, state="running", **({"reason": None} | _beginning(run)))
    while True:
        seen = gathering.stay(job, run)
        if seen is not None:
            return seen
        _note(job, run.id, launch.look(folder))
        job.pause(POLL_S)


def last_checkpoint(job: Job, stage: TrainingStage) -> str | None:
    """The checkpoint that the stage before this one ended with; None where none has trained."""
    with job.database.reading() as session:
        for before in reversed(TRAINED[: TRAINED.index(stage)]):
            run = training.find_run(session, job.chain_id, before)
            if run and run.state == "succeeded" and run.checkpoint:
                return run.checkpoint
    return None


def _find_or_add_run(job: Job, stage: TrainingStage) -> Run:
    """The run of this stage that is not over, or a new attempt; one transaction, so only one."""
    with job.database.transaction() as session:
        known = training.find_run(session, job.chain_id, stage)
        chain = training.get_chain(session, None, job.chain_id)
        attempt = training.attempt_of(chain)
        # One run for each attempt of the chain: a step that is repeated after a crash finds it.
        if known and (known.state not in launch.OVER or known.attempt == attempt):
            return known
        before = training.list_attempts(session, job.chain_id, stage)
        run = Run(
            project_id=job.project_id,
            chain_id=job.chain_id,
            bundle_id=job.bundle_id,
            stage=stage,
            attempt=attempt,
            recipe=job.recipe.name,
            folder="",
            token=token_hex(16),
            scoring_hash=source_hash(),
            dataset_hash=file_hash(job.bundle / f"{stage}.jsonl"),
            created_by=job.person_id,
        )
        run.folder = f"runs/{run.id}"
        point = find_resume_point(job.settings.home / each.folder for each in before)
        if point is not None:
            run.parameters = {RESUMED: point.checkpoint}
        session.add(run)
        return run


def _set_waiting(job: Job, run_id: str) -> None:
    with job.database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.state = "waiting"
        session.add(run)


def _prepare(job: Job, run: Run, folder: Path, devices: tuple[str, ...]) -> None:
    """Write the run folder; the stage before gives the checkpoint to begin from."""
    stage = to_training_stage(run.stage)
    begun = last_checkpoint(job, stage)
    arguments = start_from(stage, job.arguments(stage), model=job.model(), checkpoint=begun)
    arguments |= run.parameters
    if job.order.nodes and job.recipe.devices == 0:
        arguments["use_cpu"] = True  # else each process trains for itself
    arguments |= {"output_dir": str((folder / "output").resolve()), "add_version": False}
    rows = (job.bundle / f"{stage}.jsonl").read_bytes().count(b"\n")
    config = (folder / "config.yaml").resolve()
    order = RunOrder(
        command=launch.stage_command(
            job.settings, stage, config, program=job.recipe.program, arguments=arguments
        ),
        environment={
            "MODELSCOPE_CACHE": str((folder / "modelscope").resolve()),
            "PYTHONUNBUFFERED": "1",
            "PLANWRIGHT_REWARD_LOG": str((folder / "rewards.jsonl").resolve()),
            **({"CUDA_VISIBLE_DEVICES": ",".join(devices)} if devices else {}),
        },
        token=run.token,
        expected_rows=None if is_uncounted(job.recipe, arguments) else rows,
        resumed_from=_resumed_from(run),
    )
    launch.prepare(folder, order, arguments)


def is_uncounted(recipe: TrainingRecipe, arguments: Mapping[str, object]) -> bool:
    """Whether the trainer says nowhere how many rows it kept: Ray's driver for Megatron does not.

    A row that it cannot take ends the run all the same (`strict`).
    """
    return recipe.program == "megatron" and bool(arguments.get("use_ray"))


def _resumed_from(run: Run) -> str | None:
    checkpoint = run.parameters.get(RESUMED)
    return checkpoint if isinstance(checkpoint, str) else None


def _beginning(run: Run) -> dict[str, JsonValue]:
    """What a stage says of where its run began, while it runs."""
    point = to_resume_point(Path(_resumed_from(run) or ""))
    if point is None:
        return {}
    values: dict[str, JsonValue] = {"step": point.step, "steps": point.steps}
    return {"reason": "training.went_on_from", "values": {**values, "attempt": run.attempt}}


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
