"""A small planner trained by the app's own chain on a CPU; writes `docs/experiment.md`.

Usage: `python -m tests.bench.experiment`: SFT → GRPO, GRPO straight from the untrained model, and
SFT → GRPO without thinking, each evaluated on questions that none was trained on. About ten minutes
on two cores.
"""

import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from db.durable import Durable, command_executor_id
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.training.variants import chosen_variants, stages_left
from schemas.settings import Settings
from schemas.training import ChainOrder, ChainView
from schemas.training_stages import USUAL
from tests.bench.experiment_page import write_page
from tests.bench.experiment_task import QUESTIONS, add_bundle, add_questions, make_task
from tests.chain_site import Site, is_over
from tests.factories import a_project

SFT = {"max_steps": 480, "save_steps": 480, "learning_rate": 0.006}
GRPO = {
    "max_steps": 80,
    "save_steps": 80,
    "learning_rate": 0.0004,
    "beta": 0.0,
    "per_device_train_batch_size": 64,
    "num_generations": 16,
    "max_completion_length": 160,
}


class Trial(NamedTuple):
    """One way to train, by name."""

    name: str
    thinks: bool
    variants: tuple[str, ...] = ()


TRIALS = (
    Trial("SFT → GRPO", thinks=True),
    Trial("GRPO alone", thinks=True, variants=("direct-grpo",)),
    Trial("SFT → GRPO without thinking", thinks=False),
)


def main(names: list[str]) -> int:
    """Train each way that is named (all without names), and write the page of all of them."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="experiment-") as folder:
        settings = Settings(home=Path(folder) / "home")
        settings.home.mkdir()
        database = Database(sqlite_url(settings.home / "planwright.db"))
        upgrade(database)
        who, task = a_project(database), make_task()
        add_questions(database, who, task.asked)
        bundles = {
            thinks: add_bundle(database, settings, who, task.trained, thinks=thinks)
            for thinks in (True, False)
        }
        durable = Durable(settings, database, command_executor_id())
        durable.launch()
        try:
            wanted = [each for each in TRIALS if not names or each.name in names]
            found = {
                each.name: _train(
                    Site(settings, database, durable, who, bundles[each.thinks]), each
                )
                for each in wanted
            }
            if not names:
                minutes = (time.monotonic() - began) / 60
                write_page(database, who, found, terms={"sft": SFT, "grpo": GRPO}, minutes=minutes)
        finally:
            durable.close()
            database.close()
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    return 0 if all(each.state == "succeeded" for each in found.values()) else 1


def _train(site: Site, trial: Trial) -> ChainView:
    order = {
        "stages": stages_left(USUAL, chosen_variants("cpu-smoke", trial.variants)),
        "variants": trial.variants,
        "overrides": {"sft": SFT, "grpo": GRPO},
        "evaluation_limit": QUESTIONS,
    }
    view = site.wait(site.start(ChainOrder.model_validate(order)), is_over)
    for each in view.stages:
        seconds = 0.0
        if each.started_at and each.finished_at:
            seconds = (each.finished_at - each.started_at).total_seconds()
        told = _told(each.figures)
        print(f"{trial.name}  {each.name}  {each.state}  {seconds:.0f} s  {each.reason} {told}")
        if each.state == "failed":
            print([check for check in each.checks if not check.is_passed], each.values)
    return view


def _told(figures: Mapping[str, object]) -> str:
    shown = ("accuracy", "strict_form", "valid_json", "expert_f1", "think_length_mean", "cut_off")
    return "  ".join(f"{name} {figures[name]}" for name in shown if name in figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
