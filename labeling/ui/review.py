"""The review page: take a submission, compare it with the model's plan, give a verdict."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gradio as gr
from pydantic import Field

from labeling import history, review
from labeling.searching import search_submissions
from labeling.ui.desk import (
    AnnotationMessage,
    Answer,
    answered,
    connect,
    desk,
    read_message,
)
from labeling.ui.desk_handlers import SHARED_EVENTS, DeskHandlers, FindMessage
from labeling.ui.desk_history import RestoreMessage, to_reason_lines
from labeling.ui.i18n import Words
from labeling.ui.review_queue import QUEUE_EVENTS, NarrowedMessage, QueueHandlers
from labeling.ui.session import Services, who_asks
from schemas.desk import ReviewItem
from schemas.errors import EditConflict, TransitionRefused
from schemas.people import Actor
from schemas.reasons import REASON_CODES
from schemas.waiting import Narrowed

ACTS = ("accept", "fix", "return", "discard", "skip", "release")
EVENTS = ("open", *ACTS, "find", *QUEUE_EVENTS, *SHARED_EVENTS)


class OpenMessage(NarrowedMessage):
    """Open an annotation, or the next one."""

    annotation_id: str | None = Field(default=None, max_length=64)


class VerdictMessage(AnnotationMessage, NarrowedMessage):
    """A verdict on the revision that the reviewer saw."""

    revision_id: str = Field(max_length=64)


class FixMessage(VerdictMessage):
    """The plan as the reviewer corrected it."""

    content: Any


class ReturnMessage(VerdictMessage):
    """Why it goes back: reasons, each with the place of the plan or the trace that it is about."""

    reasons: list[Any]


class DiscardMessage(VerdictMessage):
    """Why it is discarded."""

    reason: str


class SkipMessage(AnnotationMessage, NarrowedMessage):
    """Why somebody else should look at it."""

    reason: str = ""


class ReviewHandlers(QueueHandlers, DeskHandlers):
    """What happens on the review page; each event asks one service."""

    desk = "review"

    @answered
    def on_open(self, event: gr.EventData, request: gr.Request) -> Answer:
        """The annotation that was asked for, or the next submission."""
        who, asked = who_asks(request), read_message(event, OpenMessage)
        if asked.annotation_id is None:
            return self.next_item(who, asked.narrowed)
        return self._item(who, review.open_item(self.database, who, asked.annotation_id))

    @answered
    def on_accept(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Accept it as it is."""
        who, asked = who_asks(request), read_message(event, VerdictMessage)
        case = (self.database, who, asked.annotation_id, asked.revision_id)
        return self._decide(who, asked, lambda: review.accept(*case))

    @answered
    def on_fix(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Accept it with corrections."""
        who, asked = who_asks(request), read_message(event, FixMessage)
        case = (self.database, who, asked.annotation_id, asked.revision_id)
        return self._decide(who, asked, lambda: review.fix_and_accept(*case, asked.content))

    @answered
    def on_return(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Send it back to its author."""
        who, asked = who_asks(request), read_message(event, ReturnMessage)

        case = (self.database, who, asked.annotation_id, asked.revision_id)
        return self._decide(
            who, asked, lambda: review.return_to_author(*case, reasons=asked.reasons)
        )

    @answered
    def on_discard(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Take it out of the queue."""
        who, asked = who_asks(request), read_message(event, DiscardMessage)
        case = (self.database, who, asked.annotation_id, asked.revision_id)
        return self._decide(who, asked, lambda: review.discard(*case, reason=asked.reason))

    @answered
    def on_skip(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Not for me; bring the next submission."""
        who, asked = who_asks(request), read_message(event, SkipMessage)
        review.skip(self.database, who, asked.annotation_id, reason=asked.reason)
        return self.next_item(who, asked.narrowed)

    @answered
    def on_release(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Give it back to the queue; bring the next submission."""
        who, asked = who_asks(request), read_message(event, SkipMessage)
        review.release(self.database, who, asked.annotation_id)
        return self.next_item(who, asked.narrowed)

    @answered
    def on_find(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Submissions by the text of their query, or by id."""
        who, asked = who_asks(request), read_message(event, FindMessage)
        found = search_submissions(self.database, who, asked.text)
        return {"found": [each.model_dump(mode="json") for each in found]}

    def renew_lease(self, who: Actor, annotation_id: str) -> datetime:
        """Keep the review in hand."""
        return review.renew_lease(self.database, who, annotation_id)

    def restore(self, who: Actor, asked: RestoreMessage) -> Answer:
        """An older plan becomes the newest; what waits for review is shown with it."""
        history.restore(self.database, who, asked.annotation_id, asked.revision_id, seen=asked.seen)
        return self._item(who, review.open_item(self.database, who, asked.annotation_id))

    def next_item(self, who: Actor, narrowed: Narrowed | None) -> Answer:
        """The next submission, of the batch that this reviewer is at or of the narrowed list."""
        return self._item(who, review.take_next(self.database, who, narrowed))

    def _item(self, who: Actor, item: ReviewItem | None) -> Answer:
        answer = self.item(who, item)
        for note, shown in zip(
            item.earlier_returns if item else (),
            answer["item"]["earlier_returns"] if item else (),
            strict=True,
        ):
            shown["reasons"] = to_reason_lines(note.reasons, self.words)
        return answer | self.around(who, item and item.annotation_id)

    def _decide(self, who: Actor, asked: VerdictMessage, act: Callable[[], None]) -> Answer:
        """Do it and bring the next; where somebody was faster, say who, and show what is there."""
        try:
            act()
        except (EditConflict, TransitionRefused) as told:
            found = history.read_history(self.database, who, asked.annotation_id)
            newest = [each.plan for each in found.revisions if each.id == found.revision_id]
            is_own = told.code == "review.decided_by" and told.values["who"] == who.name
            code = "review.decided_by_you" if is_own else told.code
            return {
                "lost": {
                    "sentence": self.words.sentence(code, told.values),
                    "plan": newest[0] if newest else None,
                    "is_waiting": found.state == "submitted",
                }
            }
        return self.next_item(who, asked.narrowed)


@dataclass(frozen=True)
class ReviewPage:
    """What is on the screen."""

    desk: gr.HTML


def build_review_page(services: Services, words: Words) -> ReviewPage:
    """Put the desk on the page and connect it."""
    reasons = [(code, words(f"desk.reason.{code}")) for code in REASON_CODES]
    page = ReviewPage(desk=desk("review", EVENTS, words, reasons=reasons))
    connect(page.desk, ReviewHandlers(services, words), EVENTS)
    return page
