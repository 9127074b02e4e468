"""Gold items, pauses and batches when many people act at the same moment."""

from collections import Counter

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import GoldAnswer, Task, WorkPause
from labeling import annotate, gold
from labeling.overlap import set_overlap
from labeling.pauses import pause
from labeling.ranking import set_priority
from labeling.work_batches import create_batch
from schemas.errors import PlanwrightError
from schemas.people import Actor
from schemas.queries import QueryChoice
from tests.at_once import at_once
from tests.factories import A_PLAN, a_label_query, a_person, a_project, decide

PEOPLE = 6


@pytest.fixture
def admin(database: Database) -> Actor:
    """Without the standing clock: these tests live in real time."""
    return a_project(database)


def _label_all(database: Database, who: Actor) -> list[str]:
    done: list[str] = []
    while item := annotate.open_next(database, who):
        annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)
        done.append(item.query_id)
    return done


def test_everybody_at_once_gets_every_gold_item_once_and_no_query_is_given_twice(
    database: Database, admin: Actor
) -> None:
    decide(database, admin, gold={"onboarding": 2, "every": 2})
    golden = {a_label_query(database, admin, f"金标 {number}") for number in range(4)}
    for query in golden:
        gold.set_gold(database, admin, query, A_PLAN)
    normal = {a_label_query(database, admin) for _ in range(40)}
    people = [a_person(database, admin.project_id, "annotator") for _ in range(PEOPLE)]
    results = at_once(*[lambda who=who: _label_all(database, who) for who in people])
    done: list[str] = []
    for got in results:
        assert isinstance(got, list), got
        assert max(Counter(got).values()) == 1
        done += got
    counted = Counter(done)
    assert {each for each in counted if each not in golden} == normal
    assert all(counted[each] == 1 for each in normal)
    with database.reading() as session:
        answers = session.exec(select(GoldAnswer)).all()
        slots = session.exec(select(Task.slot).where(Task.query_id == min(golden))).all()
    assert len(answers) == sum(counted[each] for each in golden) >= 2 * PEOPLE
    assert len(set(slots)) == len(slots)


def test_many_tabs_of_one_person_get_one_gold_item_and_give_one_answer(
    database: Database, admin: Actor
) -> None:
    decide(database, admin, gold={"onboarding": 3})
    for number in range(3):
        query = a_label_query(database, admin, f"金标 {number}")
        gold.set_gold(database, admin, query, A_PLAN)
    who = a_person(database, admin.project_id, "annotator")
    items = at_once(*[lambda: annotate.open_next(database, who)] * PEOPLE)
    assert len({item.annotation_id for item in items}) == 1
    annotation_id = items[0].annotation_id
    at_once(
        *[
            lambda: annotate.submit(
                database, who, annotation_id, number=0, content=A_PLAN, seconds=1
            )
        ]
        * PEOPLE
    )
    with database.reading() as session:
        assert len(session.exec(select(GoldAnswer)).all()) == 1


def test_a_query_that_becomes_gold_while_people_claim_is_never_open_to_all(
    database: Database, admin: Actor
) -> None:
    queries = [a_label_query(database, admin) for _ in range(24)]
    people = [a_person(database, admin.project_id, "annotator") for _ in range(4)]

    def make_gold() -> None:
        for query in queries[:12]:
            try:
                gold.set_gold(database, admin, query, A_PLAN)
            except PlanwrightError as error:
                assert error.code == "gold.under_review"

    def claim(who: Actor) -> list[str]:
        got: list[str] = []
        while item := annotate.open_next(database, who):
            got.append(item.query_id)
            annotate.postpone(database, who, item.annotation_id)
            if item.query_id in got[:-1]:
                return got
        return got

    at_once(make_gold, *[lambda who=who: claim(who) for who in people])
    golden = {each.query_id for each in gold.list_items(database, admin)}
    with database.reading() as session:
        tasks = session.exec(select(Task).where(Task.kind == "label")).all()
    loose = [
        each
        for each in tasks
        if each.query_id in golden and each.status != "done" and each.for_person_id is None
    ]
    assert loose == []


def test_two_admins_who_pause_at_once_make_one_pause(database: Database, admin: Actor) -> None:
    who = a_person(database, admin.project_id, "annotator")
    results = at_once(*[lambda: pause(database, admin, who.person_id, reason="稍等")] * 4)
    assert sum(isinstance(each, PlanwrightError) for each in results) == 3
    with database.reading() as session:
        assert len(session.exec(select(WorkPause)).all()) == 1


def test_the_queue_is_steered_while_people_empty_it(database: Database, admin: Actor) -> None:
    queries = [a_label_query(database, admin) for _ in range(60)]
    people = [a_person(database, admin.project_id, "annotator") for _ in range(4)]

    def steer() -> None:
        for number in range(6):
            some = QueryChoice(ids=tuple(queries[number * 10 : number * 10 + 10]))
            set_priority(database, admin, some, number)
            set_overlap(database, admin, QueryChoice(), 1 + number % 2)

    def gather() -> None:
        for number in range(6):
            some = QueryChoice(ids=tuple(queries[number::6]))
            try:
                create_batch(database, admin, f"批 {number}", some)
            except PlanwrightError as error:
                assert error.code == "work_batches.nothing_in_it"

    results = at_once(steer, gather, *[lambda who=who: _label_all(database, who) for who in people])
    for got in results[2:]:
        assert isinstance(got, list), got
        assert max(Counter(got).values(), default=1) == 1
    for who in people:
        _label_all(database, who)
    with database.reading() as session:
        open_tasks = session.exec(select(Task).where(Task.kind == "label", Task.status == "taken"))
        assert open_tasks.all() == []
