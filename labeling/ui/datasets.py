"""Datasets: a recipe is put together, previewed, exported; bundles are listed and downloaded."""

from collections import namedtuple
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from exports import bundle as bundles
from exports.bundle_work import new_order, start_export
from exports.preview import preview_recipe
from labeling.projects import get_settings
from labeling.ui.dataset_form import NAMES, fill_form, read_form
from labeling.ui.dataset_recipe import lay_out_recipe, lay_out_recipe_text
from labeling.ui.dataset_views import bundle_row, bundle_view, preview_view
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, hidden
from labeling.ui.i18n import Words
from labeling.ui.recall import build_recall
from labeling.ui.reward_bench import (
    RewardBenchSection,
    bind_reward_bench,
    lay_out_reward_bench,
)
from labeling.ui.session import Services, who_asks
from labeling.ui.view import card, on_pick, picked_id, shown, table, view
from schemas.people import Actor
from schemas.recipe import parse_recipe

_LOOK_S = 3.0
"""So long a preview may look at rows that have changed; it says how many it did not reach."""


class BundlesShown(NamedTuple):
    """The bundles, and the one that was picked; the order is the order of the outputs."""

    bundles: Any
    bundle: Any
    picked: Any
    notice: Any


class ExportStarted(NamedTuple):
    """The bundles with the one that was begun, and the id of the next order."""

    bundles: Any
    bundle: Any
    picked: Any
    notice: Any
    order: Any


class OrderGiven(NamedTuple):
    """The id that the next export will have."""

    order: Any
    notice: Any


class PreviewShown(NamedTuple):
    """What the recipe would write."""

    preview: Any
    notice: Any


FormFilled = namedtuple("FormFilled", (*NAMES, "notice"))  # pyright: ignore[reportUntypedNamedTuple]
"""Every field of the form."""


class DatasetsHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_tick(self, picked: str, request: gr.Request) -> BundlesShown:
        """Look how far the bundles are."""
        return self._bundles(who_asks(request, "admin"), picked)._replace(picked=gr.skip())

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> BundlesShown:
        """Show one bundle."""
        return self._bundles(who_asks(request, "admin"), picked_id(event))

    @presented
    def on_preview(self, request: gr.Request, *fields: Any) -> PreviewShown:
        """Say what the recipe would write."""
        who = who_asks(request, "admin")
        found = preview_recipe(self.services.database, who, read_form(*fields), within_s=_LOOK_S)
        return PreviewShown(shown(preview_view(found, self.words)), gr.skip())

    @presented
    def on_fill(self, written: str, request: gr.Request) -> FormFilled:
        """Put a recipe that is given as text into the form, as far as nothing of it is lost."""
        who = who_asks(request, "admin")
        project = get_settings(self.services.database, who)
        fields = fill_form(parse_recipe(written or ""), project.banned_words)
        return FormFilled(*fields, say(self.words("datasets.filled")))

    @presented
    def on_open(self, request: gr.Request) -> OrderGiven:
        """Give the page the id of its next export."""
        who_asks(request, "admin")
        return OrderGiven(new_order(), gr.skip())

    @presented
    def on_export(self, request: gr.Request, order: str, *fields: Any) -> ExportStarted:
        """Export in the background; a click that comes twice carries the same order."""
        who, have, recipe = who_asks(request, "admin"), self.services, read_form(*fields)
        bundle_id = start_export(
            have.database, have.durable, have.settings, who, recipe, order=order
        )
        told = say(self.words("datasets.started"))
        return ExportStarted(*self._bundles(who, bundle_id, told), new_order())

    def _bundles(self, who: Actor, picked: str, told: Any = None) -> BundlesShown:
        found = bundles.list_bundles(self.services.database, who)
        heads = [self.words(f"datasets.{each}") for each in ("bundle", "state", "rows")]
        rows = [(each.bundle_id, bundle_row(each, self.words)) for each in found]
        listing = table(heads, rows, empty=self.words("datasets.none"))
        is_here = any(each.bundle_id == picked for each in found)
        chosen = bundles.get_bundle(self.services.database, who, picked) if is_here else None
        return BundlesShown(
            shown(card(self.words("datasets.bundles"), listing), picked=picked if told else ""),
            shown(bundle_view(chosen, self.words)) if chosen else gr.skip(),
            picked,
            told or gr.skip(),
        )


@dataclass(frozen=True, slots=True)
class DatasetsPage:
    """What is on the screen."""

    recipe: tuple[Any, ...]
    written: gr.Textbox
    fill: gr.Button
    ask: gr.Button
    export: gr.Button
    preview: gr.HTML
    bundles: gr.HTML
    bundle: gr.HTML
    bench: RewardBenchSection
    picked: gr.Textbox
    order: gr.Textbox
    timer: gr.Timer
    notice: gr.HTML


def build_datasets_page(services: Services, words: Words) -> DatasetsPage:
    """The page, with its events."""
    page = _lay_out(services, words)
    handlers = DatasetsHandlers(services, words)
    shown_bundles = [page.bundles, page.bundle, page.picked, page.notice]
    recipe = list(page.recipe)
    on_page_load(handlers.on_tick, page.picked, shown_bundles)
    page.timer.tick(handlers.on_tick, page.picked, shown_bundles, **DIRECT)
    on_pick(page.bundles, handlers.on_pick, None, shown_bundles)
    page.fill.click(handlers.on_fill, page.written, [*recipe, page.notice], **DIRECT)
    page.ask.click(handlers.on_preview, recipe, [page.preview, page.notice], **DIRECT)
    on_page_load(handlers.on_open, None, [page.order, page.notice])
    ordered = [page.order, *recipe]
    page.export.click(handlers.on_export, ordered, [*shown_bundles, page.order], **DIRECT)
    bind_reward_bench(
        page.bench, services, words, picked=page.picked, timer=page.timer, notice=page.notice
    )
    return page


def _lay_out(services: Services, words: Words) -> DatasetsPage:
    told = notice()
    with gr.Row():
        with gr.Column(scale=3):
            recipe = lay_out_recipe(words)
            written, fill = lay_out_recipe_text(words)
            with gr.Row():
                export = button(words, "datasets.export", "primary")
                ask = button(words, "datasets.ask")
            preview = view("datasets-preview")
        with gr.Column(scale=3):
            bundle_list = view("datasets-bundles", parameter="bundle")
            picked, order = hidden("datasets.picked"), hidden("datasets.order")
            bundle = view("datasets-bundle")
            build_recall(services, words, told)
            bench = lay_out_reward_bench(words)
    timer = gr.Timer(2)
    return DatasetsPage(
        recipe,
        written,
        fill,
        ask,
        export,
        preview,
        bundle_list,
        bundle,
        bench,
        picked,
        order,
        timer,
        told,
    )
