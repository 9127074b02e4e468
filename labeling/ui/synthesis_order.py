"""The form of an order to a model: which queries, how many answers, from where, for how much."""

from typing import Any, NamedTuple

import gradio as gr

from db.engine import Database
from labeling.model_endpoints import named_order
from labeling.ui.fields import button, check, choice, elem_id, number, text
from labeling.ui.i18n import Words
from labeling.ui.view import title, view
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.strict_json import parse_json
from schemas.synthesis import Budget, SynthesisOrder

_STALE = "stale"
"""Accepted plans that no trace leads to: new thinking is asked for, with the usual tests."""
NO_REPAIR, SAME_ENDPOINT = "", "-"


class OrderForm(NamedTuple):
    """Everything a person fills in, in the order of `read_order`."""

    endpoints: gr.Dropdown
    endpoint: gr.Textbox
    model: gr.Textbox
    key_env: gr.Textbox
    experts: gr.Dropdown
    which: gr.Dropdown
    n: gr.Number
    limit: gr.Number
    concurrency: gr.Number
    timeout_s: gr.Number
    parameters: gr.Textbox
    with_thinking: gr.Checkbox
    budget_money: gr.Number
    budget_tokens: gr.Number
    repair: gr.Dropdown
    raise_cut_off: gr.Checkbox


class Given(NamedTuple):
    """What the form holds, by the names of its fields.

    A text in a part that was never unfolded is None, as Gradio sends it.
    """

    endpoints: list[str]
    endpoint: str | None
    model: str | None
    key_env: str | None
    experts: str
    which: str
    n: float
    limit: float | None
    concurrency: float
    timeout_s: float
    parameters: str | None
    with_thinking: bool
    budget_money: float | None
    budget_tokens: float | None
    repair: str
    raise_cut_off: bool


def read_order(
    database: Database, who: Actor, *fields: Any
) -> tuple[SynthesisOrder, Budget | None]:
    """The order that the form holds, and what it may cost.

    Raises:
        InvalidInput: `synthesis.parameters_not_json`, or what the order itself refuses.
        NotFound: `models.not_found`.
    """
    given = Given._make(fields)
    parameters = given.parameters or ""
    try:
        extra = parse_json(parameters) if parameters.strip() else {}
    except InvalidInput as error:
        raise InvalidInput("synthesis.parameters_not_json") from error
    if not isinstance(extra, dict):
        raise InvalidInput("synthesis.parameters_not_json")
    is_stale = given.which == _STALE
    repairer = None if given.repair == SAME_ENDPOINT else given.repair
    values: dict[str, object] = {
        "experts": given.experts or None,
        "n": given.n,
        "concurrency": given.concurrency,
        "limit": given.limit or None,
        "which": "waiting" if is_stale else given.which,
        "rederive": {} if is_stale else None,
        "parameters": extra,
        "timeout_s": given.timeout_s,
        "with_thinking": given.with_thinking,
        "repair": {"endpoint": repairer} if given.repair else None,
        "raise_cut_off": given.raise_cut_off,
    }
    budget = Budget.read(given.budget_money, given.budget_tokens)
    if given.endpoints:
        return named_order(database, who, given.endpoints, values), budget
    named = {
        "endpoint": given.endpoint or "",
        "model": (given.model or "").strip(),
        "key_env": (given.key_env or "").strip() or None,
    }
    return SynthesisOrder.read({**values, **named}), budget


def repair_choices(words: Words, names: list[str]) -> list[tuple[str, str]]:
    """Who may repair: nobody, whoever answers, or another by name."""
    usual = [(words("synthesis.repair_none"), NO_REPAIR), (words("synthesis.repair_same"), "-")]
    return [*usual, *((name, name) for name in names)]


def lay_out_order(words: Words) -> tuple[OrderForm, gr.HTML, gr.Button, gr.Button]:
    """The fields, the preview, and the two buttons."""
    with gr.Column(elem_classes="pw-form"):
        title(words("synthesis.order"))
        endpoints = gr.Dropdown(
            [],
            value=[],
            multiselect=True,
            label=words("synthesis.endpoints"),
            info=words("synthesis.endpoints_hint"),
            elem_id=elem_id("synthesis.endpoints"),
        )
        endpoint = text(words, "synthesis.endpoint", placeholder="https://host/v1")
        with gr.Row():
            model = text(words, "synthesis.model", placeholder="deepseek-reasoner")
            key_env = text(words, "synthesis.key_env", placeholder="DEEPSEEK_API_KEY")
        experts, which, n, limit = _lay_out_what(words)
        with gr.Accordion(words("synthesis.how"), open=False):
            rest = _lay_out_how(words)
        preview = view("synthesis-preview")
        with gr.Row():
            start = button(words, "synthesis.start", "primary")
            ask = button(words, "synthesis.ask")
    form = OrderForm(endpoints, endpoint, model, key_env, experts, which, n, limit, *rest)
    return form, preview, ask, start


def _lay_out_what(words: Words) -> tuple[gr.Dropdown, gr.Dropdown, gr.Number, gr.Number]:
    choices = ("waiting", "undecided", _STALE)
    whiches = [(words(f"synthesis.which_{each}"), each) for each in choices]
    with gr.Row():
        any_list = [(words("synthesis.any_list"), "")]
        experts = choice(words, "synthesis.experts", any_list, value="")
        which = choice(words, "synthesis.which", whiches, value="waiting")
    with gr.Row():
        n = number(words, "synthesis.n", value=1, precision=0, minimum=1, maximum=64)
        limit = number(words, "synthesis.limit", value=None, precision=0, minimum=0)
    return experts, which, n, limit


def _lay_out_how(words: Words) -> tuple[Any, ...]:
    with gr.Row():
        concurrency = number(words, "synthesis.concurrency", value=16, precision=0, minimum=1)
        timeout_s = number(words, "synthesis.timeout", value=600, minimum=1)
    parameters = text(words, "synthesis.parameters", lines=2, placeholder='{"temperature": 0.6}')
    with_thinking = check(words, "synthesis.with_thinking", value=True)
    with gr.Row():
        budget_money = number(words, "synthesis.budget_money", value=None, minimum=0)
        budget_tokens = number(words, "synthesis.budget_tokens", value=None, precision=0, minimum=0)
    repair = choice(words, "synthesis.repair", repair_choices(words, []), value=NO_REPAIR)
    raise_cut_off = check(words, "synthesis.raise_cut_off", value=True)
    return (
        concurrency,
        timeout_s,
        parameters,
        with_thinking,
        budget_money,
        budget_tokens,
        repair,
        raise_cut_off,
    )
