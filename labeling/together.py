"""Many submissions accepted or sent back in one act, each with its own review row and event.

Whoever calls this has the turns that keep the submissions as they are, and those of their queries.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from db.access import annotations, queries, reviews
from db.access.events import add_event
from db.access.lots import Member
from db.engine import Session, take_turns
from labeling.holding import send_back
from schemas.people import Actor

Mode = Literal["batch", "lot"]


class Act(NamedTuple):
    """What is done to all of them: how it came about, when, and what the events say."""

    mode: Mode
    at: datetime
    why: dict[str, object]
    lot_id: str | None = None


def take_query_turns(session: Session, members: Sequence[Member]) -> None:
    """The turns of all their queries, in the order in which everybody takes several of them."""
    for query_id in sorted({member.query_id for member in members}):
        take_turns(session, f"query {query_id}")


def accept_all(session: Session, who: Actor, members: Sequence[Member], act: Act) -> None:
    """Accept each as it was handed in; the first accepted plan of a query is its chosen one."""
    reviews.add_reviews(session, who, members, "accepted", **_signed(act))
    for member in members:
        annotations.change(session, member.annotation_id, state="accepted", decided_at=act.at)
        queries.choose(session, member.query_id, member.annotation_id)
        _tell(session, who, member, "accepted", act)


def return_all(
    session: Session, who: Actor, members: Sequence[Member], act: Act, reason_code: str
) -> None:
    """Send each back to its author; a review of it that was open or in hand ends."""
    reviews.add_reviews(session, who, members, "returned", reason_code=reason_code, **_signed(act))
    for member in members:
        reviews.close_task(session, member.query_id, member.annotation_id)
        annotations.change(session, member.annotation_id, state="returned")
        send_back(session, who, member.query_id, member.annotation_id, author_id=member.author_id)
        _tell(session, who, member, "returned", act)


def _signed(act: Act) -> dict[str, object]:
    return {"mode": act.mode, "lot_id": act.lot_id, "decided_at": act.at}


def _tell(session: Session, who: Actor, member: Member, after: str, act: Act) -> None:
    why = {"revision": member.revision_id, "mode": act.mode, **act.why}
    add_event(
        session,
        who,
        "annotation",
        member.annotation_id,
        after,
        before="submitted",
        after=after,
        why=why,
    )
    queries.refresh_state(session, who.project_id, member.query_id)
