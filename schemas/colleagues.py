"""Each person's agreement with the others, over the queries that several people planned."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from schemas.agreement import PreparedPlan, prepared_agreement, prepared_distance
from schemas.alpha import FEWEST_UNITS, MOST_PAIRS, value_pairs
from schemas.carelessness import Shared
from schemas.intervals import DRAWS, SEED, percentile_interval

Opinions = Mapping[str, PreparedPlan]
"""The plans for one query by who wrote them."""


class AmongColleagues(NamedTuple):
    """One person against all others.

    `alpha` is 1 - their mean difference (`plan_distance`) / the difference expected by chance over
    the whole team, so that people can be compared; `low` and `high` are its 95 % interval, absent
    with fewer than five queries. `shared` goes into a `WorkRecord`.
    """

    shared: tuple[Shared, ...]
    queries: int
    alpha: float | None
    low: float | None
    high: float | None


def among_colleagues(
    queries: Iterable[Opinions], *, draws: int = DRAWS, most_pairs: int = MOST_PAIRS
) -> dict[str, AmongColleagues]:
    """How everybody agrees with the others, by person; the same at every call for the same order.

    Queries of one person say nothing and are left out. The expected difference is that of α
    (`schemas.alpha.krippendorff_alpha`): over pairs of plans for any query.
    """
    known = [opinions for opinions in queries if len(opinions) > 1]
    shared: defaultdict[str, defaultdict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    distances: defaultdict[str, list[float]] = defaultdict(list)
    for opinions in known:
        total = dict.fromkeys(opinions, 0.0)
        for a, b in combinations(opinions, 2):
            found = prepared_agreement(opinions[a], opinions[b])
            shared[a][b].append(not found.is_same_experts)
            shared[b][a].append(not found.is_same_experts)
            total[a] += found.distance
            total[b] += found.distance
        for person, whole in total.items():
            distances[person].append(whole / (len(opinions) - 1))
    expected = _expected_difference(known, most_pairs)
    return {
        person: _among(shared[person], distances[person], expected, draws)
        for person in sorted(shared)
    }


def _expected_difference(known: list[Opinions], most_pairs: int) -> float:
    plans = [plan for opinions in known for plan in opinions.values()]
    first, second = value_pairs(len(plans), most_pairs)
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    differences = [prepared_distance(plans[a], plans[b]) for a, b in pairs]
    return sum(differences) / len(differences) if differences else 0.0


def _among(
    shared: Mapping[str, list[bool]], distances: list[float], expected: float, draws: int
) -> AmongColleagues:
    alpha = low = high = None
    if expected:
        known = np.array(distances)
        alpha = 1 - float(known.mean()) / expected
        if len(known) >= FEWEST_UNITS:
            source = np.random.default_rng(SEED)
            chosen = source.integers(len(known), size=(draws, len(known)))
            low, high = percentile_interval((1 - known[chosen].mean(axis=1) / expected).tolist())
    return AmongColleagues(
        shared=tuple(
            Shared(colleague, len(differs), sum(differs))
            for colleague, differs in sorted(shared.items())
        ),
        queries=len(distances),
        alpha=alpha,
        low=low,
        high=high,
    )
