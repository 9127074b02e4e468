"""Many accepted at once: after their sample was looked at, each once, none that changed."""

import threading

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Review
from labeling import annotate, batch_accept, queue, review
from schemas.desk import ReviewItem
from schemas.errors import NotFound, PlanwrightError, TransitionRefused
from schemas.people import Actor
from schemas.sampling import draw_sample, sampling_plan
from schemas.waiting import BatchView, Narrowed
from tests.factories import A_PLAN, a_label_query, a_person, decide

SIZE = 12
SAMPLING = {"tolerated_rate": 0.4, "confidence": 0.8}
PLAN = sampling_plan(SIZE, 0.4, 0.8)


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


@pytest.fixture
def handed_in(database: Database, admin: Actor, li: Actor) -> list[str]:
    decide(database, admin, sampling=SAMPLING)
    assert 0 < PLAN.acceptance_number < PLAN.sample_size < SIZE - 4
    return [_hand_in(database, admin, li) for _ in range(SIZE)]


def _hand_in(database: Database, admin: Actor, who: Actor) -> str:
    item = annotate.open_item(database, who, a_label_query(database, admin))
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
    )
    return item.annotation_id


def _decide(database: Database, who: Actor, item: ReviewItem, *, is_right: bool = True) -> None:
    case = (database, who, item.annotation_id, item.revision_id)
    if is_right:
        review.accept(*case)
    else:
        review.return_to_author(*case, reasons=[{"code": "wrong_order", "remark": ""}])


def _look_at(database: Database, who: Actor, *, wrong: int = 0) -> list[str]:
    seen: list[str] = []
    while item := review.take_next(database, who):
        _decide(database, who, item, is_right=len(seen) >= wrong)
        seen.append(item.annotation_id)
    return seen


def _rest(batch: BatchView, handed_in: list[str]) -> list[str]:
    sample = draw_sample(handed_in, batch.sample_size, batch.seed)
    return [each for each in handed_in if each not in sample]


def test_the_rest_is_accepted_when_the_sample_was_looked_at(
    database: Database, admin: Actor, chen: Actor, handed_in: list[str]
) -> None:
    asked = batch_accept.plan(database, chen, Narrowed())
    assert asked
    assert (asked.size, asked.sample_size) == (SIZE, PLAN.sample_size)
    batch = batch_accept.draw(database, chen, Narrowed())
    for left in range(batch.sample_size, 0, -1):
        with pytest.raises(TransitionRefused) as refused:
            batch_accept.accept_rest(database, chen, batch.id)
        assert (refused.value.code, refused.value.values) == ("review.batch_unseen", {"left": left})
        item = review.take_next(database, chen)
        assert item
        assert item.annotation_id not in _rest(batch, handed_in)
        _decide(database, chen, item)
    assert review.take_next(database, chen) is None
    mine = batch_accept.find_mine(database, chen)
    assert mine
    assert mine.may_accept
    for _ in range(2):
        outcome = batch_accept.accept_rest(database, chen, batch.id)
        assert (outcome.accepted, outcome.left_out) == (SIZE - batch.sample_size, ())
    assert queue.stats(database, admin).annotations["accepted"] == SIZE
    with database.reading() as session:
        modes = [each.mode for each in session.exec(select(Review))]
    assert (modes.count("single"), modes.count("batch")) == (
        PLAN.sample_size,
        SIZE - PLAN.sample_size,
    )
    assert batch_accept.find_mine(database, chen) is None


def test_a_sample_with_too_many_defects_accepts_nothing(
    database: Database, admin: Actor, chen: Actor, handed_in: list[str]
) -> None:
    batch = batch_accept.draw(database, chen, Narrowed())
    _look_at(database, chen, wrong=PLAN.acceptance_number + 1)
    with pytest.raises(TransitionRefused) as refused:
        batch_accept.accept_rest(database, chen, batch.id)
    assert refused.value.code == "review.batch_failed"
    batch_accept.let_go(database, chen)
    assert queue.stats(database, admin).annotations["submitted"] == SIZE - batch.sample_size
    assert review.take_next(database, chen)
    with pytest.raises(NotFound):
        batch_accept.accept_rest(database, chen, batch.id)


def test_what_changed_meanwhile_is_left_out_and_named(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor, handed_in: list[str]
) -> None:
    batch = batch_accept.draw(database, chen, Narrowed())
    withdrawn, flagged, held, decided, *others = _rest(batch, handed_in)
    _look_at(database, chen)
    annotate.withdraw(database, li, withdrawn)
    annotate.flag(database, li, flagged, reason="看")
    review.accept(database, zhao, decided, review.open_item(database, zhao, decided).revision_id)
    review.open_item(database, zhao, held)
    outcome = batch_accept.accept_rest(database, chen, batch.id)
    assert {each.annotation_id: each.why for each in outcome.left_out} == {
        withdrawn: "withdrawn",
        flagged: "flagged",
        held: "in_hand",
        decided: "decided",
    }
    assert outcome.accepted == len(others)


def test_a_sample_that_its_author_took_back_has_to_be_drawn_anew(
    database: Database, admin: Actor, li: Actor, chen: Actor, handed_in: list[str]
) -> None:
    batch = batch_accept.draw(database, chen, Narrowed())
    (first, *_) = draw_sample(handed_in, batch.sample_size, batch.seed)
    annotate.withdraw(database, li, first)
    _look_at(database, chen)
    with pytest.raises(TransitionRefused) as refused:
        batch_accept.accept_rest(database, chen, batch.id)
    assert refused.value.code == "review.batch_gone"
    assert batch_accept.draw(database, chen, Narrowed()).id != batch.id


def test_flagged_ones_and_those_of_a_lot_are_in_no_batch(
    database: Database, admin: Actor, li: Actor, chen: Actor, handed_in: list[str]
) -> None:
    annotate.flag(database, li, handed_in[0], reason="看")
    decide(database, admin, sampling=SAMPLING | {"is_on": True, "lot_size": 5})
    for _ in range(5):
        _hand_in(database, admin, li)
    assert batch_accept.draw(database, chen, Narrowed()).size == SIZE - 1


def test_there_is_no_batch_of_nothing_and_none_of_somebody_else(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor, handed_in: list[str]
) -> None:
    with pytest.raises(TransitionRefused) as refused:
        batch_accept.draw(database, chen, Narrowed(author_id=chen.person_id))
    assert refused.value.code == "review.batch_empty"
    batch = batch_accept.draw(database, chen, Narrowed())
    with pytest.raises(NotFound):
        batch_accept.accept_rest(database, zhao, batch.id)


def test_two_reviewers_with_the_same_batch_accept_each_once(
    database: Database, admin: Actor, chen: Actor, zhao: Actor, handed_in: list[str]
) -> None:
    batches = {who.person_id: batch_accept.draw(database, who, Narrowed()) for who in (chen, zhao)}
    samples = {
        who: set(draw_sample(handed_in, batch.sample_size, batch.seed))
        for who, batch in batches.items()
    }
    _look_at(database, chen)
    _look_at(database, zhao)
    assert set.union(*samples.values()) < set(handed_in)
    barrier, accepted = threading.Barrier(2), list[int | str]()

    def accept(who: Actor) -> None:
        barrier.wait()
        try:
            batch = batches[who.person_id]
            accepted.append(batch_accept.accept_rest(database, who, batch.id).accepted)
        except PlanwrightError as error:
            accepted.append(error.code)

    threads = [threading.Thread(target=accept, args=(who,)) for who in (chen, zhao)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        found = list(session.exec(select(Review)))
    assert len(found) == len({each.annotation_id for each in found}) == SIZE
    by_batch = [each for each in found if each.mode == "batch"]
    assert sum(each for each in accepted if isinstance(each, int)) == len(by_batch)
