"""Planners: what a run's checkpoint became, how it was trained, and which one a person promoted."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from db.access import training
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import Planner, Run
from exports.training.run_config import run_config
from exports.training.serve import Served
from exports.training.verify import read_manifest
from schemas.errors import NotFound, TransitionRefused
from schemas.people import Actor
from schemas.settings import Settings


class Trained(NamedTuple):
    """How a planner of ours was trained, as its run's folder says."""

    base_model: str
    template: str
    with_thinking: bool
    is_on_cpu: bool


def planner_of_run(database: Database, run: Run) -> str:
    """The planner that a run's checkpoint is, made known on first use; its id.

    Raises:
        TransitionRefused: `serving.no_checkpoint`.
    """
    checkpoint = Path(run.checkpoint or "")
    if not run.checkpoint or not checkpoint.is_dir():
        raise TransitionRefused("serving.no_checkpoint", run=run.id)
    with database.reading() as session:
        known = training.find_planner_of_run(session, run.id)
    if known is not None:
        return known.id
    digest = checkpoint_hash(checkpoint)
    with database.transaction() as session:
        take_turns(session, f"planner of {run.id}")
        row = training.find_planner_of_run(session, run.id)
        if row is None:
            row = Planner(
                project_id=run.project_id,
                name=f"{run.recipe}-{run.stage}-{run.id[-6:]}",
                run_id=run.id,
                checkpoint=str(checkpoint),
                checkpoint_hash=digest,
            )
            session.add(row)
        return row.id


def find_planner(database: Database, who: Actor, reference: str) -> Planner:
    """A planner by id or name, or the one that a run (by id) became.

    Raises:
        NotFound: `evaluate.planner_not_found`.
        TransitionRefused: `serving.no_checkpoint`.
    """
    with database.reading() as session:
        row = training.find_planner(session, who.project_id, reference)
        run = None if row else session.get(Run, reference)
    if row is not None:
        return row
    if run is None or run.project_id != who.project_id:
        raise NotFound("evaluate.planner_not_found", planner=reference)
    planner_id = planner_of_run(database, run)
    with database.reading() as session:
        return session.get_one(Planner, planner_id)


def promote_planner(database: Database, who: Actor, planner_id: str) -> None:
    """Say that this planner is the one that the project stands by; the one before steps back.

    Raises:
        NotFound: `evaluate.planner_not_found`.
    """
    who.require("admin")
    with database.transaction() as session:
        take_turns(session, f"promotions of {who.project_id}")
        rows = training.list_planners(session, who.project_id)
        chosen = next((each for each in rows if each.id == planner_id), None)
        if chosen is None:
            raise NotFound("evaluate.planner_not_found", planner=planner_id)
        if chosen.is_promoted:
            return
        before = [each.id for each in rows if each.is_promoted]
        for each in rows:
            each.is_promoted = each is chosen
            session.add(each)
        why: dict[str, object] = {"before": before}
        add_event(session, who, "planner", chosen.id, "promoted", after="promoted", why=why)


def find_trained(session: Session, settings: Settings, planner: Planner) -> Trained | None:
    """How a planner was trained; none of an external one.

    Raises:
        NotFound: `evaluate.planner_without_checkpoint`; its run's folder is gone.
    """
    run = session.get(Run, planner.run_id) if planner.run_id else None
    if planner.is_external or run is None:
        return None
    bundle = training.get_bundle(session, run.project_id, run.bundle_id)
    if not (settings.home / run.folder).is_dir():
        raise NotFound("evaluate.planner_without_checkpoint", planner=planner.name)
    recipe = read_manifest(settings.home / bundle.folder).get("recipe", {})
    config = run_config(settings.home / run.folder)
    return Trained(
        base_model=str(config["model"]),
        template=str(config["template"]),
        with_thinking=bool(recipe.get("with_thinking", True)),
        is_on_cpu=config["torch_dtype"] == "float32",
    )


def served_of(planner: Planner, trained: Trained) -> Served:
    """What is served of a planner.

    Raises:
        NotFound: `evaluate.planner_without_checkpoint`; its checkpoint is gone.
    """
    if planner.checkpoint is None or not Path(planner.checkpoint).is_dir():
        raise NotFound("evaluate.planner_without_checkpoint", planner=planner.name)
    return Served(planner.checkpoint, trained.base_model, trained.with_thinking, trained.is_on_cpu)


def checkpoint_hash(checkpoint: Path) -> str:
    """SHA-256 over names and bytes of the weights of a checkpoint."""
    digest = hashlib.sha256()
    for path in sorted(checkpoint.glob("*.safetensors")):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()
