"""From a recipe to the rows of a bundle: which, in what order, and why not the others.

Everything that looks like chance is a hash of the seed and an id, so the same rows give the same
bundle, and one row more moves no other to the other side of a split. Texts are not held: one row
costs a few hundred bytes here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from db.access.exports import CHUNK, fetch_parts, list_spans, plain_parts
from db.engine import Session
from exports.asked import refuse_unfit
from exports.candidates import Candidate, Judge
from exports.columns import Columns, Places
from exports.drafts import Drafts
from exports.filling import Filled, fill, refuse_unknown_lists, sources_of
from exports.second_reader import Task, shared_spans
from exports.selecting import Selecting, SourceRows, plain_flags
from exports.splits import Splits
from exports.taken import columns_of
from schemas.bundle import PoolFigures, PoolName
from schemas.experts import ExpertList
from schemas.recipe import BundleRecipe, SourceKind


class ChosenRows(NamedTuple):
    """Queries in the order of their lines; `candidates` of a pool with lines still to be made."""

    query_ids: Sequence[str]
    candidates: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class ChosenPool:
    """The rows of a pool, and what there is to say about them."""

    train: ChosenRows
    val: ChosenRows
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
    refuse_unknown_lists(recipe, lists)
    filled = sources_of(recipe, drafts)
    kinds = frozenset[SourceKind](each.source.kind for pool in filled.values() for each in pool)
    spans = list_spans(session, project_id)
    is_alone = drafts is None or alone_until is None or len(spans) * CHUNK <= alone_until
    begun = Splits.load(session, project_id, recipe)
    task = Task(plain_parts(session, project_id, kinds), judge, kinds, recipe, begun.keys)
    with shared_spans(task, spans, filled, None if is_alone else drafts) as mine:
        fetch = fetch_parts(session, project_id, kinds)
        offers = judge.stream(fetch, kinds, mine)
        fill(offers, filled, recipe, lists, drafts, keys=begun.keys)
    for name, sources in filled.items():
        refuse_unfit(session, project_id, name, sources)
    splits = Splits.load(session, project_id, recipe).compared_since(begun)
    return _select(filled, recipe, lists, splits)


def _select(
    filled: Mapping[PoolName, list[Filled]],
    recipe: BundleRecipe,
    lists: Mapping[str, ExpertList],
    splits: Splits,
) -> Selection:
    """What a recipe takes of what its sources have taken."""
    everything = list(chain.from_iterable(filled.values()))
    columns, places = columns_of([each.taken for each in everything])
    candidates = _by_place(everything, places)
    place_of = iter(places)
    sources: dict[PoolName, list[SourceRows]] = {
        name: [
            SourceRows(each.source, each.found, next(place_of), each.exclusions, each.unfit)
            for each in of_pool
        ]
        for name, of_pool in filled.items()
    }
    _leave_out_unknown(columns, sources, splits)
    selecting = Selecting(columns, recipe, lists, splits, plain_flags(columns, recipe))
    pools: dict[PoolName, ChosenPool] = {}
    for name, (train, val, figures) in selecting.select(sources).items():
        parts = [_in_order(columns, rows, recipe.seed, candidates) for rows in (train, val)]
        pools[name] = ChosenPool(parts[0], parts[1], figures)
    return Selection(recipe, pools)


def _by_place(filled: Sequence[Filled], places: Sequence[Places]) -> Mapping[int, Candidate]:
    """The rows that were kept whole."""
    return {
        place: candidate
        for each, its in zip(filled, places, strict=True)
        if each.taken.keeps
        for place, candidate in zip(its.tolist(), each.taken.candidates, strict=True)
    }


def _leave_out_unknown(
    columns: Columns, sources: Mapping[PoolName, list[SourceRows]], splits: Splits
) -> None:
    """Rows that were never compared might have to move to another side or pool."""
    if not splits.unknown:
        return
    is_known = np.array([each not in splits.unknown for each in columns.clusters], np.bool_)
    for each in chain.from_iterable(sources.values()):
        each.leave_out("not_compared", each.usable[is_known[columns.cluster[each.usable]]])


def _in_order(
    columns: Columns, rows: Places, seed: int, candidates: Mapping[int, Candidate]
) -> ChosenRows:
    """Rows in the order that chance gives them."""
    ordered = rows[np.argsort(columns.ranks(rows, seed), kind="stable")]
    places: list[int] = ordered.tolist()
    whole = [candidates[place] for place in places if place in candidates]
    return ChosenRows(columns.ids(ordered), whole)
