"""Synthesis: asking a model for traces and plans, and watching the answers come in."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import experts, rederived
from labeling.synthesis import batch
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, hidden
from labeling.ui.i18n import Words, moment
from labeling.ui.query_views import suggestion_card
from labeling.ui.session import Services, who_asks
from labeling.ui.synthesis_order import lay_out_order, read_order
from labeling.ui.view import (
    Node,
    bar,
    card,
    facts,
    node,
    on_pick,
    picked_id,
    pill,
    shown,
    table,
    view,
)
from schemas.people import Actor
from schemas.synthesis import BatchProgress

_STATES = {"running": "", "done": "ok", "stopped": "bad", "cancelled": "quiet"}


class BatchShown(NamedTuple):
    """The batches, and the one that was picked."""

    batches: Any
    batch: Any
    picked: Any
    notice: Any


class Samples(NamedTuple):
    """Some answers of a batch."""

    samples: Any
    notice: Any


class OrderShown(NamedTuple):
    """What an order would ask."""

    preview: Any
    notice: Any


class ListsShown(NamedTuple):
    """Lists to choose from."""

    experts: Any
    notice: Any


class SynthesisHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> ListsShown:
        """Offer the lists."""
        who = who_asks(request, "admin")
        names = [(self.words("synthesis.any_list"), "")]
        for each in experts.list_versions(self.services.database, who):
            names.append((each.reference, each.reference))
        return ListsShown(gr.Dropdown(choices=names), gr.skip())

    @presented
    def on_tick(self, picked: str, request: gr.Request) -> BatchShown:
        """Look how far the batches are."""
        return self._batches(who_asks(request, "admin"), picked)._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> BatchShown:
        """Show one batch."""
        return self._batches(who_asks(request, "admin"), picked_id(event))

    @presented
    def on_samples(self, picked: str, request: gr.Request) -> Samples:
        """Show the newest answers of the batch."""
        who = who_asks(request, "admin")
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
        return Samples(shown(*(cards or none)), gr.skip())

    @presented
    def on_preview(self, request: gr.Request, *order: Any) -> OrderShown:
        """Say what an order would ask."""
        who = who_asks(request, "admin")
        wanted = read_order(*order)
        found = batch.preview_batch(self.services.database, who, wanted)
        code, values = "synthesis.preview", found.model_dump()
        if wanted.rederive:
            code, values = "synthesis.rederive_preview", values | {"tries": wanted.rederive.tries}
        told = self.words.sentence(code, values)
        return OrderShown(shown(node("p", told)), gr.skip())

    @presented
    def on_start(self, request: gr.Request, *order: Any) -> BatchShown:
        """Start a batch; the same order again is the same batch."""
        who = who_asks(request, "admin")
        batch_id = batch.start_batch(
            self.services.database, self.services.durable, who, read_order(*order)
        )
        return self._batches(who, batch_id, say(self.words("synthesis.started")))

    @presented
    def on_cancel(self, picked: str, request: gr.Request) -> BatchShown:
        """Ask no more."""
        who = who_asks(request, "admin")
        batch.cancel_batch(self.services.database, who, picked)
        return self._batches(who, picked, say(self.words("synthesis.cancelled")))

    @presented
    def on_resume(self, picked: str, request: gr.Request) -> BatchShown:
        """Go on with a batch that stopped."""
        who = who_asks(request, "admin")
        batch.resume_batch(self.services.database, self.services.durable, who, picked)
        return self._batches(who, picked)

    @presented
    def on_again(self, picked: str, request: gr.Request) -> BatchShown:
        """Ask for the failed answers once more."""
        who = who_asks(request, "admin")
        count = batch.ask_again(self.services.database, self.services.durable, who, picked)
        return self._batches(who, picked, say(self.words("synthesis.asked_again", count=count)))

    def _batches(self, who: Actor, picked: str, told: Any = None) -> BatchShown:
        found = batch.list_batches(self.services.database, who)
        chosen = next((each for each in found if each.id == picked), None)
        heads = [self.words(f"synthesis.{each}") for each in ("batch", "state", "progress")]
        rows = [(each.id, self._row(each)) for each in found]
        listing = table(heads, rows, empty=self.words("synthesis.none"))
        batches = card(self.words("synthesis.batches"), listing)
        return BatchShown(
            shown(batches, picked=picked if told else ""),
            shown(self._detail(who, chosen)) if chosen else gr.skip(),
            picked,
            told or gr.skip(),
        )

    def _row(self, found: BatchProgress) -> list[Node]:
        about = f"{moment(found.started_at)} · {found.created_by or ''}"
        return [
            node("div", node("b", found.order.model), node("div", about, cls="pw-mute")),
            self._state(found),
            node("div", self._bar(found), f"{found.done + found.failed:,} / {found.total:,}"),
        ]

    def _state(self, found: BatchProgress) -> Node:
        return pill(self.words(f"synthesis.state_{found.state}"), _STATES[found.state])

    def _bar(self, found: BatchProgress) -> Node:
        return bar((found.done + found.failed) / max(1, found.total))

    def _detail(self, who: Actor, found: BatchProgress) -> Node:
        tokens = (found.input_tokens, found.output_tokens, found.reasoning_tokens)
        pairs: list[tuple[str, Node]] = [
            (self.words("synthesis.endpoint"), found.order.endpoint),
            (
                self.words("synthesis.counts"),
                self.words("synthesis.counts_of", **self._counts(found)),
            ),
            (self.words("synthesis.rate"), f"{found.rate_per_minute:.0f} / min"),
            (self.words("synthesis.eta"), _duration(found.eta_s)),
            (self.words("synthesis.tokens"), " · ".join(f"{each:,}" for each in tokens)),
        ]
        reason = found.reason
        told = [node("p", self.words.sentence(*reason), cls="pw-bad-text")] if reason else []
        if found.order.rederive:
            outcome = rederived.batch_outcome(self.services.database, who, found.id)
            told.append(node("p", self.words.sentence("synthesis.rederive_finished", outcome)))
        failures = [
            (None, [self.words.sentence(code, {}), f"{count:,}"]) for code, count in found.failures
        ]
        heads = [self.words("synthesis.failure"), self.words("synthesis.count")]
        why = [table(heads, failures, empty="")] if failures else []
        return card(
            found.order.model,
            self._bar(found),
            *told,
            facts(pairs),
            *why,
            right=self._state(found),
        )

    def _counts(self, found: BatchProgress) -> dict[str, object]:
        return {
            "done": f"{found.done:,}",
            "failed": f"{found.failed:,}",
            "in_flight": f"{found.in_flight:,}",
            "open": f"{found.open:,}",
        }


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass(frozen=True, slots=True)
class SynthesisPage:
    """What is on the screen."""

    order: tuple[Any, ...]
    preview: gr.HTML
    ask: gr.Button
    start: gr.Button
    batches: gr.HTML
    batch: gr.HTML
    picked: gr.Textbox
    cancel: gr.Button
    resume: gr.Button
    again: gr.Button
    sample: gr.Button
    samples: gr.HTML
    timer: gr.Timer
    notice: gr.HTML


def build_synthesis_page(services: Services, words: Words) -> SynthesisPage:
    """The page, with its events."""
    page = _lay_out(words)
    handlers = SynthesisHandlers(services, words)
    batches = [page.batches, page.batch, page.picked, page.notice]
    order = list(page.order)
    on_page_load(handlers.on_load, None, [page.order[3], page.notice])
    on_page_load(handlers.on_tick, page.picked, batches)
    page.timer.tick(handlers.on_tick, page.picked, batches, **DIRECT)
    on_pick(page.batches, handlers.on_pick, None, batches)
    page.ask.click(handlers.on_preview, order, [page.preview, page.notice], **DIRECT)
    page.start.click(handlers.on_start, order, batches, **DIRECT)
    page.cancel.click(handlers.on_cancel, page.picked, batches, **DIRECT)
    page.resume.click(handlers.on_resume, page.picked, batches, **DIRECT)
    page.again.click(handlers.on_again, page.picked, batches, **DIRECT)
    page.sample.click(handlers.on_samples, page.picked, [page.samples, page.notice], **DIRECT)
    return page


def _lay_out(words: Words) -> SynthesisPage:
    with gr.Row():
        with gr.Column(scale=2):
            order, preview, ask, start = lay_out_order(words)
        with gr.Column(scale=3):
            batches = view("synthesis-batches", parameter="batch")
            batch_view = view(
                "synthesis-batch",
                first=card(words("synthesis.batch"), words("synthesis.pick_one")),
            )
            picked = hidden("synthesis.picked")
            with gr.Row():
                sample = button(words, "synthesis.sample")
                again = button(words, "synthesis.again")
                resume = button(words, "synthesis.resume")
                cancel = button(words, "synthesis.cancel", "stop")
            samples = view("synthesis-samples")
    return SynthesisPage(
        order=order,
        preview=preview,
        ask=ask,
        start=start,
        batches=batches,
        batch=batch_view,
        picked=picked,
        cancel=cancel,
        resume=resume,
        again=again,
        sample=sample,
        samples=samples,
        timer=gr.Timer(2),
        notice=notice(),
    )
