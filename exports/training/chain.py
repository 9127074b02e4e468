"""One click: preflight → freeze → SFT → short evaluation → GRPO → evaluation → compare.

A durable workflow with one step a stage. What is true stands in the rows of chain and runs and in
the run folders; a step that is repeated after a crash looks there first and starts nothing twice.
"""

import logging

from db.access import training
from db.access.events import add_event
from db.durable import Durable, Interrupted, resources, step, workflow
from db.engine import Backend, Database, take_turns
from db.tables import Chain
from db.tables.base import new_id, now
from exports.training import launch, stages
from exports.training.attempts import train
from exports.training.evaluation import compare_stages, evaluate_stage
from exports.training.pass_rate import pass_rate_stage
from exports.training.recipes import get_recipe
from schemas.errors import InvalidInput, PlanwrightError, TransitionRefused
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import STAGES, TRAINED, ChainOrder, Stage

READY = ("ready", "ready_lengths_unknown")


def start_chain(  # noqa: PLR0917  who, what, with what: as every service, in this order
    database: Database,
    durable: Durable,
    settings: Settings,
    who: Actor,
    bundle_id: str,
    recipe: str,
    order: ChainOrder | None = None,
) -> str:
    """Start a chain on a bundle; the same order on the same bundle while one is live is that one.

    Raises:
        NotFound: no such bundle or recipe.
        TransitionRefused: `training.bundle_not_ready`.
        InvalidInput: `training.nodes_need_postgresql`, `training.node_named_twice`.
    """
    who.require("admin")
    get_recipe(recipe, order.variants if order else ())
    _check_nodes(database, order)
    wanted = (order or ChainOrder()).model_dump(mode="json")
    with database.transaction() as session:
        take_turns(session, f"chains of {who.project_id}")
        bundle = training.get_bundle(session, who.project_id, bundle_id)
        if bundle.state not in READY:
            raise TransitionRefused("training.bundle_not_ready", bundle=bundle.name)
        live = training.find_live_chain(session, bundle_id, recipe)
        chain = next((each for each in live if each.order == wanted), None)
        if chain is None:
            chain = Chain(
                project_id=who.project_id,
                bundle_id=bundle_id,
                recipe=recipe,
                order=wanted,
                created_by=who.person_id,
            )
            session.add(chain)
            session.flush()
            add_event(session, who, "chain", chain.id, "started", after="running")
        chain_id, attempt = chain.id, training.attempt_of(chain)
    durable.start(run_chain, workflow_id(chain_id, attempt), chain_id)
    return chain_id


def _check_nodes(database: Database, order: ChainOrder | None) -> None:
    names = order.nodes if order else ()
    if names and database.backend is Backend.SQLITE:
        raise InvalidInput("training.nodes_need_postgresql")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise InvalidInput("training.node_named_twice", node=twice)


def stop_chain(
    database: Database, settings: Settings, who: Actor, chain_id: str, *, at_once: bool = False
) -> None:
    """Ask a chain to stop: its trainer saves and leaves, or leaves `at_once` without saving.

    Raises:
        TransitionRefused: `training.chain_is_over`.
    """
    who.require("admin")
    with database.transaction() as session:
        chain = training.get_chain(session, who.project_id, chain_id)
        if chain.state not in training.LIVE:
            raise TransitionRefused("training.chain_is_over", chain=chain_id)
        if chain.state == "running":
            chain.state = "stopping"
            session.add(chain)
            add_event(
                session, who, "chain", chain_id, "stop asked", before="running", after="stopping"
            )
        runs = training.list_runs(session, who.project_id, chain_id, limit=2)
        folders = [settings.home / run.folder for run in runs if run.state not in launch.OVER]
    for folder in folders:
        if folder.exists():
            launch.ask_to_stop(folder, at_once=at_once)


def resume_chain(
    database: Database, durable: Durable, settings: Settings, who: Actor, chain_id: str
) -> None:
    """Go on with a chain from the stage that failed or was stopped, or whose driver is gone.

    A training goes on from the last checkpoint of its attempts. A chain whose worker runs no more
    is driven from here; its run, if it still trains, is not disturbed.
    """
    who.require("admin")
    with database.transaction() as session:
        chain = training.get_chain(session, who.project_id, chain_id)
        if chain.state == "succeeded":
            raise TransitionRefused("training.chain_is_over", chain=chain_id)
        if chain.state in ("failed", "stopped"):
            add_event(
                session, who, "chain", chain_id, "resumed", before=chain.state, after="running"
            )
            chain.order = _past_gate(chain)
            chain.report = {**chain.report, "attempt": training.attempt_of(chain) + 1}
            chain.state, chain.finished_at = "running", None
            session.add(chain)
        attempt = training.attempt_of(chain)
    durable.take_over(run_chain, workflow_id(chain_id, attempt), chain_id)


def workflow_id(chain_id: str, attempt: int) -> str:
    """The id under which a chain's work is journalled."""
    return f"chain-{chain_id}-{attempt}"


@workflow("training.chain")
def run_chain(chain_id: str) -> None:
    """Drive a chain to its end, gate by gate."""
    for stage in STAGES:
        if not run_stage(chain_id, stage):
            break
    end_chain(chain_id)


@step("training.stage")
def run_stage(chain_id: str, stage: Stage) -> bool:
    """Do one stage; whether the next may follow."""
    job = _job(chain_id)
    with job.database.reading() as session:
        report = training.get_chain(session, None, chain_id).report
    known = training.stage_report(report, stage)
    if known.get("state") in ("succeeded", "skipped", "off"):
        return True
    if stage not in job.order.stages:
        job.tell(stage, state="off")
        return True
    has_run = stage in TRAINED and known.get("run_id") is not None
    if job.is_stopping() and not has_run:
        job.tell(stage, state="stopped", reason="training.stopped", values={})
        return False
    job.tell(stage, state="running", started_at=now().isoformat(), finished_at=None, reason=None)
    try:
        outcome = _perform(job, stage)
    except PlanwrightError as error:
        values = {name: str(value) for name, value in error.values.items()}
        is_stopped = error.code == "training.stopped_waiting"
        outcome = stages.Outcome("stopped" if is_stopped else "failed", error.code, {**values})
    except Exception:  # the edge of one stage: the chain ends and says so, whatever it was
        reference = new_id()[-8:]
        logging.getLogger(__name__).exception("stage %s, reference %s", stage, reference)
        outcome = stages.Outcome("failed", "training.defect", {"reference": reference})
    job.tell(
        stage,
        state=outcome.state,
        reason=outcome.reason,
        values=dict(outcome.values),
        finished_at=now().isoformat(),
        **outcome.found,
    )
    return outcome.state in ("succeeded", "skipped")


@step("training.end")
def end_chain(chain_id: str) -> None:
    """Write down how the chain ended: as its last stage did."""
    database = resources().database
    with database.transaction() as session:
        chain = training.get_chain(session, None, chain_id)
        states = [training.stage_report(chain.report, each).get("state") for each in STAGES]
        ended = next((each for each in ("failed", "stopped") if each in states), "succeeded")
        training.finish_chain(session, chain_id, ended)


def _perform(job: stages.Job, stage: Stage) -> stages.Outcome:
    match stage:
        case "preflight":
            return stages.check(job)
        case "freeze":
            return stages.freeze(job)
        case "sft" | "dpo" | "kto" | "grpo":
            return train(job, stage)
        case "evaluate_sft" | "evaluate_dpo" | "evaluate_kto" | "evaluate_grpo":
            return evaluate_stage(job, stage)
        case "pass_rate":
            return pass_rate_stage(job)
        case "compare":
            return compare_stages(job)


def _job(chain_id: str) -> stages.Job:
    held = resources()
    with held.database.reading() as session:
        chain = training.get_chain(session, None, chain_id)
        bundle = training.get_bundle(session, chain.project_id, chain.bundle_id)

    def pause(seconds: float) -> None:
        if held.closing.wait(seconds):
            raise Interrupted

    order = ChainOrder.model_validate(chain.order)
    return stages.Job(
        database=held.database,
        settings=held.settings,
        chain_id=chain_id,
        project_id=chain.project_id,
        person_id=chain.created_by,
        bundle_id=bundle.id,
        bundle=(held.settings.home / bundle.folder).resolve(),
        recipe=get_recipe(chain.recipe, order.variants),
        order=order,
        pause=pause,
        executor_id=held.executor_id,
    )


def _past_gate(chain: Chain) -> dict[str, object]:
    """The order without the gate that the chain stopped at: a person goes on all the same."""
    said = training.stage_report(chain.report, chain.stage)
    order = ChainOrder.model_validate(chain.order)
    gates = order.gates.without(str(said.get("reason") or ""))
    return order.model_copy(update={"gates": gates}).model_dump(mode="json")
