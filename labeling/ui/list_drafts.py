"""The draft tab: the next version of a list, edited in the browser by several admins.

The form is drawn and edited by `assets/list_draft.js`, which asks as the desks do: messages and
answers are JSON text, and no answer disturbs what somebody is typing.
"""

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr
from pydantic import Field, JsonValue

from labeling import experts, list_drafts, list_work
from labeling.ui.assets_version import module
from labeling.ui.desk import Answer, Message, answered, connect, read_message
from labeling.ui.i18n import Words, moment
from labeling.ui.list_views import impact_answer, likeness_of
from labeling.ui.session import Services, who_asks
from schemas.errors import EditConflict
from schemas.list_changes import KINDS, ListChange, parse_changes
from schemas.list_drafts import ListDraftView
from schemas.list_impact_report import ListWorkView
from schemas.people import Actor

EVENTS = ("lists", "open", "look", "save", "rebase", "drop", "publish", "weigh", "work")


class NameMessage(Message):
    """The name of a list."""

    name: str = Field(max_length=400)


class DraftMessage(Message):
    """A draft."""

    draft_id: str = Field(max_length=64)


class SaveMessage(DraftMessage):
    """What was typed into a draft, and the number that it began from."""

    number: int
    content: dict[str, JsonValue]
    changes: list[JsonValue] | None = None


class PublishMessage(DraftMessage):
    """A draft to be published as it was saved."""

    number: int
    note: str = Field(max_length=2_000)


class WorkMessage(Message):
    """A piece of work."""

    work_id: str = Field(max_length=64)


class ListDraftHandlers:
    """What happens on the tab."""

    def __init__(self, services: Services, words: Words) -> None:
        self.services = services
        self.database = services.database
        self.words = words

    @answered
    def on_lists(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Lists and open drafts to choose from."""
        who = who_asks(request, "reviewer")
        names = [each.name for each in experts.list_versions(self.database, who)]
        drafts = list_drafts.list_drafts(self.database, who)
        return {
            "lists": list(dict.fromkeys(names)),
            "drafts": [each.model_dump(mode="json") for each in drafts],
            "is_admin": who.role == "admin",
        }

    @answered
    def on_open(self, event: gr.EventData, request: gr.Request) -> Answer:
        """The draft of a list, begun if there is none."""
        who, asked = who_asks(request, "admin"), read_message(event, NameMessage)
        return {"draft": self._plain(who, list_drafts.open_draft(self.database, who, asked.name))}

    @answered
    def on_look(self, event: gr.EventData, request: gr.Request) -> Answer:
        """A draft as it stands."""
        who, asked = who_asks(request, "reviewer"), read_message(event, DraftMessage)
        found = list_drafts.get_draft(self.database, who, asked.draft_id)
        return {"draft": self._plain(who, found)}

    @answered
    def on_save(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Save, or tell who was faster and show what they saved."""
        who, asked = who_asks(request, "admin"), read_message(event, SaveMessage)
        changes = None if asked.changes is None else parse_changes(asked.changes)
        told: Answer = {}
        try:
            list_drafts.save_draft(
                self.database,
                who,
                asked.draft_id,
                number=asked.number,
                content=asked.content,
                changes=changes,
            )
        except EditConflict as conflict:
            told = {"conflict": self.words.sentence(conflict.code, conflict.values)}
        found = list_drafts.get_draft(self.database, who, asked.draft_id)
        return told | {"draft": self._plain(who, found)}

    @answered
    def on_rebase(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Let the draft follow the newest version."""
        who, asked = who_asks(request, "admin"), read_message(event, DraftMessage)
        found = list_drafts.rebase_draft(self.database, who, asked.draft_id)
        return {"draft": self._plain(who, found)}

    @answered
    def on_drop(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Close the draft without publishing it."""
        who, asked = who_asks(request, "admin"), read_message(event, DraftMessage)
        list_drafts.drop_draft(self.database, who, asked.draft_id)
        return {}

    @answered
    def on_publish(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Make the draft the next version."""
        who, asked = who_asks(request, "admin"), read_message(event, PublishMessage)
        published = list_drafts.publish_draft(
            self.database, who, asked.draft_id, number=asked.number, note=asked.note
        )
        names = published.list.reference
        return {"published": self.words("experts.published", names=names)}

    @answered
    def on_weigh(self, event: gr.EventData, request: gr.Request) -> Answer:
        """What publishing the draft would mean for what was decided."""
        who, asked = who_asks(request, "admin"), read_message(event, DraftMessage)
        durable = self.services.durable
        found = list_work.start_impact(self.database, durable, who, draft_id=asked.draft_id)
        return self._work(found)

    @answered
    def on_work(self, event: gr.EventData, request: gr.Request) -> Answer:
        """How far the weighing is."""
        who, asked = who_asks(request, "reviewer"), read_message(event, WorkMessage)
        return self._work(list_work.get_work(self.database, who, asked.work_id))

    def _work(self, found: ListWorkView) -> Answer:
        said = self.words("experts.weighing", done=f"{found.done:,}", total=f"{found.total:,}")
        report = None if found.impact is None else impact_answer(found.impact, self.words)
        return {"work_id": found.id, "state": found.state, "said": said, "impact": report}

    def _plain(self, who: Actor, found: ListDraftView) -> Answer:
        base = experts.get_list(self.database, who, found.base)[1] if found.base else None
        return {
            "id": found.id,
            "name": found.name,
            "number": found.number,
            "base": found.base,
            "newest": found.newest,
            "content": found.content,
            "changes": None if found.changes is None else self._changes(found.changes),
            "proposed": self._changes(found.proposed),
            "problems": [
                {"path": each.path, "sentence": self.words.sentence(each.code, each.values)}
                for each in found.problems
            ],
            "base_names": [each.name for each in base.experts] if base else [],
            "saved": self.words(
                "experts.draft_saved", by=found.saved_by, at=moment(found.saved_at)
            ),
        }

    def _changes(self, changes: tuple[ListChange, ...]) -> list[Answer]:
        return [
            each.model_dump(mode="json", include={"kind", "before", "after"})
            | {"why": likeness_of(each, self.words)}
            for each in changes
        ]


@dataclass(frozen=True, slots=True)
class ListDraftTab:
    """What is on the tab."""

    editor: gr.HTML


def build_draft_tab(services: Services, words: Words) -> ListDraftTab:
    """The tab, with its events; inside the tabs of the Experts page."""
    with gr.Tab(words("experts.tab_draft"), id="draft"):
        tab = ListDraftTab(editor=_editor(words))
    connect(tab.editor, ListDraftHandlers(services, words), EVENTS)
    return tab


def _editor(words: Words) -> gr.HTML:
    script = (
        f"const events = {json.dumps([f'ask_{name}' for name in EVENTS])};\n"
        f'import("{module("list_draft.js")}")'
        ".then((page) => page.mount({ element, props, trigger, watch, events }));"
    )
    options: dict[str, Any] = {"words": words.area("experts"), "kinds": KINDS}
    return gr.HTML(
        None,
        html_template="<div class='ld-page'></div>",
        js_on_load=script,
        head=f'<link rel="stylesheet" href="{module("lists.css")}">',
        apply_default_css=False,
        padding=False,
        elem_id="experts-draft",
        **options,
    )
