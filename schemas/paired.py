"""How sure a difference is between two sets of answers to the same questions.

Questions are resampled, not answers: a draw takes both answers of a question or neither, so that
what makes a question hard for both is not taken for a difference. All figures of a comparison share
their draws; with before and after swapped, a difference and its interval change their sign exactly.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.intervals import SEED

DRAWS = 2_000
_CHUNK = 250
_ASIDE = (0.025, 0.975)

Numbers = NDArray[np.float64]
Values = Sequence[float]


class Change(NamedTuple):
    """A figure before and after over the questions where both have it, and their difference.

    `low` and `high` bound the difference at 95 %.
    """

    questions: int
    before: float
    after: float
    change: float
    low: float
    high: float


def mcnemar(mended: int, broken: int) -> float:
    """The two-sided exact p of McNemar's test (1947): as many mended as broken, but for chance.

    Binomial on the questions that changed: 2·P(X ≤ min), at most 1. Questions that both get right,
    or both get wrong, tell nothing of a difference.

    >>> mcnemar(1, 9)
    0.021484375
    >>> mcnemar(4, 4)
    1.0
    """
    changed = mended + broken
    tail = sum(math.comb(changed, each) for each in range(min(mended, broken) + 1))
    return min(1.0, 2 * tail / 2**changed)


class Resampling:
    """The draws over so many questions, the same at every call, shared by all figures."""

    def __init__(self, questions: int, *, draws: int = DRAWS, seed: int = SEED) -> None:
        self._weights = _weights(questions, draws, seed)
        """How often each draw takes each question: draws by questions."""

    def mean_changes(self, figures: Mapping[str, tuple[Values, Values]]) -> dict[str, Change]:
        """The changes of means; NaN stands where a figure does not apply.

        Left out are figures that apply to no question.
        """
        known = {name: paired for name, each in figures.items() if (paired := _paired(*each))}
        if not known:
            return {}
        # One product for all of them: the draws are read once, not once a figure.
        columns = [(each.mask, each.new - each.old) for each in known.values()]
        drawn = self._weights @ np.column_stack([part for pair in columns for part in pair])
        return {
            name: _mean_change(each, drawn[:, 2 * at], drawn[:, 2 * at + 1])
            for at, (name, each) in enumerate(known.items())
        }

    def deviation_ratio(self, before: Values, after: Values) -> Change | None:
        """The standard deviations, their ratio (after over before) and its interval.

        None where nothing deviates, be it in the figures or in a draw of them.
        """
        each = _paired(before, after)
        if each is None:
            return None
        # Centred first, so that nothing cancels out.
        old, new = (side - each.mask * side.sum() / each.questions for side in (each.old, each.new))
        parts = np.column_stack([each.mask, old, old * old, new, new * new])
        drawn = self._weights @ parts
        drawn = drawn[drawn[:, 0] > 0]
        means = drawn[:, 1:] / drawn[:, :1]
        spreads = np.sqrt(np.maximum(means[:, 1::2] - means[:, ::2] ** 2, 0.0))
        earlier, later = (float(np.sqrt((side**2).sum() / each.questions)) for side in (old, new))
        if not earlier or not np.all(spreads[:, 0] > 0):
            return None
        low, high = np.quantile(spreads[:, 1] / spreads[:, 0], _ASIDE)
        return Change(each.questions, earlier, later, later / earlier, float(low), float(high))


class _Paired(NamedTuple):
    """Both sides of a figure, 0 where not both apply; `mask` is 1 where they do."""

    mask: Numbers
    old: Numbers
    new: Numbers
    questions: int


def _paired(before: Values, after: Values) -> _Paired | None:
    old, new = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    both = ~(np.isnan(old) | np.isnan(new))
    if not both.any():
        return None
    mask = both.astype(np.float64)
    return _Paired(mask, np.where(both, old, 0.0), np.where(both, new, 0.0), int(both.sum()))


def _mean_change(each: _Paired, mass: Numbers, sums: Numbers) -> Change:
    """A draw that takes no question it could be taken of is left out."""
    low, high = np.quantile(sums[mass > 0] / mass[mass > 0], _ASIDE)
    before, after = float(each.old.sum()) / each.questions, float(each.new.sum()) / each.questions
    return Change(each.questions, before, after, after - before, float(low), float(high))


def _weights(questions: int, draws: int, seed: int) -> Numbers:
    source = np.random.default_rng(seed)
    weights = np.empty((draws, questions), dtype=np.float64)
    for start in range(0, draws, _CHUNK):
        rows = min(_CHUNK, draws - start)
        chosen = source.integers(questions, size=(rows, questions), dtype=np.int32)
        chosen += (np.arange(rows, dtype=np.int32) * questions)[:, None]
        counts = np.bincount(chosen.ravel(), minlength=rows * questions)
        weights[start : start + rows] = counts.reshape(rows, questions)
    return weights
