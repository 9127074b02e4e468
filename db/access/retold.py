"""Re-derived traces as they are read again from their stored replies; no person's verdict moves."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col

from db.access.rederivations import is_current
from db.access.requests import Held, Hint, fail_request, mend_request
from db.access.suggestions import Reading, update_reading
from db.tables import BlindDecode, Rederivation
from schemas.rederivation import RederivedState
from schemas.synthesis import QueryPins

_SUGGESTION, _QUERY, _REVISION = (
    SQLModel.metadata.tables[name] for name in ("suggestion", "query", "revision")
)


class Retold(NamedTuple):
    """A stored trace with all that its tests need; `held.hint` has the plan and the old trace."""

    id: str
    state: RederivedState
    failure: str | None
    passage: str | None
    suggestion_id: str
    raw_reply: bytes | None
    tries: int
    agree: int
    held: Held
    hint: Hint


class StoredDecode(NamedTuple):
    """A stored blind plan, raw."""

    id: str
    rederivation_id: str
    number: int
    raw_reply: bytes


def list_retold(
    session: Session, project_id: str, *, after: str, count: int, batch_id: str | None = None
) -> list[Retold]:
    """Traces that wait for a reviewer or that a test has refused, by id."""
    statement = (
        sa.select(
            col(Rederivation.id),
            col(Rederivation.state),
            col(Rederivation.failure),
            col(Rederivation.passage),
            col(Rederivation.suggestion_id),
            col(Rederivation.tries),
            col(Rederivation.agree),
            col(Rederivation.request_id),
            col(Rederivation.revision_id),
            col(Rederivation.author_id),
            _SUGGESTION.c.raw_reply,
            _SUGGESTION.c.trace,
            _SUGGESTION.c.request_key,
            _SUGGESTION.c.candidate,
            _QUERY.c.id.label("query_id"),
            _QUERY.c.list_version_id,
            _QUERY.c.prompt_version_id,
            _QUERY.c.dialect,
            _QUERY.c.window,
            _QUERY.c.text,
            _QUERY.c.history,
            _REVISION.c.content,
            is_current().label("is_current"),
        )
        .join(_SUGGESTION, _SUGGESTION.c.id == col(Rederivation.suggestion_id))
        .join(_QUERY, _QUERY.c.id == col(Rederivation.query_id))
        .join(_REVISION, _REVISION.c.id == col(Rederivation.revision_id))
        .where(
            col(Rederivation.project_id) == project_id,
            col(Rederivation.state).in_(("waiting", "refused")),
            col(Rederivation.reviewer_id).is_(None),
            col(Rederivation.id) > after,
        )
        .order_by(col(Rederivation.id))
        .limit(count)
    )
    if batch_id is not None:
        statement = statement.where(col(Rederivation.batch_id) == batch_id)
    return [_to_retold(row) for row in session.connection().execute(statement)]


def list_decodes(session: Session, rederivation_ids: Collection[str]) -> list[StoredDecode]:
    """The blind plans of some traces, the oldest first."""
    statement = (
        sa.select(
            col(BlindDecode.id),
            col(BlindDecode.rederivation_id),
            col(BlindDecode.number),
            col(BlindDecode.raw_reply),
        )
        .where(col(BlindDecode.rederivation_id).in_(rederivation_ids))
        .order_by(col(BlindDecode.id))
    )
    return [StoredDecode(*row) for row in session.connection().execute(statement)]


def settle_again(
    session: Session,
    each: Retold,
    reading: Reading,
    decodes: Sequence[tuple[StoredDecode, Reading, bool | None]],
    *,
    failure: str | None,
    passage: str | None,
) -> bool:
    """What its tests say now; False, and nothing is written, where somebody has decided since."""
    statement = (
        sa.update(Rederivation)
        .where(
            col(Rederivation.id) == each.id,
            col(Rederivation.state) == each.state,
            col(Rederivation.reviewer_id).is_(None),
        )
        .values(state="waiting" if failure is None else "refused", failure=failure, passage=passage)
        .returning(col(Rederivation.id))
    )
    if session.connection().execute(statement).first() is None:
        return False
    update_reading(session, each.suggestion_id, reading)
    for decode, read, agrees in decodes:
        session.connection().execute(
            sa.update(BlindDecode)
            .where(col(BlindDecode.id) == decode.id)
            .values(plan=read.plan, failure=read.failure, agrees=agrees)
        )
    if failure is None:
        mend_request(session, each.held.request_key.partition("#")[0])
    elif each.state == "waiting":  # a refused one may have been asked for again, with success
        fail_request(session, each.held.request_id, failure)
    return True


def _to_retold(row: Any) -> Retold:
    pins = QueryPins(
        query_id=row.query_id,
        list_version_id=row.list_version_id,
        prompt_version_id=row.prompt_version_id,
        dialect=row.dialect,
        window=row.window,
    )
    hint = Hint(
        row.revision_id,
        row.author_id,
        row.content,
        row.id,
        row.trace,
        is_wanted=bool(row.is_current),
    )
    held = Held(
        row.request_id, row.request_key or "", 1, row.candidate, pins, row.text, row.history, hint
    )
    return Retold(
        row.id,
        row.state,
        row.failure,
        row.passage,
        row.suggestion_id,
        row.raw_reply,
        row.tries,
        row.agree,
        held,
        hint,
    )
