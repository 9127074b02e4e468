"""Named batches: who gets their items, in which order, and how far they are."""

from datetime import date

import pytest

from db.engine import Database
from labeling import annotate
from labeling.ranking import set_priority
from labeling.work_batches import (
    add_to_batch,
    change_batch,
    close_batch,
    create_batch,
    list_batches,
    reopen_batch,
)
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.queries import QueryChoice
from tests.factories import A_PLAN, a_label_query, a_person, a_project
from tests.fakes.clock import Clock


def _hand_in_next(database: Database, who: Actor) -> str | None:
    item = annotate.open_next(database, who)
    if item is None:
        return None
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
    )
    return item.query_id


def _of(*ids: str) -> QueryChoice:
    return QueryChoice(ids=ids)


def test_items_of_a_batch_go_to_its_people_only(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    theirs, anybodys = a_label_query(database, admin), a_label_query(database, admin)
    made = create_batch(database, admin, "一组", _of(theirs), person_ids=[wang.person_id])
    assert (made.taken_in, made.elsewhere) == (1, 0)
    assert _hand_in_next(database, li) == anybodys
    assert _hand_in_next(database, li) is None
    with pytest.raises(TransitionRefused):
        annotate.open_item(database, li, theirs)
    assert _hand_in_next(database, wang) == theirs


def test_a_batch_without_people_is_everybodys_and_the_item_tells_its_name_and_day(
    database: Database, admin: Actor, li: Actor
) -> None:
    plain, query = a_label_query(database, admin), a_label_query(database, admin)
    create_batch(database, admin, "大促", _of(query), due_on=date(2026, 5, 8))
    item = annotate.open_next(database, li)
    assert item
    assert (item.query_id, item.batch, item.due_on) == (query, "大促", date(2026, 5, 8))
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    item = annotate.open_next(database, li)
    assert item
    assert (item.query_id, item.batch, item.due_on) == (plain, None, None)


def test_the_nearer_due_date_comes_first_and_a_higher_priority_before_it(
    database: Database, admin: Actor, li: Actor
) -> None:
    none, late, soon, urgent = (a_label_query(database, admin) for _ in range(4))
    create_batch(database, admin, "六月", _of(late), due_on=date(2026, 6, 1))
    create_batch(database, admin, "五月", _of(soon), due_on=date(2026, 5, 6))
    set_priority(database, admin, _of(urgent), 1)
    got = [_hand_in_next(database, li) for _ in range(4)]
    assert got == [urgent, soon, late, none]


def test_another_due_date_moves_the_items_of_a_batch(
    database: Database, admin: Actor, li: Actor
) -> None:
    first, second = a_label_query(database, admin), a_label_query(database, admin)
    create_batch(database, admin, "甲", _of(first), due_on=date(2026, 5, 6))
    other = create_batch(database, admin, "乙", _of(second), due_on=date(2026, 6, 1))
    change_batch(database, admin, other.batch_id, due_on=date(2026, 5, 5), person_ids=())
    assert _hand_in_next(database, li) == second


def test_what_somebody_holds_stays_theirs_when_a_batch_takes_it_in(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin)
    held = annotate.open_next(database, li)
    assert held
    create_batch(database, admin, "一组", _of(query), person_ids=[wang.person_id])
    again = annotate.open_next(database, li)
    assert again
    assert again.query_id == query
    time.move(minutes=60)
    assert annotate.open_next(database, wang)
    assert annotate.open_next(database, li) is None


def test_a_closed_batch_hands_out_nothing_more_until_it_is_opened_again(
    database: Database, admin: Actor, li: Actor
) -> None:
    queries = [a_label_query(database, admin) for _ in range(2)]
    made = create_batch(database, admin, "一组", _of(*queries))
    assert _hand_in_next(database, li) == queries[0]
    close_batch(database, admin, made.batch_id)
    assert _hand_in_next(database, li) is None
    (shown,) = list_batches(database, admin)
    assert shown.closed_at
    reopen_batch(database, admin, made.batch_id)
    assert _hand_in_next(database, li) == queries[1]


def test_people_who_join_a_batch_get_its_items_at_once(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    query = a_label_query(database, admin)
    made = create_batch(database, admin, "一组", _of(query), person_ids=[wang.person_id])
    assert _hand_in_next(database, li) is None
    change_batch(
        database, admin, made.batch_id, due_on=None, person_ids=[wang.person_id, li.person_id]
    )
    assert _hand_in_next(database, li) == query


def test_progress_counts_labels_and_days(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    a_label_query(database, admin, "流量怎么掉了", slots=2)
    a_label_query(database, admin, "退款")
    create_batch(
        database,
        admin,
        "流量",
        QueryChoice(text="流量"),
        due_on=date(2026, 5, 5),
        person_ids=[wang.person_id, li.person_id],
    )
    (shown,) = list_batches(database, admin)
    assert (shown.done, shown.total, shown.days_left, shown.is_overdue) == (0, 2, 1, False)
    assert shown.people == ("Li", "Wang")
    _hand_in_next(database, li)
    time.move(minutes=60 * 24 * 2)
    (shown,) = list_batches(database, admin)
    assert (shown.done, shown.total, shown.days_left, shown.is_overdue) == (1, 2, -1, True)
    _hand_in_next(database, wang)
    (shown,) = list_batches(database, admin)
    assert (shown.is_done, shown.is_overdue) == (True, False)


def test_a_query_stays_in_its_open_batch_and_leaves_a_closed_one(
    database: Database, admin: Actor, li: Actor
) -> None:
    first, second = a_label_query(database, admin), a_label_query(database, admin)
    made = create_batch(database, admin, "甲", _of(first))
    other = create_batch(database, admin, "乙", _of(first, second))
    assert (other.taken_in, other.elsewhere) == (1, 1)
    close_batch(database, admin, made.batch_id)
    more = add_to_batch(database, admin, other.batch_id, _of(first))
    assert (more.taken_in, more.elsewhere) == (1, 0)
    assert {_hand_in_next(database, li) for _ in range(2)} == {first, second}


def test_an_unusable_batch_is_refused_whole(database: Database, admin: Actor, li: Actor) -> None:
    query = a_label_query(database, admin)
    stranger = a_person(database, a_project(database, "other").project_id, "annotator")
    for name, chosen, people, code in (
        (" ", _of(query), (), "work_batches.unusable_name"),
        ("甲", _of(query), (stranger.person_id,), "work_batches.not_a_member"),
        ("甲", _of("nothing"), (), "work_batches.nothing_in_it"),
    ):
        with pytest.raises(InvalidInput) as refused:
            create_batch(database, admin, name, chosen, person_ids=people)
        assert refused.value.code == code
    assert list_batches(database, admin) == ()
    create_batch(database, admin, "甲", _of(query))
    with pytest.raises(InvalidInput) as refused:
        create_batch(database, admin, "甲", _of(query))
    assert refused.value.code == "work_batches.name_taken"


def test_only_admins_change_batches_and_reviewers_see_them(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query = a_label_query(database, admin)
    made = create_batch(database, admin, "甲", _of(query))
    for act in (
        lambda: create_batch(database, chen, "乙", _of(query)),
        lambda: add_to_batch(database, chen, made.batch_id, _of(query)),
        lambda: change_batch(database, chen, made.batch_id, due_on=None, person_ids=()),
        lambda: close_batch(database, chen, made.batch_id),
        lambda: reopen_batch(database, chen, made.batch_id),
        lambda: list_batches(database, li),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert len(list_batches(database, chen)) == 1


def test_a_batch_of_another_project_is_not_found(database: Database, admin: Actor) -> None:
    other = a_project(database, "other")
    made = create_batch(database, other, "甲", _of(a_label_query(database, other)))
    with pytest.raises(NotFound):
        close_batch(database, admin, made.batch_id)
    assert list_batches(database, admin) == ()
