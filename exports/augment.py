"""A row's expert list, changed so that a planner does not learn it by heart; pure functions.

Only the prompt changes: the accepted plan stays right, because no expert that it calls is touched
and no decoy could do the work of one. Everything is drawn from a hash of the seed and the query.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from exports.chance import cluster_share
from schemas.clusters import normalised
from schemas.experts import Expert, ExpertList
from schemas.likeness import grams_of
from schemas.recipe import Augmentation

TOO_ALIKE = 0.35
"""From which likeness of descriptions (Dice) on a decoy might do an expert's work."""


def is_augmented(seed: int, wanted: Augmentation, query_id: str) -> bool:
    """Whether a query has a twin under a changed list."""
    return wanted.share > 0 and cluster_share(seed, "twin", query_id) < wanted.share


def augmented_list(
    seed: int,
    wanted: Augmentation,
    query_id: str,
    *,
    own: ExpertList,
    plan: Mapping[str, Any],
    decoys: Sequence[Expert],
) -> ExpertList:
    """The list of a query's twin; `decoys` are those that fit its own list."""
    called = {step["expert"] for step in plan["steps"]}
    kept = [
        each
        for each in own.experts
        if each.name in called
        or cluster_share(seed, f"drop {query_id}", each.name) >= wanted.drop_unused
    ]
    kept = kept or list(own.experts[:1])
    by_chance = sorted(decoys, key=lambda each: cluster_share(seed, f"decoy {query_id}", each.name))
    kept += by_chance[: wanted.decoys]
    if wanted.shuffle:
        kept.sort(key=lambda each: cluster_share(seed, f"place {query_id}", each.name))
    return own.model_copy(update={"experts": tuple(kept)})


def decoys_for(own: ExpertList, others: Iterable[ExpertList]) -> tuple[Expert, ...]:
    """Experts of the project's other lists that nobody could confuse with one of this list.

    Versions of the same list are no source: what was renamed or split there could do the work.
    """
    taken = set(_names(own.experts))
    described = [_grams(each) for each in own.experts]
    found: dict[str, Expert] = {}
    for other in sorted(others, key=lambda each: each.reference):
        if other.name == own.name:
            continue
        for expert in other.experts:
            names = set(_names([expert]))
            if names & taken or expert.name in found:
                continue
            grams = _grams(expert)
            if all(_dice(grams, each) < TOO_ALIKE for each in described):
                found[expert.name] = expert
    return tuple(found.values())


def _names(experts: Iterable[Expert]) -> Iterator[str]:
    for each in experts:
        yield from map(normalised, (each.name, *each.aliases))


def _grams(expert: Expert) -> set[str]:
    return grams_of(normalised(expert.description or expert.name))


def _dice(one: Collection[str], other: Collection[str]) -> float:
    whole = len(one) + len(other)
    return 2 * len(set(one) & set(other)) / whole if whole else 0.0
