"""The form of a training order: bundle, recipe, stages, knobs with a sentence each, weights."""

import re
from typing import Any, NamedTuple

import gradio as gr

from exports.training.argument_list import read_overrides
from exports.training.recipes import KNOBS, TrainingRecipe, get_recipe, list_recipes
from exports.training.variants import list_variants, stages_left
from labeling.ui.fields import button, choice, elem_id, number, text, weight_fields
from labeling.ui.i18n import Words
from labeling.ui.training_arguments import ArgumentForm, lay_out_arguments
from labeling.ui.view import title, view
from schemas.errors import InvalidInput
from schemas.project import REWARDS
from schemas.settings import Settings
from schemas.training import STAGES, TRAINED, ChainOrder, Stage, TrainingStage
from schemas.training_stages import USUAL

FIELDS: tuple[tuple[TrainingStage, str], ...] = tuple(
    (stage, name) for stage in TRAINED for name in KNOBS[stage]
)
"""(stage, argument) of each knob, in the order of the form."""
_ALWAYS = ("preflight", "freeze")
GATES = ("accuracy", "flat")
SWITCHES: tuple[Stage, ...] = tuple(stage for stage in STAGES if stage not in _ALWAYS)
_USUALLY_ON: tuple[Stage, ...] = tuple(stage for stage in SWITCHES if stage in USUAL)


class Form(NamedTuple):
    """Everything a person fills in."""

    bundle: gr.Dropdown
    recipe: gr.Dropdown
    variants: gr.Dropdown
    about: gr.HTML
    stages: gr.CheckboxGroup
    model: gr.Textbox
    benchmark: gr.Textbox
    nodes: gr.Textbox
    arguments: ArgumentForm
    gates: tuple[gr.Number, ...]
    knobs: tuple[gr.Number, ...]
    weights: tuple[gr.Number, ...]
    commands: gr.HTML
    show: gr.Button
    train: gr.Button

    @property
    def inputs(self) -> list[Any]:
        """The fields, in the order of `read_order`."""
        texts = [self.model, self.benchmark, self.nodes, self.arguments.lines]
        chosen = [self.recipe, self.variants, self.stages, *texts, *self.gates]
        return [*chosen, *self.knobs, *self.weights]


def read_order(settings: Settings, *fields: Any) -> tuple[str, ChainOrder]:
    """Recipe and order that the form holds.

    Knobs that differ from the recipe are overrides; a line under all arguments comes last.

    Raises:
        InvalidInput: `training.order_refused`, or what `read_overrides` says.
    """
    name, variants, stages, model, benchmark, nodes, lines, least, most, *numbers = fields
    recipe = get_recipe(str(name), variants or ())
    overrides: dict[str, dict[str, Any]] = {}
    for (stage, knob), given in zip(FIELDS, numbers[: len(FIELDS)], strict=True):
        known = recipe.stage(stage)
        if knob in known and given is not None and float(given) != float(known[knob]):
            value = int(given) if isinstance(known[knob], int) else float(given)
            overrides.setdefault(stage, {})[knob] = value
    for stage, given in read_overrides(settings, str(lines or ""), recipe.program).items():
        overrides.setdefault(stage, {}).update(given)
    weights = dict(zip(REWARDS, numbers[len(FIELDS) :], strict=True))
    try:
        order = ChainOrder.model_validate(
            {
                "stages": [each for each in STAGES if each in (*_ALWAYS, *stages)],
                "variants": variants or (),
                "weights": {k: float(v or 0) for k, v in weights.items()}
                if any(weights.values())
                else None,
                "overrides": overrides,
                "model": str(model or "").strip() or None,
                "benchmark": str(benchmark or "").strip() or None,
                "nodes": re.findall(r"[^\s,，、;；]+", str(nodes or "")),
                "gates": {"accuracy_at_least": _share(least), "flat_at_most": _share(most)},
            }
        )
    except ValueError as error:
        raise InvalidInput("training.order_refused", detail=str(error)[:200]) from error
    return str(name), order


def chosen_bundle(bundle_id: str | None) -> str:
    """The bundle that was chosen.

    Raises:
        InvalidInput: `training.no_bundle`.
    """
    if not bundle_id:
        raise InvalidInput("training.no_bundle")
    return bundle_id


def _share(percent: Any) -> float | None:
    """None for a blank field, which Gradio sends as 0: who asks for nothing sets no gate."""
    return float(percent) / 100 if percent else None


def knob_updates(recipe: TrainingRecipe) -> list[Any]:
    """What the knobs show under a recipe; those it does not have are hidden."""
    updates: list[Any] = []
    for stage, knob in FIELDS:
        value = recipe.stage(stage).get(knob)
        updates.append(gr.Number(value=value, visible=value is not None))
    return updates


def variant_names(recipe: str) -> list[str]:
    """The variants that a recipe has."""
    return [each.name for each in list_variants(recipe)]


def stage_update(recipe: TrainingRecipe) -> Any:
    """The stages that are on under a recipe and its variants, unless somebody changes it."""
    return gr.CheckboxGroup(value=list(stages_left(_USUALLY_ON, recipe.variants)))


def lay_out_order(words: Words) -> Form:
    """The form."""
    names = [each.name for each in list_recipes()]
    with gr.Column(elem_classes="pw-form"):
        title(words("training.order"))
        bundle = choice(words, "training.bundle")
        recipe = choice(words, "training.recipe", names, value=names[0])
        variants = _lay_out_variants(words, names[0])
        about = view("training-about")
        stages = _stages(words)
        with gr.Row():
            model = text(words, "training.model")
            benchmark = text(words, "training.benchmark")
        with gr.Row():
            nodes = text(words, "training.nodes")
            gates = tuple(_percent(words, f"training.gate_{each}") for each in GATES)
        with gr.Row():
            train = button(words, "training.train", "primary")
            show = button(words, "training.show")
        commands = view("training-commands")
        knobs = _lay_out_knobs(words)
        title(words("training.weights"))
        weights = weight_fields(words, "training", [None] * len(REWARDS))
        arguments = lay_out_arguments(words)
    return Form(
        bundle,
        recipe,
        variants,
        about,
        stages,
        model,
        benchmark,
        nodes,
        arguments,
        gates,
        knobs,
        weights,
        commands,
        show,
        train,
    )


def _lay_out_variants(words: Words, recipe: str) -> gr.Dropdown:
    return choice(
        words,
        "training.variants",
        variant_names(recipe),
        multiselect=True,
        info=words("training.variants_info"),
    )


def _stages(words: Words) -> gr.CheckboxGroup:
    return gr.CheckboxGroup(
        [(words.sentence(f"training.stage_{each}", {}), each) for each in SWITCHES],
        value=list(_USUALLY_ON),
        label=words("training.stages"),
        elem_id="training-stages",
    )


def _percent(words: Words, name: str) -> gr.Number:
    return number(words, name, value=None, minimum=0, maximum=100)


def _lay_out_knobs(words: Words) -> tuple[gr.Number, ...]:
    recipe = list_recipes()[0]
    knobs: list[gr.Number] = []
    for stage in TRAINED:
        with gr.Column(elem_id=f"training-knobs-{stage}"):
            title(stage.upper())
            with gr.Row():
                for name in KNOBS[stage]:
                    value = recipe.stage(stage).get(name)
                    knobs.append(
                        gr.Number(
                            value=value,
                            visible=value is not None,
                            label=name,
                            info=words.sentence(f"training.knob_{name}", {}),
                            min_width=210,
                            elem_id=elem_id(f"training.{stage}_{name}"),
                        )
                    )
    return tuple(knobs)
