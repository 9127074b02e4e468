"""Agreement of a team: over all, between two people, of one person, on one expert, by list."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from schemas.agreement import (
    PlanAgreement,
    PreparedPlan,
    prepare_plan,
    prepared_agreement,
    prepared_distance,
)
from schemas.alpha import (
    FEWEST_UNITS,
    MOST_PAIRS,
    Alpha,
    alpha_of,
    alpha_of_counts,
    value_pairs,
)
from schemas.carelessness import Shared
from schemas.intervals import DRAWS, SEED, percentile_interval
from schemas.staleness import PlainPlan

FEWEST_PAIRS_BY_LIST = 2_000


class PlannedQuery(NamedTuple):
    """One person's plan for a query, and the expert list (NAME@N) it was made under."""

    query_id: str
    person_id: str
    expert_list: str
    plan: PlainPlan


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PairAgreement(_Value):
    """Two people on the queries that both planned; shares and means are over those."""

    person_id: str
    other_id: str
    queries: int
    differing: int
    """Queries for which they do not have the same experts in each stage."""
    same: float
    """Share of plans equal in substance."""
    distance: float
    """Mean `plan_distance`."""
    alpha: float | None
    """1 - distance / the team's expected distance, so that pairs can be compared."""


class PersonAgreement(_Value):
    """One person against all others, over the queries that somebody else planned too.

    `low` and `high` are the 95 % interval of α; absent with fewer than five queries.
    """

    person_id: str
    queries: int
    differing: float
    """Share of the comparisons in which the experts differ."""
    alpha: float | None
    low: float | None
    high: float | None


class ExpertAgreement(_Value):
    """Agreement on whether an expert is in the plan: nominal α over yes and no."""

    expert: str
    plans: int
    """How many plans name the expert, of those that could be compared."""
    alpha: Alpha


class ListAgreement(_Value):
    """Agreement on the queries under one version of an expert list."""

    expert_list: str
    alpha: Alpha


class TeamAgreement(_Value):
    """All figures of agreement; parts are means over pairs of plans for one query."""

    alpha: Alpha
    pairs_compared: int
    parts: Mapping[str, float]
    """Means of `PlanAgreement`: same, same_experts, experts, order, sub_questions, rewrite."""
    pairs: tuple[PairAgreement, ...]
    people: tuple[PersonAgreement, ...]
    experts: tuple[ExpertAgreement, ...]
    lists: tuple[ListAgreement, ...]


class _Compared(NamedTuple):
    """Two plans for one query, compared."""

    unit: int
    person_id: str
    other_id: str
    agreement: PlanAgreement
    distance: float


def team_agreement(plans: Iterable[PlannedQuery], *, draws: int = DRAWS) -> TeamAgreement:
    """Every figure of agreement from the plans of a team (of a person's two for a query, the last).

    α of plans has `plan_distance` as its difference. α of a person, and of two people, is
    1 - their mean difference / the difference expected by chance over the whole team, so that
    people can be compared. The same plans in any order give the same figures.
    """
    units, lists = _units(plans)
    compared = [
        _compare(place, a, b, units[place])
        for place in range(len(units))
        for a, b in combinations(units[place], 2)
    ]
    alpha = _plan_alpha(units, compared, range(len(units)), MOST_PAIRS, draws)
    most = max(FEWEST_PAIRS_BY_LIST, MOST_PAIRS // max(1, len(set(lists))))
    by_list: defaultdict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(lists):
        by_list[name].append(place)
    return TeamAgreement(
        alpha=alpha,
        pairs_compared=len(compared),
        parts=_parts(compared),
        pairs=_pairs(compared, alpha.expected),
        people=_people(compared, alpha.expected, draws),
        experts=_experts(units, draws),
        lists=tuple(
            ListAgreement(
                expert_list=name,
                alpha=alpha
                if len(places) == len(units)
                else _plan_alpha(units, compared, places, most, draws),
            )
            for name, places in sorted(by_list.items())
        ),
    )


def _units(plans: Iterable[PlannedQuery]) -> tuple[list[dict[str, PreparedPlan]], list[str]]:
    """Queries that several people planned, with their plans by person, and their lists."""
    found: defaultdict[str, dict[str, PlannedQuery]] = defaultdict(dict)
    for each in plans:
        found[each.query_id][each.person_id] = each
    several = [found[query] for query in sorted(found) if len(found[query]) > 1]
    units = [
        {person: prepare_plan(unit[person].plan) for person in sorted(unit)} for unit in several
    ]
    return units, [min(each.expert_list for each in unit.values()) for unit in several]


def _compare(place: int, a: str, b: str, unit: Mapping[str, PreparedPlan]) -> _Compared:
    agreement = prepared_agreement(unit[a], unit[b])
    return _Compared(place, a, b, agreement, agreement.distance)


def _plan_alpha(
    units: Sequence[Mapping[str, PreparedPlan]],
    compared: Sequence[_Compared],
    places: Sequence[int],
    most_pairs: int,
    draws: int,
) -> Alpha:
    """α of the queries at these places, from the comparisons that are there already."""
    at = {place: index for index, place in enumerate(places)}
    within = np.zeros(len(at))
    for each in compared:
        if each.unit in at:
            within[at[each.unit]] += 2 * each.distance
    sizes = np.array([len(units[place]) for place in places], dtype=float)
    values = [plan for place in places for plan in units[place].values()]
    owners = np.repeat(np.arange(len(at)), sizes.astype(int))
    first, second = value_pairs(len(values), most_pairs)
    between = [
        prepared_distance(values[a], values[b])
        for a, b in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return alpha_of(
        within / np.maximum(sizes - 1, 1),
        sizes,
        np.array(between),
        (owners[first], owners[second]),
        draws=draws,
    )


def _parts(compared: Sequence[_Compared]) -> dict[str, float]:
    names = ("is_same", "is_same_experts", "experts", "order", "sub_questions", "rewrite")
    return {
        name.removeprefix("is_"): float(
            np.mean([float(getattr(each.agreement, name)) for each in compared])
        )
        for name in names
        if compared
    }


def _pairs(compared: Sequence[_Compared], expected: float) -> tuple[PairAgreement, ...]:
    by_pair: defaultdict[tuple[str, str], list[_Compared]] = defaultdict(list)
    for each in compared:
        by_pair[each.person_id, each.other_id].append(each)
    figures: list[PairAgreement] = []
    for (person, other), found in sorted(by_pair.items()):
        distance = sum(each.distance for each in found) / len(found)
        figures.append(
            PairAgreement(
                person_id=person,
                other_id=other,
                queries=len(found),
                differing=sum(not each.agreement.is_same_experts for each in found),
                same=sum(each.agreement.is_same for each in found) / len(found),
                distance=distance,
                alpha=1 - distance / expected if expected else None,
            )
        )
    return tuple(figures)


def _people(
    compared: Sequence[_Compared], expected: float, draws: int
) -> tuple[PersonAgreement, ...]:
    by_person: defaultdict[str, defaultdict[int, list[_Compared]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for each in compared:
        by_person[each.person_id][each.unit].append(each)
        by_person[each.other_id][each.unit].append(each)
    return tuple(
        _person(person, [by_unit[unit] for unit in sorted(by_unit)], expected, draws)
        for person, by_unit in sorted(by_person.items())
    )


def _person(
    person: str, units: Sequence[Sequence[_Compared]], expected: float, draws: int
) -> PersonAgreement:
    """One person's α, its interval by resampling the queries."""
    distances = np.array([np.mean([each.distance for each in unit]) for unit in units])
    all_compared = [each for unit in units for each in unit]
    alpha = low = high = None
    if expected:
        alpha = 1 - float(distances.mean()) / expected
    if expected and len(units) >= FEWEST_UNITS:
        source = np.random.default_rng(SEED)
        chosen = source.integers(len(units), size=(draws, len(units)))
        low, high = percentile_interval(1 - distances[chosen].mean(axis=1) / expected)
    return PersonAgreement(
        person_id=person,
        queries=len(units),
        differing=sum(not each.agreement.is_same_experts for each in all_compared)
        / len(all_compared),
        alpha=alpha,
        low=low,
        high=high,
    )


def _experts(
    units: Sequence[Mapping[str, PreparedPlan]], draws: int
) -> tuple[ExpertAgreement, ...]:
    sizes = np.array([len(unit) for unit in units], dtype=float)
    naming = [Counter(name for plan in unit.values() for name in plan.experts) for unit in units]
    figures: list[ExpertAgreement] = []
    for expert in sorted({name for named in naming for name in named}):
        yes = np.array([named[expert] for named in naming], dtype=float)
        alpha = alpha_of_counts(np.stack([yes, sizes - yes], axis=1), draws=draws)
        figures.append(ExpertAgreement(expert=expert, plans=int(yes.sum()), alpha=alpha))
    return tuple(figures)


def shared_queries(team: TeamAgreement) -> dict[str, tuple[Shared, ...]]:
    """For everybody, the queries shared with each colleague: what `careless_annotators` weighs."""
    shared: defaultdict[str, list[Shared]] = defaultdict(list)
    for pair in team.pairs:
        shared[pair.person_id].append(Shared(pair.other_id, pair.queries, pair.differing))
        shared[pair.other_id].append(Shared(pair.person_id, pair.queries, pair.differing))
    return {person: tuple(found) for person, found in shared.items()}
