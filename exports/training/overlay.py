"""What differs between chains that are laid over one another: bundle, recipe, knobs, weights."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from pydantic import JsonValue

from db.access import training
from db.engine import Database
from exports.training.run_config import run_config, weights_of
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training_stages import TRAINED

MOST = 5
"""Chains in one chart: one and up to four others."""
_PLACES = frozenset(
    (
        "ENV",
        "adapters",
        "dataset",
        "external_plugins",
        "model",
        "output_dir",
        "ref_adapters",
        "resume_from_checkpoint",
        "reward_funcs",
        "reward_weights",
        "val_dataset",
    )
)
"""Arguments that name where things lie, or that are told otherwise."""


class Difference(NamedTuple):
    """One thing in which chains differ: `bundle`, `recipe`, `model`, `weight.NAME`, `grpo.NAME`.

    One text a chain, in their order; empty where a chain has no such thing.
    """

    name: str
    values: tuple[str, ...]


def differences(
    database: Database, settings: Settings, who: Actor, chain_ids: Sequence[str]
) -> tuple[Difference, ...]:
    """What differs, most telling first.

    Raises:
        NotFound: `training.chain_not_found`.
    """
    who.require("reviewer")
    told = [_facts(database, settings, who, each) for each in chain_ids[:MOST]]
    names = list(dict.fromkeys(name for facts in told for name in facts))
    return tuple(
        Difference(name, values)
        for name in names
        if len(set(values := tuple(facts.get(name, "") for facts in told))) > 1
    )


def _facts(database: Database, settings: Settings, who: Actor, chain_id: str) -> dict[str, str]:
    with database.reading() as session:
        chain = training.get_chain(session, who.project_id, chain_id)
        bundle = training.get_bundle(session, who.project_id, chain.bundle_id)
        runs = {each: training.find_run(session, chain_id, each) for each in TRAINED}
    order = cast(Mapping[str, JsonValue], chain.order)
    facts = {"bundle": bundle.name, "recipe": chain.recipe, "model": str(order.get("model") or "")}
    if bundle.manifest_hash:
        facts["manifest"] = bundle.manifest_hash[:12]
    facts["stages"] = " ".join(str(each) for each in cast(list[str], order.get("stages") or []))
    for stage, run in runs.items():
        if run is None:
            continue
        folder = settings.home / run.folder
        facts |= {f"weight.{name}": f"{weight:g}" for name, weight in weights_of(folder).items()}
        for name, value in run_config(folder).items():
            if name not in _PLACES:
                facts[f"{stage}.{name}"] = _text(value)
    return facts


def _text(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
