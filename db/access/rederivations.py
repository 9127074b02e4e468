"""Traces written anew for accepted revisions: stored raw, tested blind, judged by a reviewer."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from db.access.batches import Batch, NewRequest, add_requests
from db.access.requests import Held, Hint, fail_request
from db.access.suggestions import Reading, Reply, add_replies
from db.engine import take_turns
from db.tables import BlindDecode, Rederivation
from db.tables.base import new_id, now
from schemas.rederivation import (
    BlindView,
    Rederive,
    RederivedState,
    RederivedTrace,
    decode_verdict,
)
from schemas.synthesis import decode_key

_SUGGESTION, _QUERY, _ANNOTATION, _REVISION, _REQUEST, _LIST, _REDERIVATION = (
    SQLModel.metadata.tables[name]
    for name in (
        "suggestion",
        "query",
        "annotation",
        "revision",
        "synthesis_request",
        "list_version",
        "rederivation",
    )
)
BLIND = "synthesis.rederived_blind"
SUPERSEDED = "synthesis.rederived_superseded"


class Raw(NamedTuple):
    """A reply as it came, and what it cost."""

    body: bytes
    usage: dict[str, Any] | None


class Case(NamedTuple):
    """A trace that a reviewer is to judge; `writer_id` wrote the revision, maybe another person."""

    id: str
    query_id: str
    suggestion_id: str
    revision_id: str
    author_id: str
    writer_id: str
    state: RederivedState
    is_current: bool


def add_trace(
    session: Session,
    held: Held,
    reading: Reading,
    *,
    batch: Batch,
    raw: Raw,
    prompt_version: str,
    passage: str | None,
) -> None:
    """Store a trace, raw and as it was read; if nothing speaks against it, blind plans are wanted.

    `reading.failure` says what does.
    """
    hint, rederivation_id = held.hint, new_id()
    if hint is None:
        raise ValueError(held)
    reply = Reply(held, reading, raw.body, raw.usage)
    [suggestion_id] = add_replies(session, batch, [reply], origin="rederived")
    tests = batch.order.rederive or Rederive()
    session.connection().execute(
        sa.insert(Rederivation).values(
            id=rederivation_id,
            project_id=batch.project_id,
            query_id=held.pins.query_id,
            revision_id=hint.revision_id,
            author_id=hint.author_id,
            suggestion_id=suggestion_id,
            batch_id=batch.id,
            request_id=held.request_id,
            prompt_version=prompt_version,
            tries=tests.tries,
            agree=tests.agree,
            state="testing" if reading.failure is None else "refused",
            failure=reading.failure,
            passage=passage,
            reason="",
            created_at=now(),
        )
    )
    if reading.failure is None:
        wanted = _decodes(held, hint, suggestion_id, rederivation_id, tests.tries)
        add_requests(session, batch.project_id, batch.id, wanted)


def _decodes(
    held: Held, hint: Hint, suggestion_id: str, rederivation_id: str, tries: int
) -> list[NewRequest]:
    return [
        NewRequest(
            held.pins.query_id,
            number,
            decode_key(suggestion_id, number),
            "decode",
            hint.revision_id,
            rederivation_id,
        )
        for number in range(1, tries + 1)
    ]


def add_decode(
    session: Session,
    project_id: str,
    held: Held,
    reading: Reading,
    *,
    raw: Raw,
    agrees: bool | None,
) -> None:
    """Store a blind plan, raw and as it was read."""
    session.connection().execute(
        sa.insert(BlindDecode).values(
            id=new_id(),
            project_id=project_id,
            rederivation_id=held.hint and held.hint.rederivation_id,
            number=held.candidate,
            request_key=held.reply_key,
            raw_reply=raw.body,
            plan=reading.plan,
            failure=reading.failure,
            agrees=agrees,
            usage=raw.usage,
            created_at=now(),
        )
    )


def take_turns_in(session: Session, batch_id: str) -> None:
    """Of two processes that store the last blind plans of a trace, the second sees the first's."""
    take_turns(session, f"rederivations of {batch_id}")


def settle_tested(session: Session, rederivation_ids: Collection[str]) -> None:
    """Give each trace its verdict that no open question can change any more."""
    for rederivation_id in sorted(rederivation_ids):
        is_open = sa.exists().where(
            _REQUEST.c.rederivation_id == rederivation_id, _REQUEST.c.state == "open"
        )
        row = session.get_one(Rederivation, rederivation_id, populate_existing=True)
        if row.state != "testing" or session.connection().execute(sa.select(is_open)).scalar():
            continue
        statement = select(BlindDecode.number, BlindDecode.agrees).where(
            BlindDecode.rederivation_id == rederivation_id, col(BlindDecode.agrees).is_not(None)
        )
        said = dict(session.exec(statement).all())
        verdict = decode_verdict([said.get(n) for n in range(1, row.tries + 1)], row.agree)
        if verdict is not None:
            _settle(session, row, None if verdict else BLIND)


def supersede(session: Session, rederivation_id: str) -> None:
    """The plan has been corrected since: the trace is of no use any more."""
    row = session.get_one(Rederivation, rederivation_id, populate_existing=True)
    if row.state == "testing":
        _settle(session, row, SUPERSEDED)


def known_revisions(session: Session, revision_ids: Collection[str]) -> set[str]:
    """Those of the revisions for which a trace is being tested, waits, or was accepted."""
    statement = select(Rederivation.revision_id).where(
        col(Rederivation.revision_id).in_(revision_ids), Rederivation.state != "refused"
    )
    return set(session.exec(statement))


def count_states(session: Session, batch_id: str) -> dict[str, int]:
    """How many traces of a batch are in which state."""
    statement = (
        sa.select(col(Rederivation.state), sa.func.count())
        .where(col(Rederivation.batch_id) == batch_id)
        .group_by(col(Rederivation.state))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def list_traces(
    session: Session,
    project_id: str,
    states: Collection[RederivedState],
    *,
    limit: int,
    not_of: str | None = None,
) -> list[RederivedTrace]:
    """Traces in these states, the oldest first; `not_of` leaves out what somebody may not judge."""
    statement = _traces().where(
        col(Rederivation.project_id) == project_id, col(Rederivation.state).in_(states)
    )
    if not_of is not None:
        statement = statement.where(
            col(Rederivation.author_id) != not_of, _REVISION.c.author_id != not_of, is_current()
        )
    rows = session.connection().execute(statement.order_by(col(Rederivation.id)).limit(limit))
    return [_to_trace(row, ()) for row in rows]


def find_trace(session: Session, project_id: str, rederivation_id: str) -> RederivedTrace | None:
    """One trace with its blind plans."""
    statement = _traces().where(
        col(Rederivation.project_id) == project_id, col(Rederivation.id) == rederivation_id
    )
    row = session.connection().execute(statement).first()
    if row is None:
        return None
    blind = select(BlindDecode).where(BlindDecode.rederivation_id == rederivation_id)
    rows = session.exec(blind.order_by(col(BlindDecode.number), col(BlindDecode.id)))
    return _to_trace(
        row,
        tuple(
            BlindView(number=each.number, plan=each.plan, failure=each.failure, agrees=each.agrees)
            for each in rows
        ),
    )


def find_case(session: Session, project_id: str, rederivation_id: str) -> Case | None:
    """A trace as its judge must know it."""
    statement = (
        sa.select(
            col(Rederivation.id),
            col(Rederivation.query_id),
            col(Rederivation.suggestion_id),
            col(Rederivation.revision_id),
            col(Rederivation.author_id),
            _REVISION.c.author_id,
            col(Rederivation.state),
            is_current(),
        )
        .join(_REVISION, _REVISION.c.id == col(Rederivation.revision_id))
        .where(col(Rederivation.project_id) == project_id, col(Rederivation.id) == rederivation_id)
    )
    row = session.connection().execute(statement).first()
    return None if row is None else Case._make(cast(tuple[Any, ...], tuple(row)))


def decide(
    session: Session, case: Case, reviewer_id: str, at: datetime, *, refusal: str | None
) -> bool:
    """Accept a waiting trace, or refuse it for a reason; False when somebody was faster."""
    state = "accepted" if refusal is None else "refused"
    statement = (
        sa.update(Rederivation)
        .where(col(Rederivation.id) == case.id, col(Rederivation.state) == "waiting")
        .values(state=state, reviewer_id=reviewer_id, reason=refusal or "", decided_at=at)
        .returning(col(Rederivation.id))
    )
    if session.connection().execute(statement).first() is None:
        return False
    if refusal is None:
        session.connection().execute(
            sa.update(_SUGGESTION)
            .where(_SUGGESTION.c.id == case.suggestion_id)
            .values(rederived_for=case.revision_id)
        )
    return True


def _settle(session: Session, row: Rederivation, failure: str | None) -> None:
    row.state, row.failure = ("waiting", None) if failure is None else ("refused", failure)
    session.add(row)
    session.flush()
    if failure is not None:
        fail_request(session, row.request_id, failure)


def is_current() -> sa.ColumnElement[bool]:
    """Whether the plan of a trace has not been corrected since."""
    return sa.exists().where(
        _QUERY.c.id == col(Rederivation.query_id),
        _ANNOTATION.c.id == _QUERY.c.chosen_annotation_id,
        _ANNOTATION.c.state == "accepted",
        _ANNOTATION.c.revision_id == col(Rederivation.revision_id),
    )


def _traces() -> sa.Select[Any]:
    return (
        sa.select(
            *(_REDERIVATION.c[name] for name in _SHOWN),
            _QUERY.c.text.label("query"),
            _QUERY.c.history,
            (_LIST.c.name + "@" + sa.cast(_LIST.c.version, sa.Text)).label("expert_list"),
            _REVISION.c.content.label("plan"),
            _SUGGESTION.c.model,
            _SUGGESTION.c.trace,
            _SUGGESTION.c.trace_length,
            is_current().label("is_current"),
        )
        .select_from(Rederivation)
        .join(_QUERY, _QUERY.c.id == col(Rederivation.query_id))
        .join(_LIST, _LIST.c.id == _QUERY.c.list_version_id)
        .join(_REVISION, _REVISION.c.id == col(Rederivation.revision_id))
        .join(_SUGGESTION, _SUGGESTION.c.id == col(Rederivation.suggestion_id))
    )


_SHOWN = ("id", "query_id", "state", "tries", "agree", "failure", "passage", "reason", "created_at")


def _to_trace(row: Any, blind: tuple[BlindView, ...]) -> RederivedTrace:
    return RederivedTrace.model_validate({**row._mapping, "blind": blind})
