"""What a batch does with the replies of a re-derivation, in the transaction that ends the request.

A trace that passes the tests which cost nothing opens the requests for its blind plans there and
then, and the last of these to end brings the verdict; so a process may die between any two
transactions, and nothing is asked for twice or forgotten.
"""

from collections.abc import Sequence

from db.access import rederivations
from db.access.batches import Batch
from db.access.rederivations import SUPERSEDED, Raw
from db.access.requests import Ended, Held, end_requests
from db.engine import Session
from labeling.synthesis.hinted import is_same
from labeling.synthesis.questions import Questions
from labeling.synthesis.rows import Row


def take_turns_for(session: Session, batch: Batch, rows: Sequence[Row]) -> None:
    """First in a transaction that may bring a verdict."""
    if any(_blind_of(row) for row in rows):
        rederivations.take_turns_in(session, batch.id)


def store(session: Session, batch: Batch, questions: Questions, rows: Sequence[Row]) -> None:
    """Store traces and blind plans, and the verdicts that they bring."""
    for row in rows:
        held, asked, reading, hint = row.held, row.asked, row.reading, row.held.hint
        if hint is None or reading is None or asked.body is None:
            continue
        raw = Raw(asked.body, asked.reply.usage if asked.reply else None)
        if hint.rederivation_id is None:
            rederivations.add_trace(
                session,
                held,
                reading,
                batch=batch,
                raw=raw,
                prompt_version=questions.prompts_version(held),
                passage=row.passage,
            )
        else:
            agrees = is_same(hint, reading, asked.reply)
            rederivations.add_decode(
                session, batch.project_id, held, reading, raw=raw, agrees=agrees
            )
    rederivations.settle_tested(session, {each for row in rows if (each := _blind_of(row))})


def leave_out_useless(session: Session, owner: str, held: Sequence[Held]) -> list[Held]:
    """End what is not worth asking any more: the plan was corrected, or the trace is judged."""
    useless = [each for each in held if each.hint is not None and not each.hint.is_wanted]
    ended = [Ended(each.request_id, "failed", 0, SUPERSEDED) for each in useless]
    end_requests(session, owner, ended)
    for each in useless:
        if each.hint is not None and each.hint.rederivation_id is not None:
            rederivations.supersede(session, each.hint.rederivation_id)
    return [each for each in held if each.hint is None or each.hint.is_wanted]


def _blind_of(row: Row) -> str | None:
    return row.held.hint.rederivation_id if row.held.hint else None
