"""What a batch at work reads and writes: requests taken in hand, replies stored, the end settled.

A reply and the end of its request are one transaction, with the raw body first; what the reader
makes of it comes beside it. All of it blocks, so the event loop calls it in a thread.
"""

from collections.abc import Sequence
from typing import NamedTuple

from db.access import batches
from db.access.batches import Batch
from db.access.requests import (
    Ended,
    Held,
    count_open,
    end_requests,
    hold_requests,
    release_requests,
    renew_requests,
)
from db.engine import Database
from labeling.ranking import refresh_disagreement
from labeling.synthesis import rederiving
from labeling.synthesis.asking import Asked
from labeling.synthesis.keeping import keep
from labeling.synthesis.questions import Questions
from labeling.synthesis.replies import ChatReply, read_suggestion
from labeling.synthesis.rows import Row, read_row
from schemas.model_endpoints import EndpointSettings
from schemas.synthesis import Reason


class Question(NamedTuple):
    """A request in hand and the messages to send for it."""

    held: Held
    messages: list[dict[str, str]]


class Ledger:
    """The rows of one batch as one owner works on them."""

    def __init__(
        self,
        database: Database,
        batch: Batch,
        owner: str,
        *,
        repairer: EndpointSettings | None = None,
    ) -> None:
        self._repairer = repairer
        self._database = database
        self._batch = batch
        self._owner = owner
        self._questions = Questions(
            database, batch.project_id, with_thinking=batch.order.with_thinking
        )

    def take(self, count: int) -> list[Question]:
        """Take up to `count` requests in hand; none when nothing free is left."""
        with self._database.transaction() as session:
            held = hold_requests(session, self._batch.id, self._owner, count)
            held = rederiving.leave_out_useless(session, self._owner, held)
        return [Question(each, self._questions.render(each)) for each in held]

    def is_more_open(self) -> bool:
        """Whether any request waits for an answer, in whose hands ever."""
        with self._database.reading() as session:
            return count_open(session, self._batch.id) > 0

    def is_cut_off(self, held: Held, reply: ChatReply) -> bool:
        """Whether a reply that was cut off lacks its plan."""
        if held.kind not in ("answer", "trial"):
            return False
        expert_list = self._questions.expert_list(held.pins.list_version_id)
        return read_suggestion(reply, held.pins.dialect, expert_list).failure == "replies.cut_off"

    def look(self) -> Batch | None:
        """The batch as it is now; None when it is not to be worked on any more, in this round."""
        with self._database.reading() as session:
            batch = batches.get_batch_to_work_on(session, self._batch.id)
        is_wanted = batch.state == "running" and batch.round == self._batch.round
        return batch if is_wanted else None

    def renew(self) -> None:
        """Hold on to what is in hand."""
        with self._database.transaction() as session:
            renew_requests(session, self._batch.id, self._owner)

    def store(self, items: Sequence[tuple[Held, Asked]]) -> None:
        """Store what came of these requests; what was lost to another owner is left to it.

        How far the suggestions of a query differ follows in transactions of its own.
        """
        rows = [read_row(held, asked, self._questions) for held, asked in items]
        with self._database.transaction() as session:
            rederiving.take_turns_for(session, self._batch, rows)
            ended = end_requests(session, self._owner, list(map(_to_ended, rows)))
            ours = [row for row in rows if row.held.request_id in ended]
            keep(session, self._batch, ours, self._repairer)
            rederiving.store(session, self._batch, self._questions, ours)
            money = sum(row.asked.paid.money for row in ours)
            tokens = sum(row.asked.paid.input_tokens + row.asked.paid.output_tokens for row in ours)
            if tokens or money:
                batches.add_spending(session, self._batch.id, money, tokens)
        planned = {
            row.held.pins.query_id
            for row in ours
            if row.held.kind in ("answer", "repair") and row.reading and row.reading.plan
        }
        if planned:
            refresh_disagreement(self._database, self._batch.project_id, sorted(planned))

    def settle(self, reason: Reason | None) -> None:
        """Let go of what is in hand and was not asked; the batch is done when nothing is open."""
        with self._database.transaction() as session:
            release_requests(session, self._batch.id, self._owner)
            if reason is not None:
                batches.end_batch(session, self._batch, "stopped", reason)
            elif not count_open(session, self._batch.id):
                batches.end_batch(session, self._batch, "done", None)


def _to_ended(row: Row) -> Ended:
    asked = row.asked
    failure, detail = row.failure, None
    if row.reading is None and asked.failure is not None:
        failure, detail = f"synthesis.{asked.failure.kind}", asked.failure.detail
    paid = asked.paid
    return Ended(
        request_id=row.held.request_id,
        state="done" if failure is None else "failed",
        attempts=asked.attempts,
        failure=failure,
        detail=detail,
        input_tokens=paid.input_tokens,
        output_tokens=paid.output_tokens,
        reasoning_tokens=paid.reasoning_tokens,
        seconds=round(asked.seconds, 3),
        cost=paid.money,
    )
