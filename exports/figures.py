"""From judged answers to figures: shares and means with intervals, and two sets compared.

Shares are of all questions: what was not answered counts as wrong. Lengths are of answers that
think to their end; one that was cut off is counted apart and never averaged in.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from exports.judging import (
    CUT_OFF,
    EXPERT_F1,
    FAILED,
    FIRST_COMMIT,
    ORDER,
    PLAN_DISTANCE,
    RIGHT,
    THINK_LENGTH,
    THINK_TOKENS,
)
from schemas.evaluation import BySteps, Comparison, Difference, Figures, Histogram
from schemas.intervals import wilson
from schemas.paired import Resampling, mcnemar

CHARACTERS = "characters"
MOST_STEPS = 5
_BINS = 30
_WIDTHS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1_000, 2_000, 2_500, 5_000, 10_000)

Scores = Mapping[str, float]

SHARES = {"accuracy": RIGHT, "strict_form": "StrictFormatReward", "valid_json": "JSONValidReward"}
"""Shares of all questions, and the score that counts where it is 1."""
MEANS = {
    "expert_f1": EXPERT_F1,
    "order": ORDER,
    "rewrite": "CorrectnessReward",
    "sub_questions": "ProcessingQualityReward",
    "plan_distance": PLAN_DISTANCE,
    "first_commit": FIRST_COMMIT,
}
"""Means over the questions that they apply to."""


def figures(answers: Sequence[Scores], questions: int, unit: str = CHARACTERS) -> Figures:
    """The figures of a benchmark of so many questions; what was not answered is wrong.

    `unit` is what the thinking is measured in: `characters`, or the name of a tokenizer.
    """
    right = sum(int(each.get(RIGHT, 0)) for each in answers)
    low, high = wilson(right, questions)
    lengths = np.sort(_present([_length(each, unit) for each in answers]))
    count = len(lengths)
    return Figures(
        questions=questions,
        right=right,
        accuracy=right / questions if questions else 0.0,
        accuracy_low=low,
        accuracy_high=high,
        failed=questions - len(answers) + sum(FAILED in each for each in answers),
        cut_off=sum(CUT_OFF in each for each in answers),
        strict_form=_share(answers, SHARES["strict_form"], questions),
        valid_json=_share(answers, SHARES["valid_json"], questions),
        **{name: _mean(answers, score) for name, score in MEANS.items()},
        thinking=count,
        length_unit=unit,
        think_length_mean=float(lengths.mean()) if count else None,
        think_length_std=float(lengths.std()) if count else None,
        think_length_median=float(np.median(lengths)) if count else None,
        think_length_p95=float(lengths[math.ceil(0.95 * count) - 1]) if count else None,
    )


def compare(
    before: Mapping[str, Scores],
    after: Mapping[str, Scores],
    steps: Mapping[str, int] | None = None,
    unit: str = CHARACTERS,
) -> Comparison:
    """Scores by question, before and after, over the questions that both have.

    `steps` is the number of steps of each question's accepted plan. Swapped, every difference
    changes its sign.
    """
    both = sorted(before.keys() & after.keys())
    old, new = [before[each] for each in both], [after[each] for each in both]
    pairs = [(a.get(RIGHT, 0.0), b.get(RIGHT, 0.0)) for a, b in zip(old, new, strict=True)]
    mended, broken = sum(b > a for a, b in pairs), sum(b < a for a, b in pairs)
    counts = [(steps or {}).get(each) for each in both]
    return Comparison(
        before=figures(old, len(both), unit),
        after=figures(new, len(both), unit),
        mended=mended,
        broken=broken,
        p_value=mcnemar(mended, broken),
        differences=_differences(old, new, unit),
        by_steps=_by_steps(counts, pairs),
        lengths=_histogram(old, new, unit),
    )


def _differences(old: Sequence[Scores], new: Sequence[Scores], unit: str) -> tuple[Difference, ...]:
    if not old:
        return ()
    values: dict[str, tuple[list[float], list[float]]] = {}
    for name, score in SHARES.items():
        before, after = ([float(each.get(score) == 1.0) for each in side] for side in (old, new))
        values[name] = before, after
    for name, score in MEANS.items():
        before, after = ([each.get(score, math.nan) for each in side] for side in (old, new))
        values[name] = before, after
    before, after = ([_length(each, unit) for each in side] for side in (old, new))
    values["think_length"] = before, after
    values["think_length_right"] = _of_right(old, before), _of_right(new, after)
    draws = Resampling(len(old))
    found = draws.mean_changes(values)
    ratio = draws.deviation_ratio(before, after)
    if ratio is not None:
        found["deviation_ratio"] = ratio
    return tuple(Difference(name=name, **each._asdict()) for name, each in found.items())


def _of_right(answers: Sequence[Scores], lengths: Sequence[float]) -> list[float]:
    pairs = zip(answers, lengths, strict=True)
    return [length if each.get(RIGHT) else math.nan for each, length in pairs]


def _by_steps(
    counts: Sequence[int | None], pairs: Sequence[tuple[float, float]]
) -> tuple[BySteps, ...]:
    sizes = [None if each is None else min(each, MOST_STEPS) for each in counts]
    found: list[BySteps] = []
    for size in sorted({each for each in sizes if each is not None}):
        mine = [pair for pair, each in zip(pairs, sizes, strict=True) if each == size]
        right = [sum(int(pair[side]) for pair in mine) for side in (0, 1)]
        found.append(
            BySteps(
                steps=size,
                is_or_more=size == MOST_STEPS,
                questions=len(mine),
                right_before=right[0],
                right_after=right[1],
            )
        )
    return tuple(found)


def _histogram(old: Sequence[Scores], new: Sequence[Scores], unit: str) -> Histogram | None:
    """About thirty bins of a round width up to what 99.5 % do not exceed."""
    both = np.array([[_length(each, unit) for each in side] for side in (old, new)])
    lengths = both[:, ~np.isnan(both).any(axis=0)] if both.size else both
    if not lengths.size:
        return None
    longest = float(np.quantile(lengths, 0.995))
    width = next((each for each in _WIDTHS if each * _BINS >= longest), longest / _BINS)
    bins = int(longest // width) + 1
    places = np.minimum(lengths // width, bins - 1).astype(int)
    old_counts, new_counts = (np.bincount(side, minlength=bins).tolist() for side in places)
    return Histogram(width=width, before=tuple(old_counts), after=tuple(new_counts))


def _length(scores: Scores, unit: str) -> float:
    """How long an answer thinks; NaN where it does not, or does not come to its end."""
    if CUT_OFF in scores:
        return math.nan
    return scores.get(THINK_LENGTH if unit == CHARACTERS else THINK_TOKENS, math.nan)


def _share(answers: Sequence[Scores], score: str, questions: int) -> float:
    return sum(each.get(score) == 1.0 for each in answers) / questions if questions else 0.0


def _mean(answers: Sequence[Scores], score: str) -> float | None:
    found = _present([each.get(score, math.nan) for each in answers])
    return float(found.mean()) if len(found) else None


def _present(values: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    found = np.array(values, dtype=np.float64)
    return found[~np.isnan(found)]
