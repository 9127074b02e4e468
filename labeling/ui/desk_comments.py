"""Comments on what lies on a desk: the same on both pages."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from pydantic import Field

from db.engine import Database
from labeling import commenting
from labeling.ui.desk import AnnotationMessage, Answer, Message, answered, read_message
from labeling.ui.i18n import Words
from labeling.ui.session import who_asks
from schemas.comments import CommentView

COMMENT_EVENTS = ("comments", "comment", "resolve")


class CommentMessage(AnnotationMessage):
    """Something to say, as a `schemas.comments.NewComment`."""

    comment: Any


class ResolveMessage(Message):
    """A thread, and whether it is resolved from now on."""

    thread_id: str = Field(max_length=64)
    is_resolved: bool


class CommentHandlers:
    """What is said on an annotation; every answer holds all of it."""

    database: Database
    words: Words

    @answered
    def on_comments(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Everything said on an annotation."""
        who, asked = who_asks(request), read_message(event, AnnotationMessage)
        said = commenting.list_comments(self.database, who, asked.annotation_id)
        return {"comments": to_plain(said)}

    @answered
    def on_comment(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Say something, or answer."""
        who, asked = who_asks(request), read_message(event, CommentMessage)
        said = commenting.add_comment(self.database, who, asked.annotation_id, asked.comment)
        return {"comments": to_plain(said)}

    @answered
    def on_resolve(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Resolve a thread, or open it again."""
        who, asked = who_asks(request), read_message(event, ResolveMessage)
        said = commenting.resolve(
            self.database, who, asked.thread_id, is_resolved=asked.is_resolved
        )
        return {"comments": to_plain(said)}


def to_plain(said: Sequence[CommentView]) -> list[dict[str, Any]]:
    """Comments as the script of a page reads them."""
    return [each.model_dump(mode="json") for each in said]
