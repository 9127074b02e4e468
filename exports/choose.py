"""From a recipe to the rows of a bundle: which, in what order, and why not the others.

Everything that looks like chance is a hash of the seed and an id, so the same rows give the same
bundle, and one row more moves no other to the other side of a split. Texts are not held: one row
costs a few hundred bytes here.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor
from operator import attrgetter

from db.access.exports import CHUNK, fetch_parts, list_spans, plain_parts
from db.engine import Session
from exports.asked import refuse_unfit
from exports.candidates import Candidate, Judge
from exports.chance import is_plain
from exports.chances import are_for_grpo
from exports.drafts import Drafts
from exports.filling import Filled, fill, pools_needed, sources_of, why_empty
from exports.second_reader import Task, shared_spans
from exports.shift import shift_between
from exports.shortest import keep_shortest
from exports.splits import Splits
from schemas.bundle import PoolFigures, PoolName, Shift, SourceFigures, Spread
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, Pool, SourceKind

_ENDLESS = 10**12


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
    judge: Judge,
    drafts: Drafts | None = None,
    *,
    alone_until: int | None = None,
) -> Selection:
    """The rows that a resolved recipe selects; what may be taken goes to the drafts as it comes.

    With more queries than `alone_until`, a second process reads and drafts its share of them.

    Raises:
        InvalidInput: `export.unknown_list`, `export.source_short`, `export.nothing_selected`,
            `export.asked_unfit`.
    """
    lists = judge.lists
    _refuse_unknown_lists(recipe, lists)
    filled = sources_of(recipe)
    kinds = frozenset[SourceKind](each.source.kind for pool in filled.values() for each in pool)
    spans = list_spans(session, project_id)
    is_alone = drafts is None or alone_until is None or len(spans) * CHUNK <= alone_until
    task = Task(plain_parts(session, project_id, kinds), judge, kinds, recipe)
    with shared_spans(task, spans, filled, None if is_alone else drafts) as mine:
        fetch = fetch_parts(session, project_id, kinds)
        fill(judge.stream(fetch, kinds, mine), filled, recipe, lists, drafts)
    for name, sources in filled.items():
        refuse_unfit(session, project_id, name, sources)
    splits = Splits.load(session, project_id, recipe)
    for each in (each for sources in filled.values() for each in sources if splits.unknown):
        each.leave_out("not_compared", [c for c in each.usable if c.cluster not in splits.unknown])
    before = {name: _spread(_all(sources), lists) for name, sources in filled.items()}
    shift = _cut(filled, recipe, lists)
    pools: dict[PoolName, ChosenPool] = {
        name: _chosen(
            name, sources, splits, before=before[name], shift=shift, recipe=recipe, lists=lists
        )
        for name, sources in filled.items()
    }
    return Selection(recipe, pools)


def _cut(
    filled: Mapping[PoolName, list[Filled]], recipe: BundleRecipe, lists: Mapping[str, ExpertList]
) -> Shift | None:
    """Keep of each pool what is its own, short enough, and within its measures."""
    shift: Shift | None = None
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
            shift = _keep_shortest(filled["sft"], recipe, lists)
        _take_measures(recipe.sft, filled["sft"], "sft")
    return shift


def _refuse_unknown_lists(recipe: BundleRecipe, lists: Mapping[str, ExpertList]) -> None:
    known = {each.reference for each in lists.values()}
    for pool in pools_needed(recipe).values():
        for source in pool.sources:
            for reference in source.lists:
                if reference not in known:
                    raise InvalidInput("export.unknown_list", reference=reference)


def _split_shared_clusters(sft: list[Filled], grpo: list[Filled], seed: int) -> None:
    """Clusters that both pools have: GRPO's where SFT has suggestions only, else half and half."""
    reviewed = {
        candidate.cluster
        for each in sft
        if each.source.kind != "suggestions"
        for candidate in each.usable
    }
    for each in grpo:
        ours = are_for_grpo(seed, map(attrgetter("cluster"), each.usable))
        rows = zip(each.usable, ours, strict=True)
        each.leave_out("other_pool", [c for c, own in rows if own or c.cluster not in reviewed])


def _keep_shortest(
    sources: list[Filled], recipe: BundleRecipe, lists: Mapping[str, ExpertList]
) -> Shift | None:
    """Leave long traces out, and say how far that moves the experts."""
    if recipe.shortest_traces >= 1:
        return None
    # Rows without thinking have nothing to be short.
    rows = [c for each in sources for c in each.usable if not each.is_plain(c.cluster)]
    kept = {
        rows[place].query_id
        for place in keep_shortest(rows, recipe.shortest_traces, recipe.expert_quota)
    }
    before = _spread(rows, lists)
    for each in sources:
        each.leave_out(
            "long_trace", [c for c in each.usable if c.query_id in kept or each.is_plain(c.cluster)]
        )
    after = _spread((c for c in rows if c.query_id in kept), lists)
    return shift_between(before.by_expert, after.by_expert, alarm=recipe.shift_alarm)


def _take_measures(pool: Pool, sources: list[Filled], name: PoolName) -> None:
    """Put each source in hash order and cut it to its share or count."""
    shares = [each.source.share for each in sources if each.source.share is not None]
    total: float = pool.size or _ENDLESS
    if shares:
        for each in sources:
            if not each.usable:
                problems = why_empty(name, [each])
                kind = each.source.kind
                raise InvalidInput("export.source_short", problems, kind=kind, pool=name)
            total = min(total, len(each.usable) / (each.source.share or 1))
    for each in sources:
        each.usable.sort(key=attrgetter("rank"))
        wanted = len(each.usable)
        if each.source.share is not None:
            wanted = max(1, floor(total * each.source.share + 1e-9))
        elif each.source.count is not None:
            wanted = min(wanted, each.source.count)
        each.leave_out("over_share", each.usable[:wanted])


def _chosen(
    name: PoolName,
    sources: list[Filled],
    splits: Splits,
    *,
    before: Spread,
    shift: Shift | None,
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
) -> ChosenPool:
    rows = sorted(_all(sources), key=attrgetter("rank"))
    train, val = _split(rows, splits)
    if not train:
        file = name if name in recipe.formats else recipe.formats[0]
        raise InvalidInput(
            "export.nothing_selected", why_empty(name, sources), file=f"{file}.jsonl"
        )
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
        plain=sum(is_plain(recipe.seed, recipe.plain_share, row.cluster) for row in rows)
        if recipe.plain_share
        else 0,
        shift=shift if name == "sft" else None,
        near=splits.figures(map(attrgetter("cluster"), rows)),
    )
    return ChosenPool(tuple(train), tuple(val), figures)


def _split(rows: list[Candidate], splits: Splits) -> tuple[list[Candidate], list[Candidate]]:
    """Rows to train and to validate."""
    if not splits.share:
        return rows, []
    parts: tuple[list[Candidate], list[Candidate]] = ([], [])
    for row, is_val in zip(rows, splits.are_val([row.cluster for row in rows]), strict=True):
        parts[is_val].append(row)
    return parts


def _spread(rows: Iterable[Candidate], lists: Mapping[str, ExpertList]) -> Spread:
    rows = list(rows)
    lengths = list(map(attrgetter("trace_length"), rows))
    letters, with_trace = sum(lengths), len(lengths) - lengths.count(0)
    alike = Counter(map(attrgetter("size", "list_id", "trace_state", "experts"), rows))
    sizes, by_list, states = Counter[int](), Counter[str](), Counter[str]()
    steps = Counter[str]()
    for (size, list_id, state, experts), count in alike.items():
        for expert in experts:
            steps[expert] += count
        sizes[size] += count
        by_list[lists[list_id].reference] += count
        states[state or "none"] += count
    return Spread(
        rows=sizes.total(),
        by_size=dict(sorted(sizes.items())),
        by_list=dict(sorted(by_list.items())),
        mean_trace_length=round(letters / with_trace, 1) if with_trace else None,
        by_trace_state=dict(sorted(states.items())),
        by_expert=dict(sorted(steps.items())),
    )


def _all(sources: Iterable[Filled]) -> Iterable[Candidate]:
    return (candidate for each in sources for candidate in each.usable)
