"""What the curves of a page are drawn from: of each run only what the page has not seen yet."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from db.access import training
from db.engine import Database
from db.tables import Run
from exports.training.columns import Columns, columns_of
from exports.training.follow import read_log
from exports.training.run_config import weights_of
from schemas.people import Actor
from schemas.project import REWARDS
from schemas.settings import Settings
from schemas.training_stages import TRAINED, TrainingStage, to_training_stage

MOST_STEPS = 3_000
"""Of a longer run every second, fourth, … step is shown, so that a page never grows beyond this."""
LOG_BYTES = 24 * 1024
DRAWN = (
    "loss",
    "reward",
    "reward_std",
    "frac_reward_zero_std",
    "kl",
    "completions/mean_length",
    "completions/min_length",
    "completions/max_length",
    "completions/clipped_ratio",
    "learning_rate",
    "grad_norm",
    "token_acc",
    "entropy/mean",
    "eval_loss",
    "rewards/accuracies",
    "rewards/margins",
    "rewards/chosen",
    "rewards/rejected",
    *(f"rewards/{name}/mean" for name in REWARDS),
)


class Seen(BaseModel):
    """How far a page has been told: shown steps and stride by run, and the log of one run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    runs: dict[str, tuple[int, int]] = {}
    log: tuple[str, int] | None = None


class Part(NamedTuple):
    """Shown steps of a run from the `first` on; everything, where `first` is 0.

    `every` is how many steps one shown step stands for; `last` is the newest value of what has no
    curve.
    """

    run_id: str
    first: int
    every: int
    steps: list[int]
    values: dict[str, list[float | None]]
    last: dict[str, float]


class Shown(NamedTuple):
    """A chain beside others: its attempts of each stage, in order, and the sum of its weights."""

    chain_id: str
    label: str
    stages: dict[TrainingStage, tuple[str, ...]]
    weight: float


class LogNews(NamedTuple):
    """What the log says from the byte `first` on (0: its end) to the byte `next`."""

    run_id: str
    first: int
    next: int
    text: str


class Live(NamedTuple):
    """What is new of some chains, and how far the page is told once it has it."""

    chains: tuple[Shown, ...]
    parts: tuple[Part, ...]
    log: LogNews | None
    seen: Seen


def live(
    database: Database, settings: Settings, who: Actor, chain_ids: Sequence[str], seen: Seen
) -> Live:
    """What is new of these chains since; the log is that of the first.

    Raises:
        NotFound: `training.chain_not_found`.
    """
    who.require("reviewer")
    chains: list[Shown] = []
    parts: list[Part] = []
    known: dict[str, tuple[int, int]] = {}
    newest: Run | None = None
    for place, chain_id in enumerate(dict.fromkeys(chain_ids)):
        with database.reading() as session:
            chain = training.get_chain(session, who.project_id, chain_id)
            name = training.get_bundle(session, who.project_id, chain.bundle_id).name
            runs = training.list_runs(session, who.project_id, chain_id, 100)[::-1]
        newest = runs[-1] if runs and place == 0 else newest
        for run in runs:
            part, known[run.id] = _part(run, settings, seen.runs.get(run.id, (0, 0)))
            parts += [part] if part else []
        label = f"{name} · {chain.recipe} · {chain.id[-6:]}"
        chains.append(_shown(chain_id, label, runs, settings))
    log, told = _log(newest, settings, seen.log) if newest else (None, None)
    return Live(tuple(chains), tuple(parts), log, Seen(runs=known, log=told))


def _shown(chain_id: str, label: str, runs: Sequence[Run], settings: Settings) -> Shown:
    stages: dict[TrainingStage, tuple[str, ...]] = dict.fromkeys(TRAINED, ())
    for run in runs:
        stage = to_training_stage(run.stage)
        stages[stage] = (*stages[stage], run.id)
    grpo = [run for run in runs if run.stage == "grpo"]
    weight = sum(weights_of(settings.home / grpo[-1].folder).values()) if grpo else 0.0
    return Shown(chain_id, label, stages, weight or 1.0)


def _part(
    run: Run, settings: Settings, seen: tuple[int, int]
) -> tuple[Part | None, tuple[int, int]]:
    columns = columns_of(settings.home / run.folder)
    count, every = len(columns.steps), 1
    while count > MOST_STEPS * every:
        every *= 2
    have = seen[0] if seen[1] == every else 0
    there = len(range(0, count, every))
    if there <= have:
        return None, (there, every) if there else (0, 0)
    picked = range(have * every, count, every)
    values = {
        name: [_plain(columns.values[name], at) for at in picked]
        for name in DRAWN
        if name in columns.values
    }
    steps = [columns.steps[at] for at in picked]
    return Part(run.id, have, every, steps, values, _last(columns)), (there, every)


def _plain(column: Mapping[int, float] | Sequence[float], at: int) -> float | None:
    value = column[at] if at < len(column) else math.nan
    return value if math.isfinite(value) else None


def _last(columns: Columns) -> dict[str, float]:
    return {
        name: values[-1]
        for name, values in sorted(columns.values.items())
        if name not in DRAWN and values and math.isfinite(values[-1])
    }


def _log(
    run: Run, settings: Settings, seen: tuple[str, int] | None
) -> tuple[LogNews | None, tuple[str, int]]:
    have = seen[1] if seen and seen[0] == run.id else 0
    folder: Path = settings.home / run.folder
    text, offset = read_log(folder, have, limit=LOG_BYTES)
    return (LogNews(run.id, have, offset, text) if text else None), (run.id, offset)
