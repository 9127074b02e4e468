"""One planner on one benchmark: ours is served first, an external one is called where it is."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from functools import partial

from db.access import training
from db.durable import Durable, Interrupted, resources, step, workflow
from db.engine import Database
from db.tables import Planner
from exports.asking import Asking
from exports.evaluate import (
    Manner,
    external_planner,
    fail_evaluation,
    open_evaluation,
    run_evaluation,
    work_of,
)
from exports.thinking_units import find_unit
from exports.training.deployments import find_standing
from exports.training.evaluation import serving_folder
from exports.training.planners import find_trained, served_of
from exports.training.serve import serving
from schemas.errors import InvalidInput, ModelServiceError, NotFound, PlanwrightError
from schemas.evaluation import EvaluationOrder, Figures
from schemas.people import Actor
from schemas.settings import Settings


def start_evaluation(
    database: Database, settings: Settings, durable: Durable, who: Actor, order: EvaluationOrder
) -> str:
    """Evaluate in the background; the evaluation's id. What is complete is not asked again.

    Raises:
        InvalidInput: `evaluate.planner_or_endpoint`.
        NotFound: no such planner, benchmark or tokenizer.
    """
    evaluation_id = _open(database, settings, who, order)
    work = work_of(database, evaluation_id)
    if work is not None:
        durable.start(run_order, work, evaluation_id, order.model_dump(mode="json"))
    return evaluation_id


def evaluate_now(
    database: Database, settings: Settings, who: Actor, order: EvaluationOrder
) -> tuple[str, Figures]:
    """Evaluate in this process: the evaluation's id, and its figures.

    Raises:
        PlanwrightError: why it could not be finished; the evaluation says so too.
    """
    evaluation_id = _open(database, settings, who, order)
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


def _open(database: Database, settings: Settings, who: Actor, order: EvaluationOrder) -> str:
    who.require("admin")
    if order.planner is not None:
        with database.reading() as session:
            planner = training.find_planner(session, who.project_id, order.planner)
        if planner is None:
            raise NotFound("evaluate.planner_not_found", planner=order.planner)
        planner_id = planner.id
    elif order.endpoint and order.model:
        planner_id = external_planner(database, who, order.endpoint, order.model, order.key_env)
    else:
        raise InvalidInput("evaluate.planner_or_endpoint")
    return open_evaluation(
        database,
        who.project_id,
        planner_id,
        order.benchmark,
        _manner(database, settings, planner_id, order),
        unit=find_unit(settings.tokenizer),
        person_id=who.person_id,
    )


def _evaluate(
    database: Database,
    settings: Settings,
    evaluation_id: str,
    order: EvaluationOrder,
    pause: Callable[[float], None],
) -> Figures:
    try:
        reach = partial(_reach, database, settings, evaluation_id, order)
        unit = find_unit(settings.tokenizer)
        return run_evaluation(database, evaluation_id, reach, unit, pause=pause)
    except PlanwrightError as error:
        fail_evaluation(database, evaluation_id, error)
        raise


def _manner(
    database: Database, settings: Settings, planner_id: str, order: EvaluationOrder
) -> Manner:
    with database.reading() as session:
        trained = find_trained(session, settings, session.get_one(Planner, planner_id))
    return Manner(
        max_tokens=order.max_tokens,
        with_thinking=trained.with_thinking if trained else order.with_thinking,
        template=trained.template if trained else None,
        limit=order.limit,
        is_anew=order.is_anew,
    )


@contextmanager
def _reach(
    database: Database, settings: Settings, evaluation_id: str, order: EvaluationOrder
) -> Generator[Asking]:
    """The way to a planner: ours is served for as long as it is asked, unless it is deployed."""
    with database.reading() as session:
        planner = training.get_planner_of_evaluation(session, evaluation_id)
        trained = find_trained(session, settings, planner)
        served = served_of(planner, trained) if trained else None
    if trained is None or served is None:
        yield Asking(
            url=str(planner.endpoint),
            key=key_of(order.key_env or planner.key_env),
            model=str(planner.model),
            max_tokens=order.max_tokens,
            with_thinking=order.with_thinking,
            template=None,
        )
        return
    standing = find_standing(database, settings, planner.id)
    folder = serving_folder(settings, evaluation_id)
    with nullcontext(standing) if standing else serving(settings, folder, served) as endpoint:
        yield Asking(
            url=endpoint.url,
            key=endpoint.key,
            model=endpoint.model,
            max_tokens=order.max_tokens,
            with_thinking=trained.with_thinking,
            template=trained.template,
        )


def key_of(variable: str | None) -> str:
    """The key in an environment variable; any text where no variable is named.

    Raises:
        ModelServiceError: `evaluate.key_missing`.
    """
    if variable is None:
        return "none"
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ModelServiceError("evaluate.key_missing", name=variable)
    return key


def _go_on(_seconds: float) -> None:
    """A command is not asked to leave: it is interrupted."""
