"""What each source of a recipe could give, counted from facts: as `filling`, without plan or text.

A test holds the two equal.
"""

from collections.abc import Mapping

import numpy as np

from db.access.facts import Profile
from exports.columns import Flags, Places
from exports.fact_table import FactTable
from exports.filling import outdone_by, pools_needed, refuse_unknown_lists
from exports.scored import ScoredRows
from exports.selecting import SourceRows
from schemas.bundle import PoolName
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, Source


class Counting:
    """Counts one recipe."""

    def __init__(
        self,
        table: FactTable,
        recipe: BundleRecipe,
        lists: Mapping[str, ExpertList],
        is_plain: Flags,
        scored: ScoredRows | None = None,
    ) -> None:
        refuse_unknown_lists(recipe, lists)
        self._table, self._recipe, self._is_plain = table, recipe, is_plain
        self._scored = scored
        self._references = {key: each.reference for key, each in lists.items()}

    def fill(self) -> dict[PoolName, list[SourceRows]]:
        """The rows of each source of each pool, each query once in a pool."""
        filled: dict[PoolName, list[SourceRows]] = {}
        for name, pool in pools_needed(self._recipe).items():
            filled[name] = [SourceRows(source) for source in pool.sources]
            self._fill(name, filled[name])
        return filled

    def _fill(self, name: PoolName, sources: list[SourceRows]) -> None:
        recipe, table = self._recipe, self._table
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
                each.exclusions[outdone_by(self._recipe)] += len(fit) - len(best)
            is_second = is_taken[table.query[best]]
            if is_second.any():
                each.exclusions["same_query"] += int(is_second.sum())
            each.usable = best[~is_second]
            is_taken[table.query[best]] = True

    def _fit(self, each: SourceRows, bad: frozenset[str]) -> Places:
        """The rows that a source may take; why it may not take others is counted."""
        table, source = self._table, each.source
        passing = table.by_profile(lambda profile: self._passes(source, profile))
        if source.queries:
            asked = set(source.queries)
            wanted = [n for n, query_id in enumerate(table.query_ids) if query_id in asked]
            passing &= np.isin(table.query, wanted)
        each.found = int(passing.sum())
        for is_plain in (False, True):
            rows = np.flatnonzero(passing & (self._is_plain == is_plain))
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
        return np.flatnonzero(passing & np.where(self._is_plain, ok_plain, ok))

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
        """Of each query the best row by its score, then the shortest that is not too short.

        Of equals it is the first.
        """
        table = self._table
        query, length = table.query[rows], table.trace_length[rows]
        if len(rows) < 2 or not (query[1:] == query[:-1]).any():
            return rows
        scores = np.zeros(len(rows), np.float64)
        if self._scored is not None:
            has_others = np.bincount(query)[query] > 1
            scores[has_others] = self._scored.scores(rows[has_others])
        order = np.lexsort((rows, length, length < shortest, -scores, query))
        ordered = query[order]
        is_first = np.ones(len(rows), np.bool_)
        is_first[1:] = ordered[1:] != ordered[:-1]
        return np.sort(rows[order[is_first]])


def _reason(profile: Profile, bad: frozenset[str], *, is_plain: bool) -> str | None:
    if profile.reason is not None or is_plain or profile.trace_reason not in bad:
        return profile.reason
    return profile.trace_reason
