"""Re-derived traces read again: the same tests, as far as what they need is stored.

A trace is tested as when it came. Its blind plans are read again too; where there are none, or they
are of another text than the one that is read now, nothing can be said without asking, so the trace
stays as it was. So does what a reviewer has decided, and what is of a plan corrected since.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from db.access import retold
from db.access.rederivations import BLIND, SUPERSEDED
from db.access.retold import Retold, StoredDecode
from db.access.suggestions import Reading
from db.engine import Database
from labeling.synthesis.hinted import is_same, read_trace
from labeling.synthesis.questions import Questions
from labeling.synthesis.replies import read_body, read_suggestion
from schemas.people import Actor
from schemas.rederivation import decode_verdict
from schemas.synthesis import RetoldCounts

NOT_STORED, NOT_DECODED = "synthesis.rederived_not_stored", "synthesis.rederived_not_decoded"
_AT_ONCE = 200


class _Again(NamedTuple):
    """What the tests of a trace say now; with `left`, why they cannot say it."""

    reading: Reading | None = None
    decodes: Sequence[tuple[StoredDecode, Reading, bool | None]] = ()
    failure: str | None = None
    passage: str | None = None
    left: str | None = None


def reread_traces(
    database: Database, who: Actor, questions: Questions, batch_id: str | None
) -> RetoldCounts:
    """Read re-derived traces and their blind plans again; nothing is asked."""
    count, mended, refused, left, after = 0, 0, 0, Counter[str](), ""
    while True:
        with database.reading() as session:
            page = retold.list_retold(
                session, who.project_id, after=after, count=_AT_ONCE, batch_id=batch_id
            )
            decodes = retold.list_decodes(session, [each.id for each in page])
        if not page:
            return RetoldCounts(read=count, mended=mended, refused=refused, left=dict(left))
        after = page[-1].id
        by_trace: dict[str, list[StoredDecode]] = {}
        for decode in decodes:
            by_trace.setdefault(decode.rederivation_id, []).append(decode)
        found = [(each, _again(each, by_trace.get(each.id, []), questions)) for each in page]
        with database.transaction() as session:
            for each, (reading, read, failure, passage, reason) in found:
                count += 1
                if reason is not None or reading is None:
                    left[reason or NOT_STORED] += 1
                elif retold.settle_again(
                    session, each, reading, read, failure=failure, passage=passage
                ):
                    mended += each.state == "refused" and failure is None
                    refused += each.state == "waiting" and failure is not None


def _again(each: Retold, decodes: Sequence[StoredDecode], questions: Questions) -> _Again:
    if not each.hint.is_wanted:
        return _Again(left=SUPERSEDED)
    if each.raw_reply is None:
        return _Again(left=NOT_STORED)
    pins = each.held.pins
    expert_list = questions.expert_list(pins.list_version_id)
    reading, passage = read_trace(read_body(each.raw_reply), each.held, each.hint, expert_list)
    if reading.failure is not None:
        return _Again(reading, failure=reading.failure, passage=passage)
    if reading.trace != each.hint.trace:
        return _Again(left=NOT_DECODED)
    read: list[tuple[StoredDecode, Reading, bool | None]] = []
    said: dict[int, bool] = {}
    for decode in decodes:
        reply = read_body(decode.raw_reply)
        plan = read_suggestion(reply, pins.dialect, expert_list)
        agrees = is_same(each.hint, plan, reply)
        read.append((decode, plan, agrees))
        if agrees is not None:
            said[decode.number] = agrees
    verdict = decode_verdict([said.get(n) for n in range(1, each.tries + 1)], each.agree)
    if verdict is None:
        return _Again(left=NOT_DECODED)
    return _Again(reading, read, None if verdict else BLIND)
