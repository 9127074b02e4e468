"""Queries: what has been asked, in which state, and everything that is known about one."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import commenting, gold, history, queue
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, check, choice, hidden, text
from labeling.ui.first_steps import first_steps
from labeling.ui.i18n import Words
from labeling.ui.import_tab import build_import_tab
from labeling.ui.query_gold import build_gold_form
from labeling.ui.query_views import detail_view, state_pill
from labeling.ui.rederived_tab import build_rederived_tab
from labeling.ui.session import Services, who_asks
from labeling.ui.steer_tab import build_steer_tab
from labeling.ui.view import Node, card, on_pick, picked_id, pill, shown, table, view
from schemas.people import Actor
from schemas.queries import QUERY_STATES, QuerySummary


class RowsShown(NamedTuple):
    """A page of the list; the order is the order of the outputs."""

    rows: Any
    next: Any
    more: Any
    notice: Any


class DetailShown(NamedTuple):
    """One query."""

    detail: Any
    notice: Any


class QueriesHandlers:
    """What happens on the list."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_filter(
        self, state: str | None, wanted: str, flagged: bool, request: gr.Request
    ) -> RowsShown:
        """Show the first page."""
        return self._rows(who_asks(request, "reviewer"), None, state, wanted, flagged=flagged)

    @presented
    def on_next(
        self, after: str, state: str | None, wanted: str, flagged: bool, request: gr.Request
    ) -> RowsShown:
        """Show the page after this one, or the first again at the end."""
        who = who_asks(request, "reviewer")
        return self._rows(who, after or None, state, wanted, flagged=flagged)

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> DetailShown:
        """Show one query."""
        return self._detail(who_asks(request, "reviewer"), picked_id(event), gr.skip())

    @presented
    def on_put_back(self, event: gr.EventData, request: gr.Request) -> DetailShown:
        """Put an older version of an accepted plan in its place."""
        who, database = who_asks(request, "reviewer"), self.services.database
        annotation_id, revision_id, seen = (*picked_id(event).split(" "), "", "", "")[:3]
        history.restore(database, who, annotation_id, revision_id, seen=seen)
        query_id = history.read_history(database, who, annotation_id).query_id
        return self._detail(who, query_id, say(self.words("queries.was_put_back")))

    def _detail(self, who: Actor, query_id: str, told: Any) -> DetailShown:
        found = queue.query_detail(self.services.database, who, query_id)
        said = commenting.list_of_query(self.services.database, who, found.id)
        return DetailShown(shown(detail_view(found, self.words, said)), told)

    def _rows(
        self, who: Actor, after: str | None, state: str | None, wanted: str, *, flagged: bool
    ) -> RowsShown:
        page = queue.list_queries(
            self.services.database,
            who,
            after=after,
            state=state or None,
            text=wanted.strip() or None,
            flagged=flagged,
        )
        counted = queue.stats(self.services.database, who)
        if who.role == "admin" and not any(counted.queries.values()):
            steps = first_steps(self.services, who, self.words)
            return RowsShown(shown(steps), "", gr.Button(visible=False), gr.skip())
        counts: list[Node] = [
            ["span", {}, state_pill(each, self.words), f" {counted.queries.get(each, 0)}"]
            for each in QUERY_STATES
        ]
        heads = [self.words(f"queries.{each}") for each in ("query", "state", "answers")]
        golden: frozenset[str] = frozenset()
        if who.role == "admin":
            ids = [each.id for each in page.rows]
            golden = gold.gold_among(self.services.database, who, ids)
        rows = [(each.id, self._row(each, is_gold=each.id in golden)) for each in page.rows]
        listing = table(heads, rows, empty=self.words("queries.none"))
        return RowsShown(
            shown(
                card(
                    self.words("queries.list_title"), ["div", {"cls": "pw-line"}, *counts], listing
                )
            ),
            page.next_after or "",
            gr.Button(visible=page.next_after is not None),
            gr.skip(),
        )

    def _row(self, query: QuerySummary, *, is_gold: bool) -> list[Node]:
        notes = [self.words(f"queries.kind_{query.kind}"), query.expert_list, query.external_id]
        flag = [pill(self.words("queries.flagged"), "warn")] if query.flags else []
        if is_gold:
            flag.append(pill(self.words("queries.gold_in_use"), "ok"))
        if query.priority:
            notes.append(self.words("queries.priority_of", priority=f"{query.priority:+d}"))
        if query.disagreement:
            notes.append(self.words("queries.disagreement_of", share=f"{query.disagreement:.2f}"))
        about = ["div", {"cls": "pw-mute"}, " · ".join(filter(None, notes)), " ", *flag]
        answers = self.words(
            "queries.answer_counts", suggestions=query.suggestions, annotations=query.annotations
        )
        text = ["div", {"cls": "pw-clamp", "title": query.text}, query.text]
        return [["div", {}, text, about], state_pill(query.state, self.words), answers]


@dataclass(frozen=True, slots=True)
class QueriesPage:
    """What is on the screen."""

    state: gr.Dropdown
    wanted: gr.Textbox
    flagged: gr.Checkbox
    find: gr.Button
    rows: gr.HTML
    next: gr.Textbox
    more: gr.Button
    detail: gr.HTML
    notice: gr.HTML


def build_queries_page(services: Services, words: Words) -> QueriesPage:
    """The page, with its events; importing and what comes first have tabs of their own."""
    told = notice()
    with gr.Tabs(elem_id="queries-tabs"):
        page = _lay_out(services, words, told)
        build_steer_tab(services, words, told)
        build_rederived_tab(services, words, told)
        build_import_tab(services, words, told)  # last: its timer would shift the tabs after it
    handlers = QueriesHandlers(services, words)
    filters = [page.state, page.wanted, page.flagged]
    rows = [page.rows, page.next, page.more, page.notice]
    on_page_load(handlers.on_filter, filters, rows)
    page.state.input(handlers.on_filter, filters, rows, **DIRECT)
    page.flagged.input(handlers.on_filter, filters, rows, **DIRECT)
    page.wanted.submit(handlers.on_filter, filters, rows, **DIRECT)
    page.find.click(handlers.on_filter, filters, rows, **DIRECT)
    page.more.click(handlers.on_next, [page.next, *filters], rows, **DIRECT)
    on_pick(page.rows, handlers.on_pick, None, [page.detail, page.notice])
    on_pick(page.detail, handlers.on_put_back, None, [page.detail, page.notice])
    return page


def _lay_out(services: Services, words: Words, told: gr.HTML) -> QueriesPage:
    states = [(words("queries.state_any"), "")]
    states += [(words(f"queries.state_{state}"), state) for state in QUERY_STATES]
    with gr.Tab(words("queries.tab_list"), id="list"), gr.Row():
        with gr.Column(scale=3):
            with gr.Column(elem_classes="pw-form"), gr.Row():
                state = choice(words, "queries.state", states, value="", min_width=120)
                wanted = text(words, "queries.wanted", min_width=200, scale=2)
                flagged = check(words, "queries.only_flagged")
                find = button(words, "queries.find")
            rows = view("queries-rows", parameter="query", classes="pw-list")
            after = hidden("queries.next")
            more = button(words, "queries.more")
        with gr.Column(scale=3):
            detail = view(
                "queries-detail", first=card(words("queries.query"), words("queries.pick_one"))
            )
            build_gold_form(services, words, rows, told)
    return QueriesPage(state, wanted, flagged, find, rows, after, more, detail, told)
