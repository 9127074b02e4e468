"""Not handing in: skip (not for me), postpone (later), release (anybody), flag (look here)."""

from db import clock
from db.access import annotations, queries, tasks
from db.access.annotations import AnnotationFacts
from db.access.tasks import TaskFacts
from db.engine import Database, Session
from labeling import lots
from labeling.handing_in import review_rank
from labeling.holding import EDITABLE, find_task, get_own, tell
from schemas.errors import InvalidInput, TransitionRefused
from schemas.people import Actor

LONGEST_REASON = 2_000


def skip(database: Database, who: Actor, annotation_id: str, *, reason: str = "") -> None:
    """Not for me: others may have it, this person never again. The draft is kept.

    Raises:
        TransitionRefused: `annotate.not_held`.
    """
    who.require("annotator")
    with database.transaction() as session:
        annotation, task = _held(session, who, annotation_id)
        at = clock.now()
        for slot in tasks.list_of_query(session, "label", task.query_id):
            tasks.skip(session, slot.id, who.person_id, reason[:LONGEST_REASON], at)
        tasks.give_back(session, task, who.person_id, for_others=True)
        _left(session, who, annotation, "skipped", reason)


def postpone(database: Database, who: Actor, annotation_id: str) -> None:
    """Later: it stays with this person, and comes back when nothing else is there.

    Raises:
        TransitionRefused: `annotate.not_held`.
    """
    who.require("annotator")
    with database.transaction() as session:
        annotation, task = _held(session, who, annotation_id)
        tasks.put_aside(session, task.id, who.person_id, clock.now())
        _left(session, who, annotation, "postponed")


def release(database: Database, who: Actor, annotation_id: str) -> None:
    """Give it back to the queue; it may come to the same person again. The draft is kept.

    Raises:
        TransitionRefused: `annotate.not_held`.
    """
    who.require("annotator")
    with database.transaction() as session:
        annotation, task = _held(session, who, annotation_id)
        tasks.give_back(session, task, who.person_id, for_others=False)
        _left(session, who, annotation, "released")


def flag(database: Database, who: Actor, annotation_id: str, *, reason: str | None) -> None:
    """Ask reviewers to look: its review comes before all others. None takes the flag back.

    The work goes on; a flag neither hands in nor gives back.

    Raises:
        InvalidInput: `annotate.reason_missing`.
        TransitionRefused: `annotate.decided_already`.
    """
    who.require("annotator")
    if reason is not None and not reason.strip():
        raise InvalidInput("annotate.reason_missing")
    with database.transaction() as session:
        annotation, place = lots.in_turn(
            session, who.project_id, get_own(session, who, annotation_id)
        )
        if annotation.state in ("accepted", "discarded"):
            raise TransitionRefused("annotate.decided_already", when=annotation.decided_at)
        text = reason and reason.strip()[:LONGEST_REASON]
        annotations.change(session, annotation.id, flag=text)
        task = find_task(session, annotation)
        review = tasks.find_of_annotation(session, "review", annotation.query_id, annotation.id)
        if task is not None and review is not None and review.status == "open":
            tasks.set_rank(session, review.id, review_rank(text, task))
        elif task is not None and place is not None and text is not None:
            lots.single_out(session, who, annotation, place, review_rank(text, task))
        if text is None:
            tell(session, who, annotation, "unflagged")
        else:
            tell(session, who, annotation, "flagged", {"reason": text})


def _held(session: Session, who: Actor, annotation_id: str) -> tuple[AnnotationFacts, TaskFacts]:
    annotation = get_own(session, who, annotation_id)
    task = find_task(session, annotation)
    if annotation.state not in EDITABLE or task is None:
        raise TransitionRefused("annotate.not_held")
    return annotation, task


def _left(
    session: Session, who: Actor, annotation: AnnotationFacts, action: str, reason: str = ""
) -> None:
    tell(session, who, annotation, action, {"reason": reason} if reason else None)
    queries.refresh_state(session, who.project_id, annotation.query_id)
