"""Events as our pages use them: one request, no queue, nothing painted over while they run."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.context import Context

Components = Sequence[Block] | Block | None

DIRECT: dict[str, Any] = {
    "queue": False,
    "show_progress": "hidden",
    "show_progress_on": (),
    "api_visibility": "private",
}
"""Options of every event: `button.click(handlers.on_x, inputs, outputs, **DIRECT)`.

Progress is shown nowhere, which is more than hidden: of a hidden one Gradio still counts the time,
with a new frame 60 times a second until the answer is there.
"""


def on_page_load(handler: Callable[..., object], inputs: Components, outputs: Components) -> None:
    """Call a handler when this page opens in a browser; inside `build_<page>_page` only."""
    blocks = Context.root_block
    assert isinstance(blocks, gr.Blocks)
    blocks.load(handler, inputs, outputs, **DIRECT)
