"""How many people label a query, and how that changes later."""

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Task
from labeling import annotate, gold
from labeling.overlap import set_overlap
from labeling.ranking import set_priority
from labeling.work_batches import create_batch, list_batches
from schemas.errors import InvalidInput, NotAllowed
from schemas.people import Actor
from schemas.queries import QueryChoice
from tests.factories import A_PLAN, a_label_query

ALL = QueryChoice()


def _slots(database: Database, query_id: str) -> list[tuple[int, str]]:
    with database.reading() as session:
        statement = select(Task.slot, Task.status).where(
            Task.query_id == query_id, Task.kind == "label"
        )
        return sorted(session.exec(statement))


def _hand_in(database: Database, who: Actor) -> str:
    item = annotate.open_next(database, who)
    assert item
    annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    return item.query_id


def test_more_people_can_label_a_query_that_one_has_labelled(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    query = a_label_query(database, admin)
    assert _hand_in(database, li) == query
    assert annotate.open_next(database, wang) is None
    changed = set_overlap(database, admin, QueryChoice(ids=(query,)), 2)
    assert (changed.added, changed.removed) == (1, 0)
    assert annotate.open_next(database, li) is None
    assert _hand_in(database, wang) == query


def test_fewer_people_take_away_only_what_nobody_has_begun(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    begun = a_label_query(database, admin, slots=3)
    fresh = a_label_query(database, admin, slots=3)
    skipped = annotate.open_next(database, wang)
    assert skipped
    annotate.skip(database, wang, skipped.annotation_id)
    assert _hand_in(database, li) == begun
    changed = set_overlap(database, admin, ALL, 1)
    assert (changed.added, changed.removed) == (0, 4)
    assert [status for _, status in _slots(database, begun)] == ["done"]
    assert _slots(database, fresh) == [(1, "open")]
    assert set_overlap(database, admin, ALL, 1).removed == 0


def test_new_labels_stand_in_the_batch_and_at_the_place_of_their_query(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    a_label_query(database, admin)
    query = a_label_query(database, admin)
    only = QueryChoice(ids=(query,))
    create_batch(database, admin, "甲", only, person_ids=[li.person_id, wang.person_id])
    set_priority(database, admin, only, 2)
    set_overlap(database, admin, only, 2)
    assert _hand_in(database, li) == _hand_in(database, wang) == query
    (shown,) = list_batches(database, admin)
    assert (shown.done, shown.total) == (2, 2)


def test_a_share_is_always_the_same_queries_and_a_larger_one_holds_it(
    database: Database, admin: Actor
) -> None:
    queries = [a_label_query(database, admin) for _ in range(60)]
    set_overlap(database, admin, ALL, 2, share=0.3)
    some = {each for each in queries if len(_slots(database, each)) == 2}
    assert 5 <= len(some) <= 32
    assert set_overlap(database, admin, ALL, 2, share=0.3).added == 0
    set_overlap(database, admin, ALL, 2, share=0.6)
    more = {each for each in queries if len(_slots(database, each)) == 2}
    assert some < more
    assert set_overlap(database, admin, ALL, 2).added == 60 - len(more)


def test_gold_and_decided_queries_stay_as_they_are(database: Database, admin: Actor) -> None:
    golden = a_label_query(database, admin)
    gold.set_gold(database, admin, golden, A_PLAN)
    assert set_overlap(database, admin, ALL, 3).added == 0
    assert _slots(database, golden) == [(1, "done")]


def test_an_unusable_overlap_is_refused_and_only_admins_change_it(
    database: Database, admin: Actor, chen: Actor
) -> None:
    for people, share in ((0, 1.0), (10, 1.0), (2, 0.0), (2, 1.1)):
        with pytest.raises(InvalidInput):
            set_overlap(database, admin, ALL, people, share=share)
    with pytest.raises(NotAllowed):
        set_overlap(database, chen, ALL, 2)
