"""Who gets what next."""

import pytest

from db.engine import Database
from db.tables import Person
from labeling import annotate, queue, review
from schemas.errors import EditConflict, NotFound, TransitionRefused
from schemas.people import Actor
from tests.factories import (
    A_PLAN,
    a_label_query,
    a_project,
    a_query,
)
from tests.fakes.clock import Clock


def _next(database: Database, who: Actor) -> str | None:
    item = annotate.open_next(database, who)
    return item and item.query_id


def _submitted(database: Database, who: Actor, time: Clock) -> str:
    item = annotate.open_next(database, who)
    assert item
    time.move(seconds=20)
    annotate.submit(
        database,
        who,
        item.annotation_id,
        number=item.draft_number,
        content=A_PLAN,
        seconds=20,
    )
    return item.annotation_id


def _returned(database: Database, chen: Actor) -> str:
    item = review.take_next(database, chen)
    assert item
    review.return_to_author(
        database,
        chen,
        item.annotation_id,
        item.revision_id,
        reasons=[{"code": "wrong_expert", "remark": "诊断，不是分析", "path": "$.steps[0].expert"}],
    )
    return item.query_id


def test_an_empty_queue_gives_nothing(database: Database, li: Actor) -> None:
    assert annotate.open_next(database, li) is None


def test_the_smallest_rank_comes_first_and_then_the_oldest(
    database: Database, admin: Actor, li: Actor
) -> None:
    later = a_label_query(database, admin, "一")
    oldest = a_label_query(database, admin, "二", rank=-1)
    second = a_label_query(database, admin, "三", rank=-1)
    got: list[str | None] = []
    for _ in range(3):
        item = annotate.open_next(database, li)
        assert item
        got.append(item.query_id)
        annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    assert got == [oldest, second, later]


def test_two_people_never_get_the_same_query(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    first, second = a_label_query(database, admin), a_label_query(database, admin)
    assert _next(database, li) == first
    assert _next(database, wang) == second


def test_what_i_hold_comes_back_first_even_after_its_lease_ran_out(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    held = a_label_query(database, admin)
    a_label_query(database, admin, rank=-5)
    opened = annotate.open_item(database, li, held)
    assert _next(database, li) == held
    time.move(minutes=16)
    again = annotate.open_next(database, li)
    assert again
    assert again.query_id == held
    assert again.lease_until > opened.lease_until


def test_a_lapsed_lease_can_be_taken_by_somebody_else(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin)
    assert _next(database, li) == query
    time.move(minutes=14)
    assert _next(database, wang) is None
    time.move(minutes=2)
    assert _next(database, wang) == query
    assert _next(database, li) is None


def test_a_heartbeat_keeps_the_lease(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    for _ in range(4):
        time.move(minutes=10)
        until = annotate.renew_lease(database, li, item.annotation_id)
        assert _next(database, wang) is None
    assert until > item.lease_until


def test_a_heartbeat_after_somebody_else_took_it_says_who(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    time.move(minutes=16)
    assert annotate.open_next(database, wang)
    with pytest.raises(EditConflict, match="Wang took this query") as refused:
        annotate.renew_lease(database, li, item.annotation_id)
    assert refused.value.code == "annotate.taken_over"


def test_what_was_returned_to_me_comes_before_new_queries(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, time: Clock
) -> None:
    returned = a_label_query(database, admin)
    new = a_label_query(database, admin, rank=-5)
    item = annotate.open_item(database, li, returned)
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=5)
    assert _returned(database, chen) == returned
    assert _next(database, wang) == new
    again = annotate.open_next(database, li)
    assert again
    assert (again.query_id, again.state) == (returned, "returned")
    assert again.draft == A_PLAN
    assert again.returned
    (reason,) = again.returned.reasons
    assert (reason.code, reason.remark) == ("wrong_expert", "诊断，不是分析")
    assert again.returned.reviewer == "Chen"


def test_what_was_returned_to_me_is_never_given_to_others_even_when_it_lapses(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin)
    _submitted(database, li, time)
    _returned(database, chen)
    assert _next(database, wang) is None
    assert _next(database, li) == query
    time.move(minutes=60)
    assert _next(database, wang) is None
    assert _next(database, li) == query


def test_a_return_to_somebody_who_left_goes_to_others(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin)
    _submitted(database, li, time)
    with database.transaction() as session:
        session.get_one(Person, li.person_id).is_active = False
    _returned(database, chen)
    assert _next(database, wang) == query


def test_what_i_put_aside_comes_last_with_its_draft(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    aside = a_label_query(database, admin)
    other = a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    annotate.save_draft(
        database, li, item.annotation_id, number=0, content={**A_PLAN, "rewritten_query": "半"}
    )
    annotate.postpone(database, li, item.annotation_id)
    assert _next(database, wang) == other
    back = annotate.open_next(database, li)
    assert back
    assert back.query_id == aside
    assert back.draft["rewritten_query"] == "半"


def test_a_skipped_query_never_comes_back_to_me_but_to_others(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    skipped = a_label_query(database, admin, slots=2)
    other = a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    annotate.skip(database, li, item.annotation_id, reason="看不懂")
    second = annotate.open_next(database, li)
    assert second
    assert second.query_id == other
    annotate.submit(database, li, second.annotation_id, number=0, content=A_PLAN, seconds=1)
    time.move(minutes=120)
    assert _next(database, li) is None
    assert _next(database, wang) == skipped


def test_nobody_gets_two_slots_of_one_query(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin, slots=2)
    assert _next(database, li) == query
    assert _next(database, wang) == query
    _submitted(database, li, time)
    assert _next(database, li) is None


def test_a_released_query_is_open_again_at_its_old_place(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    first = a_label_query(database, admin)
    a_label_query(database, admin)
    third = a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    assert _next(database, wang) != first
    annotate.release(database, li, item.annotation_id)
    assert third
    assert _next(database, li) == first


def test_a_query_can_be_opened_by_its_id(database: Database, admin: Actor, li: Actor) -> None:
    a_label_query(database, admin)
    wanted = a_label_query(database, admin)
    assert annotate.open_item(database, li, wanted).query_id == wanted
    assert _next(database, li) == wanted


def test_a_query_in_other_hands_says_whose(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    query = a_label_query(database, admin)
    assert _next(database, li) == query
    with pytest.raises(TransitionRefused, match="Li has had this query in hand"):
        annotate.open_item(database, wang, query)


def test_a_query_without_label_tasks_cannot_be_labelled(
    database: Database, admin: Actor, li: Actor
) -> None:
    with pytest.raises(TransitionRefused) as refused:
        annotate.open_item(database, li, a_query(database, admin))
    assert refused.value.code == "annotate.nothing_to_label"


def test_what_i_handed_in_opens_to_be_looked_at_without_a_lease(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin)
    _submitted(database, li, time)
    item = annotate.open_item(database, li, query)
    assert item.state == "submitted"
    assert item.lease_until == time.at


def test_an_unknown_query_is_not_found(database: Database, li: Actor) -> None:
    with pytest.raises(NotFound):
        annotate.open_item(database, li, "no such query")


def test_an_admin_frees_what_somebody_holds_has_kept_or_put_aside(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, time: Clock
) -> None:
    queries = [a_label_query(database, admin) for _ in range(3)]
    _submitted(database, li, time)
    _returned(database, chen)
    aside = annotate.open_item(database, li, queries[1])
    annotate.postpone(database, li, aside.annotation_id)
    annotate.open_item(database, li, queries[2])
    assert queue.free_tasks_of(database, admin, li.person_id) == 3
    got = set[str | None]()
    for _ in range(3):
        item = annotate.open_next(database, wang)
        assert item
        got.add(item.query_id)
        annotate.submit(database, wang, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    assert got == set(queries)


def test_queries_of_another_project_never_come(database: Database, li: Actor) -> None:
    other = a_project(database, "other")
    a_label_query(database, other)
    assert annotate.open_next(database, li) is None
