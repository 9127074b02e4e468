"""A submission in a reviewer's hands, and the verdict on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from db import clock
from db.access import annotations, queries, reviews, tasks
from db.access.annotations import AnnotationFacts
from db.access.leases import Asker
from db.access.lots import find_place
from db.access.tasks import TaskFacts
from db.engine import Session, take_turns
from db.tables import Review
from labeling import lots
from labeling.holding import tell
from schemas.errors import EditConflict, NotAllowed, NotFound, PlanwrightError, TransitionRefused
from schemas.people import Actor
from schemas.reasons import Reason


@dataclass(frozen=True, slots=True)
class Case:
    """A submission in a reviewer's hands, its task closed."""

    annotation: AnnotationFacts
    revision_id: str
    task: TaskFacts
    at: datetime


class Said(NamedTuple):
    """What a reviewer says beside the verdict, as it is stored (`schemas.reasons.reasons_of`)."""

    reason_code: str | None = None
    reason: str = ""
    path: str | None = None
    span: dict[str, object] | None = None
    more_reasons: list[dict[str, object]] | None = None

    @classmethod
    def of(cls, reasons: Sequence[Reason]) -> "Said":
        """At least one reason."""
        first, *more = (each.model_dump(mode="json") for each in reasons)
        return cls(first["code"], first["remark"], first["path"], first["span"], more or None)


def open_case(
    session: Session, who: Actor, annotation_id: str, revision_id: str, verdicts: tuple[str, ...]
) -> Case | None:
    """The case to decide; None when this reviewer has said just that of this revision."""
    annotation = get_submission(session, who, annotation_id)
    said = reviews.find_verdict(session, revision_id, who.person_id)
    if said is not None and said.verdict in verdicts:
        return None
    task = get_task(session, annotation)
    if annotation.revision_id != revision_id:
        raise EditConflict("review.other_revision", when=annotation.submitted_at)
    closed = tasks.hand_in(session, task.id, who.person_id)
    if closed is None:
        raise in_other_hands(session, task)
    place = find_place(session, annotation.id)
    if place is not None:
        lots.stand_ready(session, place)
    return Case(annotation, revision_id, closed, clock.now())


def settle(session: Session, who: Actor, case: Case, fixed_revision_id: str | None) -> None:
    """Accept, with or without a fix; the first accepted plan of a query becomes its chosen one."""
    annotation = case.annotation
    annotations.change(
        session,
        annotation.id,
        state="accepted",
        decided_at=case.at,
        revision_id=fixed_revision_id or case.revision_id,
    )
    queries.choose(session, annotation.query_id, annotation.id)
    verdict = "fixed" if fixed_revision_id else "accepted"
    record(session, who, case, verdict, Said(), fixed_revision_id=fixed_revision_id)


def record(
    session: Session,
    who: Actor,
    case: Case,
    verdict: str,
    said: Said,
    *,
    fixed_revision_id: str | None = None,
) -> None:
    """Write the verdict down and tell it; it may decide the lot that it is a sample of."""
    place = find_place(session, case.annotation.id)
    reviews.add_review(
        session,
        Review(
            project_id=who.project_id,
            annotation_id=case.annotation.id,
            revision_id=case.revision_id,
            fixed_revision_id=fixed_revision_id,
            reviewer_id=who.person_id,
            author_id=case.annotation.author_id,
            verdict=verdict,
            lot_id=place.lot.id if place is not None else None,
            taken_at=case.task.taken_at,
            decided_at=case.at,
            **said._asdict(),
        ),
    )
    why: dict[str, object] = {"revision": fixed_revision_id or case.revision_id}
    why |= {key: value for key, value in said._asdict().items() if value}
    after = "accepted" if verdict == "fixed" else verdict
    tell(session, who, case.annotation, verdict, why, after=after)
    queries.refresh_state(session, who.project_id, case.annotation.query_id)
    if place is not None:
        lots.take_verdict(
            session,
            who,
            place,
            case.annotation.id,
            revision_id=case.revision_id,
            verdict=verdict,
            at=case.at,
        )


def begin(session: Session, who: Actor, asker: Asker, task: TaskFacts) -> None:
    """Tell that a reviewer has just taken a submission in hand."""
    if task.taken_at == asker.at and task.annotation_id is not None:
        annotation = annotations.get_annotation(session, who.project_id, task.annotation_id)
        tell(session, who, annotation, "review_begun")


def tell_left(
    session: Session, who: Actor, annotation_id: str, action: str, reason: str = ""
) -> None:
    """Tell that a reviewer has let go of a submission."""
    annotation = annotations.get_annotation(session, who.project_id, annotation_id)
    tell(session, who, annotation, action, {"reason": reason} if reason else None)


def get_submission(session: Session, who: Actor, annotation_id: str) -> AnnotationFacts:
    """Somebody else's annotation, and its turn: no other request changes it meanwhile.

    Raises:
        NotFound: `review.not_found`.
        NotAllowed: `review.own_work`.
    """
    take_turns(session, f"annotation {annotation_id}")
    annotation = annotations.find_annotation(session, who.project_id, annotation_id)
    if annotation is None:
        raise NotFound("review.not_found")
    if annotation.author_id == who.person_id:
        raise NotAllowed("review.own_work")
    return lots.in_turn(session, who.project_id, annotation)[0]


def get_task(session: Session, annotation: AnnotationFacts) -> TaskFacts:
    """The review task of an annotation that waits for a verdict of its own.

    Raises:
        TransitionRefused: `review.decided_by` (who and when), `review.withdrawn` (when),
            `lots.not_sampled`, `review.not_submitted`.
    """
    if annotation.state != "submitted":
        raise no_longer_submitted(session, annotation)
    place = find_place(session, annotation.id)
    if place is not None and not place.is_sampled:
        raise TransitionRefused("lots.not_sampled")
    task = tasks.find_of_annotation(session, "review", annotation.query_id, annotation.id)
    if task is None:
        raise TransitionRefused("review.not_submitted")
    return task


def no_longer_submitted(session: Session, annotation: AnnotationFacts) -> TransitionRefused:
    """What became of a submission: who decided on it, or that its author took it back."""
    verdict = reviews.find_last(session, annotation.id)
    if annotation.state in ("accepted", "returned", "discarded") and verdict is not None:
        return TransitionRefused("review.decided_by", who=verdict.reviewer, when=verdict.at)
    if annotation.submitted_at is not None:
        return TransitionRefused("review.withdrawn")
    return TransitionRefused("review.not_submitted")


def get_held(session: Session, who: Actor, annotation_id: str) -> TaskFacts:
    """The review task of a submission that this reviewer has in hand.

    Raises:
        TransitionRefused: `review.not_submitted`, `review.not_held`.
        EditConflict: `review.in_other_hands` (who and when).
    """
    annotation = get_submission(session, who, annotation_id)
    task = get_task(session, annotation)
    if task.person_id != who.person_id:
        raise in_other_hands(session, task)
    return task


def in_other_hands(session: Session, task: TaskFacts) -> PlanwrightError:
    """Why a reviewer cannot act on a task that is not theirs."""
    holder = tasks.find_holder(session, task)
    if holder is None:
        return TransitionRefused("review.not_held")
    return EditConflict("review.in_other_hands", who=holder.name, when=holder.at)
