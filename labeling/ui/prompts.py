"""The planner's prompt and the annotators' guideline: two tabs of the Experts page."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from labeling import few_shot, prompts
from labeling.ui.errors import presented, say
from labeling.ui.events import DIRECT, on_page_load
from labeling.ui.fields import button, text
from labeling.ui.i18n import Words, moment
from labeling.ui.session import Services, who_asks
from labeling.ui.view import card, on_pick, picked_id, pill, shown, table, view
from schemas.people import Actor


class PromptsShown(NamedTuple):
    """Versions of the prompt, and the one in the editor."""

    versions: Any
    name: Any
    template: Any
    notice: Any


class GuidelineShown(NamedTuple):
    """The guideline in the editor."""

    about: Any
    guideline: Any
    notice: Any


class PromptHandlers:
    """What happens on the two tabs."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.words = words

    @presented
    def on_load(self, request: gr.Request) -> PromptsShown:
        """Show every version, the current one in the editor."""
        return self._prompts(who_asks(request, "reviewer"), None)

    @presented
    def on_pick(self, event: gr.EventData, request: gr.Request) -> PromptsShown:
        """Put a version into the editor."""
        return self._prompts(who_asks(request, "reviewer"), picked_id(event))

    @presented
    def on_publish(self, name: str, template: str, request: gr.Request) -> PromptsShown:
        """Publish what stands in the editor."""
        who = who_asks(request, "admin")
        published = few_shot.publish_prompt(self.services.database, who, template, name=name)
        said = "experts.published" if published.is_new else "experts.known"
        told = say(self.words(said, names=published.reference))
        return self._prompts(who, published.reference)._replace(notice=told)

    @presented
    def on_load_guideline(self, request: gr.Request) -> GuidelineShown:
        """Show the guideline that annotators see."""
        return self._guideline(who_asks(request, "reviewer"))

    @presented
    def on_publish_guideline(self, guideline: str, request: gr.Request) -> GuidelineShown:
        """Publish the guideline."""
        who = who_asks(request, "admin")
        published = prompts.publish_guideline(self.services.database, who, guideline)
        told = self.words("experts.guideline_published", version=published.version)
        return self._guideline(who)._replace(notice=say(told))

    def _prompts(self, who: Actor, reference: str | None) -> PromptsShown:
        versions = prompts.list_prompts(self.services.database, who)
        chosen = next((each for each in versions if each.reference == reference), None)
        chosen = chosen or next((each for each in versions if each.is_current), None)
        current = pill(self.words("experts.current"), "ok")
        rows = [
            (
                each.reference,
                [
                    ["div", {}, ["b", {}, each.reference], " ", current if each.is_current else ""],
                    f"{each.published_by or ''} {moment(each.published_at)}".strip(),
                ],
            )
            for each in versions
        ]
        heads = [self.words("experts.version"), self.words("experts.published_by")]
        return PromptsShown(
            shown(
                card(
                    self.words("experts.prompts"),
                    table(heads, rows, empty=self.words("experts.none")),
                )
            ),
            chosen.name if chosen else gr.skip(),
            chosen.template if chosen else gr.skip(),
            gr.skip(),
        )

    def _guideline(self, who: Actor) -> GuidelineShown:
        found = prompts.find_guideline(self.services.database, who)
        if found is None:
            return GuidelineShown(shown(self.words("experts.no_guideline")), gr.skip(), gr.skip())
        by = f"{found.published_by or ''} {moment(found.published_at)}".strip()
        about = self.words("experts.guideline_about", version=found.version, by=by)
        return GuidelineShown(shown(about), found.text, gr.skip())


@dataclass(frozen=True, slots=True)
class PromptTabs:
    """What is on the two tabs."""

    versions: gr.HTML
    name: gr.Textbox
    template: gr.Textbox
    publish: gr.Button
    about: gr.HTML
    guideline: gr.Textbox
    publish_guideline: gr.Button


def build_prompt_tabs(services: Services, words: Words, notice: gr.HTML) -> PromptTabs:
    """The tabs, with their events; inside the tabs of the Experts page."""
    with gr.Tab(words("experts.tab_prompts"), id="prompts"), gr.Row():
        with gr.Column(scale=2):
            versions = view("experts-prompts", parameter="prompt", classes="pw-list")
        with gr.Column(scale=3, elem_classes="pw-form"):
            name = text(words, "experts.prompt_name", value="planner")
            template = text(words, "experts.template", lines=22, max_lines=40)
            publish = button(words, "experts.publish_prompt", "primary")
    with gr.Tab(words("experts.tab_guideline"), id="guideline"), gr.Column(elem_classes="pw-form"):
        about = view("experts-guideline-about")
        guideline = text(words, "experts.guideline", lines=22, max_lines=40)
        publish_guideline = button(words, "experts.publish_guideline", "primary")
    tabs = PromptTabs(versions, name, template, publish, about, guideline, publish_guideline)
    handlers = PromptHandlers(services, words)
    shown_prompts = [versions, name, template, notice]
    shown_guideline = [about, guideline, notice]
    on_page_load(handlers.on_load, None, shown_prompts)
    on_page_load(handlers.on_load_guideline, None, shown_guideline)
    on_pick(versions, handlers.on_pick, None, shown_prompts)
    publish.click(handlers.on_publish, [name, template], shown_prompts, **DIRECT)
    publish_guideline.click(handlers.on_publish_guideline, guideline, shown_guideline, **DIRECT)
    return tabs
