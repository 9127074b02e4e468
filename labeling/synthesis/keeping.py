"""What a batch does with answers, repairs and trials, in the transaction that ends the request.

An answer is stored with its failure first; the transaction that does so opens the request for its
repair. So a process may die between the two, and nothing is paid twice. What a repair brings stands
in the suggestion, marked as repaired, only if it adds nothing; else the answer stays for a person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from db.access import batches, repairs, suggestions
from db.access.batches import Batch, NewRequest
from db.access.repairs import Repaired, Tried
from db.engine import Session
from labeling.synthesis.rows import Row
from schemas.model_endpoints import EndpointSettings
from schemas.repair import REPAIRABLE
from schemas.synthesis import repair_key

CUT_OFF = "#cut"
"""Ends the key of a reply that was cut off and followed by another one."""


def keep(
    session: Session, batch: Batch, rows: Sequence[Row], repairer: EndpointSettings | None
) -> None:
    """Store answers, repairs and trials; what is nearly a plan goes to the repairer, if any."""
    replies = [reply for row in rows if row.held.kind == "answer" for reply in _replies(row)]
    ids = suggestions.add_replies(session, batch, replies)
    if repairer is not None:
        known = {
            each.held.reply_key + each.suffix: suggestion_id
            for each, suggestion_id in zip(replies, ids, strict=True)
        }
        wanted = _wanted_repairs(rows, known, repairer)
        batches.add_requests(session, batch.project_id, batch.id, wanted)
    repairs.add_repairs(session, batch.project_id, batch.id, list(_repaired(rows)))
    repairs.add_trials(session, batch.project_id, batch.id, list(_tried(rows)))


def _replies(row: Row) -> Iterator[suggestions.Reply]:
    """What is stored of an answer: the last reply, and before it one that was cut off."""
    held, asked = row.held, row.asked
    if asked.first is not None and row.first is not None:
        first = asked.first
        yield suggestions.Reply(
            held, row.first, first.body, first.reply.usage, asked.by, suffix=CUT_OFF
        )
    if row.reading is not None and asked.body is not None:
        usage = asked.reply.usage if asked.reply else None
        yield suggestions.Reply(held, row.reading, asked.body, usage, asked.by)


def _wanted_repairs(
    rows: Iterable[Row], ids: Mapping[str, str], by: EndpointSettings
) -> list[NewRequest]:
    """The requests for repairs of answers just stored; `ids` are suggestions by reply key."""
    return [
        NewRequest(
            row.held.pins.query_id,
            row.held.candidate,
            repair_key(row.held.reply_key, by.url, by.model),
            "repair",
            suggestion_id=ids[row.held.reply_key],
        )
        for row in rows
        if row.held.kind == "answer"
        and row.reading is not None
        and row.reading.failure in REPAIRABLE
        and row.held.reply_key in ids
    ]


def _repaired(rows: Iterable[Row]) -> Iterator[Repaired]:
    for row in rows:
        asked = row.asked
        if row.held.kind == "repair" and row.reading and asked.body is not None and asked.by:
            usage = asked.reply.usage if asked.reply else None
            yield Repaired(row.held, asked.body, row.reading, usage, asked.by)


def _tried(rows: Iterable[Row]) -> Iterator[Tried]:
    for row in rows:
        asked = row.asked
        if row.held.kind == "trial" and row.reading and asked.body is not None and asked.by:
            paid = asked.paid
            tokens = paid.input_tokens + paid.output_tokens
            yield Tried(row.held, asked.body, row.reading, asked.by, paid.money, tokens)
