"""A reward bench as durable work, for pages; what it found stays on the bundle's row."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

from db.durable import Durable, resources, step, workflow
from db.engine import Database, take_turns
from db.tables.base import new_id
from exports.reward_bench import bench_bundle
from exports.shelf import find_row, get_bundle, require_ready
from schemas.errors import PlanwrightError
from schemas.people import Actor
from schemas.reward_bench import BenchTerms, RewardBench
from schemas.settings import Settings

_KEY = "reward_bench"
_UNDER_WAY = ("waiting", "running")
_log = logging.getLogger(__name__)
BenchState = Literal["running", "done", "failed"]


class BenchView(NamedTuple):
    """The bench of a bundle: how far it is, what it found last, and why there is nothing new."""

    state: BenchState
    found: RewardBench | None
    reason: str | None
    values: Mapping[str, Any]


def start_bench(
    database: Database, durable: Durable, who: Actor, bundle_id: str, terms: BenchTerms
) -> None:
    """Bench a bundle in the background; `find_bench` follows it. One that runs is not doubled.

    Raises:
        NotFound: `export.bundle_not_found`.
        TransitionRefused: `export.bundle_not_ready`.
    """
    bundle = get_bundle(database, who, bundle_id)
    require_ready(bundle, who)
    order = new_id()
    with database.transaction() as session:
        take_turns(session, f"reward bench {bundle.bundle_id}")
        row = find_row(session, who, bundle.bundle_id)
        held = _held(row.counts)
        if held.get("state") == "running" and durable.status(str(held["work"])) in _UNDER_WAY:
            return
        work = f"reward-bench-{order}"
        row.counts = {**row.counts, _KEY: {**held, "state": "running", "work": work}}
    plain = terms.model_dump(mode="json")
    durable.start(run_bench, work, bundle.bundle_id, plain, asdict(who))


def find_bench(database: Database, who: Actor, bundle_id: str) -> BenchView | None:
    """What is known of a bundle's bench; nothing before the first."""
    who.require("admin")
    with database.reading() as session:
        held = _held(find_row(session, who, bundle_id).counts)
    if not held:
        return None
    found = held.get("found")
    return BenchView(
        held["state"],
        RewardBench.model_validate(found) if found else None,
        held.get("reason"),
        held.get("values") or {},
    )


def bench_now(
    database: Database, settings: Settings, who: Actor, bundle_id: str, terms: BenchTerms
) -> RewardBench:
    """Bench a bundle in this process, and keep what it found for the page."""
    found = bench_bundle(database, settings, who, bundle_id, terms)
    _keep(database, who, str(found.bundle_id), state="done", found=found.model_dump(mode="json"))
    return found


@workflow("rewards.bench")
def run_bench(bundle_id: str, terms: dict[str, Any], who: dict[str, Any]) -> None:
    """Bench once; a refusal is told where people look."""
    _step_bench(bundle_id, terms, who)


@step("rewards.bench")
def _step_bench(bundle_id: str, terms: dict[str, Any], who: dict[str, Any]) -> None:
    held, actor = resources(), Actor(**who)
    wanted = BenchTerms.model_validate(terms)
    try:
        bench_now(held.database, held.settings, actor, bundle_id, wanted)
    except PlanwrightError as error:
        values = {name: str(value) for name, value in error.values.items()}
        _keep(held.database, actor, bundle_id, state="failed", reason=error.code, values=values)
    except Exception:
        _log.exception("reward bench of bundle %s failed", bundle_id)
        _keep(held.database, actor, bundle_id, state="failed", reason="rewards.bench_failed")
        raise


def _keep(database: Database, who: Actor, bundle_id: str, **changes: Any) -> None:
    with database.transaction() as session:
        row = find_row(session, who, bundle_id)
        held = _held(row.counts)
        kept = {name: held[name] for name in ("found", "work") if name in held}
        row.counts = {**row.counts, _KEY: kept | changes}


def _held(counts: Mapping[str, Any]) -> dict[str, Any]:
    return dict(counts.get(_KEY) or {})
