"""Accepting many submissions at once, after a random sample of them was looked at.

A reviewer narrows what waits; the sample has the size that `schemas.sampling` asks of a lot of so
many, and is reviewed one by one as everything else. Once all of it is decided and no more of it
was wrong than the plan allows, the rest is accepted in one act. Flagged submissions and those of a
lot are never in a batch.
"""

import secrets
from collections.abc import Sequence
from typing import Literal

from db import clock
from db.access import projects, review_batches, waiting
from db.access.events import add_event
from db.access.leases import Asker
from db.access.lots import Member
from db.access.review_batches import Item
from db.access.tasks import TaskFacts
from db.engine import Database, Session, take_turns
from db.tables import ReviewBatch
from labeling.together import Act, accept_all, take_query_turns
from labeling.waiting import blind, reader_of, take
from schemas.errors import NotFound, TransitionRefused
from schemas.people import Actor
from schemas.sampling import draw_sample, is_defect, sampling_plan
from schemas.waiting import BatchOutcome, BatchPlan, BatchView, LeftOut, Narrowed

MOST_ITEMS = 300


def plan(database: Database, who: Actor, narrowed: Narrowed) -> BatchPlan | None:
    """What a batch of the narrowed list would be now; None when there is nothing in it."""
    who.require("reviewer")
    with database.reading() as session:
        found, _ = _population(session, who, narrowed)
        sampling = projects.read_settings(session, who.project_id).sampling
    if not found:
        return None
    drawn = sampling_plan(len(found), sampling.tolerated_rate, sampling.confidence)
    return BatchPlan(
        size=len(found),
        sample_size=drawn.sample_size,
        acceptance_number=drawn.acceptance_number,
        tolerated_rate=sampling.tolerated_rate,
        confidence=sampling.confidence,
    )


def draw(database: Database, who: Actor, narrowed: Narrowed) -> BatchView:
    """Draw the sample of a new batch; a batch that this reviewer is at is let go.

    Raises:
        TransitionRefused: `review.batch_empty`.
    """
    who.require("reviewer")
    with database.transaction() as session:
        take_turns(session, f"batches of {who.person_id}")
        _let_go(session, who)
        found, narrowed = _population(session, who, narrowed)
        if not found:
            raise TransitionRefused("review.batch_empty")
        sampling = projects.read_settings(session, who.project_id).sampling
        drawn = sampling_plan(len(found), sampling.tolerated_rate, sampling.confidence)
        batch = ReviewBatch(
            project_id=who.project_id,
            reviewer_id=who.person_id,
            narrowed=narrowed.model_dump(mode="json"),
            tolerated_rate=sampling.tolerated_rate,
            confidence=sampling.confidence,
            sample_size=drawn.sample_size,
            acceptance_number=drawn.acceptance_number,
            seed=secrets.token_hex(8),
            drawn_at=clock.now(),
        )
        ids = [each.annotation_id for each in found]
        sample = draw_sample(ids, drawn.sample_size, batch.seed)
        review_batches.add_batch(session, batch, found, sample)
        why: dict[str, object] = {"size": len(found), "sample_size": drawn.sample_size}
        add_event(session, who, "review_batch", batch.id, "drawn", after="open", why=why)
        return _to_view(batch, review_batches.list_items(session, batch.id))


def find_mine(database: Database, who: Actor) -> BatchView | None:
    """The batch that this reviewer is at."""
    who.require("reviewer")
    with database.reading() as session:
        batch = review_batches.find_open(session, who.project_id, who.person_id)
        return batch and _to_view(batch, review_batches.list_items(session, batch.id))


def let_go(database: Database, who: Actor) -> None:
    """Leave the batch; what was decided one by one stays decided."""
    who.require("reviewer")
    with database.transaction() as session:
        take_turns(session, f"batches of {who.person_id}")
        _let_go(session, who)


def is_at_one(session: Session, who: Actor) -> bool:
    """Whether this reviewer is at a batch."""
    return review_batches.find_open(session, who.project_id, who.person_id) is not None


def take_next(session: Session, who: Actor, asker: Asker) -> TaskFacts | None:
    """The next of the sample of the batch that this reviewer is at, in hand."""
    batch = review_batches.find_open(session, who.project_id, who.person_id)
    if batch is None:
        return None
    for each in review_batches.list_unseen(session, reader_of(who), batch.id):
        task = take(session, asker, each)
        if task is not None:
            return task
    return None


def accept_rest(database: Database, who: Actor, batch_id: str) -> BatchOutcome:
    """Accept what was not in the sample, each exactly once; what changed meanwhile is left out.

    Raises:
        NotFound: `review.no_batch`.
        TransitionRefused: `review.batch_unseen` (how many), `review.batch_gone`,
            `review.batch_failed` (how many defects of how many allowed).
    """
    who.require("reviewer")
    with database.transaction() as session:
        take_turns(session, f"batches of {who.person_id}")
        batch = review_batches.find_batch(session, who.project_id, batch_id)
        if batch is None or batch.reviewer_id != who.person_id or batch.state == "dropped":
            raise NotFound("review.no_batch")
        if batch.state == "open":
            _require_seen(_to_view(batch, review_batches.list_items(session, batch.id)))
            _accept_rest(session, who, batch)
        items = review_batches.list_items(session, batch.id)
    rest = [item for item in items if not item.is_sampled]
    mine = ("batch", who.person_id)
    left_out = [item for item in rest if (item.mode, item.reviewer_id) != mine]
    return BatchOutcome(
        accepted=len(rest) - len(left_out), left_out=tuple(_to_left_out(each) for each in left_out)
    )


def _accept_rest(session: Session, who: Actor, batch: ReviewBatch) -> None:
    reader = reader_of(who)
    rest = [item for item in review_batches.list_items(session, batch.id) if not item.is_sampled]
    for item in rest:
        take_turns(session, f"annotation {item.annotation_id}")
    still = [item for item in review_batches.list_items(session, batch.id) if _is_as_drawn(item)]
    free = [item for item in still if review_batches.close_task(session, reader, item)]
    members = [Member(*item[:5]) for item in free]
    take_query_turns(session, members)
    accept_all(session, who, members, Act("batch", reader.at, {"batch": batch.id}))
    review_batches.change(session, batch.id, state="accepted", decided_at=reader.at)
    why: dict[str, object] = {"accepted": len(members), "left_out": len(rest) - len(members)}
    add_event(
        session, who, "review_batch", batch.id, "accepted", before="open", after="accepted", why=why
    )


def _is_as_drawn(item: Item) -> bool:
    is_same = item.state == "submitted" and item.revision_now == item.revision_id
    return is_same and not item.is_sampled and item.flag is None


def _require_seen(view: BatchView) -> None:
    if view.gone:
        raise TransitionRefused("review.batch_gone", number=view.gone)
    if view.looked_at < view.sample_size:
        raise TransitionRefused("review.batch_unseen", left=view.sample_size - view.looked_at)
    if view.defects > view.acceptance_number:
        raise TransitionRefused(
            "review.batch_failed", defects=view.defects, most=view.acceptance_number
        )


def _let_go(session: Session, who: Actor) -> None:
    batch = review_batches.find_open(session, who.project_id, who.person_id)
    if batch is not None:
        review_batches.change(session, batch.id, state="dropped", decided_at=clock.now())
        session.expire(batch)
        add_event(session, who, "review_batch", batch.id, "dropped", before="open", after="dropped")


def _population(
    session: Session, who: Actor, narrowed: Narrowed
) -> tuple[list[waiting.Found], Narrowed]:
    narrowed, _ = blind(session, who, narrowed)
    found = waiting.list_found(session, reader_of(who), narrowed, MOST_ITEMS, is_for_batch=True)
    return found, narrowed


def _to_view(batch: ReviewBatch, items: Sequence[Item]) -> BatchView:
    sample = [item for item in items if item.is_sampled]
    verdicts = [item.verdict for item in sample if item.verdict is not None]
    waits = [item for item in sample if item.verdict is None and item.state == "submitted"]
    return BatchView(
        id=batch.id,
        narrowed=Narrowed.model_validate(batch.narrowed),
        seed=batch.seed,
        drawn_at=batch.drawn_at,
        size=len(items),
        sample_size=batch.sample_size,
        acceptance_number=batch.acceptance_number,
        tolerated_rate=batch.tolerated_rate,
        confidence=batch.confidence,
        looked_at=len(verdicts),
        defects=sum(map(is_defect, verdicts)),
        gone=len(sample) - len(verdicts) - len(waits),
    )


def _to_left_out(item: Item) -> LeftOut:
    return LeftOut(
        annotation_id=item.annotation_id,
        query_id=item.query_id,
        external_id=item.external_id,
        text=item.text,
        why=_why(item),
    )


def _why(item: Item) -> Literal["withdrawn", "decided", "changed", "flagged", "in_hand"]:
    if item.state == "draft":
        return "withdrawn"
    if item.revision_now != item.revision_id:
        return "changed"
    if item.state != "submitted":
        return "decided"
    return "flagged" if item.flag else "in_hand"
