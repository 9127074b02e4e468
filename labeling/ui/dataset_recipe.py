"""The form of a bundle's recipe: sources with shares, thinking, cuts, weights, verification."""

from typing import Any

import gradio as gr

from exports.training.recipes import list_recipes
from labeling.ui.fields import check, choice, elem_id, number, text, weight_fields
from labeling.ui.i18n import Words
from labeling.ui.view import title
from schemas.project import REWARDS
from schemas.recipe import FORMATS, BundleRecipe, read_recipe

POOLS: dict[str, tuple[str, ...]] = {
    "sft": ("suggestions", "accepted", "history"),
    "grpo": ("accepted", "history"),
}
_NAMES = (
    "name",
    "formats",
    "with_thinking",
    *(f"{pool}_{source}" for pool, sources in POOLS.items() for source in sources),
    "sft_size",
    "grpo_size",
    "think_min",
    "think_max",
    "shortest_traces",
    "val_share",
    "seed",
    "stale_traces",
    "pools",
    "history_answers",
    "model",
    "training",
    *REWARDS,
)


def read_form(*fields: Any) -> BundleRecipe:
    """The recipe that the form holds (fields in the order of `lay_out_recipe`).

    Shares are in percent; a blank takes all of a source where nothing has a share, and leaves the
    source out where others have one.

    Raises:
        InvalidInput: one sentence about the first thing that is wrong with it.
    """
    given = dict(zip(_NAMES, fields, strict=True))
    values: dict[str, object] = {
        "name": str(given["name"] or "").strip(),
        "formats": given["formats"],
        "with_thinking": given["with_thinking"],
        "think": {"min": given["think_min"], "max": given["think_max"]},
        "shortest_traces": (given["shortest_traces"] or 0) / 100,
        "val_share": (given["val_share"] or 0) / 100,
        "seed": given["seed"] or 0,
        "stale_traces": given["stale_traces"],
        "pools": given["pools"],
        "history_answers": given["history_answers"],
        "verification": {"model": str(given["model"] or "").strip() or None},
        "training": given["training"],
        "weights": {reward: given[reward] or 0 for reward in REWARDS},
    }
    for pool, sources in POOLS.items():
        values[pool] = _pool(
            {source: given[f"{pool}_{source}"] for source in sources}, given[f"{pool}_size"]
        )
    return read_recipe(values)


def _pool(percents: dict[str, float | None], size: float | None) -> dict[str, object]:
    has_shares = any(percents.values())
    sources = [
        {"kind": kind, **({"share": percent / 100} if percent else {})}
        for kind, percent in percents.items()
        if percent or not has_shares
    ]
    return {"sources": sources, **({"size": size} if size else {})}


def lay_out_recipe(words: Words) -> tuple[Any, ...]:
    """The fields of the form, in the order of `read_form`."""
    with gr.Column(elem_classes="pw-form"):
        title(words("datasets.recipe"))
        with gr.Row():
            name = text(words, "datasets.name", value="mixed")
            training = choice(
                words,
                "datasets.training",
                [each.name for each in list_recipes()],
                value="cpu-smoke",
            )
        formats = gr.CheckboxGroup(
            list(FORMATS),
            value=["sft", "grpo"],
            label=words("datasets.formats"),
            elem_id=elem_id("datasets.formats"),
        )
        with_thinking = check(words, "datasets.with_thinking", value=True)
        shares, sizes = _lay_out_sources(words)
        rest = _lay_out_rest(words)
    weights = _lay_out_weights(words)
    return (name, formats, with_thinking, *shares, *sizes, *rest, training, *weights)


def _lay_out_sources(words: Words) -> tuple[list[Any], list[Any]]:
    title(words("datasets.sources"))
    shares: list[Any] = []
    sizes: list[Any] = []
    for pool, sources in POOLS.items():
        with gr.Row():
            for source in sources:
                label = f"{pool.upper()} · {words(f'datasets.source_{source}')} %"
                shares.append(_percent(label, f"datasets.{pool}_{source}"))
            sizes.append(
                gr.Number(
                    value=None,
                    label=f"{pool.upper()} · {words('datasets.size')}",
                    precision=0,
                    min_width=90,
                    elem_id=elem_id(f"datasets.{pool}_size"),
                )
            )
    return shares, sizes


def _lay_out_weights(words: Words) -> tuple[gr.Number, ...]:
    with gr.Column(elem_classes="pw-form"):
        title(words("datasets.weights"))
        return weight_fields(words, "datasets")


def _lay_out_rest(words: Words) -> tuple[Any, ...]:
    with gr.Row():
        think_min = number(words, "datasets.think_min", value=60, precision=0, min_width=90)
        think_max = number(words, "datasets.think_max", value=180, precision=0, min_width=90)
        shortest = number(words, "datasets.shortest", value=100, minimum=1, min_width=90)
        val_share = number(words, "datasets.val_share", value=5, minimum=0, min_width=90)
        seed = number(words, "datasets.seed", value=0, precision=0, min_width=80)

    def chosen(name: str, choices: tuple[str, ...]) -> gr.Dropdown:
        named = [(words(f"datasets.{name}_{each}"), each) for each in choices]
        return choice(words, f"datasets.{name}", named, value=choices[0], min_width=120)

    with gr.Row():
        stale = chosen("stale_traces", ("leave_out", "rederived", "keep"))
        pools = chosen("pools", ("apart", "shared"))
        answers = chosen("history_answers", ("rendered", "verbatim"))
    model = text(words, "datasets.model", value="tiny")
    return (think_min, think_max, shortest, val_share, seed, stale, pools, answers, model)


def _percent(label: str, name: str) -> gr.Number:
    return gr.Number(
        value=None, label=label, minimum=0, maximum=100, min_width=90, elem_id=elem_id(name)
    )
