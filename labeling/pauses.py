"""Pauses: somebody gets no new work until an admin lifts it; what they hold they keep.

An admin pauses with a reason; a rule pauses whom `schemas.gold` finds careless. The claim itself
refuses a paused person (`db.access.leases.claimable`), so no other way to new work needs to ask.
"""

from db import clock
from db.access import pauses as access
from db.access import people
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import WorkPause
from schemas.errors import InvalidInput, NotFound, TransitionRefused
from schemas.gold import GoldVerdict
from schemas.pauses import PauseNote, PauseView
from schemas.people import Actor

BY_ADMIN, BY_GOLD = "by_admin", "by_gold"
LONGEST_REASON = 500


def pause(database: Database, who: Actor, person_id: str, *, reason: str) -> None:
    """Give somebody no new work; they read the reason on the label page.

    Raises:
        InvalidInput: `pauses.reason_missing`.
        NotFound: `accounts.person_not_found`.
        TransitionRefused: `pauses.paused_already`.
    """
    who.require("admin")
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise InvalidInput("pauses.reason_missing")
    with database.transaction() as session:
        _get_member(session, who, person_id)
        is_new = _begin(
            session,
            who,
            person_id,
            reason_code=BY_ADMIN,
            why={"reason": reason},
            paused_by=who.person_id,
        )
        if not is_new:
            raise TransitionRefused("pauses.paused_already")


def pause_by_rule(session: Session, who: Actor, verdict: GoldVerdict) -> bool:
    """Pause somebody for their answers on gold items, inside the hand-in that showed it.

    Returns:
        False where they are paused already.
    """
    why: dict[str, object] = {
        "answered": verdict.answered,
        "wrong": verdict.wrong,
        "stage": verdict.stage,
    }
    return _begin(session, who, who.person_id, reason_code=BY_GOLD, why=why, paused_by=None)


def lift(database: Database, who: Actor, person_id: str) -> None:
    """Give somebody new work again.

    Raises:
        TransitionRefused: `pauses.not_paused`.
    """
    who.require("admin")
    with database.transaction() as session:
        take_turns(session, f"pause of {person_id}")
        found = access.find_active(session, who.project_id, person_id)
        if found is None:
            raise TransitionRefused("pauses.not_paused")
        found.lifted_by, found.lifted_at = who.person_id, clock.now()
        add_event(
            session, who, "person", person_id, "pause_lifted", before="paused", after="active"
        )


def list_paused(database: Database, who: Actor) -> tuple[PauseView, ...]:
    """Everybody who is paused in this project, the newest pause first."""
    who.require("admin")
    with database.reading() as session:
        return tuple(access.list_active(session, who.project_id))


def find_note(database: Database, who: Actor) -> PauseNote | None:
    """What this person is to read if they are paused: why, and whom to ask."""
    with database.reading() as session:
        found = access.find_active(session, who.project_id, who.person_id)
        if found is None:
            return None
        members = people.list_members(session, who.project_id)
        admins = [each.name for each in members if each.role == "admin" and each.is_active]
        by = next((each.name for each in members if each.person_id == found.paused_by), None)
    ask = " / ".join([by] if by else admins) or "–"
    # By a rule: what the rule looks at stays untold, or gold items could be guessed.
    reason = found.why.get("reason", "") if found.reason_code == BY_ADMIN else ""
    values = {"ask": ask, "when": found.paused_at, "reason": reason}
    return PauseNote(code=f"pauses.{found.reason_code}", values=values)


def _begin(
    session: Session,
    who: Actor,
    person_id: str,
    *,
    reason_code: str,
    why: dict[str, object],
    paused_by: str | None,
) -> bool:
    take_turns(session, f"pause of {person_id}")
    if access.find_active(session, who.project_id, person_id) is not None:
        return False
    access.add_pause(
        session,
        WorkPause(
            project_id=who.project_id,
            person_id=person_id,
            reason_code=reason_code,
            why=why,
            paused_by=paused_by,
            paused_at=clock.now(),
        ),
    )
    told = {"rule": reason_code, **why}
    add_event(
        session, who, "person", person_id, "paused", before="active", after="paused", why=told
    )
    return True


def _get_member(session: Session, who: Actor, person_id: str) -> None:
    if people.find_member(session, who.project_id, person_id) is None:
        raise NotFound("accounts.person_not_found")
