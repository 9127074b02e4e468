"""The history of an annotation, for its author and for reviewers; and an older plan put back.

Nothing is undone: an older revision comes back as a new one of the reviewer's, or into the author's
draft, and what stood there before is kept.
"""

from typing import Any

from db import clock
from db.access import annotations, details, leases, projects
from db.access.annotations import AnnotationFacts
from db.engine import Database, Session
from db.tables import Revision
from labeling import queue
from labeling.desk import pinned_list
from labeling.holding import EDITABLE, get_own, keep_lease, refusal_of, tell
from labeling.verdicts import get_submission, get_task, in_other_hands
from schemas.drafts import content_hash
from schemas.errors import EditConflict, NotAllowed, NotFound, PlanwrightError, TransitionRefused
from schemas.history import ItemHistory
from schemas.people import Actor
from schemas.plan import parse_plan


def read_history(database: Database, who: Actor, annotation_id: str) -> ItemHistory:
    """Every revision of an annotation and everything that was done to it.

    Annotators read that of their own work only. Where the project hides authors, reviewers do not
    learn who wrote it.

    Raises:
        NotFound: `history.no_such_item`.
        NotAllowed: `history.not_yours`.
    """
    who.require("annotator")
    with database.reading() as session:
        item = annotations.find_annotation(session, who.project_id, annotation_id)
        if item is None:
            raise NotFound("history.no_such_item")
        is_mine = item.author_id == who.person_id
        if not is_mine and who.role == "annotator":
            raise NotAllowed("history.not_yours")
        is_hidden = projects.read_settings(session, who.project_id).hide_author
        hides = is_hidden and who.role != "admin" and not is_mine
        found = details.read_story(session, who.project_id, item.id, item.author_id, hides=hides)
        return ItemHistory(
            annotation_id=item.id,
            query_id=item.query_id,
            state=item.state,
            revision_id=item.revision_id,
            is_mine=is_mine,
            may_restore=item.state in (EDITABLE if is_mine else ("submitted", "accepted")),
            revisions=found.revisions,
            reviews=found.reviews,
            timeline=found.timeline,
        )


def restore_draft(
    database: Database, who: Actor, annotation_id: str, revision_id: str, *, number: int
) -> None:
    """Put an older revision into the author's own draft; the draft that was there is kept.

    Args:
        database: The database.
        who: The author.
        annotation_id: Which annotation.
        revision_id: The revision that comes back.
        number: The draft that the author saw.

    Raises:
        NotFound: `history.no_such_revision`.
        EditConflict: `annotate.saved_elsewhere` (who and when), `annotate.taken_over`.
        TransitionRefused: `annotate.submitted_already`, `annotate.decided_already`.
    """
    who.require("annotator")
    with database.transaction() as session:
        annotation = get_own(session, who, annotation_id)
        revision = _get_revision(session, annotation, revision_id)
        if content_hash(annotation.draft) == revision.content_hash:
            return
        refusal = refusal_of(who, annotation, number)
        asker = queue.asker(session, who)
        lost = refusal or keep_lease(session, who, asker, annotation)
        if lost is None:
            kept = _keep_draft(session, who, annotation)
            annotations.write_draft(session, annotation, revision.content, who.person_id, asker.at)
            tell(session, who, annotation, "restored", {"from": revision.id, "kept": kept})
    if lost is not None:
        raise lost


def restore(
    database: Database, who: Actor, annotation_id: str, revision_id: str, *, seen: str
) -> None:
    """Put an older revision of somebody else's annotation in the place of the newest, as a fix.

    What waits for review has to be in this reviewer's hands, and stays there.

    Args:
        database: The database.
        who: A reviewer.
        annotation_id: Which annotation; submitted or accepted.
        revision_id: The revision that comes back.
        seen: The newest revision that the reviewer saw.

    Raises:
        NotFound: `review.not_found`, `history.no_such_revision`.
        NotAllowed: `review.own_work`.
        InvalidInput: `plan.refused`: the older plan would not be accepted today.
        EditConflict: `history.changed_since` (who and when), `review.in_other_hands`.
        TransitionRefused: `history.not_now`, `review.not_held`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        annotation = get_submission(session, who, annotation_id)
        revision = _get_revision(session, annotation, revision_id)
        if annotation.state == "submitted":
            _require_held(session, who, annotation)
        elif annotation.state != "accepted":
            raise TransitionRefused("history.not_now")
        if annotation.revision_hash == revision.content_hash:
            return
        if annotation.revision_id != seen:
            raise _changed_since(session, annotation)
        expert_list = pinned_list(session, who.project_id, annotation.list_version_id).current
        plan = parse_plan(revision.content, expert_list).to_plain()
        _add_fixed(session, who, annotation, plan, revision.id)


def _add_fixed(
    session: Session, who: Actor, annotation: AnnotationFacts, plan: dict[str, Any], source: str
) -> None:
    restored = annotations.add_revision(
        session,
        who.project_id,
        annotation,
        plan,
        kind="fixed",
        author_id=who.person_id,
        at=clock.now(),
    )
    annotations.change(session, annotation.id, revision_id=restored)
    tell(session, who, annotation, "restored", {"revision": restored, "from": source})


def _get_revision(session: Session, annotation: AnnotationFacts, revision_id: str) -> Revision:
    revision = session.get(Revision, revision_id)
    if revision is None or revision.annotation_id != annotation.id:
        raise NotFound("history.no_such_revision")
    return revision


def _require_held(session: Session, who: Actor, annotation: AnnotationFacts) -> None:
    task = get_task(session, annotation)
    if task.person_id != who.person_id:
        raise in_other_hands(session, task)
    leases.take_mine(session, queue.asker(session, who), task.id)


def _keep_draft(session: Session, who: Actor, annotation: AnnotationFacts) -> str | None:
    """A draft that was typed and never handed in would be gone; its revision, if it needs one."""
    digest = content_hash(annotation.draft)
    kinds = ("submitted", "fixed", "refused")
    is_kept = any(annotations.has_revision(session, annotation.id, kind, digest) for kind in kinds)
    if is_kept or annotation.draft_number == 0:
        return None
    return annotations.add_revision(
        session,
        who.project_id,
        annotation,
        annotation.draft,
        kind="refused",
        author_id=who.person_id,
        at=clock.now(),
    )


def _changed_since(session: Session, annotation: AnnotationFacts) -> PlanwrightError:
    newest = annotations.get_revision(session, annotation.revision_id)
    name = annotations.person_name(session, newest.author_id)
    return EditConflict("history.changed_since", who=name, when=newest.created_at)
