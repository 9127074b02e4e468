"""Where a planner comes from, and what became of it: the registry, read from what is known anyway.

Backward from a planner: its run, the bundle and file that it was trained on, the people and the
expert lists behind the rows, the runs that it began from. Forward: evaluations, endpoints, and the
runs that began from its checkpoint. A query that is recalled is followed forward the same way.
Which run began from which is read from the arguments that each was started with.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from db.access import evaluations, training
from db.access import lineage as access
from db.access.bundles import find_author
from db.access.lineage import RunOf
from db.engine import Database, Session
from db.tables import Bundle, Planner
from exports.evaluations import planner_view
from exports.training.deployments import list_endpoints
from exports.training.general import list_general_checks
from exports.training.planners import find_planner
from exports.training.run_config import run_config
from schemas.bundle import PoolFigures
from schemas.people import Actor
from schemas.serving import (
    BundleLink,
    Contributor,
    EvaluationLink,
    Holder,
    Lineage,
    RowsOfSource,
    RunLink,
)
from schemas.settings import Settings

_FROM = ("model", "adapters", "ref_adapters", "resume_from_checkpoint")
"""Arguments of ms-swift that name what a run begins from."""


def lineage_of(database: Database, settings: Settings, who: Actor, reference: str) -> Lineage:
    """All that is known of a planner, by id or name, or by the run that it came from.

    Raises:
        NotFound: `evaluate.planner_not_found`.
    """
    who.require("reviewer")
    planner = find_planner(database, who, reference)
    with database.reading() as session:
        runs = access.list_runs_with_planners(session, who.project_id)
        found = Lineage(planner=planner_view(planner), evaluations=_evaluations(session, planner))
        mine = next((each for each in runs if each.run.id == planner.run_id), None)
        if mine is not None:
            found = found.model_copy(update=_backward(session, settings, mine, runs))
    endpoints = list_endpoints(database, settings, who, planner_id=planner.id)
    checks = list_general_checks(database, settings, who, planner_id=planner.id)
    later = [
        each
        for each in runs
        if planner.checkpoint and planner.checkpoint in _begun_from(settings, each)
    ]
    return found.model_copy(
        update={
            "endpoints": tuple(endpoints),
            "general_checks": tuple(checks),
            "later_runs": tuple(map(to_link, later)),
        }
    )


def holders_of(database: Database, settings: Settings, who: Actor, query_id: str) -> list[Holder]:
    """The runs that were trained on a query, or began from one that was; newest first."""
    who.require("admin")
    with database.reading() as session:
        files = access.files_with(session, who.project_id, query_id)
        runs = access.list_runs_with_planners(session, who.project_id)
        names = access.names_of_bundles(session, who.project_id)
    held: dict[str, bool] = {
        each.run.id: False for each in runs if (each.run.bundle_id, trained_on(each)) in files
    }
    for each in reversed(runs):  # a run begins from older ones only
        sources = _begun_from(settings, each)
        parents = [one.run.id for one in runs if one.run.checkpoint in sources]
        if each.run.id not in held and any(parent in held for parent in parents):
            held[each.run.id] = True
    return [
        Holder(run=to_link(each), bundle=names[each.run.bundle_id], is_inherited=held[each.run.id])
        for each in runs
        if each.run.id in held
    ]


def runs_of_chain(database: Database, who: Actor, chain_id: str) -> list[RunLink]:
    """The runs of a chain with the planners that they became, oldest first."""
    who.require("reviewer")
    with database.reading() as session:
        runs = access.list_runs_with_planners(session, who.project_id)
    return [to_link(each) for each in reversed(runs) if each.run.chain_id == chain_id]


def to_link(found: RunOf) -> RunLink:
    """A run with the planner that it became."""
    run, planner = found
    return RunLink(
        run_id=run.id,
        chain_id=run.chain_id,
        bundle_id=run.bundle_id,
        stage=run.stage,
        recipe=run.recipe,
        state=run.state,
        has_checkpoint=bool(run.checkpoint),
        planner_id=planner.id if planner else None,
        planner=planner.name if planner else None,
        created_at=run.created_at,
    )


def trained_on(found: RunOf) -> str:
    """The dataset file that a run learned from."""
    return f"{found.run.stage}.jsonl"


def _begun_from(settings: Settings, found: RunOf) -> set[str]:
    config = run_config(settings.home / found.run.folder)
    named: set[str] = set()
    for name in _FROM:
        value = config.get(name)
        named |= {str(each) for each in (value if isinstance(value, list) else [value]) if each}
    return named


def _backward(
    session: Session, settings: Settings, mine: RunOf, runs: Sequence[RunOf]
) -> dict[str, Any]:
    run, file = mine.run, trained_on(mine)
    bundle = training.get_bundle(session, run.project_id, run.bundle_id)
    pools = _pools(bundle)
    before = list(_ancestors(settings, mine, runs))
    oldest = before[-1] if before else mine
    config = run_config(settings.home / oldest.run.folder)
    lists: dict[str, int] = {}
    for pool in pools:
        if pool.pool == _pool_of(run.stage):
            lists = dict(pool.spread.by_list)
    return {
        "run": to_link(mine),
        "base_model": str(config["model"]) if "model" in config else None,
        "bundle": BundleLink(
            bundle_id=bundle.id,
            name=bundle.name,
            manifest_hash=bundle.manifest_hash,
            created_by=find_author(session, bundle),
            created_at=bundle.created_at,
        ),
        "file": file,
        "rows": tuple(_rows(pools, run.stage)),
        "lists": lists,
        "contributors": _contributors(session, bundle, file),
        "begun_from": tuple(map(to_link, before)),
    }


def _ancestors(settings: Settings, mine: RunOf, runs: Sequence[RunOf]) -> Iterable[RunOf]:
    """The runs that a run began from, the nearest first; an attempt it resumes is one of them."""
    by_checkpoint = {each.run.checkpoint: each for each in runs if each.run.checkpoint}
    here: RunOf | None = mine
    seen = {mine.run.id}
    while here is not None:
        parents = [by_checkpoint.get(each) for each in sorted(_begun_from(settings, here))]
        here = next((each for each in parents if each and each.run.id not in seen), None)
        if here is not None:
            seen.add(here.run.id)
            yield here


def _pool_of(stage: str) -> str:
    return "sft" if stage == "sft" else "grpo"


def _pools(bundle: Bundle) -> list[PoolFigures]:
    known = bundle.counts.get("pools")
    listed = cast(list[object], known) if isinstance(known, list) else []
    return [PoolFigures.model_validate(each) for each in listed]


def _rows(pools: Sequence[PoolFigures], stage: str) -> Iterable[RowsOfSource]:
    for pool in pools:
        if pool.pool != _pool_of(stage):
            continue
        for each in pool.sources:
            yield RowsOfSource(pool=pool.pool, kind=each.kind, rows=each.taken, lists=each.lists)


def _contributors(session: Session, bundle: Bundle, file: str) -> tuple[Contributor, ...]:
    labelled = access.count_labelled(session, bundle.project_id, bundle.id, file)
    reviewed = access.count_reviewed(session, bundle.project_id, bundle.id, file)
    people = [
        Contributor(name=name, labelled=labelled.get(name, 0), reviewed=reviewed.get(name, 0))
        for name in labelled.keys() | reviewed.keys()
    ]
    return tuple(sorted(people, key=lambda each: (-each.labelled, -each.reviewed, each.name)))


def _evaluations(session: Session, planner: Planner) -> tuple[EvaluationLink, ...]:
    found: list[EvaluationLink] = []
    for row, of, benchmark, _ in evaluations.list_evaluations(session, planner.project_id):
        if of.id != planner.id:
            continue
        figures = cast(dict[str, Any], row.figures if row.state == "done" else {})
        found.append(
            EvaluationLink(
                evaluation_id=row.id,
                benchmark=f"{benchmark.name}@{benchmark.version}",
                state=row.state,
                accuracy=figures.get("accuracy"),
                think_length_mean=figures.get("think_length_mean"),
                created_at=row.created_at,
            )
        )
    return tuple(found)
