"""Experts: published versions of lists, drafts, what differs between two, and moving rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from labeling import experts
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.expert_views import list_view
from labeling.ui.fields import button, text
from labeling.ui.i18n import Words, moment
from labeling.ui.list_compare import build_compare_tab
from labeling.ui.list_drafts import build_draft_tab
from labeling.ui.prompts import build_prompt_tabs
from labeling.ui.session import Services, who_asks
from labeling.ui.view import card, on_pick, picked_id, pill, shown, table, title, view
from schemas.experts import ListSummary
from schemas.people import Actor


class VersionsShown(NamedTuple):
    """The published versions."""

    versions: Any
    notice: Any


class ListShown(NamedTuple):
    """One version."""

    list: Any
    notice: Any


class ExpertsHandlers:
    """What happens on the page."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> VersionsShown:
        """Show every version."""
        return self._versions(who_asks(request, "reviewer"))

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> ListShown:
        """Show one version."""
        who = who_asks(request, "reviewer")
        _, found = experts.get_list(self.services.database, who, picked_id(event))
        return ListShown(shown(list_view(found, self.words)), gr.skip())

    @presented
    def on_publish_file(self, path: str | None, note: str, request: gr.Request) -> VersionsShown:
        """Publish a file."""
        who = who_asks(request, "admin")
        if path is None:
            return self._versions(who, say(self.words("experts.no_file"), "note"))
        return self._publish(who, Path(path).read_bytes(), note)

    def _publish(self, who: Actor, content: bytes, note: str) -> VersionsShown:
        published = experts.publish_file(self.services.database, who, content, note=note)
        new = [each.list.reference for each in published if each.is_new]
        known = [each.list.reference for each in published if not each.is_new]
        told = [self.words("experts.published", names=self.words.listed(new))] if new else []
        told += [self.words("experts.known", names=self.words.listed(known))] if known else []
        return self._versions(who, say("\n".join(told)))

    def _versions(self, who: Actor, told: Any = None) -> VersionsShown:
        versions = experts.list_versions(self.services.database, who)
        heads = [self.words(f"experts.{each}") for each in ("version", "size", "published_by")]
        rows = [(each.reference, self._row(each)) for each in versions]
        listing = table(heads, rows, empty=self.words("experts.none"))
        first = versions[0].reference if versions else ""
        place = shown(card(self.words("experts.versions"), listing), first=first)
        return VersionsShown(place, told or gr.skip())

    def _row(self, version: ListSummary) -> list[Any]:
        counts = {"experts": version.experts, "tools": version.tools, "services": version.services}
        sizes = [self.words(f"experts.count_{each}", count=n) for each, n in counts.items() if n]
        current = [pill(self.words("experts.current"), "ok")] if version.is_current else []
        name = ["div", {}, ["b", {}, version.reference], " ", *current]
        note = ["div", {"cls": "pw-mute"}, version.note] if version.note else ""
        at = ["div", {"cls": "pw-mute"}, moment(version.published_at)]
        return [
            ["div", {}, name, note],
            " · ".join(sizes),
            ["div", {}, version.published_by or "", at],
        ]


@dataclass(frozen=True, slots=True)
class ExpertsPage:
    """What is on the screen, beside the tabs that are modules of their own."""

    versions: gr.HTML
    list: gr.HTML
    note: gr.Textbox
    file: gr.File
    publish_file: gr.Button
    notice: gr.HTML


def build_experts_page(services: Services, words: Words) -> ExpertsPage:
    """The page, with its events; the other tabs are modules of their own."""
    told = notice()
    with gr.Tabs(elem_id="experts-tabs"):
        place, versions, shown_list = _lay_out_versions(words)
        build_draft_tab(services, words)
        build_compare_tab(services, words, told)
        page = ExpertsPage(versions, shown_list, *_lay_out_file(words), told)
        build_prompt_tabs(services, words, told)
    handlers = ExpertsHandlers(services, words)
    listed = [page.versions, page.notice]
    on_page_load(handlers.on_load, None, listed)
    place.select(handlers.on_load, None, listed, **DIRECT)
    on_pick(page.versions, handlers.on_pick, None, [page.list, page.notice])
    page.publish_file.click(handlers.on_publish_file, [page.file, page.note], listed, **DIRECT)
    return page


def _lay_out_versions(words: Words) -> tuple[gr.Tab, gr.HTML, gr.HTML]:
    with gr.Tab(words("experts.tab_versions"), id="versions") as place, gr.Row():
        with gr.Column(scale=2):
            versions = view("experts-versions", parameter="list", classes="pw-list")
        with gr.Column(scale=3):
            shown_list = view("experts-list")
    return place, versions, shown_list


def _lay_out_file(words: Words) -> tuple[gr.Textbox, gr.File, gr.Button]:
    with (
        gr.Tab(words("experts.tab_publish"), id="publish"),
        gr.Column(elem_classes="pw-form pw-narrow"),
    ):
        title(words("experts.file_title"))
        file = gr.File(
            label=words("experts.file"),
            file_types=[".json", ".jsonl"],
            type="filepath",
            elem_id="experts-file",
            height=150,
        )
        note = text(words, "experts.note")
        publish = button(words, "experts.publish_file", "primary")
    return note, file, publish
