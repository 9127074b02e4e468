"""Filling the sources of each pool from what queries offer, and counting what is left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from exports.candidates import Candidate, Judged, Offered, is_for_grpo
from exports.drafts import Drafts
from schemas.bundle import PoolName
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, Pool, Source


@dataclass(slots=True)
class Filled:
    """One source of a pool while it is being filled.

    `bad_traces` are the trace reasons that keep a row out of this pool.
    """

    source: Source
    bad_traces: frozenset[str | None] = frozenset()
    shortest: int = 0
    found: int = 0
    usable: list[Candidate] = field(default_factory=list)
    exclusions: Counter[str] = field(default_factory=Counter)

    def best(self, offered: list[Judged], lists: Mapping[str, ExpertList]) -> Judged | None:
        """The best of what one query offers, if any; why the others are not taken is counted."""
        best: Judged | None = None
        for judged in offered:
            each = judged.candidate
            if not _passes(self.source, each, lists):
                continue
            self.found += 1
            if each.reason is not None:
                self.exclusions[each.reason] += 1
            elif each.trace_reason in self.bad_traces:
                self.exclusions[each.trace_reason or ""] += 1
            else:
                best = judged if best is None else self._better(best, judged)
        return best

    def _better(self, one: Judged, other: Judged) -> Judged:
        """The shorter one that is not too short; the first of equals."""
        self.exclusions["not_shortest"] += 1
        return min(one, other, key=lambda each: _length(each.candidate, self.shortest))

    def leave_out(self, reason: str, kept: Iterable[Candidate]) -> None:
        """Keep these only, counting the others under a reason."""
        before = len(self.usable)
        self.usable = list(kept)
        if len(self.usable) < before:
            self.exclusions[reason] += before - len(self.usable)


def empty_sources(name: PoolName, pool: Pool, recipe: BundleRecipe) -> list[Filled]:
    """The sources of a pool before anything is in them."""
    bad, shortest = set[str | None](), 0
    if name == "sft" and recipe.with_thinking:
        bad = {"no_trace", "stale"} if recipe.stale_traces == "leave_out" else {"no_trace"}
    if recipe.with_thinking and recipe.think:
        shortest = recipe.think.min
    return [Filled(source, frozenset(bad), shortest) for source in pool.sources]


def fill(
    offers: Iterable[Offered],
    filled: Mapping[PoolName, list[Filled]],
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
    drafts: Drafts | None,
) -> None:
    """Offer each query to every source; it stands once in a pool.

    What people decided comes before what a model suggested.
    """
    pools: list[tuple[PoolName, list[Filled]]] = [
        (name, sorted(sources, key=lambda each: each.source.kind == "suggestions"))
        for name, sources in filled.items()
    ]
    for query, by_kind in offers:
        taken: dict[PoolName, Judged] = {}
        for name, sources in pools:
            for each in sources:
                offered = by_kind.get(each.source.kind)
                best = each.best(offered, lists) if offered else None
                if best is None:
                    continue
                if name in taken:
                    each.exclusions["same_query"] += 1
                else:
                    taken[name] = best
                    each.usable.append(best.candidate)
        if drafts is not None:
            for name in _may_write(taken, recipe):
                drafts.keep(name, query, taken[name])


def _may_write(taken: Mapping[PoolName, Judged], recipe: BundleRecipe) -> Iterable[PoolName]:
    """The pools that may yet write a query which they have taken.

    A row that both pools want apart, and that people decided on, goes by the hash of its cluster
    (`choose` says so again for all): to SFT, or to GRPO, unless GRPO is cut to a measure.
    """
    if recipe.pools != "apart" or len(taken) < 2 or taken["sft"].candidate.kind == "suggestions":
        return taken
    if not is_for_grpo(recipe.seed, taken["grpo"].candidate.cluster):
        return ("sft",)
    is_cut = any(each.share or each.count for each in recipe.grpo.sources)
    return taken if is_cut else ("grpo",)


def _length(candidate: Candidate, shortest: int) -> tuple[bool, int]:
    return candidate.trace_length < shortest, candidate.trace_length


def _passes(source: Source, candidate: Candidate, lists: Mapping[str, ExpertList]) -> bool:
    if source.lists and lists[candidate.list_id].reference not in source.lists:
        return False
    if source.models and candidate.model not in source.models:
        return False
    if source.since and (candidate.day is None or candidate.day < source.since.isoformat()):
        return False
    return not (
        source.until and (candidate.day is None or candidate.day > source.until.isoformat())
    )
