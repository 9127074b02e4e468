"""From a recipe to the rows of a bundle: which, in what order, and why not the others.

Everything that looks like chance is a hash of the seed and an id, so the same rows give the same
bundle, and one row more moves no other to the other side of a split. Texts are not held: one row
costs a few hundred bytes here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor

from db.engine import Session
from exports.candidates import Candidate, Judge, cluster_share
from schemas.bundle import PoolFigures, PoolName, SourceFigures, Spread
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, Pool, Source, SourceKind
from schemas.scoring.check import Problem

_ENDLESS = 10**12


@dataclass(slots=True)
class _Filled:
    """One source of a pool while it is being filled."""

    source: Source
    found: int = 0
    usable: list[Candidate] = field(default_factory=list)
    exclusions: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str, kept: Iterable[Candidate]) -> None:
        """Keep these only, counting the others under a reason."""
        before = len(self.usable)
        self.usable = list(kept)
        if len(self.usable) < before:
            self.exclusions[reason] += before - len(self.usable)


@dataclass(frozen=True, slots=True)
class ChosenPool:
    """The rows of a pool in the order of its files, and what there is to say about them."""

    train: tuple[Candidate, ...]
    val: tuple[Candidate, ...]
    figures: PoolFigures


@dataclass(frozen=True, slots=True)
class Selection:
    """What a recipe selects; a pool that no format needs is absent."""

    recipe: BundleRecipe
    pools: Mapping[PoolName, ChosenPool]


def choose(
    session: Session,
    project_id: str,
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
    judge: Judge,
) -> Selection:
    """The rows that a resolved recipe selects.

    Raises:
        InvalidInput: `export.unknown_list`, `export.source_short`, `export.nothing_selected`.
    """
    _refuse_unknown_lists(recipe, lists)
    filled = _fill(session, project_id, recipe, lists, judge)
    for sources in filled.values():
        _one_row_a_query(sources)
    before = {name: _spread(_all(sources), lists) for name, sources in filled.items()}
    if recipe.pools == "apart" and len(filled) == 2:
        _split_shared_clusters(filled["sft"], filled["grpo"], recipe.seed)
    if "grpo" in filled:
        _take_measures(recipe.grpo, filled["grpo"], "grpo")
    if "sft" in filled:
        if recipe.pools == "apart" and "grpo" in filled:
            taken = {each.cluster for each in _all(filled["grpo"])}
            for each in filled["sft"]:
                each.leave_out("other_pool", (c for c in each.usable if c.cluster not in taken))
        if recipe.with_thinking:
            _keep_shortest(filled["sft"], recipe)
        _take_measures(recipe.sft, filled["sft"], "sft")
    pools: dict[PoolName, ChosenPool] = {
        name: _chosen(name, sources, before[name], recipe, lists)
        for name, sources in filled.items()
    }
    return Selection(recipe, pools)


def pools_needed(recipe: BundleRecipe) -> dict[PoolName, Pool]:
    """The pools that the recipe's formats are written from."""
    pools: dict[PoolName, Pool] = {}
    if "sft" in recipe.formats:
        pools["sft"] = recipe.sft
    if {"grpo", "dpo", "kto"} & set(recipe.formats):
        pools["grpo"] = recipe.grpo
    return pools


def _refuse_unknown_lists(recipe: BundleRecipe, lists: Mapping[str, ExpertList]) -> None:
    known = {each.reference for each in lists.values()}
    for pool in pools_needed(recipe).values():
        for source in pool.sources:
            for reference in source.lists:
                if reference not in known:
                    raise InvalidInput("export.unknown_list", reference=reference)


def _fill(
    session: Session,
    project_id: str,
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
    judge: Judge,
) -> dict[PoolName, list[_Filled]]:
    """One stream for each kind of source, offered to every source of that kind."""
    filled: dict[PoolName, list[_Filled]] = {
        name: [_Filled(source) for source in pool.sources]
        for name, pool in pools_needed(recipe).items()
    }
    takers: dict[SourceKind, list[tuple[bool, _Filled]]] = {}
    for name, sources in filled.items():
        for each in sources:
            takers.setdefault(each.source.kind, []).append((name == "sft", each))
    for candidates in judge.stream(session, project_id, takers.keys()):
        if candidates:
            for is_sft, taker in takers[candidates[0].kind]:
                _offer(taker, candidates, recipe, lists, is_sft=is_sft)
    return filled


def _offer(
    taker: _Filled,
    candidates: list[Candidate],
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
    *,
    is_sft: bool,
) -> None:
    usable: list[Candidate] = []
    for each in candidates:
        if not _passes(taker.source, each, lists):
            continue
        taker.found += 1
        reason = each.reason
        if reason is None and is_sft and recipe.with_thinking:
            is_tolerated = each.trace_reason == "stale" and recipe.stale_traces == "keep"
            reason = None if is_tolerated else each.trace_reason
        if reason is None:
            usable.append(each)
        else:
            taker.exclusions[reason] += 1
    if len(usable) > 1:
        taker.exclusions["not_shortest"] += len(usable) - 1
        shortest = recipe.think.min if recipe.think and recipe.with_thinking else 0
        usable = [min(usable, key=lambda c: (c.trace_length < shortest, c.trace_length))]
    taker.usable += usable


def _passes(source: Source, candidate: Candidate, lists: Mapping[str, ExpertList]) -> bool:
    if source.lists and lists[candidate.list_id].reference not in source.lists:
        return False
    if source.models and candidate.model not in source.models:
        return False
    if source.since and (candidate.day is None or candidate.day < source.since):
        return False
    return not (source.until and (candidate.day is None or candidate.day > source.until))


def _one_row_a_query(sources: list[_Filled]) -> None:
    """A query stands once in a pool; what people decided comes before what a model suggested."""
    seen: set[str] = set()
    for each in sorted(sources, key=lambda filled: filled.source.kind == "suggestions"):
        each.leave_out("same_query", [c for c in each.usable if c.query_id not in seen])
        seen.update(candidate.query_id for candidate in each.usable)


def _split_shared_clusters(sft: list[_Filled], grpo: list[_Filled], seed: int) -> None:
    """Clusters that both pools have: GRPO's where SFT has suggestions only, else half and half."""
    reviewed = {
        candidate.cluster
        for each in sft
        if each.source.kind != "suggestions"
        for candidate in each.usable
    }
    for each in grpo:
        each.leave_out(
            "other_pool",
            (
                c
                for c in each.usable
                if c.cluster not in reviewed or cluster_share(seed, "pool", c.cluster) < 0.5
            ),
        )


def _keep_shortest(sources: list[_Filled], recipe: BundleRecipe) -> None:
    """Of each plan size keep the same share, shortest traces first."""
    if recipe.shortest_traces >= 1:
        return
    by_size: dict[int, list[Candidate]] = {}
    for candidate in _all(sources):
        by_size.setdefault(candidate.size, []).append(candidate)
    kept: set[str] = set()
    for of_size in by_size.values():
        of_size.sort(key=lambda c: (c.trace_length, c.rank))
        count = ceil(len(of_size) * recipe.shortest_traces)
        kept.update(candidate.query_id for candidate in of_size[:count])
    for each in sources:
        each.leave_out("long_trace", [c for c in each.usable if c.query_id in kept])


def _take_measures(pool: Pool, sources: list[_Filled], name: PoolName) -> None:
    """Put each source in hash order and cut it to its share or count."""
    shares = [each.source.share for each in sources if each.source.share is not None]
    total: float = pool.size or _ENDLESS
    if shares:
        for each in sources:
            if not each.usable:
                problems = _reasons(name, [each])
                kind = each.source.kind
                raise InvalidInput("export.source_short", problems, kind=kind, pool=name)
            total = min(total, len(each.usable) / (each.source.share or 1))
    for each in sources:
        each.usable.sort(key=lambda c: c.rank)
        wanted = len(each.usable)
        if each.source.share is not None:
            wanted = max(1, floor(total * each.source.share + 1e-9))
        elif each.source.count is not None:
            wanted = min(wanted, each.source.count)
        each.leave_out("over_share", each.usable[:wanted])


def _chosen(
    name: PoolName,
    sources: list[_Filled],
    before: Spread,
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
) -> ChosenPool:
    rows = sorted(_all(sources), key=lambda c: c.rank)
    train, val = _split(rows, recipe)
    if not train:
        file = name if name in recipe.formats else recipe.formats[0]
        raise InvalidInput("export.nothing_selected", _reasons(name, sources), file=f"{file}.jsonl")
    figures = PoolFigures(
        pool=name,
        sources=tuple(
            SourceFigures(
                kind=each.source.kind,
                lists=each.source.lists,
                found=each.found,
                taken=len(each.usable),
                share=round(len(each.usable) / len(rows), 4),
                exclusions=dict(sorted(each.exclusions.items())),
            )
            for each in sources
        ),
        train=len(train),
        val=len(val),
        spread=_spread(rows, lists),
        before=before,
    )
    return ChosenPool(tuple(train), tuple(val), figures)


def _split(rows: list[Candidate], recipe: BundleRecipe) -> tuple[list[Candidate], list[Candidate]]:
    """Rows to train and to validate: by their cluster, so growth moves no row."""
    if recipe.val_share == 0:
        return rows, []
    parts: tuple[list[Candidate], list[Candidate]] = ([], [])
    for row in rows:
        parts[cluster_share(recipe.seed, "val", row.cluster) < recipe.val_share].append(row)
    return parts


def _reasons(name: PoolName, sources: Iterable[_Filled]) -> list[Problem]:
    """Why sources are empty, as lines under a refusal."""
    problems: list[Problem] = []
    for each in sources:
        place = f"{name} · {each.source.kind}"
        if not each.found:
            problems.append(Problem(place, "export.no_candidates", {}))
        for reason, count in each.exclusions.most_common():
            problems.append(Problem(f"{place} · {count}", f"export.reason_{reason}", {}))
    return problems


def _spread(rows: Iterable[Candidate], lists: Mapping[str, ExpertList]) -> Spread:
    sizes: Counter[int] = Counter()
    by_list: Counter[str] = Counter()
    states: Counter[str] = Counter()
    traces = letters = 0
    for row in rows:
        sizes[row.size] += 1
        by_list[row.list_id] += 1
        states[row.trace_state or "none"] += 1
        traces += row.trace_length > 0
        letters += row.trace_length
    return Spread(
        rows=sizes.total(),
        by_size=dict(sorted(sizes.items())),
        by_list=dict(sorted((lists[key].reference, n) for key, n in by_list.items())),
        mean_trace_length=round(letters / traces, 1) if traces else None,
        by_trace_state=dict(sorted(states.items())),
    )


def _all(sources: Iterable[_Filled]) -> Iterable[Candidate]:
    return (candidate for each in sources for candidate in each.usable)
