"""Krippendorff's α: agreement of any number of people, beyond what chance would bring.

α = 1 - D_o/D_e (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011): D_o is the mean
difference of values within units, D_e that of all pairs of values whatever their unit. 1 is perfect
agreement, 0 what chance would bring, below 0 is disagreement by system. A unit with fewer than two
values says nothing and is left out. Where all values are alike there is no variation, nobody could
have disagreed, and α is absent: it is not 1.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from schemas.intervals import DRAWS, SEED, percentile_interval

Value = TypeVar("Value")
Floats = npt.NDArray[np.float64]
Unit = Sequence[Value]

MOST_PAIRS = 10_000
"""Pairs of values that are compared for D_e; of more, so many are drawn with a fixed seed."""
FEWEST_UNITS = 5
"""With fewer units there is no interval: resampling them would pretend to know."""
_MOST_WEIGHTS = 2_000_000
"""Weights of units held at once while resampling."""


class Alpha(NamedTuple):
    """α with its 95 % interval; `units` and `values` are those that could be compared."""

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    values: int
    observed: float
    expected: float


NOTHING = Alpha(None, None, None, 0, 0, 0.0, 0.0)


def krippendorff_alpha(
    units: Iterable[Unit[Value]],
    difference: Callable[[Value, Value], float],
    *,
    most_pairs: int = MOST_PAIRS,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Alpha:
    """α with any difference function (symmetric, 0 for equal values); missing values are left out.

    D_o is reckoned from every pair within a unit. D_e is reckoned from all pairs of values up to
    `most_pairs`; of more, that many are drawn with the seed, which moves α by some thousandths. The
    interval resamples units (percentile bootstrap), with the pairs of D_e weighed by how often
    their units were drawn; it is absent with fewer than five units.

    >>> krippendorff_alpha([("a", "a"), ("b", "b"), ("a", "b")], lambda a, b: float(a != b)).alpha
    0.4444444444444444
    """
    known = [tuple(unit) for unit in units if len(unit) > 1]
    within = np.array([unit_difference(unit, difference) for unit in known])
    sizes = np.array([len(unit) for unit in known], dtype=float)
    values = [value for unit in known for value in unit]
    places = np.repeat(np.arange(len(known)), sizes.astype(int))
    first, second = value_pairs(len(values), most_pairs, seed)
    between = np.array(
        [difference(values[a], values[b]) for a, b in zip(first, second, strict=True)]
    )
    return _alpha(_Compared(within, sizes, between, (places[first], places[second])), draws, seed)


def unit_difference(unit: Unit[Value], difference: Callable[[Value, Value], float]) -> float:
    """What a unit adds to D_o: twice the sum over its pairs, over one less than its values."""
    return 2 * sum(difference(a, b) for a, b in combinations(unit, 2)) / (len(unit) - 1)


def value_pairs(
    count: int, most: int = MOST_PAIRS, seed: int = SEED
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Which pairs of so many values are compared for D_e: all of them, or as many as allowed."""
    if count * (count - 1) // 2 <= most:
        first, second = np.triu_indices(count, 1)
        return first, second
    source = np.random.default_rng(seed)
    first = source.integers(count, size=most)
    second = (first + source.integers(1, count, size=most)) % count
    return first, second


class _Compared(NamedTuple):
    """Per unit its part of D_o and how many values it has, per pair of D_e its difference."""

    within: Floats
    sizes: Floats
    between: Floats
    units_of_pairs: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _alpha(found: _Compared, draws: int, seed: int) -> Alpha:
    count, total = len(found.sizes), float(found.sizes.sum())
    if not count:
        return NOTHING
    observed, expected = float(found.within.sum()) / total, float(found.between.mean())
    if expected == 0:
        return Alpha(None, None, None, count, int(total), observed, expected)
    drawn = _drawn_alphas(found, draws, seed) if count >= FEWEST_UNITS else []
    low, high = percentile_interval(drawn) if drawn else (None, None)
    return Alpha(1 - observed / expected, low, high, count, int(total), observed, expected)


def _drawn_alphas(found: _Compared, draws: int, seed: int) -> list[float]:
    """α of resampled units, without the draws in which nothing varies.

    A pair of D_e counts as often as both of its units were drawn: Σ w_u w_v d_uv, as sparse tables.
    """
    count = len(found.sizes)
    source = np.random.default_rng(seed)
    ones = np.ones(len(found.between))
    differences = coo_array((found.between, found.units_of_pairs), shape=(count, count)).tocsr()
    pairs = coo_array((ones, found.units_of_pairs), shape=(count, count)).tocsr()
    alphas: list[float] = []
    block = max(1, _MOST_WEIGHTS // count)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        weights = source.multinomial(count, np.full(count, 1 / count), size=size).astype(float)
        chance = ((weights @ differences) * weights).sum(axis=1)
        compared = ((weights @ pairs) * weights).sum(axis=1)
        observed = weights @ found.within / (weights @ found.sizes)
        varied = chance > 0
        alphas += (1 - observed[varied] * compared[varied] / chance[varied]).tolist()
    return alphas


def nominal_alpha(
    units: Iterable[Unit[Hashable]], *, draws: int = DRAWS, seed: int = SEED
) -> Alpha:
    """α of values that are equal or not, from their counts: exact, whatever the number of values.

    >>> nominal_alpha([("a", "a"), ("b", "b"), ("a", "b")]).alpha
    0.4444444444444444
    """
    known = [unit for unit in units if len(unit) > 1]
    names = {value: place for place, value in enumerate({v: None for unit in known for v in unit})}
    counts = np.zeros((len(known), len(names)))
    for place, unit in enumerate(known):
        for value in unit:
            counts[place, names[value]] += 1
    return alpha_of_counts(counts, draws=draws, seed=seed)


def alpha_of_counts(counts: Floats, *, draws: int = DRAWS, seed: int = SEED) -> Alpha:
    """Nominal α from a table of units by values: how many people gave each value."""
    counts = counts[counts.sum(axis=1) > 1]
    if not len(counts):
        return NOTHING
    sizes = counts.sum(axis=1)
    within = (sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)
    once = np.ones((1, len(counts)))
    observed, expected = _nominal(once, within, sizes, counts)
    if expected[0] == 0:
        return Alpha(None, None, None, len(counts), int(sizes.sum()), 0.0, 0.0)
    drawn: list[float] = []
    if len(counts) >= FEWEST_UNITS:
        source = np.random.default_rng(seed)
        share = np.full(len(counts), 1 / len(counts))
        weights = source.multinomial(len(counts), share, size=draws).astype(float)
        within_draws, chance = _nominal(weights, within, sizes, counts)
        varied = chance > 0
        drawn = (1 - within_draws[varied] / chance[varied]).tolist()
    low, high = percentile_interval(drawn) if drawn else (None, None)
    alpha = 1 - float(observed[0] / expected[0])
    return Alpha(
        alpha, low, high, len(counts), int(sizes.sum()), float(observed[0]), float(expected[0])
    )


def _nominal(
    weights: Floats, within: Floats, sizes: Floats, counts: Floats
) -> tuple[Floats, Floats]:
    """D_o and D_e for each row of weights of the units."""
    totals = weights @ counts
    values = totals.sum(axis=1)
    chance = (values**2 - (totals**2).sum(axis=1)) / (values * (values - 1))
    return weights @ within / (weights @ sizes), chance
