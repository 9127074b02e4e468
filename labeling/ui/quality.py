"""Quality: counts, throughput, and how much is accepted as it was."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling.quality import DAYS, work_figures
from labeling.ui.errors import notice, presented
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button
from labeling.ui.i18n import Words
from labeling.ui.query_views import state_pill
from labeling.ui.session import Services, who_asks
from labeling.ui.view import Node, bar, card, node, shown, table, view
from schemas.quality import PersonFigures, WorkFigures
from schemas.queries import QUERY_STATES

_VERDICTS = ("accepted", "fixed", "returned", "discarded")


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
        found = work_figures(self.services.database, who_asks(request, "reviewer"))
        return FiguresShown(shown(self._figures(found)), gr.skip())

    def _figures(self, found: WorkFigures) -> Node:
        counts = found.counts
        tiles: list[tuple[str, str]] = [
            ("decided", f"{counts.queries.get('decided', 0):,}"),
            ("acceptance", _share(found.acceptance)),
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
            self._people(found),
            self._days(found),
            cls="pw-view",
        )

    def _states(self, found: WorkFigures) -> Node:
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

    def _people(self, found: WorkFigures) -> Node:
        heads = [self.words(f"quality.{name}") for name in ("person", "submitted", "seconds")]
        heads += [self.words(f"quality.{verdict}") for verdict in _VERDICTS]
        heads.append(self.words("quality.acceptance"))
        rows = [(None, self._person(each)) for each in found.people]
        listing = table(heads, rows, empty=self.words("quality.nobody"))
        return card(self.words("quality.people"), listing)

    def _person(self, person: PersonFigures) -> list[Node]:
        seconds = "–" if person.mean_seconds is None else f"{person.mean_seconds:,.0f}"
        return [
            person.name or self.words("quality.everybody"),
            f"{person.submitted:,}",
            seconds,
            *(f"{person.verdicts.get(verdict, 0):,}" for verdict in _VERDICTS),
            node("div", bar(person.acceptance or 0), _share(person.acceptance), cls="pw-share"),
        ]

    def _days(self, found: WorkFigures) -> Node:
        most = max([1, *(each.submitted for each in found.days)])
        rows = [
            (
                None,
                [
                    f"{each.day:%Y-%m-%d}",
                    node("div", bar(each.submitted / most), f"{each.submitted:,}", cls="pw-share"),
                    f"{each.decided:,}",
                ],
            )
            for each in found.days
        ]
        heads = [self.words(f"quality.{name}") for name in ("day", "submitted", "reviewed")]
        title = self.words("quality.days", count=DAYS)
        return card(title, table(heads, rows, empty=self.words("quality.no_days")))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


@dataclass(frozen=True, slots=True)
class QualityPage:
    """What is on the screen."""

    figures: gr.HTML
    refresh: gr.Button
    notice: gr.HTML


def build_quality_page(services: Services, words: Words) -> QualityPage:
    """The page, with its events."""
    page = QualityPage(view("quality-figures"), button(words, "quality.refresh"), notice())
    handlers = QualityHandlers(services, words)
    outputs = [page.figures, page.notice]
    on_page_load(handlers.on_load, None, outputs)
    page.refresh.click(handlers.on_load, None, outputs, **DIRECT)
    return page
