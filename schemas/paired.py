"""How sure a difference is between two sets of answers to the same questions.

Questions are resampled, not answers: a draw takes both answers of a question or neither, so that
what makes a question hard for both is not taken for a difference. All figures of a comparison share
their draws; with before and after swapped, a difference and its interval change their sign exactly.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.intervals import SEED

DRAWS = 2_000
_CHUNK = 250
_ASIDE = (0.025, 0.975)

Numbers = NDArray[np.float64]
Masked = np.ma.MaskedArray[tuple[int], np.dtype[np.float64]]


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
        self.questions = questions
        self._weights = _weights(questions, draws, seed)
        """How often each draw takes each question: draws by questions."""

    def mean_change(self, before: Sequence[float], after: Sequence[float]) -> Change | None:
        """The change of a mean; NaN stands where a figure does not apply. None where none does."""
        old, new = _paired(before, after)
        if old is None or new is None:
            return None
        low, high = np.quantile(self._means(new) - self._means(old), _ASIDE)
        earlier, later = float(old.compressed().mean()), float(new.compressed().mean())
        return Change(int(old.count()), earlier, later, later - earlier, float(low), float(high))

    def deviation_ratio(self, before: Sequence[float], after: Sequence[float]) -> Change | None:
        """The standard deviations, their ratio (after over before) and its interval.

        None where nothing deviates, be it in the figures or in a draw of them.
        """
        old, new = _paired(before, after)
        if old is None or new is None:
            return None
        olds, news = self._deviations(old), self._deviations(new)
        earlier, later = float(old.compressed().std()), float(new.compressed().std())
        if not earlier or not np.all(olds > 0):
            return None
        low, high = np.quantile(news / olds, _ASIDE)
        return Change(int(old.count()), earlier, later, later / earlier, float(low), float(high))

    def _means(self, values: Masked) -> Numbers:
        """The mean of each draw; a draw that takes nothing it could be taken of is left out."""
        mass = self._weights @ (~np.ma.getmaskarray(values)).astype(np.float64)
        sums = self._weights @ values.filled(0.0)
        return sums[mass > 0] / mass[mass > 0]

    def _deviations(self, values: Masked) -> Numbers:
        """Deviations about each draw's own mean; values are centred first: nothing cancels out."""
        centred = values - values.compressed().mean()
        means = self._means(centred)
        return np.sqrt(np.maximum(self._means(centred * centred) - means * means, 0.0))


def _paired(
    before: Sequence[float], after: Sequence[float]
) -> tuple[Masked, Masked] | tuple[None, None]:
    """Both sides, masked where not both apply."""
    old, new = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    absent = np.isnan(old) | np.isnan(new)
    if absent.all():
        return None, None
    return np.ma.array(old, mask=absent), np.ma.array(new, mask=absent)


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
