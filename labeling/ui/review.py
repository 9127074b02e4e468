"""The review page: take a submission, compare it with the model's plan, give a verdict."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gradio as gr
from pydantic import Field

from labeling import review
from labeling.searching import search_submissions
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
from labeling.ui.i18n import Words
from labeling.ui.session import Services, who_asks
from schemas.people import Actor

EVENTS = ("open", "accept", "fix", "return", "discard", "skip", "find", *SHARED_EVENTS)


class OpenMessage(Message):
    """Open an annotation, or the next one."""

    annotation_id: str | None = Field(default=None, max_length=64)


class VerdictMessage(AnnotationMessage):
    """A verdict on the revision that the reviewer saw."""

    revision_id: str = Field(max_length=64)


class FixMessage(VerdictMessage):
    """The plan as the reviewer corrected it."""

    content: Any


class ReturnMessage(VerdictMessage):
    """Why it goes back, and which place of the plan it is about."""

    reason_code: str
    reason: str
    path: str | None = None


class DiscardMessage(VerdictMessage):
    """Why it is discarded."""

    reason: str


class SkipMessage(AnnotationMessage):
    """Why somebody else should look at it."""

    reason: str = ""


class ReviewHandlers(DeskHandlers):
    """What happens on the review page; each event asks one service."""

    desk = "review"

    @answered
    def on_open(self, event: gr.EventData, request: gr.Request) -> Answer:
        """The annotation that was asked for, or the next submission."""
        who, asked = who_asks(request), read_message(event, OpenMessage)
        if asked.annotation_id is None:
            return self._next(who)
        return self.item(who, review.open_item(self.database, who, asked.annotation_id))

    @answered
    def on_accept(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Accept it as it is."""
        who, asked = who_asks(request), read_message(event, VerdictMessage)
        review.accept(self.database, who, asked.annotation_id, asked.revision_id)
        return self._next(who)

    @answered
    def on_fix(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Accept it with corrections."""
        who, asked = who_asks(request), read_message(event, FixMessage)
        review.fix_and_accept(
            self.database, who, asked.annotation_id, asked.revision_id, asked.content
        )
        return self._next(who)

    @answered
    def on_return(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Send it back to its author."""
        who, asked = who_asks(request), read_message(event, ReturnMessage)
        review.return_to_author(
            self.database,
            who,
            asked.annotation_id,
            asked.revision_id,
            reason_code=asked.reason_code,
            reason=asked.reason,
            path=asked.path,
        )
        return self._next(who)

    @answered
    def on_discard(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Take it out of the queue."""
        who, asked = who_asks(request), read_message(event, DiscardMessage)
        review.discard(
            self.database, who, asked.annotation_id, asked.revision_id, reason=asked.reason
        )
        return self._next(who)

    @answered
    def on_skip(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Not for me; bring the next submission."""
        who, asked = who_asks(request), read_message(event, SkipMessage)
        review.skip(self.database, who, asked.annotation_id, reason=asked.reason)
        return self._next(who)

    @answered
    def on_find(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Submissions by the text of their query, or by id."""
        who, asked = who_asks(request), read_message(event, FindMessage)
        found = search_submissions(self.database, who, asked.text)
        return {"found": [each.model_dump(mode="json") for each in found]}

    def renew_lease(self, who: Actor, annotation_id: str) -> datetime:
        """Keep the review in hand."""
        return review.renew_lease(self.database, who, annotation_id)

    def _next(self, who: Actor) -> Answer:
        return self.item(who, review.take_next(self.database, who))


@dataclass(frozen=True)
class ReviewPage:
    """What is on the screen."""

    desk: gr.HTML


def build_review_page(services: Services, words: Words) -> ReviewPage:
    """Put the desk on the page and connect it."""
    reasons = [(code, words(f"desk.reason.{code}")) for code in review.REASON_CODES]
    page = ReviewPage(desk=desk("review", EVENTS, words, reasons=reasons))
    connect(page.desk, ReviewHandlers(services, words), EVENTS)
    return page
