"""What stands above the review desk: the list of what waits, batches accepted by a sample, lots."""

from abc import ABC, abstractmethod
from typing import Any

import gradio as gr
from pydantic import Field

from db.engine import Database
from labeling import batch_accept, lots
from labeling.ui.desk import Answer, Message, answered, read_message
from labeling.ui.i18n import Words
from labeling.ui.session import who_asks
from labeling.waiting import list_choices, list_waiting
from schemas.people import Actor
from schemas.waiting import BatchView, Narrowed

QUEUE_EVENTS = (
    "waiting",
    "choices",
    "plan",
    "draw",
    "rest",
    "drop",
    "lots",
    "close_lot",
    "dissolve",
)


class NarrowedMessage(Message):
    """How this reviewer narrows what waits."""

    narrowed: Narrowed | None = None


class WaitingMessage(NarrowedMessage):
    """A page of the list."""

    after: str | None = Field(default=None, max_length=200)


class BatchMessage(Message):
    """The batch that the reviewer is at."""

    batch_id: str = Field(max_length=64)


class LotMessage(Message):
    """A lot to draw now."""

    lot_id: str = Field(max_length=64)


class QueueHandlers(ABC):
    """The list, the batch and the lots; each event asks one service."""

    database: Database
    words: Words

    @answered
    def on_waiting(self, event: gr.EventData, request: gr.Request) -> Answer:
        """A page of what waits."""
        who, asked = who_asks(request, "reviewer"), read_message(event, WaitingMessage)
        page = list_waiting(self.database, who, asked.narrowed, after=asked.after)
        return {"page": page.model_dump(mode="json")}

    @answered
    def on_choices(self, event: gr.EventData, request: gr.Request) -> Answer:
        """What there is to narrow by."""
        who = who_asks(request, "reviewer")
        return {"choices": list_choices(self.database, who).model_dump(mode="json")}

    @answered
    def on_plan(self, event: gr.EventData, request: gr.Request) -> Answer:
        """What a batch would be."""
        who, asked = who_asks(request, "reviewer"), read_message(event, NarrowedMessage)
        found = batch_accept.plan(self.database, who, asked.narrowed or Narrowed())
        return {"plan": found and found.model_dump(mode="json")}

    @answered
    def on_draw(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Draw the sample of a batch and bring its first."""
        who, asked = who_asks(request, "reviewer"), read_message(event, NarrowedMessage)
        batch_accept.draw(self.database, who, asked.narrowed or Narrowed())
        return self.next_item(who, None)

    @answered
    def on_rest(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Accept the rest of a batch."""
        who, asked = who_asks(request, "reviewer"), read_message(event, BatchMessage)
        outcome = batch_accept.accept_rest(self.database, who, asked.batch_id)
        return self.next_item(who, None) | {"outcome": outcome.model_dump(mode="json")}

    @answered
    def on_drop(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Leave the batch."""
        who, asked = who_asks(request, "reviewer"), read_message(event, NarrowedMessage)
        batch_accept.let_go(self.database, who)
        return self.next_item(who, asked.narrowed)

    @answered
    def on_lots(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Every lot that is not decided, and the last that were."""
        who = who_asks(request, "reviewer")
        return self._lots(who)

    @answered
    def on_close_lot(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Draw the sample of a lot that is not full."""
        who, asked = who_asks(request, "reviewer"), read_message(event, LotMessage)
        lots.close(self.database, who, asked.lot_id)
        return self._lots(who)

    @answered
    def on_dissolve(self, event: gr.EventData, request: gr.Request) -> Answer:
        """Sampling is off: whatever waits in lots is reviewed one by one."""
        who = who_asks(request, "reviewer")
        count = lots.dissolve_all(self.database, who)
        return self._lots(who) | {"count": count}

    @abstractmethod
    def next_item(self, who: Actor, narrowed: Narrowed | None) -> Answer:
        """The next submission for the desk."""

    def around(self, who: Actor, annotation_id: str | None) -> Answer:
        """The batch that this reviewer is at, and the lot that the item was sampled of."""
        batch = batch_accept.find_mine(self.database, who)
        lot = annotation_id and lots.find_lot_of(self.database, who, annotation_id)
        return {
            "batch": batch and _to_plain(batch),
            "lot": lot.model_dump(mode="json") if lot else None,
            "left": None if annotation_id else self._left(who),
        }

    def _lots(self, who: Actor) -> Answer:
        found = lots.list_lots(self.database, who)
        return {
            "lots": [each.model_dump(mode="json") for each in found],
            "left": self._left(who),
        }

    def _left(self, who: Actor) -> dict[str, Any]:
        return lots.find_left(self.database, who).model_dump(mode="json")


def _to_plain(batch: BatchView) -> dict[str, Any]:
    return batch.model_dump(mode="json") | {"may_accept": batch.may_accept}
