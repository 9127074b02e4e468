"""Selecting among what sources offer: pools apart, traces cut, measures taken, rows split.

An export selects among what it has judged, a preview among facts; both do it here, by columns.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from typing import NamedTuple

import numpy as np

from exports.columns import Columns, Flags, Places
from exports.filling import why_empty
from exports.groups import Groups
from exports.shift import shift_between
from exports.splits import Splits, is_apart
from schemas.bundle import PoolFigures, PoolName, Shift, SourceFigures, Spread
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, Pool, Source

_ENDLESS = 10**12
_NONE: Places = np.zeros(0, np.intp)


@dataclass(slots=True)
class SourceRows:
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


class PoolRows(NamedTuple):
    """The places of a pool's rows, to train and to validate, and its figures."""

    train: Places
    val: Places
    figures: PoolFigures


def plain_flags(columns: Columns, recipe: BundleRecipe) -> Flags:
    """Which rows are written without thinking in a recipe that thinks."""
    if not recipe.plain_share:
        return np.zeros(len(columns), np.bool_)
    return columns.below(np.arange(len(columns)), recipe.seed, "plain", recipe.plain_share)


class Selecting:
    """Selects for one recipe among the rows of some columns."""

    def __init__(
        self,
        columns: Columns,
        recipe: BundleRecipe,
        lists: Mapping[str, ExpertList],
        splits: Splits,
        is_plain: Flags,
    ) -> None:
        self._columns, self._recipe, self._splits = columns, recipe, splits
        self._groups = Groups.of(columns, splits) if is_apart(recipe) else None
        self._references = {key: each.reference for key, each in lists.items()}
        self._is_plain = is_plain

    def select(self, sources: Mapping[PoolName, list[SourceRows]]) -> dict[PoolName, PoolRows]:
        """What is left after pools are kept apart, traces selected, and measures taken.

        Raises:
            InvalidInput: `export.source_short`, `export.nothing_selected`.
        """
        recipe, shift = self._recipe, None
        before = {name: self._spread(_all(of_pool)) for name, of_pool in sources.items()}
        sft, grpo, groups = sources.get("sft"), sources.get("grpo"), self._groups
        if groups is not None and sft is not None and grpo is not None:
            self._split_shared_groups(groups, sft, grpo)
        if grpo is not None:
            self._take_measures("grpo", recipe.grpo, grpo)
        if sft is not None:
            if groups is not None and grpo is not None:
                self._leave_taken_groups(groups, sft, grpo)
            if recipe.with_thinking and recipe.shortest_traces < 1:
                shift = self._keep_shortest(sft)
            self._take_measures("sft", recipe.sft, sft)
        return {
            name: self._counted(name, of_pool, before[name], shift if name == "sft" else None)
            for name, of_pool in sources.items()
        }

    def _split_shared_groups(
        self, groups: Groups, sft: list[SourceRows], grpo: list[SourceRows]
    ) -> None:
        reviewed = np.zeros(len(groups.names), np.bool_)
        for each in sft:
            if each.source.kind != "suggestions":
                reviewed[groups.of_row[each.usable]] = True
        for each in grpo:
            rows = each.usable
            kept = ~reviewed[groups.of_row[rows]]
            kept[~kept] = groups.are_for_grpo(rows[~kept], self._recipe.seed)
            each.leave_out("other_pool", rows[kept])

    def _leave_taken_groups(
        self, groups: Groups, sft: list[SourceRows], grpo: list[SourceRows]
    ) -> None:
        taken = np.zeros(len(groups.names), np.bool_)
        taken[groups.of_row[_all(grpo)]] = True
        for each in sft:
            each.leave_out("other_pool", each.usable[~taken[groups.of_row[each.usable]]])

    def _keep_shortest(self, sources: list[SourceRows]) -> Shift | None:
        columns, recipe = self._columns, self._recipe
        rows = _all(sources)
        rows = rows[~self._is_plain[rows]]
        lengths, ranks = columns.trace_length[rows], columns.ranks(rows, recipe.seed)
        sizes = np.array([each.size for each in columns.alike], np.int64)[columns.profile[rows]]
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
        is_kept = self._is_plain.copy()
        is_kept[rows[kept]] = True
        for each in sources:
            each.leave_out("long_trace", each.usable[is_kept[each.usable]])
        return shift_between(before.by_expert, after.by_expert, alarm=recipe.shift_alarm)

    def _missed(self, rows: Places, kept: Flags, cut: Places, quota: int) -> list[int]:
        """What comes back for the sake of experts that have too few rows."""
        columns, counts = self._columns, Counter[str]()
        for place, count in enumerate(columns.profile_counts(rows[kept]).tolist()):
            for name in set(columns.alike[place].experts) if count else ():
                counts[name] += count
        back: list[int] = []
        for position in cut.tolist():
            names = set(columns.alike[int(columns.profile[rows[position]])].experts)
            if any(counts[name] < quota for name in names):
                back.append(position)
                counts.update(names)
        return back

    def _take_measures(self, name: PoolName, pool: Pool, sources: list[SourceRows]) -> None:
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
                ranks = self._columns.ranks(each.usable, self._recipe.seed)
                first = each.usable[np.argsort(ranks, kind="stable")[:wanted]]
                each.leave_out("over_share", np.sort(first))

    def _counted(
        self, name: PoolName, sources: list[SourceRows], before: Spread, shift: Shift | None
    ) -> PoolRows:
        recipe, rows = self._recipe, _all(sources)
        clusters = self._columns.clusters_of(rows) if recipe.val_share else []
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
            plain=int(self._is_plain[rows].sum()),
            shift=shift,
            near=self._splits.figures(clusters),
        )
        return PoolRows(train, val, figures)

    def _spread(self, rows: Places) -> Spread:
        columns = self._columns
        sizes, by_list = Counter[int](), Counter[str]()
        states, steps = Counter[str](), Counter[str]()
        for place, count in enumerate(columns.profile_counts(rows).tolist()):
            if not count:
                continue
            profile = columns.alike[place]
            sizes[profile.size] += count
            by_list[self._references[profile.list_id]] += count
            states[profile.trace_state or "none"] += count
            for expert in profile.experts:
                steps[expert] += count
        lengths = columns.trace_length[rows]
        with_trace = int((lengths > 0).sum())
        return Spread(
            rows=len(rows),
            by_size=dict(sorted(sizes.items())),
            by_list=dict(sorted(by_list.items())),
            mean_trace_length=round(int(lengths.sum()) / with_trace, 1) if with_trace else None,
            by_trace_state=dict(sorted(states.items())),
            by_expert=dict(sorted(steps.items())),
        )


def _figures(each: SourceRows, rows: int) -> SourceFigures:
    return SourceFigures(
        kind=each.source.kind,
        lists=each.source.lists,
        found=each.found,
        taken=len(each.usable),
        share=round(len(each.usable) / rows, 4),
        exclusions=dict(sorted(each.exclusions.items())),
    )


def _all(sources: Sequence[SourceRows]) -> Places:
    return np.concatenate([each.usable for each in sources]) if sources else _NONE
