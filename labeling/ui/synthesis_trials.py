"""Trials of prompts, and the bank of examples: one tab of the Synthesis page."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import few_shot, model_endpoints, prompt_trials, prompts
from labeling.model_endpoints import named_order
from labeling.synthesis import batch
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, choice, elem_id, number
from labeling.ui.i18n import Words, moment
from labeling.ui.query_views import plan_view
from labeling.ui.session import Services, who_asks
from labeling.ui.synthesis_views import money, state_pill
from labeling.ui.view import Node, card, node, on_pick, picked_id, shown, table, title, view
from schemas.errors import InvalidInput
from schemas.paired import Change
from schemas.people import Actor
from schemas.prompt_trials import TrialReport, TrialSide
from schemas.synthesis import BatchProgress, Budget

_SHARES = ("well_formed", "same")
_SHOWN = 6


class TrialChoices(NamedTuple):
    """What a trial may be of."""

    first: Any
    second: Any
    endpoints: Any
    bank: Any
    notice: Any


class TrialsShown(NamedTuple):
    """The trials, and what one of them has shown."""

    trials: Any
    report: Any
    notice: Any


class TrialHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_open(self, request: gr.Request) -> TrialChoices:
        """Offer versions and endpoints, and show the bank."""
        who = who_asks(request, "admin")
        database = self.services.database
        versions = [each.reference for each in prompts.list_prompts(database, who)]
        known = model_endpoints.list_endpoints(database, who)
        names = [each.settings.name for each in known]
        return TrialChoices(
            gr.Dropdown(choices=versions),
            gr.Dropdown(choices=versions),
            gr.Dropdown(choices=names),
            shown(self._bank(who)),
            gr.skip(),
        )

    @presented
    def on_look(self, request: gr.Request) -> TrialsShown:
        """Show the trials."""
        return self._trials(who_asks(request, "admin"))

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> TrialsShown:
        """Show what a trial has shown so far."""
        who = who_asks(request, "admin")
        report = prompt_trials.trial_report(self.services.database, who, picked_id(event))
        return self._trials(who)._replace(report=shown(self._report(report)))

    @presented
    def on_start(
        self,
        first: str | None,
        second: str | None,
        endpoints: list[str],
        count: float,
        tokens: float | None,
        request: gr.Request,
    ) -> TrialsShown:
        """Ask a sample under both versions."""
        who = who_asks(request, "admin")
        if not endpoints or not first or not second:
            raise InvalidInput("synthesis.trial_incomplete")
        values = {"trial": {"first": first, "second": second}, "limit": count}
        order = named_order(self.services.database, who, endpoints, values)
        batch.start_batch(
            self.services.database,
            self.services.durable,
            who,
            order,
            budget=Budget.read(None, tokens),
        )
        return self._trials(who, say(self.words("synthesis.started")))

    def _trials(self, who: Actor, told: Any = None) -> TrialsShown:
        found = [
            each
            for each in batch.list_batches(self.services.database, who, limit=60)
            if each.order.trial is not None
        ]
        heads = [self.words(f"synthesis.{each}") for each in ("trial", "state", "progress")]
        rows = [(each.id, self._row(each)) for each in found]
        listing = table(heads, rows, empty=self.words("synthesis.no_trials"))
        place = shown(card(self.words("synthesis.trials"), listing))
        return TrialsShown(place, gr.skip(), told or gr.skip())

    def _row(self, found: BatchProgress) -> list[Node]:
        trial = found.order.trial
        names = "" if trial is None else f"{trial.first} · {trial.second}"
        about = f"{moment(found.started_at)} · {found.order.model}"
        return [
            node("div", node("b", names), node("div", about, cls="pw-mute")),
            state_pill(found, self.words),
            f"{found.done + found.failed:,} / {found.total:,}",
        ]

    def _report(self, found: TrialReport) -> Node:
        words = self.words
        heads = [words("synthesis.figure"), found.first.reference, found.second.reference]
        rows: list[tuple[str | None, list[Node]]] = [
            (None, [words(f"synthesis.trial_{name}"), first, second])
            for name, first, second in zip(
                ("formed", "right", "thinking", "tokens", "money", "money_each", "money_right"),
                self._side(found.first, found.currency),
                self._side(found.second, found.currency),
                strict=True,
            )
        ]
        heads_of_change = [
            words(f"synthesis.{each}") for each in ("figure", "change", "interval_of")
        ]
        changes: list[tuple[str | None, list[Node]]] = [
            (None, [words(f"synthesis.figure_{name}"), *_told(name, change)])
            for name, change in found.changes.items()
            if name != "money" or found.first.money or found.second.money
        ]
        judged = words(
            "synthesis.trial_judged", mended=found.mended, broken=found.broken, p=f"{found.p:.2g}"
        )
        return card(
            words("synthesis.trial_report", count=f"{found.queries:,}"),
            table(heads, rows, empty=""),
            node("h4", words("synthesis.paired")),
            table(heads_of_change, changes, empty=words("synthesis.no_samples")),
            node("p", judged, cls="pw-mute"),
            *self._failures(found),
        )

    def _side(self, side: TrialSide, currency: str) -> list[str]:
        each, right = side.money_each, side.money_each_same
        return [
            f"{side.well_formed:,} / {side.answers:,}",
            f"{side.same:,} / {side.judged:,}",
            f"{side.think_median:,.0f}",
            f"{side.tokens:,}",
            money(side.money, currency) if side.money else "–",
            money(each, currency) if each else "–",
            money(right, currency) if right else "–",
        ]

    def _failures(self, found: TrialReport) -> list[Node]:
        codes = dict(found.first.failures) | dict(found.second.failures)
        if not codes:
            return []
        first, second = dict(found.first.failures), dict(found.second.failures)
        heads = [
            self.words("synthesis.failure"),
            found.first.reference,
            found.second.reference,
        ]
        rows: list[tuple[str | None, list[Node]]] = [
            (
                None,
                [
                    self.words.sentence(code, {}),
                    f"{first.get(code, 0):,}",
                    f"{second.get(code, 0):,}",
                ],
            )
            for code in codes
        ]
        return [table(heads, rows, empty="")]

    def _bank(self, who: Actor) -> Node:
        found = few_shot.list_examples(self.services.database, who, count=_SHOWN)
        parts = [
            node(
                "details",
                node("summary", each.example.query, " ", node("small", f"{each.distance:.0%}")),
                plan_view(dict(each.example.plan), self.words),
                key=f"e{each.query_id}",
            )
            for each in found
        ]
        none = [node("p", self.words("synthesis.no_examples"), cls="pw-empty")]
        about = node("p", self.words("synthesis.bank_about"), cls="pw-mute")
        return card(self.words("synthesis.bank"), about, *(parts or none))


def _told(name: str, change: Change) -> tuple[str, str]:
    """A change and its interval; shares in points of a hundred."""
    if name in _SHARES:
        return f"{change.change:+.1%}", f"{change.low:+.1%} … {change.high:+.1%}"
    return f"{change.change:+,.4g}", f"{change.low:+,.4g} … {change.high:+,.4g}"


@dataclass(frozen=True, slots=True)
class TrialsTab:
    """What is on the tab."""

    first: gr.Dropdown
    second: gr.Dropdown
    endpoints: gr.Dropdown
    count: gr.Number
    tokens: gr.Number
    start: gr.Button
    bank: gr.HTML
    trials: gr.HTML
    look: gr.Button
    report: gr.HTML


def build_trials_tab(services: Services, words: Words, told: gr.HTML) -> None:
    """The tab, with its events."""
    with gr.Tab(words("synthesis.tab_trials"), id="trials") as place:
        tab = _lay_out(words)
    handlers = TrialHandlers(services, words)
    choices = [tab.first, tab.second, tab.endpoints, tab.bank, told]
    trials = [tab.trials, tab.report, told]
    order = [tab.first, tab.second, tab.endpoints, tab.count, tab.tokens]
    place.select(handlers.on_open, None, choices, **DIRECT)
    place.select(handlers.on_look, None, trials, **DIRECT)
    on_page_load(handlers.on_look, None, trials)
    tab.look.click(handlers.on_look, None, trials, **DIRECT)
    tab.start.click(handlers.on_start, order, trials, **DIRECT)
    on_pick(tab.trials, handlers.on_pick, None, trials)


def _lay_out(words: Words) -> TrialsTab:
    with gr.Row():
        with gr.Column(scale=2):
            with gr.Column(elem_classes="pw-form"):
                title(words("synthesis.trial_order"))
                first = choice(words, "synthesis.trial_first", value=None)
                second = choice(words, "synthesis.trial_second", value=None)
                endpoints = gr.Dropdown(
                    [],
                    value=[],
                    multiselect=True,
                    label=words("synthesis.trial_endpoints"),
                    elem_id=elem_id("synthesis.trial_endpoints"),
                )
                with gr.Row():
                    count = number(words, "synthesis.trial_count", value=50, precision=0, minimum=1)
                    tokens = number(words, "synthesis.trial_budget", value=None, precision=0)
                start = button(words, "synthesis.trial_start", "primary")
            bank = view("synthesis-bank")
        with gr.Column(scale=3):
            trials = view("synthesis-trials", parameter="trial", classes="pw-list")
            look = button(words, "synthesis.trial_look")
            report = view("synthesis-report")
    return TrialsTab(first, second, endpoints, count, tokens, start, bank, trials, look, report)
