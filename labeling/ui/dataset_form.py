"""A recipe as the values of the fields of a form, and back, without loss or not at all."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from exports.filling import pools_needed
from schemas.errors import InvalidInput
from schemas.project import REWARDS
from schemas.recipe import BundleRecipe, Pool, read_recipe

POOLS: dict[str, tuple[str, ...]] = {
    "sft": ("suggestions", "accepted", "history"),
    "grpo": ("accepted", "history"),
}
NAMES = (
    "name",
    "formats",
    "with_thinking",
    *(f"{pool}_takes" for pool in POOLS),
    *(f"{pool}_{source}" for pool, sources in POOLS.items() for source in sources),
    "sft_size",
    "grpo_size",
    "think_min",
    "think_max",
    "shortest_traces",
    "plain_share",
    "val_share",
    "seed",
    "prefer",
    "stale_traces",
    "pools",
    "history_answers",
    "dpo_pairs",
    "twin_share",
    "twin_shuffle",
    "twin_drop",
    "twin_decoys",
    "model",
    "training",
    *REWARDS,
)
_AS_THEY_ARE = (
    "formats",
    "with_thinking",
    "prefer",
    "stale_traces",
    "pools",
    "history_answers",
    "training",
)
_IN_PERCENT = ("shortest_traces", "plain_share", "val_share")


def read_form(*fields: Any) -> BundleRecipe:
    """The recipe that the form holds (fields in the order of `NAMES`).

    Shares are in percent; 0 takes all of a source where none has a share, and leaves it out where
    others have one. Gradio shows a number that is not there as 0, so 0 says that everywhere: bounds
    of thinking of 0 are the project's, a pool of 0 rows is as large as it can be.

    Raises:
        InvalidInput: one sentence about the first thing that is wrong with it.
    """
    given = dict(zip(NAMES, fields, strict=True))
    values: dict[str, object] = {name: given[name] for name in _AS_THEY_ARE}
    values |= {name: _share(given[name]) for name in _IN_PERCENT}
    values |= {
        "name": str(given["name"] or "").strip(),
        "seed": given["seed"] or 0,
        "augmentation": {
            "share": _share(given["twin_share"]),
            "shuffle": given["twin_shuffle"],
            "drop_unused": _share(given["twin_drop"]),
            "decoys": given["twin_decoys"] or 0,
        },
        "verification": {"model": str(given["model"] or "").strip() or None},
        "weights": {reward: given[reward] or 0 for reward in REWARDS},
    }
    if given["dpo_pairs"] or "dpo" in given["formats"]:
        values["dpo_pairs"] = given["dpo_pairs"]
    if given["think_min"] or given["think_max"]:
        values["think"] = {"min": given["think_min"], "max": given["think_max"]}
    for pool, sources in POOLS.items():
        values[pool] = _pool(
            {
                each: given[f"{pool}_{each}"] or 0
                for each in sources
                if each in given[f"{pool}_takes"]
            },
            given[f"{pool}_size"],
        )
    return read_recipe(values)


def fill_form(recipe: BundleRecipe, banned_words: Sequence[str] = ()) -> tuple[Any, ...]:
    """The fields of the form for a recipe, in the order of `NAMES`.

    Args:
        recipe: What to show. A preview's says which words are banned; the form leaves them to the
            project.
        banned_words: The project's.

    Raises:
        InvalidInput: `export.recipe_beyond_form`; it says more than the form has fields for.
    """
    if recipe.banned_words == tuple(banned_words):
        recipe = recipe.model_copy(update={"banned_words": None})
    twins, think = recipe.augmentation, recipe.think
    values: dict[str, Any] = {name: getattr(recipe, name) for name in _AS_THEY_ARE}
    values |= {name: _percent(getattr(recipe, name)) for name in _IN_PERCENT}
    values |= {
        "name": recipe.name,
        "formats": list(recipe.formats),
        "seed": recipe.seed,
        "think_min": think.min if think else 0,
        "think_max": think.max if think else 0,
        "dpo_pairs": list(recipe.dpo_pairs),
        "twin_share": _percent(twins.share),
        "twin_shuffle": twins.shuffle,
        "twin_drop": _percent(twins.drop_unused),
        "twin_decoys": twins.decoys,
        "model": recipe.verification.model or "",
    }
    values |= {reward: recipe.weights.get(reward, 0.0) for reward in REWARDS}
    for name, kinds in POOLS.items():
        pool = getattr(recipe, name)
        values |= _sources(name, kinds, pool)
    fields = tuple(values[name] for name in NAMES)
    lost = _differing(recipe, read_form(*fields))
    if lost:
        raise InvalidInput("export.recipe_beyond_form", keys=", ".join(lost))
    return fields


def _pool(percents: dict[str, float], size: float | None) -> dict[str, object]:
    has_shares = any(percents.values())
    sources = [
        {"kind": kind, **({"share": percent / 100} if percent else {})}
        for kind, percent in percents.items()
        if percent or not has_shares
    ]
    return {"sources": sources, **({"size": size} if size else {})}


def _sources(name: str, kinds: tuple[str, ...], pool: Pool) -> dict[str, Any]:
    percents = dict.fromkeys(kinds, 0.0)
    percents |= {each.kind: _percent(each.share or 0) for each in pool.sources}
    taken = {each.kind for each in pool.sources}
    return {
        f"{name}_takes": [kind for kind in kinds if kind in taken],
        **{f"{name}_{kind}": percents[kind] for kind in kinds},
        f"{name}_size": pool.size or 0,
    }


def _share(percent: float | None) -> float:
    return (percent or 0) / 100


def _percent(share: float) -> float:
    return round(share * 100, 6)


def _differing(wanted: BundleRecipe, held: BundleRecipe) -> list[str]:
    """Keys of a recipe that another one lacks or has otherwise."""
    one, other = _plain(wanted), _plain(held)
    return sorted(key for key in one if one[key] != other[key])


def _plain(recipe: BundleRecipe) -> dict[str, Any]:
    """What a recipe means, without what makes no difference: order of sources, pools of no file."""
    value = recipe.model_dump(mode="json")
    value["weights"] = {reward: recipe.weights.get(reward, 0.0) for reward in REWARDS}
    needed = pools_needed(recipe)
    for name in POOLS:
        sources = value[name]["sources"] if name in needed else []
        value[name] = {**value[name], "sources": sorted(sources, key=itemgetter("kind"))}
        if name not in needed:
            value[name] = None
    return _rounded(value)


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case list():
            return [_rounded(each) for each in value]
        case _:
            return value
