"""Traces that were written anew for accepted plans, as a reviewer judges them.

Whoever wrote the accepted plan, its author or a reviewer who fixed it, never judges its trace.
"""

from db import clock
from db.access import rederivations
from db.access.events import add_event
from db.access.rederivations import Case
from db.engine import Database, Session
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.rederivation import RederivedTrace

MAX_REASON = 2000
_LIMIT = 200


def list_waiting(database: Database, who: Actor, *, limit: int = _LIMIT) -> list[RederivedTrace]:
    """The traces that this reviewer may judge, the oldest first."""
    who.require("reviewer")
    with database.reading() as session:
        return rederivations.list_traces(
            session, who.project_id, ["waiting"], limit=limit, not_of=who.person_id
        )


def list_decided(database: Database, who: Actor, *, limit: int = _LIMIT) -> list[RederivedTrace]:
    """The traces that were accepted or refused, by a test or a reviewer, the oldest first."""
    who.require("reviewer")
    with database.reading() as session:
        states = ("accepted", "refused")
        return rederivations.list_traces(session, who.project_id, states, limit=limit)


def get_trace(database: Database, who: Actor, rederivation_id: str) -> RederivedTrace:
    """One trace with what its tests say.

    Raises:
        NotFound: `rederived.not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        found = rederivations.find_trace(session, who.project_id, rederivation_id)
    if found is None:
        raise NotFound("rederived.not_found", trace=rederivation_id)
    return found


def batch_outcome(database: Database, who: Actor, batch_id: str) -> dict[str, int]:
    """How many traces of a batch wait, were accepted or refused, or are being tested."""
    who.require("reviewer")
    with database.reading() as session:
        counted = rederivations.count_states(session, batch_id)
    return {state: counted.get(state, 0) for state in ("waiting", "accepted", "refused", "testing")}


def accept_trace(database: Database, who: Actor, rederivation_id: str) -> None:
    """Let a trace be taught with the plan that it was written for.

    Raises:
        NotFound: `rederived.not_found`.
        NotAllowed: `rederived.own_plan`.
        TransitionRefused: `rederived.superseded`, `rederived.not_waiting`.
    """
    _decide(database, who, rederivation_id, refusal=None)


def refuse_trace(database: Database, who: Actor, rederivation_id: str, *, reason: str) -> None:
    """Keep a trace from being taught; the reason is told to whoever looks.

    Raises:
        InvalidInput: `rederived.reason_missing`.
        NotFound: `rederived.not_found`.
        NotAllowed: `rederived.own_plan`.
        TransitionRefused: `rederived.superseded`, `rederived.not_waiting`.
    """
    who.require("reviewer")
    reason = reason.strip()[:MAX_REASON]
    if not reason:
        raise InvalidInput("rederived.reason_missing")
    _decide(database, who, rederivation_id, refusal=reason)


def _decide(database: Database, who: Actor, rederivation_id: str, *, refusal: str | None) -> None:
    who.require("reviewer")
    with database.transaction() as session:
        case = _get_case(session, who, rederivation_id)
        if case.state != "waiting":
            raise TransitionRefused("rederived.not_waiting", state=case.state)
        if not case.is_current:
            raise TransitionRefused("rederived.superseded")
        if not rederivations.decide(session, case, who.person_id, clock.now(), refusal=refusal):
            raise TransitionRefused("rederived.not_waiting", state="decided")
        after = "accepted" if refusal is None else "refused"
        why: dict[str, object] = {"trace": case.suggestion_id, "revision": case.revision_id}
        add_event(
            session,
            who,
            "query",
            case.query_id,
            f"trace_{after}",
            why=why if refusal is None else {**why, "reason": refusal},
        )


def _get_case(session: Session, who: Actor, rederivation_id: str) -> Case:
    case = rederivations.find_case(session, who.project_id, rederivation_id)
    if case is None:
        raise NotFound("rederived.not_found", trace=rederivation_id)
    if who.person_id in (case.author_id, case.writer_id):
        raise NotAllowed("rederived.own_plan")
    return case
