"""How far people agree over the queries that several of them worked on."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import orjson

from db.access import quality as access
from db.access.quality import SharedPlan
from db.engine import Session
from labeling.desk import pinned_list
from schemas.agreement import PreparedPlan, prepare_plan, prepared_agreement, prepared_distance
from schemas.alpha import Alpha, krippendorff_alpha, nominal_alpha
from schemas.quality import Estimate, NamedAgreement, PairAgreement, TeamAgreement

FEWEST_SHARED = 5
"""Fewer queries in common say nothing about two people, an expert or a list."""
MOST_PAIRS_SHOWN = 100
# Differences looked at for what chance would bring (`schemas.alpha.krippendorff_alpha`): enough for
# two digits of the whole, one and a half of a part, and a page that answers in a second or two.
_PAIRS_OF_WHOLE, _PAIRS_OF_PART, _DRAWS_OF_PART = 10_000, 1_000, 200

Opinions = Mapping[str, PreparedPlan]
"""Plans for one query, by who wrote them."""


def team_agreement(
    session: Session, project_id: str, shared: Sequence[SharedPlan], *, hide_names: bool
) -> TeamAgreement | None:
    """Agreement over shared queries; None where nobody shared one, or where nothing varies."""
    units: defaultdict[str, dict[str, PreparedPlan]] = defaultdict(dict)
    lists: dict[str, str] = {}
    for each in shared:
        units[each.query_id][each.author_id] = prepare_plan(orjson.loads(each.plan))
        lists[each.query_id] = each.list_version_id
    opinions = [tuple(each.values()) for each in units.values()]
    whole = krippendorff_alpha(opinions, prepared_distance, most_pairs=_PAIRS_OF_WHOLE)
    if whole.alpha is None:
        return None
    names = {version: _name_of(session, project_id, version) for version in set(lists.values())}
    by_list: defaultdict[str, list[Opinions]] = defaultdict(list)
    for query_id, plans in units.items():
        by_list[names[lists[query_id]]].append(plans)
    return TeamAgreement(
        queries=whole.units,
        plans=whole.values,
        alpha=Estimate(value=whole.alpha, low=whole.low, high=whole.high),
        parts=_parts(units.values()),
        pairs=() if hide_names else _pairs(session, units.values()),
        experts=_experts(units.values()),
        lists=tuple(
            NamedAgreement(name=name, queries=found.units, alpha=found.alpha)
            for name, of_list in sorted(by_list.items())
            for found in [_alpha_of_part(of_list)]
            if found.alpha is not None and found.units >= FEWEST_SHARED
        ),
    )


def _alpha_of_part(units: Iterable[Opinions]) -> Alpha:
    return krippendorff_alpha(
        [tuple(each.values()) for each in units],
        prepared_distance,
        most_pairs=_PAIRS_OF_PART,
        draws=_DRAWS_OF_PART,
    )


def _name_of(session: Session, project_id: str, version_id: str) -> str:
    return pinned_list(session, project_id, version_id).current.reference


def _parts(units: Iterable[Opinions]) -> dict[str, float]:
    """Means over all pairs of plans for one query."""
    found = [prepared_agreement(a, b) for each in units for a, b in combinations(each.values(), 2)]
    return {
        "exact": statistics.fmean(each.is_same for each in found),
        "experts": statistics.fmean(each.experts for each in found),
        "order": statistics.fmean(each.order for each in found),
        "sub_questions": statistics.fmean(each.sub_questions for each in found),
        "rewrite": statistics.fmean(each.rewrite for each in found),
    }


def _pairs(session: Session, units: Iterable[Opinions]) -> tuple[PairAgreement, ...]:
    """Each two people over what both worked on, those who agree least first."""
    shared: defaultdict[tuple[str, str], list[Opinions]] = defaultdict(list)
    for each in units:
        for a, b in combinations(sorted(each), 2):
            shared[a, b].append({a: each[a], b: each[b]})
    names = access.names_of(session, {person for pair in shared for person in pair})
    found = [
        PairAgreement(
            names=(names[a], names[b]),
            queries=alpha.units,
            alpha=Estimate(value=alpha.alpha, low=alpha.low, high=alpha.high),
        )
        for (a, b), opinions in shared.items()
        if len(opinions) >= FEWEST_SHARED
        for alpha in [_alpha_of_part(opinions)]
        if alpha.alpha is not None
    ]
    return tuple(sorted(found, key=lambda each: (each.alpha.value, each.names))[:MOST_PAIRS_SHOWN])


def _experts(units: Iterable[Opinions]) -> tuple[NamedAgreement, ...]:
    """Whether people agree that an expert is needed, those they disagree on most first."""
    opinions = [tuple(each.values()) for each in units]
    found: list[NamedAgreement] = []
    for expert in sorted({name for unit in opinions for plan in unit for name in plan.experts}):
        alpha = nominal_alpha([tuple(expert in plan.experts for plan in unit) for unit in opinions])
        named = sum(any(expert in plan.experts for plan in unit) for unit in opinions)
        if alpha.alpha is not None and named >= FEWEST_SHARED:
            found.append(NamedAgreement(name=expert, queries=named, alpha=alpha.alpha))
    return tuple(sorted(found, key=lambda each: (each.alpha, each.name)))
