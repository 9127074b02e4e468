"""An annotation in its author's hands: how it comes there, stays there, and is lost."""

from typing import Any

from db.access import annotations, leases, queries, tasks
from db.access.events import add_event
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.engine import Session, take_turns
from db.tables import Annotation, Draft
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


def get_own(session: Session, who: Actor, annotation_id: str) -> Annotation:
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


def find_task(session: Session, annotation: Annotation) -> TaskFacts | None:
    """The label task that an annotation is worked on in, if it still has one."""
    return tasks.find_of_annotation(session, "label", annotation.query_id, annotation.id)


def tell(
    session: Session,
    who: Actor,
    annotation: Annotation,
    action: str,
    why: dict[str, object] | None = None,
    *,
    before: str | None = None,
) -> None:
    """Record what happened to an annotation; `before` where its state has changed."""
    state = annotation.state
    add_event(
        session,
        who,
        "annotation",
        annotation.id,
        action,
        before=before or state,
        after=state,
        why=why,
    )


def begin(session: Session, who: Actor, asker: Asker, task: TaskFacts) -> Annotation:
    """The annotation that this person works on in a task just taken; new ones get a draft."""
    annotation = annotations.find_of_author(session, task.query_id, who.person_id)
    if annotation is None:
        opening = queries.find_opening(session, task.query_id)
        annotation = annotations.open_annotation(
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
        add_event(session, who, "annotation", annotation.id, "opened", after="draft")
    elif task.taken_at == asker.at:
        tell(session, who, annotation, "taken_up")
    attach(session, who, task, annotation)
    if task.taken_at == asker.at:
        queries.refresh_state(session, who.project_id, task.query_id)
    return annotation


def attach(session: Session, who: Actor, task: TaskFacts, annotation: Annotation) -> None:
    """Tie a task to an annotation; whoever it lapsed from can read who has it now."""
    if task.annotation_id == annotation.id:
        return
    if task.annotation_id is not None:
        add_event(session, who, "annotation", task.annotation_id, "lapsed")
    tasks.attach(session, task.id, annotation.id)


def save(
    session: Session,
    who: Actor,
    asker: Asker,
    annotation: Annotation,
    *,
    number: int,
    content: dict[str, Any],
) -> SavedDraft | PlanwrightError:
    """Make the content the draft and keep the lease, or say why not; never loses the content.

    Content that is the draft already counts as saved: a retried request does no harm.
    """
    draft = annotations.get_draft(session, annotation.id)
    if content_hash(content) != content_hash(draft.content):
        refusal = refusal_of(who, annotation, draft, number)
        if refusal is not None:
            keep_refused(session, who, asker, annotation, content)
            return refusal
        annotations.write_draft(session, draft, content, who.person_id, asker.at)
    lost = keep_lease(session, who, asker, annotation)
    return lost or SavedDraft(number=draft.number, saved_at=draft.saved_at)


def refusal_of(
    who: Actor, annotation: Annotation, draft: Draft, number: int
) -> PlanwrightError | None:
    """Why content that began from draft `number` cannot follow the draft that is there."""
    if annotation.state == "submitted":
        return TransitionRefused("annotate.submitted_already", when=annotation.submitted_at)
    if annotation.state not in EDITABLE:
        return TransitionRefused("annotate.decided_already", when=annotation.decided_at)
    if number != draft.number:
        return EditConflict(
            "annotate.saved_elsewhere", who=who.name, when=draft.saved_at, number=draft.number
        )
    return None


def keep_refused(
    session: Session, who: Actor, asker: Asker, annotation: Annotation, content: dict[str, Any]
) -> None:
    """Keep what was refused as a revision, once."""
    if annotations.has_revision(session, annotation.id, "refused", content_hash(content)):
        return
    kept = annotations.add_revision(
        session, annotation, content, kind="refused", author_id=who.person_id, at=asker.at
    )
    tell(session, who, annotation, "refused", {"revision": kept})


def keep_lease(
    session: Session, who: Actor, asker: Asker, annotation: Annotation
) -> EditConflict | None:
    """Lengthen the lease, a lapsed one too; the conflict if somebody else has taken the query."""
    if annotation.state not in EDITABLE:
        return None
    task = find_task(session, annotation)
    if task is None:
        return taken_over(session, annotation)
    if task.status == "postponed":
        return None
    leases.take_mine(session, asker, task.id)
    if task.status == "open":
        queries.refresh_state(session, who.project_id, annotation.query_id)
    return None


def taken_over(session: Session, annotation: Annotation) -> EditConflict | None:
    """Who took the query when this annotation's lease had run out, if that is what happened."""
    last = annotations.find_last_event(session, annotation.project_id, annotation.id)
    if last is None or last.action != "lapsed":
        return None
    return EditConflict("annotate.taken_over", who=last.person or "", when=last.at)
