"""The alarms of a run, from what the trainer logged and what the planner wrote."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from exports.training.bundle_lines import find_row, prompt_of
from exports.training.columns import columns_of, joined
from exports.training.rollouts import Rollouts, rollouts_of
from exports.training.run_config import weights_of
from schemas.training_alarms import (
    CLIPPED,
    EXPERTS,
    KL,
    LENGTH,
    RULES,
    TOTAL,
    WANTED_LENGTH,
    ZERO_STD,
    Alarm,
    Said,
    first_not_finite,
    spreading_phrase,
)
from schemas.training_stages import TrainingStage

LOOKED_AT = (TOTAL, EXPERTS, WANTED_LENGTH, LENGTH, CLIPPED, ZERO_STD, KL)
SAMPLE = 100
LONGEST = 4_000
STEPS = 10
EVERY = 10
"""Completions are compared each time the run is so many steps further."""


def alarms_of(attempts: Sequence[Path], bundle: Path, stage: TrainingStage) -> tuple[Alarm, ...]:
    """What is wrong with a run so far, over all its attempts; the most recent state of each."""
    columns = joined(map(columns_of, attempts))
    if not columns.steps:
        return ()
    found: list[Alarm] = []
    broken = first_not_finite(columns.broken)
    if broken is not None:
        step, name = broken
        found.append(Alarm(name="not_finite", stage=stage, step=step, values={"metric": name}))
    if stage != "grpo":
        return tuple(found)
    curves = {name: columns.column(name) for name in LOOKED_AT}
    weight = sum(weights_of(attempts[-1]).values()) or 1.0
    for name, rule in RULES.items():
        values = rule(curves, weight)
        if values is not None:
            found.append(Alarm(name=name, stage=stage, step=columns.steps[-1], values=values))
    phrase = _phrase(tuple(attempts), bundle, columns.steps[-1] // EVERY)
    return (*found, *([phrase] if phrase else []))


@lru_cache(maxsize=64)
def _phrase(attempts: tuple[Path, ...], bundle: Path, _far: int) -> Alarm | None:
    """A phrase that spreads from the first steps to the last."""
    written = _each_going_on([each for each in map(rollouts_of, attempts) if len(each.entries)])
    if not written:
        return None
    begun, latest = written[0].entries["step"], written[-1].entries["step"]
    last_step = int(latest[-1])
    if last_step < 2 * STEPS:
        return None
    first = np.flatnonzero(begun <= int(begun[0]) + STEPS - 1)
    last = np.flatnonzero(latest > last_step - STEPS)
    before, now = _said(written[0], first), _said(written[-1], last)
    rows = [find_row(bundle, prompt_id) for prompt_id in {each.prompt_id for each in now}]
    prompts = [prompt_of(row) for row in rows if row]
    values = spreading_phrase(before, now, prompts)
    if values is None:
        return None
    return Alarm(name="phrase", stage="grpo", step=last_step, values=values)


def _each_going_on(written: Sequence[Rollouts]) -> list[Rollouts]:
    """The attempts since one that began anew, which made those before it void."""
    kept: list[Rollouts] = []
    for each in reversed(written):
        if not kept or each.entries["step"][0] < kept[0].entries["step"][0]:
            kept.insert(0, each)
    return kept


def _said(rollouts: Rollouts, lines: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> list[Said]:
    chosen = lines[np.linspace(0, len(lines) - 1, min(SAMPLE, len(lines))).astype(int)]
    found = [rollouts.one(int(line)) for line in chosen]
    return [Said(each.plan_id, _plain(each.completion[:LONGEST])) for each in found if each]


_TAG = re.compile(r"</?(?:think|answer)>")


def _plain(completion: str) -> str:
    return _TAG.sub(" ", completion)
