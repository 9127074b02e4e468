"""How far people agree over the queries that several of them worked on."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import orjson

from db.access import quality as access
from db.access.quality import SharedPlan
from db.engine import Session
from labeling.desk import pinned_list
from schemas.agreement import PreparedPlan, prepare_plan, prepared_agreement, prepared_distance
from schemas.alpha import Alpha, krippendorff_alpha, nominal_alpha
from schemas.colleagues import Opinions
from schemas.quality import Estimate, NamedAgreement, PairAgreement, TeamAgreement

FEWEST_SHARED = 5
"""Fewer queries in common say nothing about two people, an expert or a list."""
MOST_PAIRS_SHOWN = 100
# Differences looked at for what chance would bring (`schemas.alpha.krippendorff_alpha`): enough for
# two digits of the whole, one and a half of a part, and a page that answers in a second or two.
_PAIRS_OF_WHOLE, _PAIRS_OF_PART, _DRAWS_OF_PART = 10_000, 1_000, 200


class SharedQuery(NamedTuple):
    """A query that several people planned: its list version, and the plans by author."""

    list_version_id: str
    opinions: Opinions


def read_shared(plans: Iterable[SharedPlan]) -> list[SharedQuery]:
    """Stored plans by query, taken apart for comparing."""
    opinions: defaultdict[str, dict[str, PreparedPlan]] = defaultdict(dict)
    lists: dict[str, str] = {}
    for each in plans:
        opinions[each.query_id][each.author_id] = prepare_plan(orjson.loads(each.plan))
        lists[each.query_id] = each.list_version_id
    return [SharedQuery(lists[query_id], found) for query_id, found in opinions.items()]


def team_agreement(
    session: Session, project_id: str, shared: Sequence[SharedQuery], *, hide_names: bool
) -> TeamAgreement | None:
    """Agreement over shared queries; None where nobody shared one, or where nothing varies."""
    units = [each.opinions for each in shared]
    opinions = [tuple(each.values()) for each in units]
    whole = krippendorff_alpha(opinions, prepared_distance, most_pairs=_PAIRS_OF_WHOLE)
    if whole.alpha is None:
        return None
    by_list: defaultdict[str, list[Opinions]] = defaultdict(list)
    for each in shared:
        name = pinned_list(session, project_id, each.list_version_id).current.reference
        by_list[name].append(each.opinions)
    return TeamAgreement(
        queries=whole.units,
        plans=whole.values,
        alpha=Estimate(value=whole.alpha, low=whole.low, high=whole.high),
        parts=_parts(units),
        pairs=() if hide_names else _pairs(session, units),
        experts=_experts(units),
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
