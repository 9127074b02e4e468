"""What both desks do alike: judge the plan that is typed, and keep what is in hand."""

from abc import abstractmethod
from datetime import datetime

import gradio as gr
from pydantic import Field

from labeling import commenting, own_keys
from labeling.pauses import find_note
from labeling.preview import preview
from labeling.progress import progress
from labeling.ui.desk import (
    AnnotationMessage,
    Answer,
    CheckMessage,
    Message,
    answered,
    read_message,
    to_answer,
    to_judgement,
)
from labeling.ui.desk_comments import COMMENT_EVENTS, CommentHandlers, to_plain
from labeling.ui.desk_history import HISTORY_EVENTS, HistoryHandlers
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from schemas.desk import ItemContext
from schemas.keys import DeskName
from schemas.people import Actor

SHARED_EVENTS = ("check", "renew", "keys", *COMMENT_EVENTS, *HISTORY_EVENTS)
"""What every desk asks beside its own acts."""


class KeysMessage(Message):
    """Another key for an action; without a key its first one, without an action all first ones."""

    action: str | None = Field(default=None, max_length=64)
    key: str | None = Field(default=None, max_length=64)


class FindMessage(Message):
    """Text of a query, or an id."""

    text: str = Field(max_length=2_000)


class DeskHandlers(CommentHandlers, HistoryHandlers):
    """What the label and the review page share; each adds its own acts."""

    desk: DeskName

    def __init__(self, services: Services, words: Words) -> None:
        self.database = services.database
        self.words = words

    @answered
    def on_check(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Problems and scores of the plan on the desk."""
        who, asked = who_asks(request), read_message(event, CheckMessage)
        found = preview(
            self.database,
            who,
            asked.annotation_id,
            content=asked.content,
            suggestion_id=asked.suggestion_id,
        )
        return to_judgement(found, self.words)

    @answered
    def on_renew(self, event: gr.EventData, request: gr.Request) -> Answer:
        """The heartbeat of an open page."""
        who, asked = who_asks(request), read_message(event, AnnotationMessage)
        return {"lease_until": self.renew_lease(who, asked.annotation_id).isoformat()}

    @answered
    def on_keys(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Choose a key, or go back to the first ones."""
        who, asked = who_asks(request), read_message(event, KeysMessage)
        if asked.action is None:
            keys = own_keys.reset_keys(self.database, who, self.desk)
        elif asked.key is None:
            keys = own_keys.reset_key(self.database, who, self.desk, asked.action)
        else:
            keys = own_keys.set_key(self.database, who, self.desk, asked.action, asked.key)
        return {"keys": keys}

    @abstractmethod
    def renew_lease(self, who: Actor, annotation_id: str) -> datetime:
        """Keep the task of this desk in hand; returns the new end of its lease."""

    def item(self, who: Actor, item: ItemContext | None) -> Answer:
        """An item for the desk, or none and why, and how far we are."""
        answer = to_answer(item, progress(self.database, who), self.words)
        if item is None and (note := find_note(self.database, who)) is not None:
            answer["paused"] = self.words.sentence(note.code, note.values)
        if item is not None:
            said = commenting.list_comments(self.database, who, item.annotation_id)
            answer["item"]["comments"] = to_plain(said)
        return answer
