"""The form of an order to a model: which queries, how many answers, from where."""

from typing import Any

import gradio as gr

from labeling.ui.fields import button, check, choice, number, text
from labeling.ui.i18n import Words
from labeling.ui.view import title, view
from schemas.errors import InvalidInput
from schemas.strict_json import parse_json
from schemas.synthesis import SynthesisOrder

_STALE = "stale"
"""Accepted plans that no trace leads to: new thinking is asked for, with the usual tests."""


def read_order(
    endpoint: str,
    model: str,
    key_env: str,
    reference: str,
    n: float,
    concurrency: float,
    limit: float | None,
    which: str,
    parameters: str,
    timeout_s: float,
    with_thinking: bool,
) -> SynthesisOrder:
    """The order that the form holds.

    Raises:
        InvalidInput: `synthesis.parameters_not_json`, or what the order itself refuses.
    """
    try:
        extra = parse_json(parameters) if parameters.strip() else {}
    except InvalidInput as error:
        raise InvalidInput("synthesis.parameters_not_json") from error
    if not isinstance(extra, dict):
        raise InvalidInput("synthesis.parameters_not_json")
    is_stale = which == _STALE
    return SynthesisOrder.read(
        {
            "endpoint": endpoint,
            "model": model.strip(),
            "key_env": key_env.strip() or None,
            "experts": reference or None,
            "n": n,
            "concurrency": concurrency,
            "limit": limit or None,
            "which": "waiting" if is_stale else which,
            "rederive": {} if is_stale else None,
            "parameters": extra,
            "timeout_s": timeout_s,
            "with_thinking": with_thinking,
        }
    )


def lay_out_order(words: Words) -> tuple[tuple[Any, ...], gr.HTML, gr.Button, gr.Button]:
    """The fields (in the order of `read_order`), the preview, and the two buttons."""
    choices = ("waiting", "undecided", _STALE)
    whiches = [(words(f"synthesis.which_{each}"), each) for each in choices]
    with gr.Column(elem_classes="pw-form"):
        title(words("synthesis.order"))
        endpoint = text(words, "synthesis.endpoint", placeholder="https://host/v1")
        with gr.Row():
            model = text(words, "synthesis.model", placeholder="deepseek-reasoner")
            key_env = text(words, "synthesis.key_env", placeholder="DEEPSEEK_API_KEY")
        with gr.Row():
            reference = choice(
                words, "synthesis.experts", [(words("synthesis.any_list"), "")], value=""
            )
            which = choice(words, "synthesis.which", whiches, value="waiting")
        with gr.Row():
            n = number(words, "synthesis.n", value=1, precision=0, minimum=1, maximum=64)
            concurrency = number(words, "synthesis.concurrency", value=16, precision=0, minimum=1)
            limit = number(words, "synthesis.limit", value=None, precision=0, minimum=0)
            timeout_s = number(words, "synthesis.timeout", value=600, minimum=1)
        parameters = text(
            words, "synthesis.parameters", lines=2, placeholder='{"temperature": 0.6}'
        )
        with_thinking = check(words, "synthesis.with_thinking", value=True)
        preview = view("synthesis-preview")
        with gr.Row():
            start = button(words, "synthesis.start", "primary")
            ask = button(words, "synthesis.ask")
    order = (
        endpoint,
        model,
        key_env,
        reference,
        n,
        concurrency,
        limit,
        which,
        parameters,
        timeout_s,
        with_thinking,
    )
    return order, preview, ask, start
