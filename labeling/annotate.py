"""Annotating: open, draft, submit; skip, postpone, flag, release; withdraw.

An annotation's draft may be wrong, a submission may not. Nothing that somebody typed is lost: what
cannot become the draft (another tab was faster, the plan is handed in) is kept as a refused
revision before the refusal is told. A lease that ran out costs nothing while nobody else has taken
the query.
"""

from datetime import datetime

from db.access import annotations, leases, queries, reviews, tasks
from db.access.annotations import AnnotationFacts
from db.access.gold_due import keep_for
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.access.work_batches import name_and_due
from db.engine import Database, Session, take_turns
from labeling import lots, queue
from labeling.desk import item_context
from labeling.handing_in import hand_in
from labeling.holding import EDITABLE, begin, find_task, get_own, keep_lease, save, taken_over, tell
from labeling.progress import list_mine, progress
from labeling.set_aside import flag, postpone, release, skip
from schemas.desk import LabelItem, SavedDraft
from schemas.drafts import to_draft
from schemas.errors import NotFound, PlanwrightError, TransitionRefused
from schemas.people import Actor

__all__ = [
    "flag",
    "list_mine",
    "open_item",
    "open_next",
    "postpone",
    "progress",
    "release",
    "renew_lease",
    "save_draft",
    "skip",
    "submit",
    "submit_and_next",
    "withdraw",
]


def open_next(database: Database, who: Actor) -> LabelItem | None:
    """The next query for this person, in hand; None when there is nothing to label."""
    who.require("annotator")
    with database.transaction() as session:
        asker = queue.asker(session, who)
        task = queue.take_next(session, asker, "label")
        if task is None:
            return None
        annotation_id = begin(session, who, asker, task)
    return _read_item(database, who, annotation_id, task, task.lease_until or asker.until)


def open_item(database: Database, who: Actor, query_id: str) -> LabelItem:
    """One query for this person, in hand.

    What they have handed in comes back to be looked at, without a lease (`lease_until` is now).

    Raises:
        NotFound: `queue.query_not_found`.
        TransitionRefused: `annotate.somebody_has_it`, `annotate.nothing_to_label`.
    """
    who.require("annotator")
    with database.transaction() as session:
        asker = queue.asker(session, who)
        if queries.find_query(session, who.project_id, query_id) is None:
            raise NotFound("queue.query_not_found", query=query_id)
        own = annotations.find_of_author(session, who.project_id, query_id, who.person_id)
        if own is not None and own.state not in EDITABLE:
            task, until, annotation_id = find_task(session, own), asker.at, own.id
        else:
            task = _take_of_query(session, asker, query_id, own)
            until, annotation_id = task.lease_until or asker.until, begin(session, who, asker, task)
    return _read_item(database, who, annotation_id, task, until)


def save_draft(
    database: Database, who: Actor, annotation_id: str, *, number: int, content: object
) -> SavedDraft:
    """Save what is typed and lengthen the lease.

    Args:
        database: The database.
        who: The author.
        annotation_id: Which annotation.
        number: The draft that the content began from, as the last answer said.
        content: A JSON object in canonical keys; it may be wrong as a plan.

    Raises:
        InvalidInput: `annotate.not_an_object`, `annotate.too_large`.
        EditConflict: `annotate.saved_elsewhere` (`number` is the newer draft; the content is kept
            as a refused revision), `annotate.taken_over` (the content is kept as the draft).
        TransitionRefused: `annotate.submitted_already`, `annotate.decided_already`; the content
            is kept as a refused revision.
    """
    who.require("annotator")
    draft = to_draft(content)
    with database.transaction() as session:
        annotation = get_own(session, who, annotation_id)
        saved = save(
            session, who, queue.asker(session, who), annotation, number=number, content=draft
        )
    if isinstance(saved, PlanwrightError):
        raise saved
    return saved


def submit(
    database: Database,
    who: Actor,
    annotation_id: str,
    *,
    number: int,
    content: object,
    seconds: float,
) -> None:
    """Hand a plan in for review. The same content sent twice is one submission.

    Args:
        database: The database.
        who: The author.
        annotation_id: Which annotation.
        number: The draft that the content began from.
        content: The plan, plain and canonical.
        seconds: Time spent since the page opened it; adds up over returns.

    Raises:
        InvalidInput: `plan.refused` with every problem; `annotate.not_an_object`.
        EditConflict: as `save_draft`.
        TransitionRefused: as `save_draft`, and `annotate.not_held`; the content is kept.
    """
    who.require("annotator")
    draft = to_draft(content)
    with database.transaction() as session:
        annotation = get_own(session, who, annotation_id)
        refusal = hand_in(
            session,
            who,
            queue.passing(who),
            annotation,
            number=number,
            content=draft,
            seconds=seconds,
        )
    if refusal is not None:
        raise refusal


def submit_and_next(
    database: Database,
    who: Actor,
    annotation_id: str,
    *,
    number: int,
    content: object,
    seconds: float,
) -> LabelItem | None:
    """`submit`, then `open_next`."""
    submit(database, who, annotation_id, number=number, content=content, seconds=seconds)
    return open_next(database, who)


def withdraw(database: Database, who: Actor, annotation_id: str) -> None:
    """Take a submission back into work, until a reviewer has it in hand or its lot is drawn.

    Raises:
        TransitionRefused: `annotate.not_submitted`, `annotate.review_begun` (who and when),
            `lots.drawn_already` (when).
    """
    who.require("annotator")
    with database.transaction() as session:
        annotation, place = lots.in_turn(
            session, who.project_id, get_own(session, who, annotation_id)
        )
        asker = queue.asker(session, who)
        task = find_task(session, annotation)
        if annotation.state != "submitted" or task is None:
            raise TransitionRefused("annotate.not_submitted")
        if annotation.gold_item_id is not None:
            keep_for(session, task.id, who.person_id)
        elif place is not None:
            lots.leave(session, annotation, place)
        else:
            _end_review(session, asker, annotation)
        tasks.take_up_again(session, task.id, who.person_id, asker.at, asker.until)
        annotations.change(session, annotation.id, state="draft")
        tell(session, who, annotation, "withdrawn", after="draft")
        queries.refresh_state(session, who.project_id, annotation.query_id)


def _end_review(session: Session, asker: Asker, annotation: AnnotationFacts) -> None:
    review = tasks.find_of_annotation(session, "review", annotation.query_id, annotation.id)
    if review is None:
        raise TransitionRefused("annotate.not_submitted")
    if tasks.withdraw_review(session, review.id, asker.at) is None:
        holder = tasks.find_holder(session, review)
        raise TransitionRefused(
            "annotate.review_begun",
            who=holder.name if holder else "",
            when=holder.at if holder else asker.at,
        )


def renew_lease(database: Database, who: Actor, annotation_id: str) -> datetime:
    """The heartbeat of an open page; returns the new end of the lease.

    Raises:
        EditConflict: `annotate.taken_over`.
        TransitionRefused: `annotate.not_held`.
    """
    who.require("annotator")
    with database.transaction() as session:
        annotation = get_own(session, who, annotation_id)
        asker = queue.asker(session, who)
        task = find_task(session, annotation)
        if annotation.state not in EDITABLE or task is None or task.status == "postponed":
            raise taken_over(session, who, annotation) or TransitionRefused("annotate.not_held")
        keep_lease(session, who, asker, annotation)
    return asker.until


def _take_of_query(
    session: Session, asker: Asker, query_id: str, own: AnnotationFacts | None
) -> TaskFacts:
    take_turns(session, f"tasks of {asker.person_id}")
    for lapsed in leases.reopen_lapsed(session, asker.project_id, "label", asker.at):
        queries.refresh_state(session, asker.project_id, lapsed)
    known = None if own is None else find_task(session, own)
    task = None if known is None else leases.take_mine(session, asker, known.id)
    task = task or leases.take_of_query(session, asker, query_id)
    if task is not None:
        return task
    for slot in tasks.list_of_query(session, "label", query_id):
        holder = tasks.find_holder(session, slot)
        if holder is not None:
            raise TransitionRefused("annotate.somebody_has_it", who=holder.name, when=holder.at)
    raise TransitionRefused("annotate.nothing_to_label")


def _read_item(
    database: Database, who: Actor, annotation_id: str, task: TaskFacts | None, until: datetime
) -> LabelItem:
    with database.reading() as session:
        annotation = annotations.get_annotation(session, who.project_id, annotation_id)
        is_returned = annotation.state == "returned"
        returns = reviews.list_returns(session, annotation_id) if is_returned else []
        batch_id = task.work_batch_id if task else None
        batch, due_on = name_and_due(session, batch_id) if batch_id else (None, None)
        return LabelItem(
            **item_context(session, who.project_id, annotation, task.id if task else 0, until),
            state=annotation.state,
            draft=annotation.draft,
            draft_number=annotation.draft_number,
            draft_saved_at=annotation.draft_saved_at if annotation.draft_number else None,
            returned=returns[-1] if returns else None,
            batch=batch,
            due_on=due_on,
        )
