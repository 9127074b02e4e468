"""The label page: take a query, correct the model's plan, hand it in, take the next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gradio as gr
from pydantic import Field

from labeling import annotate, commenting, history
from labeling.searching import search
from labeling.ui.desk import (
    AnnotationMessage,
    Answer,
    Message,
    answered,
    connect,
    desk,
    read_message,
)
from labeling.ui.desk_handlers import SHARED_EVENTS, DeskHandlers, FindMessage
from labeling.ui.desk_history import RestoreMessage, to_reason_lines
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from schemas.comments import CommentedItem
from schemas.desk import LabelItem, MyItem
from schemas.errors import EditConflict
from schemas.people import Actor

EVENTS = (
    "open",
    "save",
    "submit",
    "skip",
    "postpone",
    "flag",
    "withdraw",
    "mine",
    "waiting",
    "find",
    "release",
    *SHARED_EVENTS,
)


class OpenMessage(Message):
    """Open a query, or the next one."""

    query_id: str | None = Field(default=None, max_length=64)


class DraftMessage(AnnotationMessage):
    """What is typed, and the draft number that it began from."""

    query_id: str = Field(max_length=64)
    number: int
    content: Any
    seconds: float = Field(default=0.0, ge=0)


class ReasonMessage(AnnotationMessage):
    """An act with a reason; a flag without one is taken back."""

    reason: str | None = None


class WithdrawMessage(AnnotationMessage):
    """Take a submission back and open its query."""

    query_id: str = Field(max_length=64)


class MineMessage(Message):
    """Which of my annotations to list."""

    state: str


class LabelHandlers(DeskHandlers):
    """What happens on the label page; each event asks one service."""

    desk = "label"

    @answered
    def on_open(self, event: gr.EventData, request: gr.Request) -> Answer:
        """The query that was asked for, or the next one."""
        who, asked = who_asks(request), read_message(event, OpenMessage)
        if asked.query_id is None:
            return self._item(who, annotate.open_next(self.database, who))
        return self._item(who, annotate.open_item(self.database, who, asked.query_id))

    @answered
    def on_save(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Keep the draft."""
        who, asked = who_asks(request), read_message(event, DraftMessage)
        try:
            saved = annotate.save_draft(
                self.database, who, asked.annotation_id, number=asked.number, content=asked.content
            )
        except EditConflict as conflict:
            return self._conflict(who, asked.query_id, conflict)
        return {"saved": saved.model_dump(mode="json")}

    @answered
    def on_submit(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Hand the plan in and bring the next query."""
        who, asked = who_asks(request), read_message(event, DraftMessage)
        try:
            item = annotate.submit_and_next(
                self.database,
                who,
                asked.annotation_id,
                number=asked.number,
                content=asked.content,
                seconds=asked.seconds,
            )
        except EditConflict as conflict:
            return self._conflict(who, asked.query_id, conflict)
        return self._item(who, item)

    @answered
    def on_skip(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Not for me; bring the next query."""
        who, asked = who_asks(request), read_message(event, ReasonMessage)
        annotate.skip(self.database, who, asked.annotation_id, reason=asked.reason or "")
        return self._item(who, annotate.open_next(self.database, who))

    @answered
    def on_postpone(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Later; bring the next query."""
        who, asked = who_asks(request), read_message(event, AnnotationMessage)
        annotate.postpone(self.database, who, asked.annotation_id)
        return self._item(who, annotate.open_next(self.database, who))

    @answered
    def on_flag(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Ask reviewers to look, or no longer."""
        who, asked = who_asks(request), read_message(event, ReasonMessage)
        annotate.flag(self.database, who, asked.annotation_id, reason=asked.reason)
        return {"flag": asked.reason}

    @answered
    def on_withdraw(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Take a submission back onto the desk."""
        who, asked = who_asks(request), read_message(event, WithdrawMessage)
        annotate.withdraw(self.database, who, asked.annotation_id)
        return self._item(who, annotate.open_item(self.database, who, asked.query_id))

    @answered
    def on_release(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Give it back to the queue; nothing else is taken for it."""
        who, asked = who_asks(request), read_message(event, AnnotationMessage)
        annotate.release(self.database, who, asked.annotation_id)
        return self._item(who, None)

    @answered
    def on_find(self, event: gr.EventData, request: gr.Request) -> Answer:
        """What is mine or free for me, by text or id."""
        who, asked = who_asks(request), read_message(event, FindMessage)
        found = search(self.database, who, asked.text)
        return {"found": [each.model_dump(mode="json") for each in found]}

    @answered
    def on_waiting(self, event: gr.EventData, request: gr.Request) -> Answer:
        """My annotations on which somebody waits for a word of mine."""
        found = commenting.list_waiting(self.database, who_asks(request))
        return {"mine": [_to_waiting_row(each) for each in found]}

    @answered
    def on_mine(self, event: gr.EventData, request: gr.Request) -> Answer:
        """My own annotations in one state."""
        who, asked = who_asks(request), read_message(event, MineMessage)
        found = annotate.list_mine(self.database, who, asked.state)
        return {"mine": [_to_row(each, self.words) for each in found]}

    def renew_lease(self, who: Actor, annotation_id: str) -> datetime:
        """Keep the query in hand."""
        return annotate.renew_lease(self.database, who, annotation_id)

    def restore(self, who: Actor, asked: RestoreMessage) -> Answer:
        """An older plan comes into the draft."""
        try:
            history.restore_draft(
                self.database, who, asked.annotation_id, asked.revision_id, number=asked.number
            )
        except EditConflict as conflict:
            return self._conflict(who, asked.query_id, conflict)
        return self._item(who, annotate.open_item(self.database, who, asked.query_id))

    def _item(self, who: Actor, item: LabelItem | None) -> Answer:
        answer = self.item(who, item)
        if item is not None and item.returned is not None:
            lines = to_reason_lines(item.returned.reasons, self.words)
            answer["item"]["returned"]["reasons"] = lines
        return answer

    def _conflict(self, who: Actor, query_id: str, conflict: EditConflict) -> Answer:
        """Both versions to choose from, or the news that somebody else has the query now."""
        sentence = self.words.sentence(conflict.code, conflict.values)
        if conflict.code != "annotate.saved_elsewhere":
            return {"lost": sentence}
        item = annotate.open_item(self.database, who, query_id)
        saved_at = item.draft_saved_at
        return {
            "conflict": {
                "is_newer": True,
                "number": item.draft_number,
                "content": item.draft,
                "at": saved_at and saved_at.isoformat(),
            }
        }


def _to_row(item: MyItem, words: Words) -> Answer:
    at = item.submitted_at or item.opened_at
    lines = to_reason_lines(item.returned.reasons, words) if item.returned else []
    notes = [" · ".join(filter(None, (each["words"], each["remark"]))) for each in lines]
    return {
        "query_id": item.query_id,
        "annotation_id": item.annotation_id,
        "text": item.text,
        "at": at.isoformat(),
        "lead_seconds": item.lead_seconds,
        "can_withdraw": item.can_withdraw,
        "notes": notes,
    }


def _to_waiting_row(item: CommentedItem) -> Answer:
    return {
        "query_id": item.query_id,
        "annotation_id": item.annotation_id,
        "text": item.query,
        "at": item.at.isoformat(),
        "threads": item.threads,
        "notes": [f"{item.author}: {item.text}"],
    }


@dataclass(frozen=True)
class LabelPage:
    """What is on the screen."""

    desk: gr.HTML


def build_label_page(services: Services, words: Words) -> LabelPage:
    """Put the desk on the page and connect it."""
    page = LabelPage(desk=desk("label", EVENTS, words))
    connect(page.desk, LabelHandlers(services, words), EVENTS)
    return page
