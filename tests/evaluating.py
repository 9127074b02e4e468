"""Evaluations for tests: planners behind the fake endpoint, and answers written straight to rows.

Usage: `python -m tests.evaluating HOME URL` evaluates the model `planner` at an endpoint on the
newest benchmark, in a process that can be killed at any moment.
"""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from db.engine import Database, open_database
from exports.asking import Asking
from exports.evaluate import Manner, external_planner, open_evaluation, run_evaluation
from exports.thinking_units import Unit, find_unit
from exports.training.examine import evaluate_now
from labeling.accounts import command_line_actor
from schemas.evaluation import EvaluationOrder
from schemas.people import Actor
from schemas.scoring.wire import to_text
from schemas.settings import Settings

CHARACTERS = find_unit(None)
MANNER = Manner(max_tokens=512, with_thinking=True)


def an_order(url: str, **more: Any) -> EvaluationOrder:
    """The model `planner` behind an endpoint."""
    return EvaluationOrder.model_validate({"endpoint": url, "model": "planner", **more})


def an_asking(url: str, model: str = "planner") -> Asking:
    return Asking(url, "none", model, MANNER.max_tokens, MANNER.with_thinking, None)


def begin(
    database: Database, who: Actor, url: str, manner: Manner = MANNER, unit: Unit = CHARACTERS
) -> str:
    """An evaluation of the model `planner` behind an endpoint; its id."""
    planner = external_planner(database, who, url, "planner")
    return open_evaluation(database, who.project_id, planner, None, manner, unit=unit)


def run(database: Database, evaluation_id: str, url: str, unit: Unit = CHARACTERS) -> Any:
    """Ask what is missing at an endpoint."""
    return run_evaluation(database, evaluation_id, lambda: nullcontext(an_asking(url)), unit)


def completion(plan: Mapping[str, object], thinking: str) -> str:
    """An answer in the strict form."""
    return f"<think>\n{thinking}\n</think>\n\n<answer>\n{to_text(plan, 'zh@1')}\n</answer>"


def main(home: str, url: str) -> None:
    settings = Settings(home=Path(home))
    database = open_database(settings)
    who = command_line_actor(database, "main")
    evaluate_now(database, settings, who, an_order(url))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
