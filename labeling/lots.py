"""Lots: an author's submissions gather, a sample of them is reviewed, and all share its fate.

What is handed in joins its author's open lot; flagged ones are reviewed singly in any case. When
the lot is full, or a reviewer closes it, the sample is drawn by `schemas.sampling` with the lot's
seed, and reviews open for the sampled alone. The verdict that decides the lot signs for the rest:
they are accepted, or they go back to their author whole. Lots that are undecided when sampling is
switched off stay so, until somebody draws or dissolves them. A lot is changed by one who has its
turn (`db.access.lots.take_turn`), so that of two last verdicts at once one is the last.
"""

import secrets
from datetime import datetime

from db import clock
from db.access import annotations, lots, projects, tasks
from db.access.annotations import AnnotationFacts
from db.access.events import add_event
from db.access.lots import LotFacts, LotRow, Place
from db.engine import Database, Session
from labeling.together import Act, accept_all, return_all, take_query_turns
from schemas.errors import NotAllowed, NotFound, TransitionRefused
from schemas.lots import LOT_FAILED, LotsLeft, LotView
from schemas.people import Actor
from schemas.sampling import SamplingPlan, draw_sample, level_after, lot_verdict, sampling_plan

DECIDED_SHOWN = 10


def list_lots(database: Database, who: Actor) -> tuple[LotView, ...]:
    """Lots that gather or are inspected, oldest first, then those that were decided last.

    Where the project hides authors, only admins see whose they are.
    """
    who.require("reviewer")
    with database.reading() as session:
        settings = projects.read_settings(session, who.project_id)
        found = lots.list_lots(session, who.project_id, DECIDED_SHOWN)
    is_hidden = settings.hide_author and who.role != "admin"
    return tuple(
        _to_view(row, who, settings.sampling.lot_size, is_hidden=is_hidden) for row in found
    )


def find_lot_of(database: Database, who: Actor, annotation_id: str) -> LotView | None:
    """The undecided lot that an annotation waits in, as this reviewer may see it."""
    who.require("reviewer")
    with database.reading() as session:
        place = lots.find_place(session, annotation_id)
        if place is None:
            return None
        settings = projects.read_settings(session, who.project_id)
        row = lots.with_counts(session, [place.lot])[0]
    is_hidden = settings.hide_author and who.role != "admin"
    return _to_view(row, who, settings.sampling.lot_size, is_hidden=is_hidden)


def close(database: Database, who: Actor, lot_id: str) -> None:
    """Draw the sample of a lot that is not full yet. Once more does nothing.

    Raises:
        NotFound: `lots.not_found`.
        NotAllowed: `lots.own_lot`.
        TransitionRefused: `lots.empty`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        lots.take_turn(session, who.project_id)
        lot = lots.find_lot(session, who.project_id, lot_id)
        if lot is None:
            raise NotFound("lots.not_found")
        if lot.author_id == who.person_id:
            raise NotAllowed("lots.own_lot")
        if lot.state == "open":
            if not lots.count_items(session, lot.id):
                raise TransitionRefused("lots.empty")
            _draw(session, who, lot, clock.now())


def find_left(database: Database, who: Actor) -> LotsLeft:
    """Whether submissions gather now, and what the undecided lots hold."""
    who.require("reviewer")
    with database.reading() as session:
        sampling = projects.read_settings(session, who.project_id).sampling
        found, waiting = lots.count_left(session, who.project_id)
    return LotsLeft(is_on=sampling.is_on, lots=found, waiting=waiting)


def dissolve_all(database: Database, who: Actor) -> int:
    """When sampling is off: review one by one whatever waits in lots; returns how many those are.

    Nothing is decided by it: what is sampled stays in its reviewer's hands or in the queue, and
    what was said of it stays said.

    Raises:
        TransitionRefused: `lots.sampling_is_on`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        lots.take_turn(session, who.project_id)
        if projects.read_settings(session, who.project_id).sampling.is_on:
            raise TransitionRefused("lots.sampling_is_on")
        undecided = lots.list_undecided(session, who.project_id)
        return sum(_dissolve(session, who, lot, clock.now()) for lot in undecided)


def gather(
    session: Session, who: Actor, annotation: AnnotationFacts, revision_id: str, at: datetime
) -> str | None:
    """Put what was just handed in into its author's lot; None if it is to be reviewed singly."""
    sampling = projects.read_settings(session, who.project_id).sampling
    if not sampling.is_on or annotation.flag:
        return None
    lots.take_turn(session, who.project_id)
    lot = lots.find_open(session, who.project_id, who.person_id) or _open_lot(session, who, at)
    lots.add_item(session, who.project_id, lot.id, annotation.id, revision_id=revision_id, at=at)
    return lot.id


def draw_if_full(session: Session, who: Actor, lot_id: str, at: datetime) -> None:
    """Draw the sample of a lot that has as many as the project wants."""
    full_at = projects.read_settings(session, who.project_id).sampling.lot_size
    lot = lots.find_lot(session, who.project_id, lot_id)
    if lot is not None and lots.count_items(session, lot.id) >= full_at:
        _draw(session, who, lot, at)


def in_turn(
    session: Session, project_id: str, annotation: AnnotationFacts
) -> tuple[AnnotationFacts, Place | None]:
    """An annotation with the lot that it waits in, and the turn of the lots if it waits in one.

    Another request may have decided the lot meanwhile, so the annotation is read again.
    """
    if annotation.state != "submitted" or lots.find_place(session, annotation.id) is None:
        return annotation, None
    lots.take_turn(session, project_id)
    annotation = annotations.get_annotation(session, project_id, annotation.id)
    place = lots.find_place(session, annotation.id) if annotation.state == "submitted" else None
    return annotation, place


def leave(session: Session, annotation: AnnotationFacts, place: Place) -> None:
    """Take a submission out of a lot that is still open, for its author.

    Raises:
        TransitionRefused: `lots.drawn_already`.
    """
    if place.lot.state != "open":
        raise TransitionRefused("lots.drawn_already", when=place.lot.drawn_at)
    lots.remove_item(session, place.lot.id, annotation.id)


def single_out(
    session: Session, who: Actor, annotation: AnnotationFacts, place: Place, rank: int
) -> None:
    """Review a submission singly, out of its lot; sampled ones are reviewed already."""
    if place.is_sampled:
        return
    lots.remove_item(session, place.lot.id, annotation.id)
    label = tasks.find_of_annotation(session, "label", annotation.query_id, annotation.id)
    if label is not None:
        tasks.offer_review(session, label, annotation.author_id, rank, clock.now())


def stand_ready(session: Session, place: Place) -> None:
    """Before a verdict that may decide the lot: the turns of all queries that it would change."""
    said = lot_verdict(_plan_of(place.lot), lots.list_verdicts(session, place.lot.id))
    if said.left == 1 or said.defects == place.lot.acceptance_number:
        take_query_turns(session, lots.list_members(session, place.lot.id))


def take_verdict(
    session: Session,
    who: Actor,
    place: Place,
    annotation_id: str,
    *,
    revision_id: str,
    verdict: str,
    at: datetime,
) -> None:
    """What a verdict, which the annotation has already, means for the lot it was sampled of.

    A plan that a reviewer replaced by an older one before accepting it was not right as it was
    handed in.
    """
    if verdict == "accepted" and revision_id != place.revision_id:
        verdict = "fixed"
    lots.set_verdict(session, place.lot.id, annotation_id, verdict)
    said = lot_verdict(_plan_of(place.lot), lots.list_verdicts(session, place.lot.id))
    if said.state == "inspecting":
        return
    members = lots.list_members(session, place.lot.id)
    act = Act("lot", at, {"lot": place.lot.id}, lot_id=place.lot.id)
    if said.state == "passed":
        accept_all(session, who, members, act)
    else:
        return_all(session, who, members, act, LOT_FAILED)
    lots.change(session, place.lot.id, state=said.state, decided_at=at)
    why: dict[str, object] = {"inspected": said.inspected, "defects": said.defects}
    _tell(session, who, place.lot, said.state, why | {"rest": len(members)})


def _open_lot(session: Session, who: Actor, at: datetime) -> LotFacts:
    sampling = projects.read_settings(session, who.project_id).sampling
    lot_id = lots.add_lot(
        session,
        who.project_id,
        who.person_id,
        level=level_after(lots.list_outcomes(session, who.project_id, who.person_id)),
        tolerated_rate=sampling.tolerated_rate,
        confidence=sampling.confidence,
        seed=secrets.token_hex(8),
        opened_at=at,
    )
    add_event(session, who, "lot", lot_id, "opened", after="open")
    lot = lots.find_lot(session, who.project_id, lot_id)
    if lot is None:
        raise LookupError(lot_id)
    return lot


def _draw(session: Session, who: Actor, lot: LotFacts, at: datetime) -> None:
    """Draw the sample, at the level that the author's lots have led to by now, and open reviews."""
    members = lots.list_members(session, lot.id)
    level = level_after(lots.list_outcomes(session, who.project_id, lot.author_id))
    plan = sampling_plan(len(members), lot.tolerated_rate, lot.confidence, level=level)
    of_annotation = {member.annotation_id: member for member in members}
    sample = draw_sample(of_annotation, plan.sample_size, lot.seed)
    lots.mark_sampled(session, lot.id, sample)
    for annotation_id in sample:
        query_id = of_annotation[annotation_id].query_id
        label = tasks.find_of_annotation(session, "label", query_id, annotation_id)
        if label is None:
            raise LookupError(annotation_id)
        tasks.offer_review(session, label, lot.author_id, label.rank, at)
        _tell_member(session, who, annotation_id, "sampled", lot.id)
    drawn = {"sample_size": plan.sample_size, "acceptance_number": plan.acceptance_number}
    lots.change(session, lot.id, state="inspecting", level=level, drawn_at=at, **drawn)
    _tell(session, who, lot, "inspecting", {"size": len(members), "level": level, **drawn})


def _dissolve(session: Session, who: Actor, lot: LotFacts, at: datetime) -> int:
    members = [each for each in lots.list_members(session, lot.id) if not each.is_sampled]
    for member in members:
        label = tasks.find_of_annotation(session, "label", member.query_id, member.annotation_id)
        if label is None:
            raise LookupError(member.annotation_id)
        tasks.offer_review(session, label, lot.author_id, label.rank, at)
        _tell_member(session, who, member.annotation_id, "out_of_lot", lot.id)
    lots.change(session, lot.id, state="dissolved", decided_at=at)
    _tell(session, who, lot, "dissolved", {"rest": len(members)})
    return len(members)


def _tell_member(
    session: Session, who: Actor, annotation_id: str, action: str, lot_id: str
) -> None:
    """What is done to one of a lot; it stays submitted."""
    state, why = "submitted", {"lot": lot_id}
    add_event(
        session, who, "annotation", annotation_id, action, before=state, after=state, why={**why}
    )


def _tell(session: Session, who: Actor, lot: LotFacts, after: str, why: dict[str, object]) -> None:
    action = "drawn" if after == "inspecting" else after
    add_event(session, who, "lot", lot.id, action, before=lot.state, after=after, why=why)


def _plan_of(lot: LotFacts) -> SamplingPlan:
    """The plan that a lot was drawn by; its risk was told then and decides nothing now."""
    return SamplingPlan(
        lot_size=0,
        sample_size=lot.sample_size or 0,
        acceptance_number=lot.acceptance_number or 0,
        tolerated_rate=lot.tolerated_rate,
        confidence=lot.confidence,
        consumer_risk=1 - lot.confidence,
        producer_pass=1.0,
    )


def _to_view(row: LotRow, who: Actor, full_at: int, *, is_hidden: bool) -> LotView:
    lot = row.lot
    return LotView.model_validate(
        {
            "id": lot.id,
            "number": lot.number,
            "author": None if is_hidden else row.author,
            "is_mine": lot.author_id == who.person_id,
            "state": lot.state,
            "level": lot.level,
            "tolerated_rate": lot.tolerated_rate,
            "confidence": lot.confidence,
            "size": row.size,
            "full_at": full_at,
            "sample_size": lot.sample_size,
            "acceptance_number": lot.acceptance_number,
            "inspected": row.inspected,
            "defects": row.defects,
            "seed": None if lot.state == "open" else lot.seed,
            "opened_at": lot.opened_at,
            "drawn_at": lot.drawn_at,
            "decided_at": lot.decided_at,
        }
    )
