"""Whether a noisy series goes somewhere: Theil–Sen slope and Mann–Kendall test, in blocks.

Steps of a training are alike to their neighbours, which would make any trend look certain. So a
series is first cut into blocks of neighbouring steps, and their means are judged.

Sen (1968), Estimates of the regression coefficient based on Kendall's tau; Mann (1945),
Nonparametric tests against trend, with Kendall's correction of the variance for ties.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import NamedTuple

MOST_BLOCKS = 30
FEWEST_BLOCKS = 8


class Trend(NamedTuple):
    """From where to where a series goes, and how likely chance alone would go as far that way.

    `change` is the Theil–Sen slope times the length of the series; `p_up` and `p_down` are
    one-sided.
    """

    change: float
    p_up: float
    p_down: float


def trend(values: Sequence[float]) -> Trend | None:
    """The trend of finite values at equal distances; None where there are too few to tell.

    >>> found = trend([0.1 * step for step in range(40)])
    >>> round(found.change, 2), found.p_up < 0.001, found.p_down > 0.99
    (3.9, True, True)
    >>> trend([1.0] * 40)
    Trend(change=0.0, p_up=0.5, p_down=0.5)
    >>> trend([1.0, 2.0]) is None
    True
    """
    blocks = means_of_blocks(values)
    if len(blocks) < FEWEST_BLOCKS:
        return None
    pairs = list(combinations(range(len(blocks)), 2))
    slopes = [(blocks[later] - blocks[sooner]) / (later - sooner) for sooner, later in pairs]
    signs = sum((slope > 0) - (slope < 0) for slope in slopes)
    count = len(blocks)
    ties = sum(n * (n - 1) * (2 * n + 5) for n in Counter(blocks).values())
    spread = (count * (count - 1) * (2 * count + 5) - ties) / 18
    score = 0.0 if spread <= 0 else (signs - math.copysign(1, signs) * bool(signs)) / spread**0.5
    wide = max(1, len(values) // MOST_BLOCKS)
    change = median(slopes) / wide * (len(values) - 1)
    return Trend(change, _beyond(score), _beyond(-score))


def means_of_blocks(values: Sequence[float], most: int = MOST_BLOCKS) -> list[float]:
    """The means of so many blocks of neighbours, or a few more; what is left over comes first.

    >>> means_of_blocks([1, 2, 3, 4, 5], most=2)
    [2.5, 4.5]
    """
    wide = max(1, len(values) // most)
    first = len(values) - wide * (len(values) // wide)
    return [sum(values[at : at + wide]) / wide for at in range(first, len(values), wide)]


def _beyond(score: float) -> float:
    """The share of a standard normal distribution beyond a score."""
    return 0.5 * math.erfc(score / 2**0.5)
