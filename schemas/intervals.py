"""How sure a figure is: intervals of shares, means and medians."""

import math
import statistics
from collections.abc import Callable, Sequence

import numpy as np

Z_95 = 1.959963984540054
SEED = 20261125
DRAWS = 1_000


def wilson(right: int, total: int) -> tuple[float, float]:
    """Wilson's score interval of a share at 95 % (Wilson 1927); (0, 1) of nothing.

    >>> tuple(round(each, 4) for each in wilson(8, 10))
    (0.4902, 0.9433)
    """
    if total == 0:
        return 0.0, 1.0
    share, z = right / total, Z_95
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    whole = 1 + z * z / total
    return max(0.0, (centre - spread) / whole), min(1.0, (centre + spread) / whole)


def median(values: Sequence[float]) -> float | None:
    """The median; absent of nothing.

    >>> median([3.0, 1.0, 2.0, 10.0])
    2.5
    """
    return statistics.median(values) if values else None


def bootstrap_interval(
    values: Sequence[float],
    statistic: Callable[[Sequence[float]], float] = statistics.fmean,
    *,
    confidence: float = 0.95,
    seed: int = SEED,
    draws: int = DRAWS,
) -> tuple[float, float] | None:
    """Percentile bootstrap of a statistic (Efron 1979), the same at every call; absent of nothing.

    >>> bootstrap_interval([1.0, 1.0, 1.0])
    (1.0, 1.0)
    """
    if not values:
        return None
    source = np.random.default_rng(seed)
    known = np.asarray(values, dtype=float)
    chosen = source.integers(len(known), size=(draws, len(known)))
    found = [statistic(row) for row in known[chosen].tolist()]
    return percentile_interval(found, confidence)


def percentile_interval(draws: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The middle of what was drawn, leaving as much below it as above it."""
    aside = (1 - confidence) / 2
    low, high = np.quantile(np.asarray(draws, dtype=float), [aside, 1 - aside])
    return float(low), float(high)
