"""An annotation in its author's hands: how it comes there, stays there, and is lost."""

from typing import Any

from db.access import annotations, leases, people, queries, tasks
from db.access.annotations import AnnotationFacts
from db.access.events import add_event
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.engine import Session, in_one_trip, take_turns
from schemas.desk import SavedDraft
from schemas.drafts import content_hash, opening_draft
from schemas.errors import (
    EditConflict,
    NotAllowed,
    NotFound,
    PlanwrightError,
    TransitionRefused,
)
from schemas.people import Actor

EDITABLE = ("draft", "returned")


def get_own(session: Session, who: Actor, annotation_id: str) -> AnnotationFacts:
    """An annotation of this person's, and its turn: no other request changes it meanwhile.

    Raises:
        NotFound: `annotate.not_found`.
        NotAllowed: `annotate.not_yours`.
    """
    take_turns(session, f"annotation {annotation_id}")
    annotation = annotations.find_annotation(session, who.project_id, annotation_id)
    if annotation is None:
        raise NotFound("annotate.not_found")
    if annotation.author_id != who.person_id:
        raise NotAllowed("annotate.not_yours")
    return annotation


def find_task(session: Session, annotation: AnnotationFacts) -> TaskFacts | None:
    """The label task that an annotation is worked on in, if it still has one."""
    return tasks.find_of_annotation(session, "label", annotation.query_id, annotation.id)


def tell(
    session: Session,
    who: Actor,
    annotation: AnnotationFacts,
    action: str,
    why: dict[str, object] | None = None,
    *,
    after: str | None = None,
) -> None:
    """Record what happened to an annotation; `after` where its state has changed."""
    add_event(
        session,
        who,
        "annotation",
        annotation.id,
        action,
        before=annotation.state,
        after=after or annotation.state,
        why=why,
    )


def begin(session: Session, who: Actor, asker: Asker, task: TaskFacts) -> str:
    """The annotation that this person works on in a task just taken; new ones get a draft."""
    is_new = task.taken_at == asker.at
    own = annotations.find_of_author(session, who.project_id, task.query_id, who.person_id)
    opening = queries.find_opening(session, task.query_id) if own is None else None
    with in_one_trip(session):
        if own is not None:
            annotation_id = own.id
            if is_new:
                tell(session, who, own, "taken_up")
        else:
            annotation_id = annotations.open_annotation(
                session,
                who.project_id,
                task.query_id,
                who.person_id,
                suggestion_id=opening.suggestion_id if opening else None,
                content=opening_draft(
                    opening.plan if opening else None, opening.partial_plan if opening else None
                ),
                at=asker.at,
            )
            add_event(session, who, "annotation", annotation_id, "opened", after="draft")
        attach(session, who, task, annotation_id)
        if is_new:
            queries.refresh_state(session, who.project_id, task.query_id)
    return annotation_id


def attach(session: Session, who: Actor, task: TaskFacts, annotation_id: str) -> None:
    """Tie a task to an annotation; whoever it lapsed from can read who has it now."""
    if task.annotation_id == annotation_id:
        return
    if task.annotation_id is not None:
        add_event(session, who, "annotation", task.annotation_id, "lapsed")
    tasks.attach(session, task.id, annotation_id)


def save(
    session: Session,
    who: Actor,
    asker: Asker,
    annotation: AnnotationFacts,
    *,
    number: int,
    content: dict[str, Any],
) -> SavedDraft | PlanwrightError:
    """Make the content the draft and keep the lease, or say why not; never loses the content.

    Content that is the draft already counts as saved: a retried request does no harm.
    """
    number_now, saved_at = annotation.draft_number, annotation.draft_saved_at
    if content_hash(content) != content_hash(annotation.draft):
        refusal = refusal_of(who, annotation, number)
        if refusal is not None:
            keep_refused(session, who, asker, annotation, content)
            return refusal
        number_now = annotations.write_draft(session, annotation, content, who.person_id, asker.at)
        saved_at = asker.at
    lost = keep_lease(session, who, asker, annotation)
    return lost or SavedDraft(number=number_now, saved_at=saved_at)


def refusal_of(who: Actor, annotation: AnnotationFacts, number: int) -> PlanwrightError | None:
    """Why content that began from draft `number` cannot follow the draft that is there."""
    if annotation.state == "submitted":
        return TransitionRefused("annotate.submitted_already", when=annotation.submitted_at)
    if annotation.state not in EDITABLE:
        return TransitionRefused("annotate.decided_already", when=annotation.decided_at)
    if number != annotation.draft_number:
        return EditConflict(
            "annotate.saved_elsewhere",
            who=who.name,
            when=annotation.draft_saved_at,
            number=annotation.draft_number,
        )
    return None


def keep_refused(
    session: Session, who: Actor, asker: Asker, annotation: AnnotationFacts, content: dict[str, Any]
) -> None:
    """Keep what was refused as a revision, once."""
    if annotations.has_revision(session, annotation.id, "refused", content_hash(content)):
        return
    kept = annotations.add_revision(
        session,
        who.project_id,
        annotation,
        content,
        kind="refused",
        author_id=who.person_id,
        at=asker.at,
    )
    tell(session, who, annotation, "refused", {"revision": kept})


def keep_lease(
    session: Session, who: Actor, asker: Asker, annotation: AnnotationFacts
) -> EditConflict | None:
    """Lengthen the lease, a lapsed one too; the conflict if somebody else has taken the query."""
    if annotation.state not in EDITABLE:
        return None
    task = find_task(session, annotation)
    if task is None:
        return taken_over(session, who, annotation)
    if task.status == "postponed":
        return None
    leases.take_mine(session, asker, task.id)
    if task.status == "open":
        queries.refresh_state(session, who.project_id, annotation.query_id)
    return None


def taken_over(session: Session, who: Actor, annotation: AnnotationFacts) -> EditConflict | None:
    """Who took the query when this annotation's lease had run out, if that is what happened."""
    last = annotations.find_last_event(session, who.project_id, annotation.id)
    if last is None or last.action != "lapsed":
        return None
    return EditConflict("annotate.taken_over", who=last.person or "", when=last.at)


def send_back(
    session: Session, who: Actor, query_id: str, annotation_id: str, *, author_id: str
) -> None:
    """Keep the label task for its author; if the author has left, others may have it."""
    label = tasks.find_of_annotation(session, "label", query_id, annotation_id)
    if label is None:
        return
    member = people.find_member(session, who.project_id, author_id)
    if member is not None and member[0].is_active:
        tasks.keep_for_author(session, label.id, author_id)
    else:
        tasks.open_for_others(session, label.id)
