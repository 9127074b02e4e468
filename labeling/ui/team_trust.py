"""Team, second tab: gold items and how people answer them, and who is paused."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import accounts, gold, pauses, projects
from labeling.ui.errors import presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, choice, number, text
from labeling.ui.i18n import Words
from labeling.ui.sampling_settings import build_sampling_settings
from labeling.ui.session import Services, who_asks
from labeling.ui.trust_views import answers_view, items_view, paused_view, records_view
from labeling.ui.view import card, on_pick, picked_id, shown, title, view
from schemas.people import Actor


class TrustShown(NamedTuple):
    """What changes when people answer or are paused; the order is the order of the outputs."""

    paused: Any
    records: Any
    items: Any
    whom: Any
    reason: Any
    notice: Any


class AnswersShown(NamedTuple):
    """Answers of one person, or to one item."""

    answers: Any
    notice: Any


class GoldShown(NamedTuple):
    """The settings of gold."""

    onboarding: Any
    every: Any
    tolerated: Any
    auto_pause: Any
    notice: Any


class TrustHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> TrustShown:
        """Show pauses, records and items."""
        who = who_asks(request, "admin")
        people = accounts.list_people(self.services.database, who)
        names = [(each.name, each.person_id) for each in people if each.is_active]
        return self._trust(who)._replace(whom=gr.Dropdown(choices=names))

    @presented
    def on_load_settings(self, request: gr.Request) -> GoldShown:
        """Show when gold items come."""
        who = who_asks(request, "admin")
        who.require("admin")
        kept = projects.get_settings(self.services.database, who).gold
        tolerated = round(100 * kept.tolerated_rate, 1)
        return GoldShown(kept.onboarding, kept.every, tolerated, kept.auto_pause, gr.skip())

    @presented
    def on_settings(
        self,
        onboarding: float,
        every: float,
        tolerated: float,
        auto_pause: bool,
        request: gr.Request,
    ) -> GoldShown:
        """Decide anew when gold items come."""
        who = who_asks(request, "admin")
        chosen = {"onboarding": onboarding, "every": every, "auto_pause": auto_pause}
        chosen["tolerated_rate"] = tolerated / 100
        projects.change_settings(self.services.database, who, gold=chosen)
        return unchanged(GoldShown, notice=say(self.words("team.saved")))

    @presented
    def on_pause(self, person_id: str | None, reason: str, request: gr.Request) -> TrustShown:
        """Give somebody no new work."""
        who = who_asks(request, "admin")
        pauses.pause(self.services.database, who, person_id or "", reason=reason)
        return self._trust(who, self.words("team.paused_now"), reason="")

    @presented
    def on_lift(self, event: gr.EventData, request: gr.Request) -> TrustShown:
        """Give somebody work again."""
        who = who_asks(request, "admin")
        pauses.lift(self.services.database, who, picked_id(event))
        return self._trust(who, self.words("team.lifted"))

    @presented
    def on_person(self, event: gr.EventData, request: gr.Request) -> AnswersShown:
        """Show what one person answered."""
        who = who_asks(request, "admin")
        found = gold.list_answers(self.services.database, who, person_id=picked_id(event))
        name = found[0].name if found else ""
        said = self.words("team.answers_of", name=name) if found else self.words("team.answers")
        return AnswersShown(shown(answers_view(said, found, self.words)), gr.skip())

    @presented
    def on_item(self, event: gr.EventData, request: gr.Request) -> AnswersShown:
        """Show what people answered to one item."""
        who = who_asks(request, "admin")
        found = gold.list_answers(self.services.database, who, query_id=picked_id(event))
        view = answers_view(self.words("team.answers_to"), found, self.words)
        return AnswersShown(shown(view), gr.skip())

    def _trust(self, who: Actor, told: str = "", reason: Any = None) -> TrustShown:
        database = self.services.database
        return TrustShown(
            shown(paused_view(pauses.list_paused(database, who), self.words)),
            shown(records_view(gold.list_records(database, who), self.words)),
            shown(items_view(gold.list_items(database, who), self.words)),
            gr.skip(),
            gr.skip() if reason is None else reason,
            say(told) if told else gr.skip(),
        )


@dataclass(frozen=True, slots=True)
class TrustTab:
    """What is on the tab."""

    paused: gr.HTML
    records: gr.HTML
    items: gr.HTML
    answers: gr.HTML
    whom: gr.Dropdown
    reason: gr.Textbox
    pause: gr.Button
    onboarding: gr.Number
    every: gr.Number
    tolerated: gr.Number
    auto_pause: gr.Checkbox
    save: gr.Button


def build_trust_tab(services: Services, words: Words, told: gr.HTML) -> TrustTab:
    """The tab, with its events; `told` is the page's notice."""
    tab = _lay_out(services, words, told)
    handlers = TrustHandlers(services, words)
    trust = [tab.paused, tab.records, tab.items, tab.whom, tab.reason, told]
    settings = [tab.onboarding, tab.every, tab.tolerated, tab.auto_pause]
    on_page_load(handlers.on_load, None, trust)
    on_page_load(handlers.on_load_settings, None, [*settings, told])
    tab.pause.click(handlers.on_pause, [tab.whom, tab.reason], trust, **DIRECT)
    tab.save.click(handlers.on_settings, settings, [*settings, told], **DIRECT)
    on_pick(tab.paused, handlers.on_lift, None, trust)
    on_pick(tab.records, handlers.on_person, None, [tab.answers, told])
    on_pick(tab.items, handlers.on_item, None, [tab.answers, told])
    return tab


def _lay_out(services: Services, words: Words, told: gr.HTML) -> TrustTab:
    parts: dict[str, Any] = {}
    with gr.Tab(words("team.tab_trust"), id="trust"), gr.Row():
        with gr.Column(scale=3):
            parts["paused"] = view("team-paused")
            with gr.Column(elem_classes="pw-form"):
                title(words("team.pause_title"))
                with gr.Row():
                    parts["whom"] = choice(words, "team.whom", min_width=140)
                    parts["reason"] = text(words, "team.pause_reason", scale=3, min_width=200)
                    parts["pause"] = button(words, "team.pause", "stop")
            parts["records"] = view("team-records")
            parts["items"] = view("team-gold-items")
        with gr.Column(scale=2):
            with gr.Column(elem_classes="pw-form"):
                title(words("team.gold_title"))
                with gr.Row():
                    parts["onboarding"] = number(
                        words, "team.gold_onboarding", precision=0, minimum=0, maximum=50
                    )
                    parts["every"] = number(
                        words, "team.gold_every", precision=0, minimum=0, maximum=1000
                    )
                    parts["tolerated"] = number(words, "team.gold_tolerated", minimum=1, maximum=99)
                parts["auto_pause"] = check(words, "team.gold_auto_pause")
                parts["save"] = button(words, "team.gold_save", "primary")
            build_sampling_settings(services, words, told)
            parts["answers"] = view(
                "team-gold-answers", first=card(words("team.answers"), words("team.pick_answers"))
            )
    return TrustTab(**parts)
