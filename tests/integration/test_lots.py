"""Lots: a sample decides, everything shares its fate, and nobody can be decided on twice."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import SQLModel, select

from db.engine import Database
from db.tables import Annotation, Event, Lot, LotItem, Review, Task
from labeling import annotate, lots, review
from schemas.desk import ReviewItem
from schemas.errors import NotAllowed, PlanwrightError, TransitionRefused
from schemas.lots import LotView
from schemas.people import Actor
from schemas.sampling import draw_sample, sampling_plan
from tests.factories import A_PLAN, a_label_query, a_person, decide

ROOT = Path(__file__).parents[2]
Row = TypeVar("Row", bound=SQLModel)
SIZE = 10
SAMPLING = {"is_on": True, "lot_size": SIZE, "tolerated_rate": 0.4, "confidence": 0.8}
PLAN = sampling_plan(SIZE, 0.4, 0.8)


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


@pytest.fixture(autouse=True)
def _sampling(database: Database, admin: Actor) -> None:
    decide(database, admin, sampling=SAMPLING)
    assert 0 < PLAN.acceptance_number < PLAN.sample_size < SIZE


def _hand_in(database: Database, admin: Actor, who: Actor, *, flag: str | None = None) -> str:
    item = annotate.open_item(database, who, a_label_query(database, admin))
    if flag:
        annotate.flag(database, who, item.annotation_id, reason=flag)
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
    )
    return item.annotation_id


def _a_full_lot(database: Database, admin: Actor, who: Actor) -> list[str]:
    return [_hand_in(database, admin, who) for _ in range(SIZE)]


def _rows(database: Database, model: type[Row]) -> list[Row]:
    with database.reading() as session:
        return list(session.exec(select(model)))


def _states(database: Database) -> list[str]:
    return sorted(each.state for each in _rows(database, Annotation))


def _only(database: Database, who: Actor) -> LotView:
    (lot,) = lots.list_lots(database, who)
    return lot


def _accept(database: Database, who: Actor, item: ReviewItem) -> None:
    review.accept(database, who, item.annotation_id, item.revision_id)


def _return(database: Database, who: Actor, item: ReviewItem) -> None:
    review.return_to_author(
        database,
        who,
        item.annotation_id,
        item.revision_id,
        reason_code="wrong_expert",
        reason="",
    )


def _review(
    database: Database, who: Actor, verdict: Callable[..., None], count: int = SIZE
) -> list[str]:
    done: list[str] = []
    while len(done) < count and (item := review.take_next(database, who)):
        verdict(database, who, item)
        done.append(item.annotation_id)
    return done


def test_submissions_gather_and_are_not_reviewed_before_the_lot_is_full(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for _ in range(SIZE - 1):
        _hand_in(database, admin, li)
    assert review.take_next(database, chen) is None
    lot = _only(database, chen)
    assert (lot.state, lot.size, lot.full_at, lot.author) == ("open", SIZE - 1, SIZE, "Li")
    assert lot.seed is None
    _hand_in(database, admin, li)
    assert _only(database, chen).state == "inspecting"
    assert review.take_next(database, chen)


def test_the_sample_can_be_drawn_again_by_anybody(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    handed_in = _a_full_lot(database, admin, li)
    lot = _only(database, chen)
    assert (lot.sample_size, lot.acceptance_number) == (PLAN.sample_size, PLAN.acceptance_number)
    assert lot.seed
    drawn = set(draw_sample(handed_in, PLAN.sample_size, lot.seed))
    assert {each.annotation_id for each in _rows(database, LotItem) if each.is_sampled} == drawn
    assert {each.annotation_id for each in _rows(database, Task) if each.kind == "review"} == drawn


def test_a_lot_passes_when_the_whole_sample_was_looked_at(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _a_full_lot(database, admin, li)
    _review(database, chen, _return, PLAN.acceptance_number)
    looked_at = _review(database, chen, _accept)
    assert len(looked_at) == PLAN.sample_size - PLAN.acceptance_number
    returned = ["returned"] * PLAN.acceptance_number
    assert _states(database) == ["accepted"] * (SIZE - len(returned)) + returned
    lot = _only(database, chen)
    assert (lot.state, lot.defects) == ("passed", PLAN.acceptance_number)
    by_lot = [each for each in _rows(database, Review) if each.mode == "lot"]
    assert len(by_lot) == SIZE - PLAN.sample_size
    assert {(each.verdict, each.reviewer_id, each.lot_id) for each in by_lot} == {
        ("accepted", chen.person_id, lot.id)
    }
    assert {each.lot_id for each in _rows(database, Review)} == {lot.id}


def test_a_lot_fails_with_one_defect_too_many_and_goes_back_whole(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    _a_full_lot(database, admin, li)
    (accepted,) = _review(database, chen, _accept, 1)
    in_hand = review.take_next(database, zhao)
    assert in_hand
    defects = _review(database, chen, _return)
    assert len(defects) == PLAN.acceptance_number + 1
    assert _states(database) == ["accepted"] + ["returned"] * (SIZE - 1)
    by_lot = [each for each in _rows(database, Review) if each.mode == "lot"]
    assert {(each.verdict, each.reason_code) for each in by_lot} == {("returned", "lot_failed")}
    assert {each.annotation_id for each in by_lot}.isdisjoint({accepted, *defects})
    assert _only(database, chen).state == "failed"
    with pytest.raises(TransitionRefused) as refused:
        _accept(database, zhao, in_hand)
    assert (refused.value.code, refused.value.values["who"]) == ("review.decided_by", "Chen")
    item = annotate.open_next(database, li)
    assert item
    assert item.returned


def test_what_came_back_joins_the_next_lot(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _a_full_lot(database, admin, li)
    _review(database, chen, _return)
    while item := annotate.open_next(database, li):
        annotate.submit(
            database, li, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
        )
    assert {(each.number, each.state) for each in lots.list_lots(database, chen)} == {
        (1, "failed"),
        (2, "inspecting"),
    }
    _review(database, chen, _accept)
    assert _states(database) == ["accepted"] * SIZE


def test_two_failed_lots_tighten_the_next(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for _ in range(2):
        _a_full_lot(database, admin, li)
        _review(database, chen, _return)
        with database.transaction() as session:  # so that what came back is not in the next lot
            for task in session.exec(select(Task).where(Task.status == "open")):
                session.delete(task)
    _a_full_lot(database, admin, li)
    lot = lots.list_lots(database, chen)[0]
    assert (lot.number, lot.level) == (3, "tightened")
    assert (lot.sample_size, lot.acceptance_number) == sampling_plan(
        SIZE, 0.4, 0.8, level="tightened"
    )[1:3]


def test_a_flagged_submission_is_reviewed_singly(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    flagged = _hand_in(database, admin, li, flag="原问题有误")
    assert lots.list_lots(database, chen) == ()
    later = _hand_in(database, admin, li)
    annotate.flag(database, li, later, reason="也请看看")
    assert _only(database, chen).size == 0
    assert set(_review(database, chen, _accept)) == {flagged, later}


def test_a_submission_is_withdrawn_before_the_draw_and_not_after(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    first = _hand_in(database, admin, li)
    annotate.withdraw(database, li, first)
    assert _only(database, chen).size == 0
    annotate.release(database, li, first)
    for each in _a_full_lot(database, admin, li):
        with pytest.raises(TransitionRefused, match="sample of its lot was drawn") as refused:
            annotate.withdraw(database, li, each)
        assert refused.value.code == "lots.drawn_already"


def test_a_lot_is_closed_by_hand_once_and_never_by_its_author(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    _hand_in(database, admin, chen)
    lot = _only(database, zhao)
    with pytest.raises(NotAllowed) as refused:
        lots.close(database, chen, lot.id)
    assert refused.value.code == "lots.own_lot"
    with pytest.raises(NotAllowed):
        lots.close(database, li, lot.id)
    for _ in range(2):
        lots.close(database, zhao, lot.id)
    assert review.take_next(database, chen) is None
    _review(database, zhao, _accept)
    assert _states(database) == ["accepted"]
    drawn = [each.action for each in _rows(database, Event) if each.subject == "lot"]
    assert drawn == ["opened", "drawn", "passed"]


def test_an_empty_lot_is_not_closed(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    annotate.withdraw(database, li, _hand_in(database, admin, li))
    with pytest.raises(TransitionRefused) as refused:
        lots.close(database, chen, _only(database, chen).id)
    assert refused.value.code == "lots.empty"


def test_what_was_not_drawn_is_not_decided_by_itself(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _a_full_lot(database, admin, li)
    rest = next(each for each in _rows(database, LotItem) if not each.is_sampled)
    with pytest.raises(TransitionRefused) as refused:
        review.open_item(database, chen, rest.annotation_id)
    assert refused.value.code == "lots.not_sampled"
    with pytest.raises(TransitionRefused):
        review.accept(database, chen, rest.annotation_id, rest.revision_id)


def test_hidden_authors_are_hidden_in_the_list_of_lots(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    decide(database, admin, hide_author=True)
    _hand_in(database, admin, li)
    assert _only(database, chen).author is None
    assert _only(database, admin).author == "Li"


def _at_once(*works: Callable[[], object]) -> list[object]:
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            results[place] = work()
        except PlanwrightError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_last_verdicts_at_once_one_decides_the_lot(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    for _ in range(4):
        _a_full_lot(database, admin, li)
        _review(database, chen, _accept, PLAN.sample_size - 2)
        one, other = review.take_next(database, chen), review.take_next(database, zhao)
        assert one
        assert other
        results = _at_once(
            lambda item=one: _accept(database, chen, item),
            lambda item=other: _accept(database, zhao, item),
        )
        assert results == [None, None]
    assert {each.state for each in _rows(database, Lot)} == {"passed"}
    assert _states(database) == ["accepted"] * (4 * SIZE)
    found = _rows(database, Review)
    assert len(found) == len({each.annotation_id for each in found}) == 4 * SIZE


def test_of_two_verdicts_that_each_fail_the_lot_the_other_is_told(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    _a_full_lot(database, admin, li)
    _review(database, chen, _return, PLAN.acceptance_number)
    one, other = review.take_next(database, chen), review.take_next(database, zhao)
    assert one
    assert other
    results = _at_once(lambda: _return(database, chen, one), lambda: _return(database, zhao, other))
    (told,) = [each for each in results if each is not None]
    assert isinstance(told, TransitionRefused)
    assert told.code == "review.decided_by"
    assert _states(database) == ["returned"] * SIZE
    found = _rows(database, Review)
    assert len(found) == len({each.annotation_id for each in found}) == SIZE


def test_submissions_at_once_fill_one_lot_and_draw_it_once(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    items = [annotate.open_item(database, li, a_label_query(database, admin)) for _ in range(SIZE)]

    def submit(annotation_id: str) -> None:
        annotate.submit(database, li, annotation_id, number=0, content=A_PLAN, seconds=1)

    works = [lambda each=item.annotation_id: submit(each) for item in items]
    assert _at_once(*works, *works) == [None] * (2 * SIZE)
    (lot,) = _rows(database, Lot)
    assert lot.state == "inspecting"
    assert len(_rows(database, LotItem)) == SIZE
    drawn = [each for each in _rows(database, Event) if each.action == "drawn"]
    assert len(drawn) == 1


def test_a_process_killed_before_its_last_verdict_is_kept_has_decided_nothing(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _a_full_lot(database, admin, li)
    _review(database, chen, _accept, PLAN.sample_size - 1)
    last = review.take_next(database, chen)
    assert last
    url = database.url.render_as_string(hide_password=False)
    case = (chen.person_id, last.annotation_id, last.revision_id)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.fakes.verdict_process", url, *case], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert _only(database, chen).state == "inspecting"
    assert _states(database).count("submitted") == SIZE - PLAN.sample_size + 1
    _accept(database, chen, last)
    assert _only(database, chen).state == "passed"
    assert len(_rows(database, Review)) == SIZE
