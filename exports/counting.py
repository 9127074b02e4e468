"""What a recipe selects, counted from facts: the figures of `choose` without a plan or a text.

Each step here is a step there; a test holds the two equal.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from db.access.facts import Profile
from exports.fact_table import FactTable, Flags, Places
from exports.filling import pools_needed, why_empty
from exports.shift import shift_between
from exports.splits import Splits
from schemas.bundle import PoolFigures, PoolName, Shift, SourceFigures, Spread
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, Pool, Source

_ENDLESS = 10**12
_NONE: Places = np.zeros(0, np.intp)


@dataclass(slots=True)
class CountedSource:
    """One source of a pool; `usable` are the places of its rows."""

    source: Source
    found: int = 0
    usable: Places = field(default_factory=lambda: _NONE)
    exclusions: Counter[str] = field(default_factory=Counter[str])
    unfit: dict[str, str] = field(default_factory=dict[str, str])

    def leave_out(self, reason: str, kept: Places) -> None:
        """Keep these only, counting the others under a reason."""
        if len(kept) < len(self.usable):
            self.exclusions[reason] += len(self.usable) - len(kept)
        self.usable = kept


class CountedPool(NamedTuple):
    """The places of a pool's rows, to train and to validate, and its figures."""

    train: Places
    val: Places
    figures: PoolFigures


class Counting:
    """Counts one recipe."""

    def __init__(
        self,
        table: FactTable,
        recipe: BundleRecipe,
        lists: Mapping[str, ExpertList],
        splits: Splits,
    ) -> None:
        self.table, self.recipe, self._splits = table, recipe, splits
        self._references = {key: each.reference for key, each in lists.items()}
        self.sources: dict[PoolName, list[CountedSource]] = {}
        everything = np.arange(len(table.query))
        self.is_plain: Flags = (
            table.below(everything, recipe.seed, "plain", recipe.plain_share)
            if recipe.plain_share
            else np.zeros(len(everything), np.bool_)
        )

    def fill(self) -> None:
        """What each source could give, each query once in a pool."""
        for name, pool in pools_needed(self.recipe).items():
            self._refuse_unknown_lists(pool)
            self.sources[name] = [CountedSource(source) for source in pool.sources]
            self._fill(name, self.sources[name])

    def select(self) -> dict[PoolName, CountedPool]:
        """What is left after pools are kept apart, traces selected, and measures taken.

        Raises:
            InvalidInput: `export.source_short`, `export.nothing_selected`.
        """
        recipe, shift = self.recipe, None
        before = {name: self._spread(_all(sources)) for name, sources in self.sources.items()}
        sft, grpo = self.sources.get("sft"), self.sources.get("grpo")
        if sft is not None and grpo is not None and recipe.pools == "apart":
            self._split_shared_clusters(sft, grpo)
        if grpo is not None:
            self._take_measures("grpo", recipe.grpo, grpo)
        if sft is not None:
            if grpo is not None and recipe.pools == "apart":
                self._leave_taken_clusters(sft, grpo)
            if recipe.with_thinking and recipe.shortest_traces < 1:
                shift = self._keep_shortest(sft)
            self._take_measures("sft", recipe.sft, sft)
        return {
            name: self._counted(name, sources, before[name], shift if name == "sft" else None)
            for name, sources in self.sources.items()
        }

    def _refuse_unknown_lists(self, pool: Pool) -> None:
        known = set(self._references.values())
        for source in pool.sources:
            for reference in source.lists:
                if reference not in known:
                    raise InvalidInput("export.unknown_list", reference=reference)

    def _fill(self, name: PoolName, sources: list[CountedSource]) -> None:
        recipe, table = self.recipe, self.table
        bad, shortest = frozenset[str](), 0
        if name == "sft" and recipe.with_thinking:
            is_strict = recipe.stale_traces != "keep"
            bad = frozenset({"no_trace", "stale"} if is_strict else {"no_trace"})
        if recipe.with_thinking and recipe.think:
            shortest = recipe.think.min
        is_taken = np.zeros(len(table.query_ids), np.bool_)
        for each in sorted(sources, key=lambda source: source.source.kind == "suggestions"):
            fit = self._fit(each, bad)
            best = self._best(fit, shortest)
            if len(best) < len(fit):
                each.exclusions["not_shortest"] += len(fit) - len(best)
            is_second = is_taken[table.query[best]]
            if is_second.any():
                each.exclusions["same_query"] += int(is_second.sum())
            each.usable = best[~is_second]
            is_taken[table.query[best]] = True

    def _fit(self, each: CountedSource, bad: frozenset[str]) -> Places:
        """The rows that a source may take; why it may not take others is counted."""
        table, source = self.table, each.source
        passing = table.by_profile(lambda profile: self._passes(source, profile))
        if source.queries:
            asked = set(source.queries)
            wanted = [n for n, query_id in enumerate(table.query_ids) if query_id in asked]
            passing &= np.isin(table.query, wanted)
        each.found = int(passing.sum())
        for is_plain in (False, True):
            rows = np.flatnonzero(passing & (self.is_plain == is_plain))
            for place, count in enumerate(table.profile_counts(rows).tolist()):
                reason = _reason(table.profiles[place], bad, is_plain=is_plain) if count else None
                if reason is None:
                    continue
                each.exclusions[reason] += count
                if source.queries:
                    of_profile = rows[table.profile[rows] == place]
                    each.unfit.update(dict.fromkeys(table.ids(of_profile), reason))
        ok = table.by_profile(lambda profile: _reason(profile, bad, is_plain=False) is None)
        ok_plain = table.by_profile(lambda profile: profile.reason is None)
        return np.flatnonzero(passing & np.where(self.is_plain, ok_plain, ok))

    def _passes(self, source: Source, profile: Profile) -> bool:
        if profile.kind != source.kind:
            return False
        if source.lists and self._references[profile.list_version_id] not in source.lists:
            return False
        if source.models and profile.model not in source.models:
            return False
        if source.labels and profile.label not in source.labels:
            return False
        day = profile.day
        if source.since and (day is None or day < source.since.isoformat()):
            return False
        return not (source.until and (day is None or day > source.until.isoformat()))

    def _best(self, rows: Places, shortest: int) -> Places:
        """Of each query the shortest row that is not too short, the first of equals."""
        table = self.table
        query, length = table.query[rows], table.trace_length[rows]
        if len(rows) < 2 or not (query[1:] == query[:-1]).any():
            return rows
        order = np.lexsort((rows, length, length < shortest, query))
        ordered = query[order]
        is_first = np.ones(len(rows), np.bool_)
        is_first[1:] = ordered[1:] != ordered[:-1]
        return np.sort(rows[order[is_first]])

    def _split_shared_clusters(self, sft: list[CountedSource], grpo: list[CountedSource]) -> None:
        table = self.table
        reviewed = np.zeros(len(table.clusters), np.bool_)
        for each in sft:
            if each.source.kind != "suggestions":
                reviewed[table.cluster[each.usable]] = True
        for each in grpo:
            rows = each.usable
            kept = ~reviewed[table.cluster[rows]]
            shared = rows[~kept]
            kept[~kept] = table.below(shared, self.recipe.seed, "pool", 0.5)
            each.leave_out("other_pool", rows[kept])

    def _leave_taken_clusters(self, sft: list[CountedSource], grpo: list[CountedSource]) -> None:
        taken = np.zeros(len(self.table.clusters), np.bool_)
        taken[self.table.cluster[_all(grpo)]] = True
        for each in sft:
            each.leave_out("other_pool", each.usable[~taken[self.table.cluster[each.usable]]])

    def _keep_shortest(self, sources: list[CountedSource]) -> Shift | None:
        table, recipe = self.table, self.recipe
        rows = _all(sources)
        rows = rows[~self.is_plain[rows]]
        lengths, ranks = table.trace_length[rows], table.ranks(rows, recipe.seed)
        sizes = np.array([each.size for each in table.profiles], np.int64)[table.profile[rows]]
        order = np.lexsort((ranks, lengths, sizes))
        kept = np.zeros(len(rows), np.bool_)
        _, starts, counts = np.unique(sizes[order], return_index=True, return_counts=True)
        for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
            kept[order[start : start + ceil(count * recipe.shortest_traces)]] = True
        if recipe.expert_quota:
            cut = np.flatnonzero(~kept)
            cut = cut[np.lexsort((ranks[cut], lengths[cut]))]
            kept[self._missed(rows, kept, cut, recipe.expert_quota)] = True
        before, after = self._spread(rows), self._spread(rows[kept])
        is_kept = self.is_plain.copy()
        is_kept[rows[kept]] = True
        for each in sources:
            each.leave_out("long_trace", each.usable[is_kept[each.usable]])
        return shift_between(before.by_expert, after.by_expert, alarm=recipe.shift_alarm)

    def _missed(self, rows: Places, kept: Flags, cut: Places, quota: int) -> list[int]:
        """What comes back for the sake of experts that have too few rows."""
        table, counts = self.table, Counter[str]()
        for place, count in enumerate(table.profile_counts(rows[kept]).tolist()):
            for name in set(table.experts[place]) if count else ():
                counts[name] += count
        back: list[int] = []
        for position in cut.tolist():
            names = set(table.experts[int(table.profile[rows[position]])])
            if any(counts[name] < quota for name in names):
                back.append(position)
                counts.update(names)
        return back

    def _take_measures(self, name: PoolName, pool: Pool, sources: list[CountedSource]) -> None:
        shares = [each.source.share for each in sources if each.source.share is not None]
        total: float = pool.size or _ENDLESS
        if shares:
            for each in sources:
                if not len(each.usable):
                    raise InvalidInput(
                        "export.source_short",
                        why_empty(name, [each]),
                        kind=each.source.kind,
                        pool=name,
                    )
                total = min(total, len(each.usable) / (each.source.share or 1))
        for each in sources:
            wanted = len(each.usable)
            if each.source.share is not None:
                wanted = max(1, floor(total * each.source.share + 1e-9))
            elif each.source.count is not None:
                wanted = min(wanted, each.source.count)
            if wanted < len(each.usable):
                order = np.argsort(self.table.ranks(each.usable, self.recipe.seed), kind="stable")
                each.leave_out("over_share", np.sort(each.usable[order[:wanted]]))

    def _counted(
        self, name: PoolName, sources: list[CountedSource], before: Spread, shift: Shift | None
    ) -> CountedPool:
        recipe, rows = self.recipe, _all(sources)
        clusters = self.table.clusters_of(rows) if recipe.val_share else []
        is_val = np.zeros(len(rows), np.bool_)
        if clusters:
            is_val = np.array(self._splits.are_val(clusters))
        train, val = rows[~is_val], rows[is_val]
        if not len(train):
            file = name if name in recipe.formats else recipe.formats[0]
            problems = why_empty(name, sources)
            raise InvalidInput("export.nothing_selected", problems, file=f"{file}.jsonl")
        figures = PoolFigures(
            pool=name,
            sources=tuple(_figures(each, len(rows)) for each in sources),
            train=len(train),
            val=len(val),
            spread=self._spread(rows),
            before=before,
            plain=int(self.is_plain[rows].sum()),
            shift=shift,
            near=self._splits.figures(clusters),
        )
        return CountedPool(train, val, figures)

    def _spread(self, rows: Places) -> Spread:
        table = self.table
        sizes, by_list = Counter[int](), Counter[str]()
        states, steps = Counter[str](), Counter[str]()
        for place, count in enumerate(table.profile_counts(rows).tolist()):
            if not count:
                continue
            profile = table.profiles[place]
            sizes[profile.size] += count
            by_list[self._references[profile.list_version_id]] += count
            states[profile.trace_state or "none"] += count
            for expert in table.experts[place]:
                steps[expert] += count
        lengths = table.trace_length[rows]
        with_trace = int((lengths > 0).sum())
        return Spread(
            rows=len(rows),
            by_size=dict(sorted(sizes.items())),
            by_list=dict(sorted(by_list.items())),
            mean_trace_length=round(int(lengths.sum()) / with_trace, 1) if with_trace else None,
            by_trace_state=dict(sorted(states.items())),
            by_expert=dict(sorted(steps.items())),
        )


def _reason(profile: Profile, bad: frozenset[str], *, is_plain: bool) -> str | None:
    if profile.reason is not None or is_plain or profile.trace_reason not in bad:
        return profile.reason
    return profile.trace_reason


def _figures(each: CountedSource, rows: int) -> SourceFigures:
    return SourceFigures(
        kind=each.source.kind,
        lists=each.source.lists,
        found=each.found,
        taken=len(each.usable),
        share=round(len(each.usable) / rows, 4),
        exclusions=dict(sorted(each.exclusions.items())),
    )


def _all(sources: Sequence[CountedSource]) -> Places:
    return np.concatenate([each.usable for each in sources]) if sources else _NONE
