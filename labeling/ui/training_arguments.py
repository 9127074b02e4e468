"""All arguments of the trainer: searched by name and help, and set by a line each."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import gradio as gr

from exports.training.argument_list import Argument, find_arguments, list_arguments
from exports.training.recipes import get_recipe
from labeling.ui.errors import presented, unchanged
from labeling.ui.events import DIRECT
from labeling.ui.fields import choice, elem_id, text
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, node, on_pick, picked_id, shown, table, view
from schemas.training_stages import TRAINED, to_training_stage


class ArgumentForm(NamedTuple):
    """Search, what it finds, and the lines that are set."""

    stage: gr.Dropdown
    search: gr.Textbox
    found: gr.HTML
    lines: gr.Textbox


class ArgumentsShown(NamedTuple):
    """What a search finds."""

    found: Any
    notice: Any


class LinesShown(NamedTuple):
    """The lines that are set."""

    lines: Any
    notice: Any


class ArgumentHandlers:
    """What happens there."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_search(
        self, recipe: str, stage: str, sought: str, request: gr.Request
    ) -> ArgumentsShown:
        """Find arguments of a stage by the names and help of the recipe's program."""
        who_asks(request, "admin")
        if not sought.strip():
            return ArgumentsShown(shown(), gr.skip())
        known = self._known(recipe, stage)
        found = arguments_view(find_arguments(known, sought), self.words)
        return ArgumentsShown(shown(found), gr.skip())

    @presented
    def on_pick(
        self, recipe: str, stage: str, lines: str, event: gr.EventData, request: gr.Request
    ) -> LinesShown:
        """Begin a line for an argument, with its default."""
        who_asks(request, "admin")
        picked = picked_id(event)
        known = self._known(recipe, stage)
        default = next((each.default for each in known if each.name == picked), None)
        if default is None:
            return unchanged(LinesShown)
        line = f"{stage}.{picked}={'' if default == 'None' else default}"
        return LinesShown("\n".join(filter(None, [lines.strip(), line])), gr.skip())

    def _known(self, recipe: str, stage: str) -> Sequence[Argument]:
        program = get_recipe(recipe).program
        return list_arguments(self.services.settings, to_training_stage(stage), program)


def arguments_view(found: Sequence[Argument], words: Words) -> Node:
    """Arguments with what their class says of them; a click sets one."""
    rows = [
        (
            each.name,
            [
                node(
                    "div",
                    node("b", each.name),
                    node("div", f"{each.type} · {each.default}", cls="pw-mute"),
                ),
                each.help,
            ],
        )
        for each in found
    ]
    name, kind, help_ = (words(f"training.arguments_{part}") for part in ("name", "type", "help"))
    heads = [f"{name} · {kind}", help_]  # two columns: the form is narrow
    return table(heads, rows, empty=words("training.arguments_none"))


def lay_out_arguments(words: Words) -> ArgumentForm:
    """The part of the form."""
    with gr.Accordion(words("training.arguments"), open=False, elem_id="training-arguments"):
        with gr.Row():
            stage = choice(words, "training.arguments_stage", TRAINED, value=TRAINED[-1])
            search = text(words, "training.arguments_search")
        found = view("training-arguments-found")
        lines = gr.Textbox(
            label=words("training.arguments_set"),
            lines=3,
            elem_id=elem_id("training.arguments_set"),
        )
    return ArgumentForm(stage, search, found, lines)


def wire_arguments(
    form: ArgumentForm, recipe: gr.Dropdown, services: Services, words: Words, told: gr.HTML
) -> None:
    """Its events; what is found follows the recipe, whose program has names of its own."""
    handlers = ArgumentHandlers(services, words)
    sought, found = [recipe, form.stage, form.search], [form.found, told]
    form.search.submit(handlers.on_search, sought, found, **DIRECT)
    form.stage.input(handlers.on_search, sought, found, **DIRECT)
    recipe.input(handlers.on_search, sought, found, **DIRECT)
    on_pick(form.found, handlers.on_pick, [recipe, form.stage, form.lines], [form.lines, told])
