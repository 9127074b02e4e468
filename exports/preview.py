"""What a recipe would write, before anything is written: counts by facts, a row of each file."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from db.access import facts as access
from db.access.projects import read_settings
from db.engine import Database, Session
from exports.asked import Asked, refuse_asked
from exports.candidates import Candidate, Judge
from exports.chances import shares
from exports.columns import Places
from exports.counting import Counting
from exports.fact_table import FactTable
from exports.facts import load_judge, offers_of, refresh_facts
from exports.filling import pool_of
from exports.formats import RowForm, to_line
from exports.materials import Materials
from exports.origins import origins_of
from exports.pinned import load_pinned
from exports.rows import Renderer
from exports.scored import ScoredRows
from exports.selecting import PoolRows, Selecting, SourceRows, plain_flags
from exports.splits import Splits, needs_keys
from exports.training.recipes import reward_weights
from labeling.near_clusters import compare_queries
from schemas.bundle import PoolName, RecipePreview
from schemas.people import Actor
from schemas.recipe import BundleRecipe, Format

_TRIED = 40
_COMPARED_AT_ONCE = 30_000
"""So many clusters are compared within a second or two."""
_SCORED_AT_ONCE = 1000
"""Suggestions to so many queries are scored within a second or two."""
_PLANLESS = frozenset({"incomplete", "no_plan", "unreadable", "repaired"})


class FileCount(NamedTuple):
    """Rows of a file to train and to validate; `is_exact` unless it is the most there can be."""

    train: int
    val: int
    is_exact: bool = True


def preview_recipe(
    database: Database, who: Actor, recipe: BundleRecipe, *, within_s: float | None = None
) -> RecipePreview:
    """What a recipe would write, with one example row of each file; nothing is written.

    Rows that changed since they were last counted are looked at first, and questions that are new
    are held against the others. With `within_s` the first ends after so many seconds, the second is
    left to the export where there are many, and the preview says how many it does not know of.

    Raises:
        InvalidInput: the recipe selects nothing, asks for a row that cannot be taken, or names a
            list that is not there.
    """
    who.require("admin")
    refresh_facts(database, who.project_id, within_s=within_s)
    if needs_keys(recipe):
        most = None if within_s is None else _COMPARED_AT_ONCE
        compare_queries(database, who.project_id, most=most)
    with database.reading() as session:
        recipe = recipe.resolved(read_settings(session, who.project_id))
        waiting = access.count_changes(session, who.project_id)
        table = FactTable.load(session, who.project_id, recipe)
        pinned = load_pinned(session, who.project_id)
        splits = Splits.load(session, who.project_id, recipe)
        is_plain = plain_flags(table, recipe)
        project = _Project(session, who.project_id, table)
        most = None if within_s is None else _SCORED_AT_ONCE
        scored = _scored(project, recipe, most=most)
        sources = Counting(table, recipe, pinned.lists, is_plain, scored).fill()
        _refuse_missing(session, who.project_id, table, sources)
        pools = Selecting(table, recipe, pinned.lists, splits, is_plain).select(sources)
        renderer = Renderer(session, who.project_id, Materials(pinned, RowForm.of(recipe)))
        examples = dict(_examples(project, pools, recipe, renderer))
    counts = {each: _file_count(each, table, pools, recipe) for each in recipe.formats}
    return RecipePreview(
        recipe=recipe,
        pools=tuple(pool.figures for pool in pools.values()),
        files=_rows_of_files(counts),
        at_most=tuple(f"{each}.jsonl" for each, count in counts.items() if not count.is_exact),
        waiting=waiting,
        not_compared=len(splits.unknown),
        not_scored=scored.unscored if scored else 0,
        examples=examples,
        weights=reward_weights(recipe.weights, with_thinking=recipe.with_thinking),
    )


class _Project(NamedTuple):
    """Where examples are looked for, and what is scored."""

    session: Session
    project_id: str
    table: FactTable


def _scored(project: _Project, recipe: BundleRecipe, *, most: int | None) -> ScoredRows | None:
    """Who says what the rewards say of suggestions, if the recipe asks them."""
    if recipe.prefer != "reward":
        return None
    session, project_id, table = project
    return ScoredRows(session, project_id, table, load_judge(session, project_id, recipe), most)


def _refuse_missing(
    session: Session,
    project_id: str,
    table: FactTable,
    sources: Mapping[PoolName, list[SourceRows]],
) -> None:
    """Refuse what is asked for by its id and cannot be had."""
    for name, of_pool in sources.items():
        for each in of_pool:
            missing = set(each.source.queries) - set(table.ids(each.usable))
            asked = Asked(name, each.source.kind, missing, each.unfit)
            refuse_asked(session, project_id, asked)


def _rows_of_files(counts: Mapping[str, FileCount]) -> dict[str, int]:
    files: dict[str, int] = {}
    for format_, count in counts.items():
        files[f"{format_}.jsonl"] = count.train
        if count.val:
            files[f"{format_}_val.jsonl"] = count.val
    return files


def _file_count(
    format_: Format,
    table: FactTable,
    pools: Mapping[PoolName, PoolRows],
    recipe: BundleRecipe,
) -> FileCount:
    pool = pools[pool_of(format_)]
    if format_ in ("dpo", "kto"):
        train, val = (_set_against(format_, table, rows, recipe) for rows in pool[:2])
        is_exact = (
            format_ == "dpo" and recipe.dpo_pairs == ("corrected",) and not recipe.plain_share
        )
        return FileCount(train, val, is_exact)
    is_foreign = table.by_profile(lambda profile: profile.own_prompt)
    train, val = (
        (int((~is_foreign[rows]).sum()) if format_ == "agent" else len(rows))
        + _twins(table, rows[~is_foreign[rows]], recipe)
        for rows in pool[:2]
    )
    return FileCount(train, val)


def _twins(table: FactTable, rows: Places, recipe: BundleRecipe) -> int:
    if not recipe.augmentation.share:
        return 0
    return int((shares(recipe.seed, "twin", table.ids(rows)) < recipe.augmentation.share).sum())


def _set_against(format_: Format, table: FactTable, rows: Places, recipe: BundleRecipe) -> int:
    """Pairs of `dpo`, or rated answers of `kto`: exact for the plain pairs, else the most."""
    if format_ == "dpo" and recipe.dpo_pairs == ("corrected",):
        thinks = recipe.with_thinking
        is_paired = table.by_profile(
            lambda each: (
                each.is_paired
                if not thinks or recipe.plain_share
                else each.is_paired_thinking and each.trace_reason is None
            )
        )
        return int(is_paired[rows].sum())
    is_accepted = table.by_profile(lambda each: each.kind == "accepted")
    accepted = np.zeros(len(table.query_ids), np.bool_)
    accepted[table.query[rows[is_accepted[rows]]]] = True
    has_plan = table.by_profile(
        lambda each: each.kind == "suggestions" and each.reason not in _PLANLESS
    )
    answers = int((has_plan & accepted[table.query]).sum())
    return answers + int(accepted.sum()) if format_ == "kto" else answers


def _examples(
    project: _Project,
    pools: Mapping[PoolName, PoolRows],
    recipe: BundleRecipe,
    renderer: Renderer,
) -> Iterator[tuple[str, str]]:
    """One row of each file, from the first queries that have one."""
    lists = renderer.materials.pinned.lists
    judge = Judge(recipe, lists, lambda _query, _rewrite: False)  # facts have said that it may be
    for format_ in recipe.formats:
        rows = _likely(format_, project.table, pools[pool_of(format_)].train)
        found = _candidates(project, rows, judge)
        origins = origins_of(project.session, project.project_id, format_, found, recipe)
        origin = next(origins, None)
        if origin is not None:
            ((row, _),) = next(renderer.render(format_, [origin]))
            yield f"{format_}.jsonl", to_line(row).decode()


def _likely(format_: Format, table: FactTable, rows: Places) -> Places:
    """The first rows that may have a line in a file."""
    if format_ == "agent":
        rows = rows[~table.by_profile(lambda each: each.own_prompt)[rows]]
    if format_ in ("dpo", "kto"):
        rows = rows[table.by_profile(lambda each: each.kind == "accepted")[rows]]
    if format_ == "dpo":
        paired = rows[table.by_profile(lambda each: each.is_paired)[rows]]
        rows = paired if len(paired) else rows
    return rows[:_TRIED]


def _candidates(project: _Project, rows: Places, judge: Judge) -> list[Candidate]:
    """The rows, judged again with everything that rendering needs."""
    session, project_id, table = project
    codes: list[int] = table.profile[rows].tolist()
    profiles = [table.profile_ids[code] for code in codes]
    wanted = set(zip(table.ids(rows), profiles, strict=True))
    query_ids = sorted({query_id for query_id, _ in wanted})
    sources = {
        source_id
        for query_id, profile_id, source_id in access.list_sources(session, project_id, query_ids)
        if (query_id, profile_id) in wanted
    }
    return [
        judged.candidate
        for offered in offers_of(session, project_id, judge, query_ids)
        for of_kind in offered.by_kind.values()
        for judged in of_kind
        if judged.candidate.source_id in sources
    ]
