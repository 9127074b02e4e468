"""The compare tab: what became of whom, what it means for what was decided, and moving rows."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import experts, list_work, migration
from labeling.list_changes import changes_between
from labeling.ui.errors import presented, say, unchanged
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, choice, hidden
from labeling.ui.i18n import Words
from labeling.ui.list_views import comparison_view, impact_view, moved_view, work_view
from labeling.ui.session import Services, who_asks
from labeling.ui.view import card, node, shown, view
from schemas.experts import ListSummary
from schemas.people import Actor

ROWS = 50


class PairShown(NamedTuple):
    """Two versions to choose, and what lies between them."""

    before: Any
    after: Any
    comparison: Any
    impact: Any
    moves: Any
    notice: Any


class WorkShown(NamedTuple):
    """Work under way, or what came of it; `watched` are the ids that are looked at again."""

    impact: Any
    moves: Any
    watched: Any
    notice: Any


class CompareHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.database = services.database
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> PairShown:
        """The two newest versions of the newest list."""
        return self._newest(who_asks(request, "reviewer"))

    @presented
    def on_select(self, after: str | None, request: gr.Request) -> PairShown:
        """The same when the tab is opened, if another version was published meanwhile."""
        who = who_asks(request, "reviewer")
        newest = _newest_pair(experts.list_versions(self.database, who))[1]
        return unchanged(PairShown) if newest == after else self._newest(who)

    @presented
    def on_compare(self, before: str, after: str, request: gr.Request) -> PairShown:
        """Show what differs between two versions."""
        who = who_asks(request, "reviewer")
        compared = self._compared(who, before, after)
        moves = self._moves(who, after)
        return unchanged(PairShown, comparison=compared, impact=shown(), moves=moves)

    @presented
    def on_impact(self, before: str, after: str, request: gr.Request) -> WorkShown:
        """Weigh what was decided under the older one."""
        who = who_asks(request, "reviewer")
        if not before or not after:
            return unchanged(WorkShown)
        durable = self.services.durable
        found = list_work.start_impact(self.database, durable, who, before=before, after=after)
        return self._looked(who, after, [found.id])

    @presented
    def on_move(self, before: str, after: str, request: gr.Request) -> WorkShown:
        """Propose the touched rows under the newer version."""
        who = who_asks(request, "admin")
        if not before or not after:
            return unchanged(WorkShown)
        found = list_work.start_migration(self.database, self.services.durable, who, before, after)
        return self._looked(who, after, [found.id])

    @presented
    def on_take_back(self, before: str, after: str, request: gr.Request) -> WorkShown:
        """Take back what nobody has touched."""
        who = who_asks(request, "admin")
        if not before or not after:
            return unchanged(WorkShown)
        count = migration.take_back(self.database, who, before, after)
        told = say(self.words.sentence("experts.taken_back", {"count": count}))
        return unchanged(WorkShown, moves=self._moves(who, after), notice=told)

    @presented
    def on_tick(self, watched: str, after: str, request: gr.Request) -> WorkShown:
        """Look again at work that was under way."""
        who = who_asks(request, "reviewer")
        return self._looked(who, after, watched.split()) if watched else unchanged(WorkShown)

    def _newest(self, who: Actor) -> PairShown:
        versions = experts.list_versions(self.database, who)
        names = [each.reference for each in versions]
        older, newer = _newest_pair(versions)
        return unchanged(
            PairShown,
            before=gr.Dropdown(choices=names, value=older),
            after=gr.Dropdown(choices=names, value=newer),
            comparison=self._compared(who, older, newer),
            impact=shown(),
            moves=self._moves(who, newer),
        )

    def _looked(self, who: Actor, after: str, watched: list[str]) -> WorkShown:
        found = [list_work.get_work(self.database, who, each) for each in watched]
        left = " ".join(each.id for each in found if each.state == "running")
        answer: dict[str, Any] = {"watched": left}
        for each in found:
            if each.kind == "migrate":
                answer["moves"] = self._moves(who, after)
            elif each.impact is not None:
                answer["impact"] = shown(impact_view(each.impact, self.words))
            else:
                said = self.words("experts.weighing", done=each.done, total=each.total)
                answer["impact"] = shown(card(self.words("experts.impact"), node("p", said)))
        return unchanged(WorkShown, **answer)

    def _compared(self, who: Actor, before: str | None, after: str | None) -> Any:
        if not before or not after:
            return shown()
        old, new = (experts.get_list(self.database, who, each)[1] for each in (before, after))
        changes = changes_between(self.database, who, before, after)
        return shown(comparison_view(old, new, changes, self.words))

    def _moves(self, who: Actor, after: str | None) -> Any:
        works = list_work.list_migrations(self.database, who, limit=5)
        parts = [work_view(works, self.words)] if works else []
        if after:
            counts = migration.count_moved(self.database, who, after)
            rows = migration.list_moved(self.database, who, after, limit=ROWS) if counts else []
            parts.append(moved_view(after, rows, counts, self.words))
        return shown(*(each for each in parts if each))


def _newest_pair(versions: list[ListSummary]) -> tuple[str | None, str | None]:
    """The newest version of the list that was published last, and the one before it."""
    newest = max(versions, key=lambda each: each.published_at, default=None)
    if newest is None:
        return None, None
    before = [e for e in versions if e.name == newest.name and e.version == newest.version - 1]
    return before[0].reference if before else None, newest.reference


@dataclass(frozen=True, slots=True)
class CompareTab:
    """What is on the tab."""

    place: gr.Tab
    before: gr.Dropdown
    after: gr.Dropdown
    ask_impact: gr.Button
    move: gr.Button
    take_back: gr.Button
    comparison: gr.HTML
    impact: gr.HTML
    moves: gr.HTML
    watched: gr.Textbox
    timer: gr.Timer


def build_compare_tab(services: Services, words: Words, notice: gr.HTML) -> CompareTab:
    """The tab, with its events; inside the tabs of the Experts page."""
    tab = _lay_out(words)
    handlers = CompareHandlers(services, words)
    pair = [tab.before, tab.after]
    compared = [*pair, tab.comparison, tab.impact, tab.moves, notice]
    worked = [tab.impact, tab.moves, tab.watched, notice]
    on_page_load(handlers.on_load, None, compared)
    tab.place.select(handlers.on_select, tab.after, compared, **DIRECT)
    tab.before.input(handlers.on_compare, pair, compared, **DIRECT)
    tab.after.input(handlers.on_compare, pair, compared, **DIRECT)
    tab.ask_impact.click(handlers.on_impact, pair, worked, **DIRECT)
    tab.move.click(handlers.on_move, pair, worked, **DIRECT)
    tab.take_back.click(handlers.on_take_back, pair, worked, **DIRECT)
    tab.timer.tick(handlers.on_tick, [tab.watched, tab.after], worked, **DIRECT)
    return tab


def _lay_out(words: Words) -> CompareTab:
    parts: dict[str, Any] = {}
    with gr.Tab(words("experts.tab_compare"), id="compare") as parts["place"]:
        with gr.Column(elem_classes="pw-form"), gr.Row():
            parts["before"] = choice(words, "experts.before")
            parts["after"] = choice(words, "experts.after")
            parts["ask_impact"] = button(words, "experts.ask_impact")
            parts["move"] = button(words, "experts.move", "primary")
            parts["take_back"] = button(words, "experts.take_back")
        parts["impact"] = view("experts-impact")
        parts["comparison"] = view("experts-comparison")
        parts["moves"] = view("experts-moves")
        parts["watched"] = hidden("experts.watched")
        parts["timer"] = gr.Timer(2)
    return CompareTab(**parts)
