"""Reviewing: take, then accept, fix and accept, return, or discard.

A verdict is on the revision that the reviewer saw; if the author's newest is another, it is
refused. A verdict sent twice is one verdict. Nobody reviews their own work: the queue never offers
it, the service refuses it, and the database would refuse the row.
"""

from collections.abc import Sequence
from datetime import datetime

from db import clock
from db.access import annotations, leases, projects, reviews, tasks
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.engine import Database
from labeling import batch_accept, queue, waiting
from labeling.desk import item_context, pinned_list
from labeling.holding import send_back
from labeling.reasons import check_passages, read_reasons
from labeling.verdicts import (
    Said,
    begin,
    get_held,
    get_submission,
    get_task,
    in_other_hands,
    open_case,
    record,
    settle,
    tell_left,
)
from schemas.desk import ReviewItem
from schemas.drafts import content_hash, to_draft
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.plan import parse_plan
from schemas.reasons import LONGEST_REMARK
from schemas.waiting import Narrowed


def take_next(
    database: Database, who: Actor, narrowed: Narrowed | None = None
) -> ReviewItem | None:
    """The next submission for this reviewer, in hand; None when there is nothing to review.

    While the reviewer is at a batch it is of the sample only, else of the narrowed list, if any.
    """
    who.require("reviewer")
    with database.transaction() as session:
        asker = queue.asker(session, who)
        if batch_accept.is_at_one(session, who):
            task = batch_accept.take_next(session, who, asker)
        elif narrowed is not None:
            task = waiting.take_next(session, who, asker, narrowed)
        else:
            task = queue.take_next(session, asker, "review")
        if task is None:
            return None
        begin(session, who, asker, task)
    return _read_item(database, who, asker, task)


def open_item(database: Database, who: Actor, annotation_id: str) -> ReviewItem:
    """One submission for this reviewer, in hand.

    Raises:
        NotFound: `review.not_found`.
        NotAllowed: `review.own_work`.
        TransitionRefused: `review.not_submitted`.
        EditConflict: `review.in_other_hands` (who and when).
    """
    who.require("reviewer")
    with database.transaction() as session:
        annotation = get_submission(session, who, annotation_id)
        asker = queue.asker(session, who)
        leases.reopen_lapsed(session, who.project_id, "review", asker.at)
        known = get_task(session, annotation)
        task = leases.take_mine(session, asker, known.id) or leases.take_review_of(
            session, asker, annotation.query_id, annotation.id
        )
        if task is None:
            raise in_other_hands(session, known)
        begin(session, who, asker, task)
    return _read_item(database, who, asker, task)


def accept(database: Database, who: Actor, annotation_id: str, revision_id: str) -> None:
    """Accept a plan as it was handed in. The first accepted plan of a query is its chosen one.

    Raises:
        NotFound: `review.not_found`.
        NotAllowed: `review.own_work`.
        EditConflict: `review.other_revision`, `review.in_other_hands` (who and when).
        TransitionRefused: `review.not_submitted`, `review.not_held`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        case = open_case(session, who, annotation_id, revision_id, ("accepted",))
        if case is not None:
            settle(session, who, case, None)


def fix_and_accept(
    database: Database, who: Actor, annotation_id: str, revision_id: str, content: object
) -> None:
    """Accept a plan with the reviewer's corrections, as a new revision of the reviewer's.

    The annotation keeps its author. Content that changes nothing is plainly accepted.

    Raises:
        InvalidInput: `plan.refused` with every problem; `annotate.not_an_object`.
        NotFound, NotAllowed, EditConflict, TransitionRefused: as `accept`.
    """
    who.require("reviewer")
    draft = to_draft(content)
    with database.transaction() as session:
        case = open_case(session, who, annotation_id, revision_id, ("accepted", "fixed"))
        if case is None:
            return
        annotation = case.annotation
        expert_list = pinned_list(session, who.project_id, annotation.list_version_id).current
        plan = parse_plan(draft, expert_list).to_plain()
        fixed = None
        if annotation.revision_hash != content_hash(plan):
            fixed = annotations.add_revision(
                session,
                who.project_id,
                annotation,
                plan,
                kind="fixed",
                author_id=who.person_id,
                at=case.at,
            )
        settle(session, who, case, fixed)


def return_to_author(
    database: Database,
    who: Actor,
    annotation_id: str,
    revision_id: str,
    *,
    reasons: Sequence[object],
) -> None:
    """Send a plan back to its author, with what is to be done.

    Args:
        database: The database.
        who: The reviewer.
        annotation_id: Which annotation.
        revision_id: The revision that the reviewer saw.
        reasons: At least one, as `schemas.reasons.Reason` or in plain JSON, with one of
            `REASON_CODES`; `other` needs words.

    Raises:
        InvalidInput: `review.unknown_reason`, `review.reason_missing`, `review.bad_place`,
            `review.too_many_reasons`, `comments.trace_differs`.
        NotFound, NotAllowed, EditConflict, TransitionRefused: as `accept`.
    """
    who.require("reviewer")
    given = read_reasons(reasons)
    with database.transaction() as session:
        case = open_case(session, who, annotation_id, revision_id, ("returned",))
        if case is None:
            return
        sent = case.annotation
        check_passages(session, sent.query_id, given)
        annotations.change(session, annotation_id, state="returned")
        send_back(session, who, sent.query_id, sent.id, author_id=sent.author_id)
        record(session, who, case, "returned", Said.of(given))


def discard(
    database: Database, who: Actor, annotation_id: str, revision_id: str, *, reason: str
) -> None:
    """Take a plan out for good; the query is labelled by somebody else.

    Raises:
        InvalidInput: `review.reason_missing`.
        NotFound, NotAllowed, EditConflict, TransitionRefused: as `accept`.
    """
    who.require("reviewer")
    if not reason.strip():
        raise InvalidInput("review.reason_missing")
    with database.transaction() as session:
        case = open_case(session, who, annotation_id, revision_id, ("discarded",))
        if case is None:
            return
        annotations.change(session, annotation_id, state="discarded", decided_at=case.at)
        label = tasks.find_of_annotation(
            session, "label", case.annotation.query_id, case.annotation.id
        )
        if label is not None:
            tasks.open_for_others(session, label.id)
        said = Said(None, reason.strip()[:LONGEST_REMARK], None)
        record(session, who, case, "discarded", said)


def renew_lease(database: Database, who: Actor, annotation_id: str) -> datetime:
    """The heartbeat of an open page; returns the new end of the lease.

    Raises:
        NotFound: `review.not_found`.
        NotAllowed: `review.own_work`.
        EditConflict: `review.in_other_hands` (who and when).
        TransitionRefused: `review.not_submitted`, `review.not_held`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        task = get_held(session, who, annotation_id)
        asker = queue.asker(session, who)
        leases.take_mine(session, asker, task.id)
    return asker.until


def release(database: Database, who: Actor, annotation_id: str) -> None:
    """Give a review back to the queue.

    Raises:
        NotFound, NotAllowed, EditConflict, TransitionRefused: as `renew_lease`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        task = get_held(session, who, annotation_id)
        tasks.give_back(session, task, who.person_id, for_others=False)
        tell_left(session, who, annotation_id, "review_released")


def skip(database: Database, who: Actor, annotation_id: str, *, reason: str = "") -> None:
    """Not for me: another reviewer may have it, this one never again.

    Raises:
        NotFound, NotAllowed, EditConflict, TransitionRefused: as `renew_lease`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        task = get_held(session, who, annotation_id)
        tasks.skip(session, task.id, who.person_id, reason[:LONGEST_REMARK], clock.now())
        tasks.give_back(session, task, who.person_id, for_others=True)
        tell_left(session, who, annotation_id, "review_skipped", reason)


def _read_item(database: Database, who: Actor, asker: Asker, task: TaskFacts) -> ReviewItem:
    with database.reading() as session:
        annotation = annotations.get_annotation(session, who.project_id, task.annotation_id or "")
        revision = annotations.get_revision(session, annotation.revision_id)
        hide_author = projects.read_settings(session, who.project_id).hide_author
        until = task.lease_until or asker.until
        return ReviewItem(
            **item_context(session, who.project_id, annotation, task.id, until),
            revision_id=revision.id,
            author=None if hide_author else annotations.author_name(session, annotation),
            plan=revision.content,
            submitted_at=annotation.submitted_at or revision.created_at,
            lead_seconds=annotation.lead_seconds,
            earlier_returns=tuple(reviews.list_returns(session, annotation.id)),
        )
