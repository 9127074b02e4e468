"""The answers that a batch wants, one by one: who asks for which, and what came of it.

A request is held by one process at a time, by a conditional UPDATE … RETURNING with a lease that
the process renews; what comes back is stored in the transaction that closes the request.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from db.tables.base import now
from schemas.synthesis import QueryPins, RequestKind

LEASE = timedelta(seconds=120)
_REQUEST, _QUERY, _ANNOTATION, _REVISION, _SUGGESTION, _REDERIVATION = (
    SQLModel.metadata.tables[name]
    for name in (
        "synthesis_request",
        "query",
        "annotation",
        "revision",
        "suggestion",
        "rederivation",
    )
)


class Hint(NamedTuple):
    """What a request of a re-derivation is about: the accepted plan, and the trace to decode.

    `author_id` is the annotation's author. `is_wanted` turns false when the plan has been corrected
    since, or the trace has its verdict.
    """

    revision_id: str
    author_id: str
    plan: dict[str, Any]
    rederivation_id: str | None
    trace: str | None
    is_wanted: bool


class Broken(NamedTuple):
    """What a request of a repair is about: a reply whose plan could not be read."""

    suggestion_id: str
    raw_reply: bytes
    request_key: str


class Held(NamedTuple):
    """A request in this process's hands, with the query as it is to be asked.

    `messages` is the JSON of those of a historical chat, which keeps a prompt of its own.
    """

    request_id: int
    request_key: str
    round: int
    candidate: int
    pins: QueryPins
    text: str
    history: Sequence[dict[str, str]]
    hint: Hint | None = None
    kind: RequestKind = "answer"
    broken: Broken | None = None
    messages: str | None = None

    @property
    def reply_key(self) -> str:
        """The key of its suggestion: each round of asking has one of its own."""
        return self.request_key if self.round == 1 else f"{self.request_key}#{self.round}"


class Ended(NamedTuple):
    """What became of a request."""

    request_id: int
    state: Literal["done", "failed"]
    attempts: int
    failure: str | None = None
    detail: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0


def hold_requests(session: Session, batch_id: str, owner: str, count: int) -> list[Held]:
    """Take up to `count` open requests that nobody holds, in order."""
    at = now()
    free = (
        sa.select(_REQUEST.c.id)
        .where(
            _REQUEST.c.batch_id == batch_id,
            _REQUEST.c.state == "open",
            sa.or_(_REQUEST.c.lease_until.is_(None), _REQUEST.c.lease_until < at),
        )
        .order_by(_REQUEST.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    taken = (
        sa.update(_REQUEST)
        .where(_REQUEST.c.id.in_(free.scalar_subquery()))
        .values(owner=owner, lease_until=at + LEASE)
        .returning(_REQUEST.c.id)
    )
    return _read_held(session, list(session.connection().execute(taken).scalars()))


def release_requests(session: Session, batch_id: str, owner: str) -> None:
    """Let go of what this owner holds: what it did not come to ask, or what died with it."""
    statement = (
        sa.update(_REQUEST)
        .where(
            _REQUEST.c.batch_id == batch_id, _REQUEST.c.state == "open", _REQUEST.c.owner == owner
        )
        .values(owner=None, lease_until=None)
    )
    session.connection().execute(statement)


def renew_requests(session: Session, batch_id: str, owner: str) -> None:
    """Hold on to what this owner holds."""
    statement = (
        sa.update(_REQUEST)
        .where(
            _REQUEST.c.batch_id == batch_id, _REQUEST.c.state == "open", _REQUEST.c.owner == owner
        )
        .values(lease_until=now() + LEASE)
    )
    session.connection().execute(statement)


def end_requests(session: Session, owner: str, ended: Sequence[Ended]) -> set[int]:
    """Close requests; the ids of those that were closed.

    What this owner lost to another, who may have answered, is left to it.
    """
    if not ended:
        return set()
    connection = session.connection()
    ours = (
        sa.update(_REQUEST)
        .where(
            _REQUEST.c.id.in_([each.request_id for each in ended]),
            _REQUEST.c.state == "open",
            _REQUEST.c.owner == owner,
        )
        .values(owner=None, lease_until=None, updated_at=now())
        .returning(_REQUEST.c.id)
    )
    ids = set(connection.execute(ours).scalars())
    values = [each._asdict() for each in ended if each.request_id in ids]
    if values:
        names = [name for name in Ended._fields if name != "request_id"]
        closing = sa.update(_REQUEST).where(_REQUEST.c.id == sa.bindparam("request_id"))
        connection.execute(closing.values({each: sa.bindparam(each) for each in names}), values)
    return ids


def count_open(session: Session, batch_id: str) -> int:
    """How many requests of a batch wait for an answer, whoever holds them."""
    statement = (
        sa.select(sa.func.count())
        .select_from(_REQUEST)
        .where(_REQUEST.c.batch_id == batch_id, _REQUEST.c.state == "open")
    )
    return int(session.connection().execute(statement).scalar_one())


def mend_request(session: Session, request_key: str) -> None:
    """A stored reply turned out to hold a plan after all."""
    statement = (
        sa.update(_REQUEST)
        .where(_REQUEST.c.request_key == request_key, _REQUEST.c.state == "failed")
        .values(state="done", failure=None, detail=None)
    )
    session.connection().execute(statement)


def fail_request(session: Session, request_id: int, failure: str) -> None:
    """What a request brought was found wanting after it had ended."""
    statement = (
        sa.update(_REQUEST)
        .where(_REQUEST.c.id == request_id, _REQUEST.c.state == "done")
        .values(state="failed", failure=failure, updated_at=now())
    )
    session.connection().execute(statement)


def _read_held(session: Session, ids: Sequence[int]) -> list[Held]:
    statement = _asked().where(_REQUEST.c.id.in_(ids)).order_by(_REQUEST.c.id)
    return [
        Held(
            request_id=row.id,
            request_key=row.request_key,
            round=row.round,
            candidate=row.candidate,
            pins=QueryPins(
                query_id=row.query_id,
                list_version_id=row.list_version_id,
                prompt_version_id=row.prompt_version_id,
                dialect=row.dialect,
                window=row.window,
            ),
            text=row.text,
            history=row.history,
            hint=_to_hint(row) if row.kind in ("trace", "decode") else None,
            kind=row.kind,
            broken=_to_broken(row) if row.kind == "repair" else None,
            messages=row.messages,
        )
        for row in session.connection().execute(statement)
    ]


def _asked() -> sa.Select[*tuple[Any, ...]]:
    """Requests with their queries, and what a hint is made of."""
    broken = _SUGGESTION.alias("broken")
    is_accepted = sa.and_(
        _ANNOTATION.c.id == _QUERY.c.chosen_annotation_id, _ANNOTATION.c.state == "accepted"
    )
    return (
        sa.select(
            _REQUEST.c.id,
            _REQUEST.c.request_key,
            _REQUEST.c.round,
            _REQUEST.c.candidate,
            _REQUEST.c.kind,
            _REQUEST.c.revision_id,
            _REQUEST.c.rederivation_id,
            _QUERY.c.id.label("query_id"),
            _QUERY.c.list_version_id,
            sa.func.coalesce(_REQUEST.c.prompt_version_id, _QUERY.c.prompt_version_id).label(
                "prompt_version_id"
            ),
            _QUERY.c.dialect,
            _QUERY.c.window,
            _QUERY.c.text,
            _QUERY.c.history,
            _QUERY.c.messages,
            _REVISION.c.content,
            _ANNOTATION.c.author_id,
            _SUGGESTION.c.trace,
            _REDERIVATION.c.state.label("trace_state"),
            (_ANNOTATION.c.revision_id == _REQUEST.c.revision_id).label("is_accepted"),
            _REQUEST.c.suggestion_id.label("broken_id"),
            broken.c.raw_reply.label("broken_reply"),
            broken.c.request_key.label("broken_key"),
        )
        .join(_QUERY, _QUERY.c.id == _REQUEST.c.query_id)
        .outerjoin(_ANNOTATION, is_accepted)
        .outerjoin(_REVISION, _REVISION.c.id == _REQUEST.c.revision_id)
        .outerjoin(_REDERIVATION, _REDERIVATION.c.id == _REQUEST.c.rederivation_id)
        .outerjoin(_SUGGESTION, _SUGGESTION.c.id == _REDERIVATION.c.suggestion_id)
        .outerjoin(broken, broken.c.id == _REQUEST.c.suggestion_id)
    )


def _to_broken(row: Any) -> Broken:
    return Broken(row.broken_id, row.broken_reply or b"", row.broken_key or "")


def _to_hint(row: Any) -> Hint:
    is_tested = row.rederivation_id is not None
    return Hint(
        revision_id=row.revision_id,
        author_id=row.author_id,
        plan=row.content,
        rederivation_id=row.rederivation_id,
        trace=row.trace,
        is_wanted=bool(row.is_accepted) and (not is_tested or row.trace_state == "testing"),
    )
