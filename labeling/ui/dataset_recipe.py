"""The form of a bundle's recipe: sources with shares, thinking, cuts, pairs, twins, weights."""

from typing import Any

import gradio as gr

from exports.training.recipes import list_recipes
from labeling.ui.dataset_form import POOLS
from labeling.ui.fields import button, check, choice, elem_id, number, text, weight_fields
from labeling.ui.i18n import Words
from labeling.ui.view import title
from schemas.recipe import FORMATS


def lay_out_recipe(words: Words) -> tuple[Any, ...]:
    """The fields of the form, in the order of `NAMES`."""
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
            info=words("datasets.formats_about"),
            elem_id=elem_id("datasets.formats"),
        )
        with_thinking = check(words, "datasets.with_thinking", value=True)
        takes, shares, sizes = _lay_out_sources(words)
        rest = _lay_out_rest(words)
        pairs = _lay_out_pairs(words)
        twins = _lay_out_twins(words)
        model = text(words, "datasets.model", value="tiny")
    weights = _lay_out_weights(words)
    fields = (name, formats, with_thinking, *takes, *shares, *sizes, *rest, pairs, *twins)
    return (*fields, model, training, *weights)


def lay_out_recipe_text(words: Words) -> tuple[gr.Textbox, gr.Button]:
    """The recipe as the file that the command line takes, to be put into the form."""
    with gr.Accordion(words("datasets.as_text"), open=False, elem_id="datasets-as-text"):
        written = gr.Textbox(
            lines=8,
            max_lines=24,
            label=words("datasets.recipe_text"),
            info=words("datasets.recipe_text_about"),
            elem_id=elem_id("datasets.recipe_text"),
        )
        return written, button(words, "datasets.fill")


def _lay_out_sources(words: Words) -> tuple[list[Any], list[Any], list[Any]]:
    title(words("datasets.sources"))
    takes: list[Any] = []
    shares: list[Any] = []
    sizes: list[Any] = []
    for pool, sources in POOLS.items():
        takes.append(
            gr.CheckboxGroup(
                [(words(f"datasets.source_{each}"), each) for each in sources],
                value=list(sources),
                label=words("datasets.takes", pool=pool.upper()),
                elem_id=elem_id(f"datasets.{pool}_takes"),
            )
        )
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
    return takes, shares, sizes


def _lay_out_weights(words: Words) -> tuple[gr.Number, ...]:
    with gr.Column(elem_classes="pw-form"):
        title(words("datasets.weights"))
        return weight_fields(words, "datasets")


def _lay_out_rest(words: Words) -> tuple[Any, ...]:
    with gr.Row():
        think_min = number(words, "datasets.think_min", value=60, precision=0, min_width=90)
        think_max = number(words, "datasets.think_max", value=180, precision=0, min_width=90)
        shortest = number(words, "datasets.shortest", value=100, minimum=1, min_width=90)
    with gr.Row():
        plain = number(
            words,
            "datasets.plain_share",
            value=0,
            minimum=0,
            maximum=90,
            min_width=90,
            info=words("datasets.plain_share_about"),
        )
        val_share = number(
            words,
            "datasets.val_share",
            value=5,
            minimum=0,
            min_width=90,
            info=words("datasets.val_share_about"),
        )
        seed = number(
            words,
            "datasets.seed",
            value=0,
            precision=0,
            min_width=80,
            info=words("datasets.seed_about"),
        )

    def chosen(name: str, choices: tuple[str, ...]) -> gr.Dropdown:
        named = [(words(f"datasets.{name}_{each}"), each) for each in choices]
        return choice(words, f"datasets.{name}", named, value=choices[0], min_width=120)

    with gr.Row():
        prefer = chosen("prefer", ("shortest", "reward"))
        stale = chosen("stale_traces", ("leave_out", "rederived", "keep"))
        pools = chosen("pools", ("apart", "shared"))
        answers = chosen("history_answers", ("rendered", "verbatim"))
    return (think_min, think_max, shortest, plain, val_share, seed, prefer, stale, pools, answers)


def _lay_out_pairs(words: Words) -> gr.CheckboxGroup:
    title(words("datasets.pairs"))
    kinds = ("corrected", "siblings", "length")
    return gr.CheckboxGroup(
        [(words(f"datasets.pairs_{each}"), each) for each in kinds],
        value=["corrected"],
        label=words("datasets.dpo_pairs"),
        info=words("datasets.pairs_about"),
        elem_id=elem_id("datasets.dpo_pairs"),
    )


def _lay_out_twins(words: Words) -> tuple[Any, ...]:
    title(words("datasets.twins"))
    with gr.Row():
        share = number(
            words,
            "datasets.twin_share",
            value=0,
            minimum=0,
            maximum=100,
            min_width=90,
            info=words("datasets.twin_share_about"),
        )
        drop = number(
            words,
            "datasets.twin_drop",
            value=0,
            minimum=0,
            maximum=90,
            min_width=90,
            info=words("datasets.twin_drop_about"),
        )
        decoys = number(
            words,
            "datasets.twin_decoys",
            value=0,
            precision=0,
            minimum=0,
            maximum=20,
            min_width=90,
            info=words("datasets.twin_decoys_about"),
        )
    shuffle = check(words, "datasets.twin_shuffle", value=True)
    return (share, shuffle, drop, decoys)


def _percent(label: str, name: str) -> gr.Number:
    return gr.Number(
        value=None, label=label, minimum=0, maximum=100, min_width=90, elem_id=elem_id(name)
    )
