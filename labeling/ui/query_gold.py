"""A query as a gold item: its right plan as JSON, beside the query; for admins only."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import gold
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT
from labeling.ui.fields import button, hidden, text
from labeling.ui.i18n import Words
from labeling.ui.query_views import plan_view
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, card, node, on_pick, picked_id, pill, shown, title, view
from schemas.errors import InvalidInput
from schemas.gold_items import GoldOffer
from schemas.people import Actor


class GoldFormShown(NamedTuple):
    """The form of the query that is picked; the order is the order of the outputs."""

    form: Any
    query_id: Any
    plan: Any
    note: Any
    state: Any
    retire: Any
    notice: Any


class GoldFormHandlers:
    """What happens in the form."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> GoldFormShown:
        """Open the form with the plan that is right already, or the best guess; admins only."""
        who = who_asks(request, "reviewer")
        if who.role != "admin":
            return GoldFormShown(gr.Column(visible=False), *([gr.skip()] * 6))
        return self._form(who, picked_id(event))

    @presented
    def on_set(self, query_id: str, plan: str, note: str, request: gr.Request) -> GoldFormShown:
        """Make the query a gold item, or give it another plan."""
        who = who_asks(request, "admin")
        try:
            content = json.loads(plan)
        except (ValueError, RecursionError) as error:
            raise InvalidInput("gold.plan_not_json") from error
        gold.set_gold(self.services.database, who, query_id, content, note=note)
        return self._form(who, query_id, self.words("queries.gold_set_done"))

    @presented
    def on_retire(self, query_id: str, request: gr.Request) -> GoldFormShown:
        """Hand the item out no more."""
        who = who_asks(request, "admin")
        is_kept = gold.retire(self.services.database, who, query_id)
        told = "queries.gold_retired_done" if is_kept else "queries.gold_removed_done"
        return self._form(who, query_id, self.words(told))

    def _form(self, who: Actor, query_id: str, told: str = "") -> GoldFormShown:
        offer = gold.offer(self.services.database, who, query_id)
        text = "" if offer.plan is None else json.dumps(offer.plan, ensure_ascii=False, indent=2)
        return GoldFormShown(
            gr.Column(visible=True),
            query_id,
            text,
            offer.note,
            shown(self._state(offer)),
            gr.Button(visible=offer.is_active),
            say(told) if told else gr.skip(),
        )

    def _state(self, offer: GoldOffer) -> Node:
        if offer.is_gold:
            word, kind = ("gold_in_use", "ok") if offer.is_active else ("gold_is_retired", "quiet")
            state = pill(self.words(f"queries.{word}"), kind)
        else:
            state = node("span", self.words(f"queries.gold_from_{offer.source}"), cls="pw-mute")
        plan = plan_view(offer.plan, self.words) if offer.plan else ""
        return card(self.words("queries.gold_plan"), plan, right=state)


@dataclass(frozen=True, slots=True)
class GoldForm:
    """What is on the screen."""

    form: gr.Column
    query_id: gr.Textbox
    plan: gr.Textbox
    note: gr.Textbox
    state: gr.HTML
    set_gold: gr.Button
    retire: gr.Button


def build_gold_form(services: Services, words: Words, rows: gr.HTML, told: gr.HTML) -> GoldForm:
    """The form, with its events; it opens when a row of the list is picked."""
    with gr.Column(visible=False) as form:
        with gr.Column(elem_classes="pw-form"):
            title(words("queries.gold_title"))
            query_id = hidden("queries.gold_query")
            plan = text(words, "queries.gold_json", lines=8, max_lines=24)
            note = text(words, "queries.gold_note")
            with gr.Row():
                set_gold = button(words, "queries.gold_set", "primary")
                retire = button(words, "queries.gold_retire", "stop")
        state = view("queries-gold-state")
    parts = GoldForm(form, query_id, plan, note, state, set_gold, retire)
    handlers = GoldFormHandlers(services, words)
    outputs = [form, query_id, plan, note, state, retire, told]
    on_pick(rows, handlers.on_pick, None, outputs)
    set_gold.click(handlers.on_set, [query_id, plan, note], outputs, **DIRECT)
    retire.click(handlers.on_retire, query_id, outputs, **DIRECT)
    return parts
