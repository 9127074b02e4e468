"""Quality: counts of now, and what the weeks, the people and the models look like."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling.quality import team_figures
from labeling.ui.errors import notice, presented
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button
from labeling.ui.i18n import Words
from labeling.ui.quality_views import share, team_views
from labeling.ui.query_views import state_pill
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, bar, card, node, shown, table, view
from schemas.quality import TeamFigures
from schemas.queries import QUERY_STATES


class FiguresShown(NamedTuple):
    """The figures; the order is the order of the outputs."""

    figures: Any
    notice: Any


class QualityHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> FiguresShown:
        """Show the figures of now."""
        found = team_figures(self.services.database, who_asks(request, "reviewer"))
        return FiguresShown(shown(self._figures(found)), gr.skip())

    def _figures(self, found: TeamFigures) -> Node:
        counts = found.counts
        tiles: list[tuple[str, str]] = [
            ("decided", f"{counts.queries.get('decided', 0):,}"),
            ("acceptance", share(found.acceptance)),
            ("open_labels", f"{counts.open_labels:,}"),
            ("open_reviews", f"{counts.open_reviews:,}"),
            ("held", f"{counts.held:,}"),
            ("flagged", f"{counts.flagged:,}"),
        ]
        figures = [
            node(
                "div",
                node("b", value),
                node("span", self.words(f"quality.{name}")),
                cls="pw-figure",
            )
            for name, value in tiles
        ]
        return node(
            "div",
            card(self.words("quality.now"), node("div", *figures, cls="pw-figures")),
            self._states(found),
            *team_views(found, self.words),
            cls="pw-view",
        )

    def _states(self, found: TeamFigures) -> Node:
        total = max(1, sum(found.counts.queries.values()))
        rows = [
            (
                None,
                [
                    state_pill(state, self.words),
                    node("div", bar(count / total), f"{count:,}", cls="pw-share"),
                ],
            )
            for state in QUERY_STATES
            for count in [found.counts.queries.get(state, 0)]
        ]
        heads = [self.words("queries.state"), self.words("quality.queries")]
        return card(self.words("quality.queries"), table(heads, rows, empty=""))


@dataclass(frozen=True, slots=True)
class QualityPage:
    """What is on the screen."""

    figures: gr.HTML
    refresh: gr.Button
    notice: gr.HTML


def build_quality_page(services: Services, words: Words) -> QualityPage:
    """The page, with its events."""
    waiting = node("p", words("quality.counting"), cls="pw-empty")
    page = QualityPage(
        view("quality-figures", first=waiting), button(words, "quality.refresh"), notice()
    )
    handlers = QualityHandlers(services, words)
    outputs = [page.figures, page.notice]
    on_page_load(handlers.on_load, None, outputs)
    page.refresh.click(handlers.on_load, None, outputs, **DIRECT)
    return page
