"""Lots when several act at once, or die in the middle: each is decided on once."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from db.engine import Database
from db.tables import Event, Lot, LotItem, Review
from labeling import annotate, lots, review
from schemas.errors import PlanwrightError, TransitionRefused
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_person, decide
from tests.lot_work import (
    PLAN,
    SAMPLING,
    SIZE,
    a_full_lot,
    accept,
    review_all,
    rows,
    send_back,
    states,
    the_lot,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


@pytest.fixture(autouse=True)
def _sampling(database: Database, admin: Actor) -> None:
    decide(database, admin, sampling=SAMPLING)
    assert 0 < PLAN.acceptance_number < PLAN.sample_size < SIZE


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
        a_full_lot(database, admin, li)
        review_all(database, chen, accept, PLAN.sample_size - 2)
        one, other = review.take_next(database, chen), review.take_next(database, zhao)
        assert one
        assert other
        results = _at_once(
            lambda item=one: accept(database, chen, item),
            lambda item=other: accept(database, zhao, item),
        )
        assert results == [None, None]
    assert {each.state for each in rows(database, Lot)} == {"passed"}
    assert states(database) == ["accepted"] * (4 * SIZE)
    found = rows(database, Review)
    assert len(found) == len({each.annotation_id for each in found}) == 4 * SIZE


def test_of_two_verdicts_that_each_fail_the_lot_the_other_is_told(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    a_full_lot(database, admin, li)
    review_all(database, chen, send_back, PLAN.acceptance_number)
    one, other = review.take_next(database, chen), review.take_next(database, zhao)
    assert one
    assert other
    results = _at_once(
        lambda: send_back(database, chen, one), lambda: send_back(database, zhao, other)
    )
    (told,) = [each for each in results if each is not None]
    assert isinstance(told, TransitionRefused)
    assert told.code == "review.decided_by"
    assert states(database) == ["returned"] * SIZE
    found = rows(database, Review)
    assert len(found) == len({each.annotation_id for each in found}) == SIZE


def test_submissions_at_once_fill_one_lot_and_draw_it_once(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    items = [annotate.open_item(database, li, a_label_query(database, admin)) for _ in range(SIZE)]

    def submit(annotation_id: str) -> None:
        annotate.submit(database, li, annotation_id, number=0, content=A_PLAN, seconds=1)

    works = [lambda each=item.annotation_id: submit(each) for item in items]
    assert _at_once(*works, *works) == [None] * (2 * SIZE)
    (lot,) = rows(database, Lot)
    assert lot.state == "inspecting"
    assert len(rows(database, LotItem)) == SIZE
    drawn = [each for each in rows(database, Event) if each.action == "drawn"]
    assert len(drawn) == 1


def test_a_process_killed_before_its_last_verdict_is_kept_has_decided_nothing(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    a_full_lot(database, admin, li)
    review_all(database, chen, accept, PLAN.sample_size - 1)
    last = review.take_next(database, chen)
    assert last
    url = database.url.render_as_string(hide_password=False)
    case = (chen.person_id, last.annotation_id, last.revision_id)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.fakes.verdict_process", url, *case], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert the_lot(database, chen).state == "inspecting"
    assert states(database).count("submitted") == SIZE - PLAN.sample_size + 1
    accept(database, chen, last)
    assert the_lot(database, chen).state == "passed"
    assert len(rows(database, Review)) == SIZE


def test_two_lots_over_the_same_queries_are_decided_at_once(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, zhao: Actor
) -> None:
    for _ in range(3):
        queries = [a_label_query(database, admin, slots=2) for _ in range(SIZE)]
        for who, order in ((li, queries), (wang, queries[::-1])):
            for query_id in order:
                item = annotate.open_item(database, who, query_id)
                annotate.submit(
                    database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1
                )
        _leave_one_of_each(database, chen)
        one, other = review.take_next(database, chen), review.take_next(database, zhao)
        assert one
        assert other
        results = _at_once(
            lambda item=one: accept(database, chen, item),
            lambda item=other: accept(database, zhao, item),
        )
        assert results == [None, None]
    assert {each.state for each in rows(database, Lot)} == {"passed"}
    assert states(database) == ["accepted"] * (6 * SIZE)


def _leave_one_of_each(database: Database, who: Actor) -> None:
    """Accept the samples of all lots that are inspected but for one submission of each."""
    left: dict[str, int] = {}
    for lot in lots.list_lots(database, who):
        if lot.state == "inspecting" and lot.sample_size:
            left[lot.id] = lot.sample_size - lot.inspected - 1
    for item in rows(database, LotItem):
        if item.is_sampled and item.verdict is None and left.get(item.lot_id, 0) > 0:
            left[item.lot_id] -= 1
            accept(database, who, review.open_item(database, who, item.annotation_id))
