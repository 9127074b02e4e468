"""Handing in: the submission, its revision and its review or its lot in one transaction.

A gold item has neither: it is judged by its known plan.
"""

from typing import Any

from db.access import annotations, leases, queries, tasks
from db.access.annotations import AnnotationFacts
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.engine import Session, in_one_trip
from labeling import lots
from labeling.desk import pinned_list
from labeling.gold_due import judge, take_again
from labeling.holding import (
    EDITABLE,
    attach,
    find_task,
    keep_refused,
    refusal_of,
    taken_over,
    tell,
)
from schemas.drafts import content_hash
from schemas.errors import PlanwrightError, TransitionRefused
from schemas.people import Actor
from schemas.plan import parse_plan
from schemas.ranks import FLAGGED_FIRST

LONGEST_SITTING_S = 4 * 3600.0


def hand_in(
    session: Session,
    who: Actor,
    asker: Asker,
    annotation: AnnotationFacts,
    *,
    number: int,
    content: dict[str, Any],
    seconds: float,
) -> PlanwrightError | None:
    """Hand a plan in, or say why not; what is refused is kept.

    Raises:
        InvalidInput: `plan.refused`, with every problem.
    """
    expert_list = pinned_list(session, who.project_id, annotation.list_version_id).current
    plan = parse_plan(content, expert_list).to_plain()
    is_there = annotation.revision_hash == content_hash(plan)
    if is_there and (annotation.state == "submitted" or annotation.draft_number == number + 1):
        return None
    is_saved = annotation.state in EDITABLE and content_hash(annotation.draft) == content_hash(
        content
    )
    refusal = None if is_saved else refusal_of(who, annotation, number)
    if refusal is not None:
        keep_refused(session, who, asker, annotation, content)
        return refusal
    task = _close_task(session, who, asker, annotation)
    if task is None:
        annotations.write_draft(session, annotation, plan, who.person_id, asker.at)
        return taken_over(session, who, annotation) or TransitionRefused("annotate.not_held")
    _submit(session, who, asker, annotation, task, plan=plan, seconds=seconds)
    return None


def _submit(
    session: Session,
    who: Actor,
    asker: Asker,
    annotation: AnnotationFacts,
    task: TaskFacts,
    *,
    plan: dict[str, Any],
    seconds: float,
) -> None:
    with in_one_trip(session):
        annotations.write_draft(session, annotation, plan, who.person_id, asker.at)
        revision_id = annotations.add_revision(
            session,
            who.project_id,
            annotation,
            plan,
            kind="submitted",
            author_id=who.person_id,
            at=asker.at,
        )
        annotations.submit(
            session,
            annotation,
            revision_id=revision_id,
            lead_seconds=annotation.lead_seconds + min(max(seconds, 0.0), LONGEST_SITTING_S),
            at=asker.at,
        )
    why: dict[str, object] = {"revision": revision_id}
    is_gold = annotation.gold_item_id is not None
    lot_id = None if is_gold else lots.gather(session, who, annotation, revision_id, asker.at)
    if is_gold:
        judge(session, who, annotation, plan, revision_id=revision_id, at=asker.at)
    elif lot_id is None:
        rank = review_rank(annotation.flag, task)
        tasks.offer_review(session, task, who.person_id, rank, asker.at)
    else:
        why["lot"] = lot_id
    with in_one_trip(session):
        tell(session, who, annotation, "submitted", why, after="submitted")
        queries.refresh_state(session, who.project_id, annotation.query_id)
    if lot_id is not None:
        lots.draw_if_full(session, who, lot_id, asker.at)


def _close_task(
    session: Session, who: Actor, asker: Asker, annotation: AnnotationFacts
) -> TaskFacts | None:
    """Close the author's task; after a lapse or a release, a free slot of the query will do."""
    task = tasks.hand_in_of(session, annotation.query_id, annotation.id, who.person_id)
    if task is not None:
        return task
    task = find_task(session, annotation)
    if task is None:
        is_gold = annotation.gold_item_id is not None
        take = take_again if is_gold else leases.take_of_query
        task = take(session, asker, annotation.query_id)
        if task is None:
            return None
        attach(session, who, task, annotation.id)
    return tasks.hand_in(session, task.id, who.person_id)


def review_rank(flag: str | None, task: TaskFacts) -> int:
    """Where a review stands in the queue: as its query did, flagged ones before all others."""
    return task.rank - FLAGGED_FIRST if flag else task.rank
