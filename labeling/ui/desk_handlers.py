"""What both desks do alike: judge the plan that is typed, and keep what is in hand."""

from datetime import datetime

import gradio as gr

from labeling.preview import preview
from labeling.progress import progress
from labeling.ui.desk import (
    AnnotationMessage,
    Answer,
    CheckMessage,
    answered,
    read_message,
    to_answer,
    to_judgement,
)
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from schemas.desk import ItemContext
from schemas.people import Actor


class DeskHandlers:
    """What the label and the review page share; each adds its own acts."""

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

    def renew_lease(self, who: Actor, annotation_id: str) -> datetime:
        """Keep the task of this desk in hand; returns the new end of its lease."""
        raise NotImplementedError

    def item(self, who: Actor, item: ItemContext | None) -> Answer:
        """An item for the desk, or none, and how far we are."""
        return to_answer(item, progress(self.database, who), self.words)
