"""One planner on one benchmark: ours is served first, an external one is called where it is."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from db.access import training
from db.durable import Durable, Interrupted, resources, step, workflow
from db.engine import Database
from db.tables import Planner, Run
from exports.asking import Asking
from exports.evaluate import (
    external_planner,
    fail_evaluation,
    open_evaluation,
    run_evaluation,
)
from exports.training.chain_view import run_config
from exports.training.evaluation import serving_folder
from exports.training.serve import serving
from exports.training.verify import read_manifest
from schemas.errors import InvalidInput, ModelServiceError, NotFound, PlanwrightError
from schemas.evaluation import EvaluationOrder, Figures
from schemas.people import Actor
from schemas.settings import Settings


def start_evaluation(
    database: Database, durable: Durable, who: Actor, order: EvaluationOrder
) -> str:
    """Evaluate in the background; the evaluation's id.

    Raises:
        InvalidInput: `evaluate.planner_or_endpoint`.
        NotFound: no such planner or benchmark.
    """
    evaluation_id = _open(database, who, order)
    work = f"evaluation-{evaluation_id}"
    durable.start(run_order, work, evaluation_id, order.model_dump(mode="json"))
    return evaluation_id


def evaluate_now(
    database: Database, settings: Settings, who: Actor, order: EvaluationOrder
) -> tuple[str, Figures]:
    """Evaluate in this process: the evaluation's id, and its figures.

    Raises:
        PlanwrightError: why it could not be finished; the evaluation says so too.
    """
    evaluation_id = _open(database, who, order)
    return evaluation_id, _evaluate(database, settings, evaluation_id, order, _go_on)


@workflow("evaluation.run")
def run_order(evaluation_id: str, order: dict[str, object]) -> None:
    """Drive an evaluation to its end."""
    ask_order(evaluation_id, order)


@step("evaluation.ask")
def ask_order(evaluation_id: str, order: dict[str, object]) -> None:
    """Ask what is missing; a failure is written down and ends the evaluation."""
    held = resources()

    def pause(seconds: float) -> None:
        if held.closing.wait(seconds):
            raise Interrupted

    wanted = EvaluationOrder.model_validate(order)
    try:
        _evaluate(held.database, held.settings, evaluation_id, wanted, pause)
    except PlanwrightError:
        return  # written down where people look


def _open(database: Database, who: Actor, order: EvaluationOrder) -> str:
    who.require("admin")
    if order.planner is not None:
        with database.reading() as session:
            planner = training.find_planner(session, who.project_id, order.planner)
        if planner is None:
            raise NotFound("evaluate.planner_not_found", planner=order.planner)
        planner_id = planner.id
    elif order.endpoint and order.model:
        planner_id = external_planner(database, who, order.endpoint, order.model)
    else:
        raise InvalidInput("evaluate.planner_or_endpoint")
    return open_evaluation(
        database, who.project_id, planner_id, order.benchmark, person_id=who.person_id
    )


def _evaluate(
    database: Database,
    settings: Settings,
    evaluation_id: str,
    order: EvaluationOrder,
    pause: Callable[[float], None],
) -> Figures:
    try:
        with ExitStack() as stack:
            asking = _asking(database, settings, evaluation_id, order, stack)
            return run_evaluation(database, evaluation_id, asking, limit=order.limit, pause=pause)
    except PlanwrightError as error:
        fail_evaluation(database, evaluation_id, error)
        raise


def _asking(
    database: Database,
    settings: Settings,
    evaluation_id: str,
    order: EvaluationOrder,
    stack: ExitStack,
) -> Asking:
    """Whom to ask; a planner of ours is served until the stack unwinds."""
    with database.reading() as session:
        planner = training.get_planner_of_evaluation(session, evaluation_id)
        run = session.get(Run, planner.run_id) if planner.run_id else None
        bundle = training.get_bundle(session, run.project_id, run.bundle_id) if run else None
    if planner.is_external or run is None or bundle is None:
        return Asking(
            url=str(planner.endpoint),
            key=_key(order.key_env),
            model=str(planner.model),
            max_tokens=order.max_tokens,
            with_thinking=order.with_thinking,
            template=None,
        )
    with_thinking = bool(
        read_manifest(settings.home / bundle.folder).get("recipe", {}).get("with_thinking", True)
    )
    config = run_config(settings.home / run.folder)
    endpoint = stack.enter_context(
        serving(
            settings,
            serving_folder(settings, evaluation_id),
            checkpoint=_checkpoint(planner),
            base_model=str(config["model"]),
            with_thinking=with_thinking,
            is_on_cpu=config["torch_dtype"] == "float32",
        )
    )
    return Asking(
        url=endpoint.url,
        key=endpoint.key,
        model=endpoint.model,
        max_tokens=order.max_tokens,
        with_thinking=with_thinking,
        template=str(config["template"]),
    )


def _checkpoint(planner: Planner) -> str:
    if planner.checkpoint is None or not Path(planner.checkpoint).is_dir():
        raise NotFound("evaluate.planner_without_checkpoint", planner=planner.name)
    return planner.checkpoint


def _key(variable: str | None) -> str:
    if variable is None:
        return "none"
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ModelServiceError("evaluate.key_missing", name=variable)
    return key


def _go_on(_seconds: float) -> None:
    """A command is not asked to leave: it is interrupted."""
