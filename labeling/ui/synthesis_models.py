"""Model endpoints by name: one tab of the Synthesis page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import model_endpoints
from labeling.synthesis import probe_work
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, hidden, number, text
from labeling.ui.i18n import Words, moment
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, card, facts, node, on_pick, picked_id, pill, shown, table, view
from schemas.model_endpoints import EndpointSettings, EndpointView, Probe
from schemas.people import Actor

FIELDS = (
    *("name", "url", "model", "key_env", "stream", "weight"),
    *("requests_per_minute", "tokens_per_minute", "input_price", "output_price", "currency"),
)
_FOUND = ("json_mode", "json_schema", "temperature", "streams")


class ModelsShown(NamedTuple):
    """The endpoints, and the one that was picked."""

    listed: Any
    detail: Any
    picked: Any
    notice: Any


class ModelFields(NamedTuple):
    """An endpoint in the form."""

    name: Any
    url: Any
    model: Any
    key_env: Any
    stream: Any
    weight: Any
    requests_per_minute: Any
    tokens_per_minute: Any
    input_price: Any
    output_price: Any
    currency: Any
    notice: Any


class ModelHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_look(self, picked: str, request: gr.Request) -> ModelsShown:
        """Show every endpoint."""
        shown_now = self._models(who_asks(request, "admin"), picked)
        return shown_now._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> ModelsShown:
        """Show one endpoint."""
        return self._models(who_asks(request, "admin"), picked_id(event))

    @presented
    def on_fill(self, picked: str, request: gr.Request) -> ModelFields:
        """Put the picked endpoint into the form."""
        found = model_endpoints.get_endpoint(
            self.services.database, who_asks(request, "admin"), picked
        )
        values = [getattr(found.settings, name) for name in FIELDS]
        return ModelFields._make([*values, gr.skip()])

    @presented
    def on_put(self, request: gr.Request, *fields: Any) -> ModelsShown:
        """Add an endpoint, or change one."""
        who = who_asks(request, "admin")
        settings = EndpointSettings.read(_given(fields))
        model_endpoints.put_endpoint(self.services.database, who, settings)
        told = say(self.words("synthesis.model_put", name=settings.name))
        return self._models(who, settings.name, told)

    @presented
    def on_probe(self, picked: str, request: gr.Request) -> ModelsShown:
        """Ask the picked endpoint a few small questions."""
        who = who_asks(request, "admin")
        probe_work.start_probe(self.services.database, self.services.durable, who, picked)
        return self._models(who, picked, say(self.words("synthesis.probing", name=picked)))

    @presented
    def on_remove(self, picked: str, request: gr.Request) -> ModelsShown:
        """Forget the picked endpoint."""
        who = who_asks(request, "admin")
        model_endpoints.remove_endpoint(self.services.database, who, picked)
        return self._models(who, "", say(self.words("synthesis.model_removed", name=picked)))

    def _models(self, who: Actor, picked: str, told: Any = None) -> ModelsShown:
        found = model_endpoints.list_endpoints(self.services.database, who)
        heads = [
            self.words(f"synthesis.{each}") for each in ("model_name", "model_limits", "probe")
        ]
        rows = [(each.settings.name, self._row(each)) for each in found]
        listing = table(heads, rows, empty=self.words("synthesis.no_models"))
        chosen = next((each for each in found if each.settings.name == picked), None)
        return ModelsShown(
            shown(card(self.words("synthesis.models"), listing), picked=picked if told else ""),
            shown(self._detail(chosen)) if chosen else shown(),
            picked if chosen else "",
            told or gr.skip(),
        )

    def _row(self, found: EndpointView) -> list[Node]:
        at = found.settings
        key = [] if found.has_key else [" ", pill(self.words("synthesis.no_key"), "bad")]
        limits = [
            self.words(f"synthesis.{name}_short", count=f"{limit:,}")
            for name in ("requests_per_minute", "tokens_per_minute")
            if (limit := getattr(at, name)) is not None
        ]
        if at.is_priced:
            limits.append(f"{at.input_price:g} / {at.output_price:g} {at.currency}".strip())
        probe = found.probe
        state: Node = "–"
        if probe is not None:
            state = pill(
                self.words("synthesis.probe_failed" if probe.problem else "synthesis.probe_ok"),
                "bad" if probe.problem else "ok",
            )
        return [
            node("div", node("b", at.name), *key, node("div", at.model, cls="pw-mute")),
            " · ".join(limits) or "–",
            state,
        ]

    def _detail(self, found: EndpointView) -> Node:
        at = found.settings
        key = at.key_env or self.words("synthesis.no_key_needed")
        pairs: list[tuple[str, Node]] = [
            (self.words("synthesis.url"), at.url),
            (self.words("synthesis.model"), at.model),
            (self.words("synthesis.key_env"), key),
            (self.words("synthesis.weight"), f"{at.weight:g}"),
            (self.words("synthesis.stream"), self.words(f"synthesis.is_{at.stream}".lower())),
        ]
        probe = [] if found.probe is None else self._probe(found.probe)
        return card(at.name, facts(pairs), *probe)

    def _probe(self, probe: Probe) -> list[Node]:
        head = node("h4", self.words("synthesis.probe_of"), " ", moment(probe.probed_at))
        if probe.problem is not None:
            told = self.words.sentence(*probe.problem)
            return [head, node("p", told, cls="pw-bad-text")]
        pairs: list[tuple[str, Node]] = [
            (
                self.words("synthesis.probe_thinking"),
                self.words(f"synthesis.thinking_{probe.thinking}"),
            ),
            *(
                (
                    self.words(f"synthesis.probe_{name}"),
                    self.words(f"synthesis.verdict_{getattr(probe, name)}"),
                )
                for name in _FOUND
            ),
            (
                self.words("synthesis.probe_keep_alives"),
                self.words(f"synthesis.is_{probe.keep_alives}".lower()),
            ),
            (self.words("synthesis.probe_latency"), f"{probe.latency_s:.1f} s"),
        ]
        return [head, facts(pairs)]


def _given(fields: Sequence[Any]) -> dict[str, Any]:
    """What the form says; an empty number comes as 0, so both prices are 0 where none is known."""
    values = dict(zip(FIELDS, fields, strict=True))
    prices = ("input_price", "output_price")
    left_out = {name for name, value in values.items() if not value and name not in prices}
    if not any(values[name] for name in prices):
        left_out.update(prices)
    return {name: value for name, value in values.items() if name not in left_out}


@dataclass(frozen=True, slots=True)
class ModelsTab:
    """What is on the tab."""

    fields: tuple[Any, ...]
    put: gr.Button
    listed: gr.HTML
    detail: gr.HTML
    picked: gr.Textbox
    fill: gr.Button
    probe: gr.Button
    remove: gr.Button


def build_models_tab(
    services: Services, words: Words, told: gr.HTML, timer: gr.Timer, names: Any
) -> ModelsTab:
    """The tab, with its events; `names` is called with the event that may have changed names."""
    tab = _lay_out(words)
    handlers = ModelHandlers(services, words)
    outputs = [tab.listed, tab.detail, tab.picked, told]
    on_page_load(handlers.on_look, tab.picked, outputs)
    timer.tick(handlers.on_look, tab.picked, outputs, **DIRECT)
    on_pick(tab.listed, handlers.on_pick, None, outputs)
    names(tab.put.click(handlers.on_put, list(tab.fields), outputs, **DIRECT))
    tab.fill.click(handlers.on_fill, tab.picked, [*tab.fields, told], **DIRECT)
    tab.probe.click(handlers.on_probe, tab.picked, outputs, **DIRECT)
    names(tab.remove.click(handlers.on_remove, tab.picked, outputs, **DIRECT))
    return tab


def _lay_out(words: Words) -> ModelsTab:
    with gr.Tab(words("synthesis.tab_models"), id="models"), gr.Row():
        with gr.Column(scale=2, elem_classes="pw-form"):
            fields = _lay_out_fields(words)
            put = button(words, "synthesis.put_model", "primary")
        with gr.Column(scale=3):
            listed = view("synthesis-models")
            detail = view("synthesis-model-detail")
            picked = hidden("synthesis.picked_model")
            with gr.Row():
                probe = button(words, "synthesis.probe_model")
                fill = button(words, "synthesis.fill_model")
                remove = button(words, "synthesis.remove_model", "stop")
    return ModelsTab(fields, put, listed, detail, picked, fill, probe, remove)


def _lay_out_fields(words: Words) -> tuple[Any, ...]:
    with gr.Row():
        name = text(words, "synthesis.model_name", placeholder="R1")
        model = text(words, "synthesis.its_model", placeholder="deepseek-reasoner")
    url = text(words, "synthesis.url", placeholder="https://host/v1")
    key_env = text(words, "synthesis.its_key_env", placeholder="DEEPSEEK_API_KEY")
    with gr.Row():
        weight = number(words, "synthesis.weight", value=1, minimum=0)
        requests = number(words, "synthesis.requests_per_minute", value=None, precision=0)
        tokens = number(words, "synthesis.tokens_per_minute", value=None, precision=0)
    with gr.Row():
        input_price = number(words, "synthesis.input_price", value=None)
        output_price = number(words, "synthesis.output_price", value=None)
        currency = text(words, "synthesis.currency", placeholder="CNY")
    stream = check(words, "synthesis.stream")
    return (
        *(name, url, model, key_env, stream, weight),
        *(requests, tokens, input_price, output_price, currency),
    )
