"""The history of what lies on a desk: the same on both pages, but for what putting back means."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import gradio as gr
from pydantic import Field

from db.engine import Database
from labeling import history
from labeling.ui.desk import AnnotationMessage, Answer, answered, read_message
from labeling.ui.i18n import Words
from labeling.ui.session import who_asks
from schemas.history import ItemHistory
from schemas.people import Actor
from schemas.queries import TimelineEntry
from schemas.reasons import Reason, reasons_of

HISTORY_EVENTS = ("history", "restore")


class RestoreMessage(AnnotationMessage):
    """Which revision comes back, and what the person saw: their draft, or the newest revision."""

    revision_id: str = Field(max_length=64)
    query_id: str = Field(max_length=64)
    number: int = 0
    seen: str = Field(default="", max_length=64)


class HistoryHandlers(ABC):
    """What became of an annotation, and an older plan put back."""

    database: Database
    words: Words

    @answered
    def on_history(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Every revision, and who did what when."""
        who, asked = who_asks(request), read_message(event, AnnotationMessage)
        found = history.read_history(self.database, who, asked.annotation_id)
        return {"history": self._to_plain(found)}

    @answered
    def on_restore(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Put an older plan in the place of the newest."""
        who, asked = who_asks(request), read_message(event, RestoreMessage)
        return self.restore(who, asked)

    @abstractmethod
    def restore(self, who: Actor, asked: RestoreMessage) -> Answer:
        """What putting back means on this desk; the answer holds the item as it is then."""

    def _to_plain(self, found: ItemHistory) -> dict[str, Any]:
        plain = found.model_dump(mode="json")
        for entry, shown in zip(found.timeline, plain["timeline"], strict=True):
            shown["words"] = self._act(entry)
            shown["reasons"] = to_reason_lines(reasons_of(entry.why), self.words)
        return plain

    def _act(self, entry: TimelineEntry) -> str:
        known = self.words.area("review")
        mode = f"history.{entry.action}_{entry.why.get('mode')}"
        return known.get(mode) or known.get(f"history.{entry.action}", entry.action)


def to_reason_lines(reasons: Sequence[Reason], words: Words) -> list[dict[str, Any]]:
    """Reasons as the desks show them, their codes in words."""
    known = words.area("desk")
    return [
        each.model_dump(mode="json")
        | {"words": known.get(f"reason.{each.code}", each.code) if each.code else ""}
        for each in reasons
    ]
