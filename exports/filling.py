"""Filling the sources of each pool from what queries offer, and counting what is left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exports.candidates import Candidate, Judged, Offered
from exports.chance import is_for_grpo, is_plain
from exports.drafts import Drafts
from exports.taken import Taken
from schemas.bundle import PoolName
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.recipe import SFT_FORMATS, BundleRecipe, Format, Pool, Source
from schemas.scoring.check import Problem


@dataclass(slots=True)
class Filled:
    """One source of a pool while it is being filled.

    `bad_traces` are the trace reasons that keep a row out of this pool, unless it is written
    without thinking. `unfit` says why queries that were asked for by their ids are not taken.
    """

    source: Source
    bad_traces: frozenset[str | None] = frozenset()
    shortest: int = 0
    seed: int = 0
    plain_share: float = 0.0
    asked: frozenset[str] = frozenset()
    is_narrow: bool = True
    unfit: dict[str, str] = field(default_factory=dict)
    found: int = 0
    outdone: str = "not_shortest"
    taken: Taken = field(default_factory=Taken)
    exclusions: Counter[str] = field(default_factory=Counter)

    def best(self, offered: list[Judged], lists: Mapping[str, ExpertList]) -> Judged | None:
        """The best of what one query offers, if any; why the others are not taken is counted."""
        best: Judged | None = None
        for judged in offered:
            each = judged.candidate
            if self.is_narrow and not self._passes(each, lists):
                continue
            self.found += 1
            reason = each.reason or (each.trace_reason and self._trace_reason(each))
            if reason is None:
                best = judged if best is None else self._better(best, judged)
                continue
            self.exclusions[reason] += 1
            if self.asked:
                self.unfit[each.query_id] = reason
        return best

    def is_plain(self, cluster: str) -> bool:
        """Whether the rows of a cluster are written without thinking in a recipe that thinks."""
        return is_plain(self.seed, self.plain_share, cluster)

    def _trace_reason(self, each: Candidate) -> str | None:
        if each.trace_reason not in self.bad_traces or self.is_plain(each.cluster):
            return None
        return each.trace_reason

    def _passes(self, each: Candidate, lists: Mapping[str, ExpertList]) -> bool:
        is_asked = not self.asked or each.query_id in self.asked
        return is_asked and _passes(self.source, each, lists)

    def _better(self, one: Judged, other: Judged) -> Judged:
        """The better one by its score, the shorter that is not too short; the first of equals."""
        self.exclusions[self.outdone] += 1
        return min(one, other, key=lambda each: _worth(each, self.shortest))


class Emptied(Protocol):
    """A source as far as it says why little or nothing is left of it."""

    source: Source
    found: int
    exclusions: Counter[str]


def why_empty(name: PoolName, sources: Iterable[Emptied]) -> list[Problem]:
    """Why sources are empty, as lines under a refusal."""
    problems: list[Problem] = []
    for each in sources:
        place = f"{name} · {each.source.kind}"
        if not each.found:
            problems.append(Problem(place, "export.no_candidates", {}))
        for reason, count in each.exclusions.most_common():
            problems.append(Problem(f"{place} · {count}", f"export.reason_{reason}", {}))
    return problems


def pools_needed(recipe: BundleRecipe) -> dict[PoolName, Pool]:
    """The pools that the recipe's formats are written from."""
    pools: dict[PoolName, Pool] = {}
    if SFT_FORMATS & set(recipe.formats):
        pools["sft"] = recipe.sft
    if set(recipe.formats) - SFT_FORMATS:
        pools["grpo"] = recipe.grpo
    return pools


def refuse_unknown_lists(recipe: BundleRecipe, lists: Mapping[str, ExpertList]) -> None:
    """Refuse a recipe that names a list which is not there.

    Raises:
        InvalidInput: `export.unknown_list`.
    """
    known = {each.reference for each in lists.values()}
    for pool in pools_needed(recipe).values():
        for source in pool.sources:
            for reference in source.lists:
                if reference not in known:
                    raise InvalidInput("export.unknown_list", reference=reference)


def sources_of(recipe: BundleRecipe, drafts: Drafts | None) -> dict[PoolName, list[Filled]]:
    """The sources of each pool before anything is in them.

    Rows are kept whole where some format of the pool is not drafted.
    """
    drafted = frozenset(drafts.of if drafts is not None else ())
    keeping = {pool_of(each) for each in recipe.formats if each not in drafted}
    return {
        name: _empty(name, pool, recipe, keeps=name in keeping)
        for name, pool in pools_needed(recipe).items()
    }


def outdone_by(recipe: BundleRecipe) -> str:
    """Why another suggestion to the same query is taken."""
    return "not_best" if recipe.prefer == "reward" else "not_shortest"


def pool_of(format_: Format) -> PoolName:
    """The pool from which a format is written."""
    return "sft" if format_ in SFT_FORMATS else "grpo"


def _empty(name: PoolName, pool: Pool, recipe: BundleRecipe, *, keeps: bool) -> list[Filled]:
    bad, shortest = set[str | None](), 0
    if name == "sft" and recipe.with_thinking:
        bad = {"no_trace"} if recipe.stale_traces == "keep" else {"no_trace", "stale"}
    if recipe.with_thinking and recipe.think:
        shortest = recipe.think.min
    return [
        Filled(
            source,
            frozenset(bad),
            shortest,
            recipe.seed,
            recipe.plain_share,
            frozenset(source.queries),
            _is_narrow(source),
            outdone=outdone_by(recipe),
            taken=Taken(keeps),
        )
        for source in pool.sources
    ]


def fill(
    offers: Iterable[Offered],
    filled: Mapping[PoolName, list[Filled]],
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
    drafts: Drafts | None,
    *,
    keys: Mapping[str, str],
) -> None:
    """Offer each query to every source; it stands once in a pool.

    What people decided comes before what a model suggested. `keys` are those of clusters whose rows
    go with others that are near to them.
    """
    pools: list[tuple[PoolName, list[Filled]]] = [
        (name, sorted(sources, key=lambda each: each.source.kind == "suggestions"))
        for name, sources in filled.items()
    ]
    for offer in offers:
        taken: dict[PoolName, Judged] = {}
        for name, sources in pools:
            for each in sources:
                offered = offer.by_kind.get(each.source.kind)
                best = each.best(offered, lists) if offered else None
                if best is None:
                    continue
                if name in taken:
                    each.exclusions["same_query"] += 1
                else:
                    taken[name] = best
                    each.taken.add(best.candidate)
        if drafts is not None and taken:
            drafts.keep(offer, [(name, taken[name]) for name in _may_write(taken, recipe, keys)])


def _may_write(
    taken: Mapping[PoolName, Judged], recipe: BundleRecipe, keys: Mapping[str, str]
) -> Iterable[PoolName]:
    """The pools that may yet write a query which they have taken.

    A row that both pools want apart, and that people decided on, goes by the hash of its
    near-cluster (`Selecting` says so again for all): to SFT, or to GRPO, unless GRPO is cut to a
    measure.
    """
    if recipe.pools != "apart" or len(taken) < 2 or taken["sft"].candidate.kind == "suggestions":
        return taken
    cluster = taken["grpo"].candidate.cluster
    if not is_for_grpo(recipe.seed, keys.get(cluster, cluster)):
        return ("sft",)
    is_cut = any(each.share or each.count for each in recipe.grpo.sources)
    return taken if is_cut else ("grpo",)


def _worth(judged: Judged, shortest: int) -> tuple[float, bool, int]:
    length = judged.candidate.trace_length
    return -judged.score, length < shortest, length


def _is_narrow(source: Source) -> bool:
    """Whether a source says which of its kind it takes."""
    filters = (source.lists, source.models, source.labels, source.queries)
    return any(filters) or source.since is not None or source.until is not None


def _passes(source: Source, candidate: Candidate, lists: Mapping[str, ExpertList]) -> bool:
    if source.lists and lists[candidate.list_id].reference not in source.lists:
        return False
    if source.models and candidate.model not in source.models:
        return False
    if source.labels and candidate.label not in source.labels:
        return False
    if source.since and (candidate.day is None or candidate.day < source.since.isoformat()):
        return False
    return not (
        source.until and (candidate.day is None or candidate.day > source.until.isoformat())
    )
