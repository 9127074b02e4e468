"""Stored replies read again: a better reader mends what was paid for already."""

from db.access import suggestions
from db.access.requests import mend_request
from db.engine import Database
from labeling.ranking import refresh_disagreement
from labeling.synthesis.questions import Questions
from labeling.synthesis.replies import read_body, read_suggestion
from labeling.synthesis.retelling import reread_traces
from schemas.people import Actor
from schemas.synthesis import RereadCounts

_AT_ONCE = 200


def reread(database: Database, who: Actor, *, batch_id: str | None = None) -> RereadCounts:
    """Read the raw replies that gave no plan again, of one batch or of all; nothing is asked.

    A reply that gave a plan is left alone: people may have worked from it. Re-derived traces are
    tested again.
    """
    who.require("admin")
    lists = Questions(database, who.project_id, with_thinking=True)
    read, mended, after = 0, 0, ""
    while True:
        with database.reading() as session:
            replies = suggestions.list_unread(
                session, who.project_id, after=after, count=_AT_ONCE, batch_id=batch_id
            )
        if not replies:
            traces = reread_traces(database, who, lists, batch_id)
            return RereadCounts(read=read, mended=mended, still_failed=read - mended, traces=traces)
        after = replies[-1].id
        readings = [
            (
                reply,
                read_suggestion(
                    read_body(reply.raw_reply),
                    reply.dialect,
                    lists.expert_list(reply.list_version_id),
                ),
            )
            for reply in replies
        ]
        with database.transaction() as session:
            for reply, reading in readings:
                suggestions.update_reading(session, reply.id, reading)
                if reading.plan is not None:
                    suggestions.mark_ready(session, [reply.query_id])
                    mend_request(session, (reply.request_key or "").partition("#")[0])
        planned = {reply.query_id for reply, reading in readings if reading.plan is not None}
        if planned:
            refresh_disagreement(database, who.project_id, sorted(planned))
        read += len(readings)
        mended += sum(reading.plan is not None for _, reading in readings)
