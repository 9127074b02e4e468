"""Figures of a reward bench from scores: agreement, probes against ceilings, a forecast; pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.intervals import SEED, percentile_interval
from schemas.reward_bench import (
    SCALINGS,
    Forecast,
    ProbeFigure,
    RewardFigure,
    Scaling,
    ScalingForecast,
    Worst,
)
from schemas.reward_probes import PROBES, Probed

Floats = npt.NDArray[np.float32]
DRAWS = 300
GROUPS_A_QUERY = 64
FAINT = 0.01
SHOWN = 600
"""Characters of a completion that are kept to be looked at."""
_ALIKE = 1e-6
"""Totals that differ by less are the same; they are sums of floats."""


class Judged(NamedTuple):
    """A score of what people took (`is_good`) or did not take; cases of one query go together."""

    query_id: str
    is_good: bool
    score: float


class Corrected(NamedTuple):
    """The score of a plan after a correction, and of the same plan before it."""

    query_id: str
    after: float
    before: float


class Agreed(NamedTuple):
    """A figure with its interval; absent where there is none."""

    figure: float | None
    low: float | None
    high: float | None


class ProbedRow(NamedTuple):
    """The probes of a row with their weighted totals, in the same order."""

    plan_id: str
    probed: Sequence[Probed]
    totals: Sequence[float]


def auroc(good: Sequence[float], bad: Sequence[float]) -> float | None:
    """How often a good one scores higher than a bad one, ties half; absent without either.

    The Mann-Whitney statistic over the number of pairs (Hanley and McNeil 1982).

    >>> auroc([0.9, 0.5], [0.5, 0.1])
    0.875
    """
    if not good or not bad:
        return None
    ordered = np.sort(np.asarray(bad, dtype=float))
    taken = np.asarray(good, dtype=float)
    below = np.searchsorted(ordered, taken, "left").sum()
    up_to = np.searchsorted(ordered, taken, "right").sum()
    return float((below + up_to) / 2 / (len(good) * len(bad)))


def agreement_of(cases: Sequence[Judged]) -> Agreed:
    """AUROC of what was taken against what was not, over all queries."""

    def figure(drawn: Sequence[Judged]) -> float | None:
        good = [each.score for each in drawn if each.is_good]
        return auroc(good, [each.score for each in drawn if not each.is_good])

    if len({each.score for each in cases}) < 2:
        return Agreed(None, None, None)
    return _with_interval(cases, figure)


def agreement_within(pairs: Sequence[Corrected]) -> Agreed:
    """How often the corrected plan scores higher than the plan before it, ties half.

    Absent where no correction makes a difference to the reward at all.
    """

    def figure(drawn: Sequence[Corrected]) -> float:
        won = [(each.after > each.before) + (each.after == each.before) / 2 for each in drawn]
        return sum(won) / len(won)

    if all(each.after == each.before for each in pairs):
        return Agreed(None, None, None)
    return _with_interval(pairs, figure)


def _with_interval(cases: Sequence[Any], figure: Callable[[Sequence[Any]], float | None]) -> Agreed:
    """The figure, and its bootstrap over queries: cases of one query are drawn together."""
    whole = figure(cases)
    if whole is None:
        return Agreed(None, None, None)
    by_query: dict[str, list[Any]] = {}
    for case in cases:
        by_query.setdefault(case.query_id, []).append(case)
    clusters = list(by_query.values())
    source = np.random.default_rng(SEED)
    drawn: list[float] = []
    for chosen in source.integers(len(clusters), size=(DRAWS, len(clusters))).tolist():
        found = figure([case for index in chosen for case in clusters[index]])
        if found is not None:
            drawn.append(found)
    low, high = percentile_interval(drawn) if len(clusters) > 1 else (None, None)
    return Agreed(whole, low, high)


def figure_of(reward: str, scores: Sequence[float], per_second: float | None) -> RewardFigure:
    """Mean, spread and how much is at the edges."""
    values = np.asarray(scores, dtype=float)
    return RewardFigure(
        reward=reward,
        mean=float(values.mean()),
        spread=float(values.std()),
        zeros=float((values <= 0).mean()),
        ones=float((values >= 1).mean()),
        per_second=per_second,
    )


def judge_probes(rows: Sequence[ProbedRow]) -> tuple[ProbeFigure, ...]:
    """Each probe that could be put to a row, in the order of the probes."""
    held: dict[str, list[Worst]] = {}
    for row in rows:
        for each, total in zip(row.probed, row.totals, strict=True):
            if each.probe is not None:
                ceiling = min(row.totals[place] for place in each.against)
                held.setdefault(each.probe, []).append(
                    Worst(
                        plan_id=row.plan_id,
                        fault=each.fault,
                        total=total,
                        ceiling=ceiling,
                        completion=each.completion[:SHOWN],
                    )
                )
    return tuple(
        _probe_figure(probe.name, held[probe.name], must_cost=probe.must_cost)
        for probe in PROBES
        if probe.name in held
    )


def _probe_figure(name: str, found: Sequence[Worst], *, must_cost: bool) -> ProbeFigure:
    least = -_ALIKE if must_cost else _ALIKE
    return ProbeFigure(
        name=name,
        must_cost=must_cost,
        count=len(found),
        mean=sum(each.total for each in found) / len(found),
        ceiling=sum(each.ceiling for each in found) / len(found),
        reached=sum(each.total - each.ceiling > least for each in found),
        free=sum(abs(each.total - each.ceiling) <= _ALIKE for each in found),
        worst=max(found, key=lambda each: each.total - each.ceiling),
    )


def forecast(
    answers: Sequence[Sequence[Mapping[str, float]]], weights: Mapping[str, float], wanted: int
) -> Forecast | None:
    """What groups of `wanted` answers to one query would teach; absent without two to any query.

    Args:
        answers: For each query, the scores of every answer that models gave to it.
        weights: By reward, as the trainer gets them.
        wanted: The size of a group.
    """
    most = max((len(each) for each in answers), default=0)
    size = min(wanted, most)
    if size < 2:
        return None
    groups: list[Floats] = []
    enough = [each for each in answers if len(each) >= size]
    source = np.random.default_rng(SEED)
    for each in enough:
        table = np.array(
            [[scores.get(name, 0.0) for name in weights] for scores in each], dtype=np.float32
        )
        groups += [table[chosen] for chosen in _groups(len(each), size, source)]
    drawn, weight = np.stack(groups), np.array(list(weights.values()), dtype=np.float32)
    return Forecast(
        wanted=wanted,
        size=size,
        queries=len(enough),
        without=len(answers) - len(enough),
        groups=len(groups),
        scalings=tuple(_scaled(scaling, drawn, weight) for scaling in SCALINGS),
    )


def _groups(count: int, size: int, source: np.random.Generator) -> list[list[int]]:
    """All groups that can be drawn from so many, or as many as are enough."""
    if math.comb(count, size) <= GROUPS_A_QUERY:
        return [list(each) for each in combinations(range(count), size)]
    return [source.choice(count, size, replace=False).tolist() for _ in range(GROUPS_A_QUERY)]


def _scaled(scaling: Scaling, groups: Floats, weights: Floats) -> ScalingForecast:
    """One way of scaling, by the formulas of ms-swift 4.6.0 (`swift/rl_core/advantage.py`)."""
    totals = (groups * weights).sum(axis=2)
    spread = totals.std(axis=1, ddof=1)
    if scaling == "gdpo":
        own = groups.std(axis=1, ddof=1, keepdims=True)
        parts = (groups - groups.mean(axis=1, keepdims=True)) / (own + 1e-8) * weights
        summed = parts.sum(axis=2)
        advantages = (summed - summed.mean()) / (summed.std(ddof=1) + 1e-8)
        is_silent = np.isclose(own[:, 0, :] * weights, 0).all(axis=1)
    else:
        advantages = totals - totals.mean(axis=1, keepdims=True)
        is_silent = np.isclose(spread, 0)
        if scaling == "group":
            advantages = advantages / (spread[:, None] + 1e-4)
        elif scaling == "batch":
            advantages = advantages / (totals.std(ddof=1) + 1e-4)
    return ScalingForecast(
        scaling=scaling,
        silent=float(is_silent.mean()),
        faint=float((~is_silent & (spread < FAINT)).mean()),
        strength=float(np.abs(advantages).mean()),
    )
