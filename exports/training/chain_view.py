"""What the training page shows: chains and runs, live from their rows and folders."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from db.access import training
from db.engine import Database
from db.tables import Chain, Run
from exports.training import launch
from exports.training.alarms import alarms_of
from exports.training.follow import curves_of, one_curve_each, read_log
from exports.training.outcome import last_lines
from exports.training.places import find_place
from exports.training.resuming import find_resume_point
from exports.training.waiting import in_queue
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import (
    STAGES,
    TRAINED,
    ChainSummary,
    ChainView,
    Check,
    Point,
    RunOrder,
    RunView,
    Stage,
    StageView,
    Told,
)
from schemas.training_alarms import Alarm
from schemas.training_gates import GATES
from schemas.training_stages import TrainingStage, to_training_stage

LOG_LINES = 80


def list_chains(database: Database, who: Actor, *, limit: int = 50) -> list[ChainSummary]:
    """Chains of the project, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        return [
            ChainSummary.model_validate(_head(chain, name))
            for chain, name in training.list_chains(session, who.project_id, limit)
        ]


def chain_view(
    database: Database,
    settings: Settings,
    who: Actor,
    chain_id: str,
    *,
    with_curves: bool = True,
) -> ChainView:
    """One chain with everything its page draws; curves and log have a way of their own (`live`).

    Raises:
        NotFound: `training.chain_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        chain = training.get_chain(session, who.project_id, chain_id)
        bundle = training.get_bundle(session, who.project_id, chain.bundle_id)
        attempts = {str(each): training.list_attempts(session, chain_id, each) for each in TRAINED}
    runs = {stage: found[-1] if found else None for stage, found in attempts.items()}
    curves: dict[TrainingStage, dict[str, tuple[Point, ...]]] = {}
    alarms: list[Alarm] = []
    for stage in TRAINED:
        run = runs[stage]
        if run is not None:
            folders = [settings.home / each.folder for each in attempts[stage]]
            if with_curves:
                curves[stage] = one_curve_each(curves_of(each) for each in folders)
            alarms += alarms_of(folders, settings.home / bundle.folder, stage)
    latest = max((run for run in runs.values() if run), key=lambda run: run.id, default=None)
    return ChainView.model_validate(
        {
            **_head(chain, bundle.name),
            "stages": _stages(database, settings, chain, runs),
            "series": curves,
            "alarms": tuple(alarms),
            "resume": _resume(chain, attempts, settings),
            "log_tail": last_lines(settings.home / latest.folder, LOG_LINES)
            if latest and with_curves
            else "",
        }
    )


def list_runs(database: Database, settings: Settings, who: Actor, limit: int = 50) -> list[RunView]:
    """Runs of the project, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        rows = training.list_runs(session, who.project_id, None, limit)
    return [_run(database, row, settings) for row in rows]


def run_view(database: Database, settings: Settings, who: Actor, run_id: str) -> RunView:
    """One run with the end of its log.

    Raises:
        NotFound: `training.run_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        row = training.get_run(session, who.project_id, run_id)
        bundle = training.get_bundle(session, who.project_id, row.bundle_id)
    folder, stage = settings.home / row.folder, to_training_stage(row.stage)
    alarms = alarms_of([folder], settings.home / bundle.folder, stage)
    update = {"log_tail": last_lines(folder, LOG_LINES), "alarms": alarms}
    return _run(database, row, settings).model_copy(update=update)


def log_since(
    database: Database, settings: Settings, who: Actor, run_id: str, offset: int
) -> tuple[str, int]:
    """The log of a run since an offset, and where to go on."""
    who.require("reviewer")
    with database.reading() as session:
        row = training.get_run(session, who.project_id, run_id)
    return read_log(settings.home / row.folder, offset)


def _head(chain: Chain, bundle_name: str) -> dict[str, object]:
    said = training.stage_report(chain.report, chain.stage).get("state")
    return {
        "id": chain.id,
        "bundle_id": chain.bundle_id,
        "bundle_name": bundle_name,
        "recipe": chain.recipe,
        "state": "waiting" if chain.state == "running" and said == "waiting" else chain.state,
        "stage": chain.stage,
        "created_at": chain.created_at,
        "finished_at": chain.finished_at,
    }


def _stage(chain: Chain, stage: Stage, run: Run | None, settings: Settings) -> StageView:
    said = training.stage_report(chain.report, stage)
    known = {name: said[name] for name in StageView.model_fields if name in said}
    is_on = stage in cast(list[str], chain.order.get("stages") or STAGES)
    fields: dict[str, object] = {"name": stage, "state": "waiting" if is_on else "off", **known}
    if run is not None:
        folder = settings.home / run.folder
        status = launch.look(folder).status
        fields |= {"run_id": run.id, "command": _command(folder)}
        alarms = _alarms(folder)
        if alarms:
            fields["checks"] = (alarms,)
        if status is not None:
            fields["heartbeat"] = _moment(status.heartbeat)
            if status.state == "stopping":
                fields["stop_phase"] = status.stop_phase
                fields["stop_deadline"] = _moment(status.stop_deadline)
    return StageView.model_validate(fields)


def _stages(
    database: Database, settings: Settings, chain: Chain, runs: Mapping[str, Run | None]
) -> tuple[StageView, ...]:
    found: list[StageView] = []
    for stage in STAGES:
        run = runs.get(stage)
        view = _stage(chain, stage, run, settings)
        found.append(_in_queue(database, view, run) if run else view)
    return tuple(found)


def _in_queue(database: Database, found: StageView, run: Run) -> StageView:
    """A stage that waits for devices says how long the queue is and who stands before."""
    said = _queued(database, run)
    return found.model_copy(update={"reason": said.code, "values": said.values}) if said else found


def _queued(database: Database, run: Run) -> Told | None:
    place = find_place(database, run.project_id, run.folder) if run.state == "waiting" else None
    return in_queue(place) if place and place.devices is None else None


def _said(database: Database, run: Run) -> Told | None:
    """What its chain says of a run: why it waits, or how it ended."""
    if run.chain_id is None:
        return None
    with database.reading() as session:
        report = training.get_chain(session, None, run.chain_id).report
    said = training.stage_report(report, run.stage)
    if said.get("run_id") != run.id or not said.get("reason"):
        return None
    return Told.model_validate({"code": said["reason"], "values": said.get("values") or {}})


def _resume(chain: Chain, attempts: Mapping[str, list[Run]], settings: Settings) -> Told | None:
    """What going on with a chain that failed or was stopped would do."""
    if chain.state not in ("failed", "stopped"):
        return None
    states = {each: training.stage_report(chain.report, each).get("state") for each in STAGES}
    stage = next((each for each in STAGES if states[each] in ("failed", "stopped")), None)
    if stage is None or stage not in attempts:
        is_gate = stage and training.stage_report(chain.report, stage).get("reason") in GATES
        return Told(code=f"training.resume_{'past_gate' if is_gate else 'stage'}")
    point = find_resume_point(settings.home / run.folder for run in attempts[stage])
    if point is None:
        return Told(code="training.resume_from_start", values={"stage": stage.upper()})
    values = {"stage": stage.upper(), "step": point.step, "steps": point.steps}
    code = "resume_at_end" if point.step >= point.steps else "resume_from_step"
    return Told.model_validate({"code": f"training.{code}", "values": values})


def _alarms(folder: Path) -> Check | None:
    """Rewards that broke on a completion and scored 0, as a check that did not pass."""
    path = folder / "reward_alarms.jsonl"
    count = path.read_bytes().count(b"\n") if path.exists() else 0
    if count == 0:
        return None
    values: dict[str, JsonValue] = {"count": count, "file": str(path)}
    return Check(name="alarms", is_passed=False, code="training.reward_alarms", values=values)


def _run(database: Database, row: Run, settings: Settings) -> RunView:
    folder = settings.home / row.folder
    seen = launch.look(folder)
    status = seen.status
    # Of a run that waits there is no folder yet; of one on several nodes it holds one node's part.
    is_in_the_row = row.state == "waiting" or (row.state in launch.OVER and row.state != seen.state)
    told = (_queued(database, row) or _said(database, row)) if is_in_the_row else None
    fields: Mapping[str, object] = row.model_dump()
    names = RunView.model_fields.keys() & fields.keys()
    return RunView.model_validate(
        {
            **{name: fields[name] for name in names},
            "state": row.state if is_in_the_row else seen.state,
            "reason": (told.code if told else row.reason) if is_in_the_row else seen.reason,
            "values": told.values if told else seen.values,
            "exit_code": status.exit_code if status else None,
            "checkpoint": (status.checkpoint if status else None) or row.checkpoint,
            "folder": str(folder),
            "command": _command(folder) or "",
        }
    )


def _command(folder: Path) -> str | None:
    path = folder / "order.json"
    if not path.exists():
        return None
    order = RunOrder.model_validate_json(path.read_bytes())
    return launch.copyable(order.command, order.environment)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
