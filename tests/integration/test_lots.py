"""Lots: a sample decides, and everything shares its fate."""

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Event, LotItem, Review, Task
from labeling import annotate, lots, review
from schemas.errors import NotAllowed, TransitionRefused
from schemas.people import Actor
from schemas.sampling import draw_sample, sampling_plan
from tests.factories import A_PLAN, a_person, decide
from tests.lot_work import (
    PLAN,
    SAMPLING,
    SIZE,
    a_full_lot,
    accept,
    hand_in,
    review_all,
    rows,
    send_back,
    states,
    the_lot,
)


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


@pytest.fixture(autouse=True)
def _sampling(database: Database, admin: Actor) -> None:
    decide(database, admin, sampling=SAMPLING)
    assert 0 < PLAN.acceptance_number < PLAN.sample_size < SIZE


def test_submissions_gather_and_are_not_reviewed_before_the_lot_is_full(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for _ in range(SIZE - 1):
        hand_in(database, admin, li)
    assert review.take_next(database, chen) is None
    lot = the_lot(database, chen)
    assert (lot.state, lot.size, lot.full_at, lot.author) == ("open", SIZE - 1, SIZE, "Li")
    assert lot.seed is None
    hand_in(database, admin, li)
    assert the_lot(database, chen).state == "inspecting"
    assert review.take_next(database, chen)


def test_the_sample_can_be_drawn_again_by_anybody(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    handed_in = a_full_lot(database, admin, li)
    lot = the_lot(database, chen)
    assert (lot.sample_size, lot.acceptance_number) == (PLAN.sample_size, PLAN.acceptance_number)
    assert lot.seed
    drawn = set(draw_sample(handed_in, PLAN.sample_size, lot.seed))
    assert {each.annotation_id for each in rows(database, LotItem) if each.is_sampled} == drawn
    assert {each.annotation_id for each in rows(database, Task) if each.kind == "review"} == drawn


def test_a_lot_passes_when_the_whole_sample_was_looked_at(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    a_full_lot(database, admin, li)
    review_all(database, chen, send_back, PLAN.acceptance_number)
    looked_at = review_all(database, chen, accept)
    assert len(looked_at) == PLAN.sample_size - PLAN.acceptance_number
    returned = ["returned"] * PLAN.acceptance_number
    assert states(database) == ["accepted"] * (SIZE - len(returned)) + returned
    lot = the_lot(database, chen)
    assert (lot.state, lot.defects) == ("passed", PLAN.acceptance_number)
    by_lot = [each for each in rows(database, Review) if each.mode == "lot"]
    assert len(by_lot) == SIZE - PLAN.sample_size
    assert {(each.verdict, each.reviewer_id, each.lot_id) for each in by_lot} == {
        ("accepted", chen.person_id, lot.id)
    }
    assert {each.lot_id for each in rows(database, Review)} == {lot.id}


def test_a_lot_fails_with_one_defect_too_many_and_goes_back_whole(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    a_full_lot(database, admin, li)
    (accepted,) = review_all(database, chen, accept, 1)
    in_hand = review.take_next(database, zhao)
    assert in_hand
    defects = review_all(database, chen, send_back)
    assert len(defects) == PLAN.acceptance_number + 1
    assert states(database) == ["accepted"] + ["returned"] * (SIZE - 1)
    by_lot = [each for each in rows(database, Review) if each.mode == "lot"]
    assert {(each.verdict, each.reason_code) for each in by_lot} == {("returned", "lot_failed")}
    assert {each.annotation_id for each in by_lot}.isdisjoint({accepted, *defects})
    assert the_lot(database, chen).state == "failed"
    with pytest.raises(TransitionRefused) as refused:
        accept(database, zhao, in_hand)
    assert (refused.value.code, refused.value.values["who"]) == ("review.decided_by", "Chen")
    item = annotate.open_next(database, li)
    assert item
    assert item.returned


def test_what_came_back_joins_the_next_lot(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    a_full_lot(database, admin, li)
    review_all(database, chen, send_back)
    while item := annotate.open_next(database, li):
        annotate.submit(
            database, li, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
        )
    assert {(each.number, each.state) for each in lots.list_lots(database, chen)} == {
        (1, "failed"),
        (2, "inspecting"),
    }
    review_all(database, chen, accept)
    assert states(database) == ["accepted"] * SIZE


def test_two_failed_lots_tighten_the_next(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for _ in range(2):
        a_full_lot(database, admin, li)
        review_all(database, chen, send_back)
        with database.transaction() as session:  # so that what came back is not in the next lot
            for task in session.exec(select(Task).where(Task.status == "open")):
                session.delete(task)
    a_full_lot(database, admin, li)
    lot = lots.list_lots(database, chen)[0]
    assert (lot.number, lot.level) == (3, "tightened")
    assert (lot.sample_size, lot.acceptance_number) == sampling_plan(
        SIZE, 0.4, 0.8, level="tightened"
    )[1:3]


def test_a_flagged_submission_is_reviewed_singly(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    flagged = hand_in(database, admin, li, flag="原问题有误")
    assert lots.list_lots(database, chen) == ()
    later = hand_in(database, admin, li)
    annotate.flag(database, li, later, reason="也请看看")
    assert the_lot(database, chen).size == 0
    assert set(review_all(database, chen, accept)) == {flagged, later}


def test_a_submission_is_withdrawn_before_the_draw_and_not_after(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    first = hand_in(database, admin, li)
    annotate.withdraw(database, li, first)
    assert the_lot(database, chen).size == 0
    annotate.release(database, li, first)
    for each in a_full_lot(database, admin, li):
        with pytest.raises(TransitionRefused, match="sample of its lot was drawn") as refused:
            annotate.withdraw(database, li, each)
        assert refused.value.code == "lots.drawn_already"


def test_a_lot_is_closed_by_hand_once_and_never_by_its_author(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    hand_in(database, admin, chen)
    lot = the_lot(database, zhao)
    with pytest.raises(NotAllowed) as refused:
        lots.close(database, chen, lot.id)
    assert refused.value.code == "lots.own_lot"
    with pytest.raises(NotAllowed):
        lots.close(database, li, lot.id)
    for _ in range(2):
        lots.close(database, zhao, lot.id)
    assert review.take_next(database, chen) is None
    review_all(database, zhao, accept)
    assert states(database) == ["accepted"]
    drawn = [each.action for each in rows(database, Event) if each.subject == "lot"]
    assert drawn == ["opened", "drawn", "passed"]


def test_an_empty_lot_is_not_closed(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    annotate.withdraw(database, li, hand_in(database, admin, li))
    with pytest.raises(TransitionRefused) as refused:
        lots.close(database, chen, the_lot(database, chen).id)
    assert refused.value.code == "lots.empty"


def test_what_was_not_drawn_is_not_decided_by_itself(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    a_full_lot(database, admin, li)
    rest = next(each for each in rows(database, LotItem) if not each.is_sampled)
    with pytest.raises(TransitionRefused) as refused:
        review.open_item(database, chen, rest.annotation_id)
    assert refused.value.code == "lots.not_sampled"
    with pytest.raises(TransitionRefused):
        review.accept(database, chen, rest.annotation_id, rest.revision_id)


def test_hidden_authors_are_hidden_in_the_list_of_lots(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    decide(database, admin, hide_author=True)
    hand_in(database, admin, li)
    assert the_lot(database, chen).author is None
    assert the_lot(database, admin).author == "Li"


def test_lots_stay_as_they_are_when_sampling_is_switched_off_and_lose_nothing_when_dissolved(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    a_full_lot(database, admin, li)
    (looked_at,) = review_all(database, chen, accept, 1)
    open_ones = {hand_in(database, admin, wang) for _ in range(3)}
    unsampled = SIZE - PLAN.sample_size + len(open_ones)
    left = lots.find_left(database, chen)
    assert (left.is_on, left.lots, left.waiting) == (True, 2, unsampled)
    with pytest.raises(TransitionRefused) as refused:
        lots.dissolve_all(database, chen)
    assert refused.value.code == "lots.sampling_is_on"
    decide(database, admin, sampling={**SAMPLING, "is_on": False})
    singly = hand_in(database, admin, wang)
    assert lots.find_left(database, chen).waiting == unsampled
    with pytest.raises(NotAllowed):
        lots.dissolve_all(database, li)
    assert lots.dissolve_all(database, chen) == unsampled
    assert lots.dissolve_all(database, chen) == 0
    assert lots.find_left(database, chen).lots == 0
    assert {each.state for each in lots.list_lots(database, chen)} == {"dissolved"}
    waits = {each.annotation_id for each in rows(database, Task) if each.kind == "review"}
    assert len(waits) == SIZE + len(open_ones) + 1
    decided = review_all(database, chen, send_back, 2)
    assert states(database).count("returned") == 2
    decided += review_all(database, chen, accept, 2 * SIZE)
    assert {looked_at, *decided} == waits
    assert {*open_ones, singly} < set(decided)
    assert {each.mode for each in rows(database, Review)} == {"single"}


def test_an_author_withdraws_what_was_in_a_dissolved_lot(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    first = hand_in(database, admin, li)
    decide(database, admin, sampling={**SAMPLING, "is_on": False})
    lots.dissolve_all(database, chen)
    annotate.withdraw(database, li, first)
    assert states(database) == ["draft"]
    assert review.take_next(database, chen) is None
