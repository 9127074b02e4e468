"""Fields and buttons as our forms have them: words and `elem_id` come from one name."""

from collections.abc import Iterable
from typing import Any, Literal

import gradio as gr

from labeling.ui.i18n import Words
from schemas.project import DEFAULT_WEIGHTS, REWARDS

Variant = Literal["primary", "secondary", "stop"]


def elem_id(name: str) -> str:
    """`team.set_role` is found in the page as `team-set-role`."""
    return name.replace(".", "-").replace("_", "-")


def button(words: Words, name: str, variant: Variant = "secondary") -> gr.Button:
    """A button that says the words of its name."""
    return gr.Button(words(name), variant=variant, elem_id=elem_id(name), size="md")


def text(words: Words, name: str, **options: Any) -> gr.Textbox:
    """A field for text."""
    return gr.Textbox(label=words(name), elem_id=elem_id(name), **options)


def number(words: Words, name: str, **options: Any) -> gr.Number:
    """A field for a number."""
    return gr.Number(label=words(name), elem_id=elem_id(name), **options)


def weight_fields(
    words: Words, area: str, values: Iterable[float | None] = DEFAULT_WEIGHTS
) -> tuple[gr.Number, ...]:
    """A row of fields for the weights of the seven rewards, in their order."""
    with gr.Row(elem_classes="pw-weights"):
        return tuple(
            gr.Number(
                value=value,
                label=words(f"datasets.reward_{reward}"),
                step=0.05,
                minimum=0,
                min_width=80,
                elem_id=elem_id(f"{area}.weight_{reward}"),
            )
            for reward, value in zip(REWARDS, values, strict=True)
        )


def choice(words: Words, name: str, choices: Any = (), **options: Any) -> gr.Dropdown:
    """A choice of one."""
    return gr.Dropdown(list(choices), label=words(name), elem_id=elem_id(name), **options)


def day(words: Words, name: str, **options: Any) -> gr.DateTime:
    """A field for a day, as `2026-05-04`."""
    shape: dict[str, Any] = {"include_time": False, "type": "string", "min_width": 226}
    return gr.DateTime(label=words(name), elem_id=elem_id(name), **shape | options)


def check(words: Words, name: str, *, value: bool = False) -> gr.Checkbox:
    """Yes or no."""
    return gr.Checkbox(value, label=words(name), elem_id=elem_id(name))


def hidden(name: str) -> gr.Textbox:
    """Where the page remembers what was picked."""
    return gr.Textbox(elem_classes="pw-hidden", show_label=False, elem_id=elem_id(name))
