"""Queries, a tab: traces written anew for accepted plans, which wait for a reviewer."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import rederived
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, hidden, text
from labeling.ui.i18n import Words, moment
from labeling.ui.query_views import dialogue, named_trace, plan_view
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, card, node, on_pick, picked_id, pill, shown, table, view
from schemas.desk import Turn
from schemas.people import Actor
from schemas.rederivation import BlindView, RederivedTrace


class TracesShown(NamedTuple):
    """What waits, and the trace that is looked at; the order is the order of the outputs."""

    rows: Any
    detail: Any
    picked: Any
    reason: Any
    form: Any
    notice: Any


class RederivedHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.database = services.database
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> TracesShown:
        """Show what waits, the oldest first."""
        return self._next(who_asks(request, "reviewer"), gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> TracesShown:
        """Look at one trace."""
        who = who_asks(request, "reviewer")
        found = rederived.get_trace(self.database, who, picked_id(event))
        return TracesShown(gr.skip(), *self._detail(found), gr.skip())

    @presented
    def on_accept(self, picked: str, request: gr.Request) -> TracesShown:
        """Let the trace be taught; bring the next."""
        who = who_asks(request, "reviewer")
        rederived.accept_trace(self.database, who, picked)
        return self._next(who, say(self.words("queries.rederived_accepted")))

    @presented
    def on_refuse(self, picked: str, reason: str, request: gr.Request) -> TracesShown:
        """Keep the trace from being taught; bring the next."""
        who = who_asks(request, "reviewer")
        rederived.refuse_trace(self.database, who, picked, reason=reason)
        return self._next(who, say(self.words("queries.rederived_refused")))

    def _next(self, who: Actor, told: Any) -> TracesShown:
        waiting = rederived.list_waiting(self.database, who)
        first = waiting[0].id if waiting else ""
        heads = [self.words(f"queries.{each}") for each in ("query", "rederived_length")]
        rows = [(each.id, self._row(each)) for each in waiting]
        listing = table(heads, rows, empty=self.words("queries.rederived_none"))
        title = self.words("queries.rederived_title", count=len(waiting))
        found = rederived.get_trace(self.database, who, first) if first else None
        return TracesShown(shown(card(title, listing), picked=first), *self._detail(found), told)

    def _row(self, found: RederivedTrace) -> list[Node]:
        about = f"{found.expert_list} · {found.model or '–'} · {moment(found.created_at)}"
        asked = node("div", found.query, cls="pw-clamp", title=found.query)
        return [
            node("div", asked, node("div", about, cls="pw-mute")),
            f"{found.trace_length:,}",
        ]

    def _detail(self, found: RederivedTrace | None) -> tuple[Any, Any, Any, Any]:
        """The trace beside its plan, its id, an empty reason, and the form if it may be judged."""
        if found is None:
            nothing = card(
                self.words("queries.rederived_trace"), self.words("queries.rederived_why")
            )
            return shown(nothing), "", "", gr.Column(visible=False)
        experts = [str(step.get("expert") or "") for step in found.plan.get("steps") or []]
        turns = tuple(Turn.model_validate(turn) for turn in found.history)
        return (
            shown(
                card(
                    self.words("queries.dialogue"),
                    *dialogue(turns, self.words),
                    node("h2", found.query),
                ),
                card(
                    self.words("queries.rederived_trace"), named_trace(found.trace or "", experts)
                ),
                card(self.words("queries.rederived_plan"), plan_view(found.plan, self.words)),
                card(
                    self.words("queries.rederived_tests"),
                    node("p", self.words("queries.rederived_passed")),
                    *(self._blind(each) for each in found.blind if each.agrees is not None),
                ),
            ),
            found.id,
            "",
            gr.Column(visible=found.state == "waiting"),
        )

    def _blind(self, found: BlindView) -> Node:
        said, kind = ("same", "ok") if found.agrees else ("other", "warn")
        head = node(
            "summary",
            self.words("queries.rederived_blind", number=found.number),
            " ",
            pill(self.words(f"queries.rederived_{said}"), kind),
        )
        if found.plan is not None:
            body = plan_view(found.plan, self.words)
        else:
            body = node("p", self.words.sentence(found.failure or "replies.no_plan", {}))
        return node("details", head, body, key=f"b{found.number}")


@dataclass(frozen=True, slots=True)
class RederivedTab:
    """What is on the screen."""

    rows: gr.HTML
    detail: gr.HTML
    picked: gr.Textbox
    reason: gr.Textbox
    form: gr.Column
    accept: gr.Button
    refuse: gr.Button


def build_rederived_tab(services: Services, words: Words, told: gr.HTML) -> RederivedTab:
    """The tab, with its events."""
    with gr.Tab(words("queries.tab_rederived"), id="rederived"), gr.Row():
        with gr.Column(scale=2):
            rows = view("queries-rederived", classes="pw-list")
        with gr.Column(scale=3):
            detail = view("queries-rederived-detail")
            picked = hidden("queries.rederived_picked")
            with gr.Column(visible=False, elem_classes="pw-form") as form:
                reason = text(words, "queries.rederived_reason", max_length=2000)
                with gr.Row():
                    accept = button(words, "queries.rederived_accept", "primary")
                    refuse = button(words, "queries.rederived_refuse", "stop")
    tab = RederivedTab(rows, detail, picked, reason, form, accept, refuse)
    handlers = RederivedHandlers(services, words)
    outputs = [rows, detail, picked, reason, form, told]
    on_page_load(handlers.on_load, None, outputs)
    on_pick(rows, handlers.on_pick, None, outputs)
    accept.click(handlers.on_accept, picked, outputs, **DIRECT)
    refuse.click(handlers.on_refuse, [picked, reason], outputs, **DIRECT)
    return tab
