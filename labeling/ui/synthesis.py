"""Synthesis: asking models for traces and plans, and watching the answers come in."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import experts, model_endpoints, rederived
from labeling.synthesis import batch
from labeling.synthesis.forecasting import forecast_sentence
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, hidden, number
from labeling.ui.i18n import Words
from labeling.ui.query_views import suggestion_card
from labeling.ui.session import Services, who_asks
from labeling.ui.synthesis_models import build_models_tab
from labeling.ui.synthesis_order import (
    OrderForm,
    lay_out_order,
    read_order,
    repair_choices,
)
from labeling.ui.synthesis_trials import build_trials_tab
from labeling.ui.synthesis_views import batch_view, batches_view, lengths_view
from labeling.ui.view import Node, card, node, on_pick, picked_id, shown, view
from schemas.people import Actor
from schemas.synthesis import BatchProgress, Budget


class BatchShown(NamedTuple):
    """The batches, the one that was picked with its lengths, and what may be done with it now."""

    batches: Any
    batch: Any
    lengths: Any
    picked: Any
    pause: Any
    resume: Any
    again: Any
    cancel: Any
    notice: Any


class Samples(NamedTuple):
    """Some answers of a batch."""

    samples: Any
    notice: Any


class OrderShown(NamedTuple):
    """What an order would ask."""

    preview: Any
    notice: Any


class ChoicesShown(NamedTuple):
    """Lists and endpoints to choose from."""

    experts: Any
    endpoints: Any
    repair: Any
    notice: Any


class SynthesisHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> ChoicesShown:
        """Offer lists and endpoints."""
        who = who_asks(request, "admin")
        lists = [(self.words("synthesis.any_list"), "")]
        for each in experts.list_versions(self.services.database, who):
            lists.append((each.reference, each.reference))
        known = model_endpoints.list_endpoints(self.services.database, who)
        names = [each.settings.name for each in known]
        repair = gr.Dropdown(choices=repair_choices(self.words, names))
        return ChoicesShown(
            gr.Dropdown(choices=lists), gr.Dropdown(choices=names), repair, gr.skip()
        )

    @presented
    def on_tick(self, picked: str, request: gr.Request) -> BatchShown:
        """Look how far the batches are."""
        return self._batches(who_asks(request, "admin"), picked)._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> BatchShown:
        """Show one batch."""
        return self._batches(who_asks(request, "admin"), picked_id(event))

    @presented
    def on_follow(self, picked: str, is_followed: bool, request: gr.Request) -> Samples:
        """Show newer answers as they come, unless somebody reads one."""
        who = who_asks(request, "admin")
        if not picked or not is_followed:
            return Samples(gr.skip(), gr.skip())
        return self._samples(who, picked, is_calm=True)

    @presented
    def on_samples(self, picked: str, request: gr.Request) -> Samples:
        """Show the newest answers of the batch."""
        return self._samples(who_asks(request, "admin"), picked)

    @presented
    def on_preview(self, request: gr.Request, *order: Any) -> OrderShown:
        """Say what an order would ask."""
        who = who_asks(request, "admin")
        wanted, _ = read_order(self.services.database, who, *order)
        found = batch.preview_batch(self.services.database, who, wanted)
        code, values = "synthesis.preview", found.model_dump()
        if wanted.rederive:
            code, values = "synthesis.rederive_preview", values | {"tries": wanted.rederive.tries}
        told = [node("p", self.words.sentence(code, values))]
        for reason, count in found.left_out.items():
            why = {"count": count, "reason": self.words.sentence(reason, {})}
            told.append(node("p", self.words.sentence("synthesis.left_out", why), cls="pw-mute"))
        if found.forecast is not None:
            forecast = self.words.sentence(*forecast_sentence(found.forecast))
            told.append(node("p", forecast, cls="pw-mute"))
        return OrderShown(shown(*told), gr.skip())

    @presented
    def on_start(self, request: gr.Request, *order: Any) -> BatchShown:
        """Start a batch; the same order again is the same batch."""
        who = who_asks(request, "admin")
        wanted, budget = read_order(self.services.database, who, *order)
        batch_id = batch.start_batch(
            self.services.database, self.services.durable, who, wanted, budget=budget
        )
        return self._batches(who, batch_id, say(self.words("synthesis.started")))

    @presented
    def on_pause(self, picked: str, request: gr.Request) -> BatchShown:
        """Ask no more for now."""
        who = who_asks(request, "admin")
        batch.pause_batch(self.services.database, who, picked)
        return self._batches(who, picked, say(self.words("synthesis.paused")))

    @presented
    def on_cancel(self, picked: str, request: gr.Request) -> BatchShown:
        """Ask no more."""
        who = who_asks(request, "admin")
        batch.cancel_batch(self.services.database, who, picked)
        return self._batches(who, picked, say(self.words("synthesis.cancelled")))

    @presented
    def on_resume(
        self, picked: str, money: float | None, tokens: float | None, request: gr.Request
    ) -> BatchShown:
        """Go on with a batch that is at rest, with another budget where one is given."""
        who = who_asks(request, "admin")
        batch.resume_batch(
            self.services.database,
            self.services.durable,
            who,
            picked,
            budget=Budget.read(money, tokens),
        )
        return self._batches(who, picked, say(self.words("synthesis.resumed")))

    @presented
    def on_again(self, picked: str, request: gr.Request) -> BatchShown:
        """Ask for the failed answers once more."""
        who = who_asks(request, "admin")
        count = batch.ask_again(self.services.database, self.services.durable, who, picked)
        return self._batches(who, picked, say(self.words("synthesis.asked_again", count=count)))

    def _samples(self, who: Actor, picked: str, *, is_calm: bool = False) -> Samples:
        found = batch.list_samples(self.services.database, who, picked)
        cards = [
            node(
                "div",
                node("p", node("b", each.query)),
                suggestion_card(each.suggestion, self.words),
                cls="pw-view",
            )
            for each in found
        ]
        none = [node("p", self.words("synthesis.no_samples"), cls="pw-empty")]
        return Samples(shown(*(cards or none), is_calm=is_calm), gr.skip())

    def _batches(self, who: Actor, picked: str, told: Any = None) -> BatchShown:
        found = batch.list_batches(self.services.database, who)
        chosen = next((each for each in found if each.id == picked), None)
        state = chosen.state if chosen else ""
        failed = chosen.failed if chosen and state != "running" else 0
        label = self.words("synthesis.again_count", count=f"{failed:,}")
        again = label if failed else self.words("synthesis.again")
        return BatchShown(
            shown(batches_view(found, self.words), picked=picked if told else ""),
            shown(self._detail(who, chosen)) if chosen else gr.skip(),
            shown(*self._lengths(who, chosen)) if chosen else gr.skip(),
            picked,
            gr.Button(interactive=state == "running"),
            gr.Button(interactive=state in ("stopped", "paused", "cancelled")),
            gr.Button(value=again, interactive=bool(failed)),
            gr.Button(interactive=state in ("running", "paused")),
            told or gr.skip(),
        )

    def _lengths(self, who: Actor, found: BatchProgress) -> list[Node]:
        thoughts = batch.list_thoughts(self.services.database, who, found.id)
        return lengths_view(thoughts, self.words)

    def _detail(self, who: Actor, found: BatchProgress) -> Node:
        told: list[Node] = []
        if found.order.rederive:
            outcome = rederived.batch_outcome(self.services.database, who, found.id)
            told.append(node("p", self.words.sentence("synthesis.rederive_finished", outcome)))
        return batch_view(found, told, self.words)


@dataclass(frozen=True, slots=True)
class SynthesisPage:
    """What is on the screen, beside the tabs that are modules of their own."""

    order: OrderForm
    preview: gr.HTML
    ask: gr.Button
    start: gr.Button
    batches: gr.HTML
    batch: gr.HTML
    picked: gr.Textbox
    pause: gr.Button
    resume: gr.Button
    cancel: gr.Button
    again: gr.Button
    follow: gr.Checkbox
    money: gr.Number
    tokens: gr.Number
    samples: gr.HTML
    lengths: gr.HTML


def build_synthesis_page(services: Services, words: Words) -> None:
    """The page, with its events; endpoints and trials are tabs of their own."""
    told, timer = notice(), gr.Timer(2)
    with gr.Tabs(elem_id="synthesis-tabs"):
        page = _lay_out(words)
        handlers = SynthesisHandlers(services, words)
        chosen = [page.order.experts, page.order.endpoints, page.order.repair, told]

        def offer(event: Any) -> None:
            event.then(handlers.on_load, None, chosen, **DIRECT)

        build_models_tab(services, words, told, timer, offer)
        build_trials_tab(services, words, told)
    on_page_load(handlers.on_load, None, chosen)
    _wire(page, handlers, told, timer)


def _wire(page: SynthesisPage, handlers: SynthesisHandlers, told: gr.HTML, timer: gr.Timer) -> None:
    acts = [page.pause, page.resume, page.again, page.cancel]
    batches = [page.batches, page.batch, page.lengths, page.picked, *acts, told]
    order = list(page.order)
    samples = [page.samples, told]
    on_page_load(handlers.on_tick, page.picked, batches)
    timer.tick(handlers.on_tick, page.picked, batches, **DIRECT)
    on_pick(page.batches, handlers.on_pick, None, batches)
    page.picked.change(handlers.on_samples, page.picked, samples, **DIRECT)
    timer.tick(handlers.on_follow, [page.picked, page.follow], samples, **DIRECT)
    page.ask.click(handlers.on_preview, order, [page.preview, told], **DIRECT)
    page.start.click(handlers.on_start, order, batches, **DIRECT)
    page.pause.click(handlers.on_pause, page.picked, batches, **DIRECT)
    page.cancel.click(handlers.on_cancel, page.picked, batches, **DIRECT)
    page.resume.click(handlers.on_resume, [page.picked, page.money, page.tokens], batches, **DIRECT)
    page.again.click(handlers.on_again, page.picked, batches, **DIRECT)


def _lay_out(words: Words) -> SynthesisPage:
    with gr.Tab(words("synthesis.tab_batches"), id="batches"), gr.Row():
        with gr.Column(scale=2):
            form, preview, ask, start = lay_out_order(words)
        with gr.Column(scale=3):
            batches = view("synthesis-batches", parameter="batch", classes="pw-list")
            first = card(words("synthesis.batch"), words("synthesis.pick_one"))
            batch_place = view("synthesis-batch", first=first)
            picked = hidden("synthesis.picked")
            with gr.Row():
                pause = button(words, "synthesis.pause")
                resume = button(words, "synthesis.resume")
                again = button(words, "synthesis.again")
                cancel = button(words, "synthesis.cancel", "stop")
            with gr.Accordion(words("synthesis.other_budget"), open=False), gr.Row():
                money = number(words, "synthesis.new_money", value=None, minimum=0)
                tokens = number(words, "synthesis.new_tokens", value=None, precision=0)
            lengths = view("synthesis-lengths")
            follow = check(words, "synthesis.follow", value=True)
            samples = view("synthesis-samples")
    return SynthesisPage(
        order=form,
        preview=preview,
        ask=ask,
        start=start,
        batches=batches,
        batch=batch_place,
        picked=picked,
        pause=pause,
        resume=resume,
        cancel=cancel,
        again=again,
        follow=follow,
        money=money,
        tokens=tokens,
        samples=samples,
        lengths=lengths,
    )
