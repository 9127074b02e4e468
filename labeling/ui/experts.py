"""Experts: published versions of expert lists, what differs between two, and publishing another."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from labeling import experts
from labeling.impact import impact
from labeling.ui.errors import notice, presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.expert_views import comparison_view, impact_view, list_view
from labeling.ui.fields import button, choice, elem_id, text
from labeling.ui.i18n import Words
from labeling.ui.prompts import build_prompt_tabs
from labeling.ui.session import Services, who_asks
from labeling.ui.view import card, on_pick, picked_id, pill, shown, table, title, view
from schemas.experts import ListSummary
from schemas.people import Actor


class VersionsShown(NamedTuple):
    """What changes when a version is published; the order is the order of the outputs."""

    versions: Any
    before: Any
    after: Any
    base: Any
    comparison: Any
    notice: Any


class ListShown(NamedTuple):
    """One version."""

    list: Any
    notice: Any


class ContentShown(NamedTuple):
    """A version as JSON to edit."""

    content: Any
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
    def on_compare(self, before: str, after: str, request: gr.Request) -> ListShown:
        """Show what differs between two versions."""
        return ListShown(self._compared(who_asks(request, "reviewer"), before, after), gr.skip())

    @presented
    def on_impact(self, before: str, after: str, request: gr.Request) -> ListShown:
        """Show what becomes of what was decided under the older one."""
        who = who_asks(request, "reviewer")
        if not before or not after:
            return ListShown(shown(), gr.skip())
        found = impact(self.services.database, who, before, after)
        return ListShown(shown(impact_view(found, self.words)), gr.skip())

    @presented
    def on_base(self, reference: str, request: gr.Request) -> ContentShown:
        """Put a version into the editor."""
        who = who_asks(request, "admin")
        _, found = experts.get_list(self.services.database, who, reference)
        content = found.model_dump(mode="json", exclude={"version"})
        return ContentShown(json.dumps(content, ensure_ascii=False, indent=2), gr.skip())

    @presented
    def on_publish(self, content: str, note: str, request: gr.Request) -> VersionsShown:
        """Publish what stands in the editor."""
        who = who_asks(request, "admin")
        return self._publish(who, (content or "").encode(), note)

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
        told = [self.words("experts.published", names=", ".join(new))] if new else []
        told += [self.words("experts.known", names=", ".join(known))] if known else []
        return self._versions(who, say("\n".join(told)))

    def _compared(self, who: Actor, before: str | None, after: str | None) -> Any:
        if not before or not after:
            return shown()
        database = self.services.database
        old, new = (experts.get_list(database, who, each)[1] for each in (before, after))
        return shown(comparison_view(old, new, self.words))

    def _versions(self, who: Actor, told: Any = None) -> VersionsShown:
        versions = experts.list_versions(self.services.database, who)
        names = [each.reference for each in versions]
        heads = [self.words(f"experts.{each}") for each in ("version", "size", "published_by")]
        rows = [(each.reference, self._row(each)) for each in versions]
        listing = table(heads, rows, empty=self.words("experts.none"))
        older, newer = _older(versions), names[0] if names else None
        return VersionsShown(
            shown(card(self.words("experts.versions"), listing)),
            gr.Dropdown(choices=names, value=older),
            gr.Dropdown(choices=names, value=newer),
            gr.Dropdown(choices=names),
            self._compared(who, older, newer),
            told or gr.skip(),
        )

    def _row(self, version: ListSummary) -> list[Any]:
        counts = {"experts": version.experts, "tools": version.tools, "services": version.services}
        sizes = [self.words(f"experts.count_{each}", count=n) for each, n in counts.items() if n]
        current = [pill(self.words("experts.current"), "ok")] if version.is_current else []
        name = ["div", {}, ["b", {}, version.reference], " ", *current]
        note = ["div", {"cls": "pw-mute"}, version.note] if version.note else ""
        by = f"{version.published_by or ''} {version.published_at:%Y-%m-%d %H:%M}".strip()
        return [["div", {}, name, note], " · ".join(sizes), by]


def _older(versions: list[ListSummary]) -> str | None:
    """The version before the first one, if it has the same name."""
    pair = versions[:2]
    return pair[1].reference if len(pair) == 2 and pair[0].name == pair[1].name else None


@dataclass(frozen=True, slots=True)
class ExpertsPage:
    """What is on the screen."""

    versions: gr.HTML
    list: gr.HTML
    before: gr.Dropdown
    after: gr.Dropdown
    comparison: gr.HTML
    ask_impact: gr.Button
    impact: gr.HTML
    base: gr.Dropdown
    content: gr.Code
    note: gr.Textbox
    publish: gr.Button
    file: gr.File
    publish_file: gr.Button
    notice: gr.HTML


def build_experts_page(services: Services, words: Words) -> ExpertsPage:
    """The page, with its events; prompts and guideline have tabs of their own."""
    told = notice()
    with gr.Tabs(elem_id="experts-tabs"):
        page = _lay_out(words, told)
        build_prompt_tabs(services, words, told)
    handlers = ExpertsHandlers(services, words)
    versions = [
        page.versions,
        page.before,
        page.after,
        page.base,
        page.comparison,
        page.notice,
    ]
    compared = [page.comparison, page.notice]
    on_page_load(handlers.on_load, None, versions)
    on_pick(page.versions, handlers.on_pick, None, [page.list, page.notice])
    pair = [page.before, page.after]
    page.before.input(handlers.on_compare, pair, compared, **DIRECT)
    page.after.input(handlers.on_compare, pair, compared, **DIRECT)
    seen = [page.impact, page.notice]
    page.ask_impact.click(handlers.on_impact, pair, seen, **DIRECT)
    page.base.input(handlers.on_base, page.base, [page.content, page.notice], **DIRECT)
    page.publish.click(handlers.on_publish, [page.content, page.note], versions, **DIRECT)
    page.publish_file.click(handlers.on_publish_file, [page.file, page.note], versions, **DIRECT)
    return page


def _lay_out(words: Words, told: gr.HTML) -> ExpertsPage:
    parts: dict[str, Any] = {"notice": told}
    with gr.Tab(words("experts.tab_versions"), id="versions"), gr.Row():
        with gr.Column(scale=2):
            parts["versions"] = view("experts-versions", parameter="list", classes="pw-list")
        with gr.Column(scale=3):
            parts["list"] = view("experts-list")
    with gr.Tab(words("experts.tab_compare"), id="compare"):
        with gr.Column(elem_classes="pw-form"), gr.Row():
            parts["before"] = choice(words, "experts.before")
            parts["after"] = choice(words, "experts.after")
            parts["ask_impact"] = button(words, "experts.ask_impact")
        parts["impact"] = view("experts-impact")
        parts["comparison"] = view("experts-comparison")
    with gr.Tab(words("experts.tab_publish"), id="publish"), gr.Row():
        with gr.Column(scale=3, elem_classes="pw-form"):
            title(words("experts.edit_title"))
            parts["base"] = choice(words, "experts.base", value=None)
            parts["content"] = gr.Code(
                value="",
                language="json",
                label=words("experts.content"),
                lines=16,
                max_lines=30,
                elem_id=elem_id("experts.content"),
            )
            parts["publish"] = button(words, "experts.publish", "primary")
        with gr.Column(scale=2, elem_classes="pw-form"):
            parts["note"] = text(words, "experts.note")
            title(words("experts.file_title"))
            parts["file"] = gr.File(
                label=words("experts.file"),
                file_types=[".json", ".jsonl"],
                type="filepath",
                elem_id="experts-file",
                height=150,
            )
            parts["publish_file"] = button(words, "experts.publish_file", "primary")
    return ExpertsPage(**parts)
