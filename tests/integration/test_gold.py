"""Gold items: when one comes, that nobody can tell it, how it is judged, and what follows."""

from typing import Any

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Person, Query, Task
from labeling import annotate, gold, review
from labeling.duplicates import load_guard
from labeling.pauses import find_note, lift, list_paused
from labeling.progress import progress
from labeling.searching import search
from labeling.ui.desk import to_answer
from labeling.ui.i18n import Words
from labeling.work_batches import create_batch
from schemas.desk import LabelItem
from schemas.errors import TransitionRefused
from schemas.people import Actor
from schemas.queries import QueryChoice
from tests.factories import A_PLAN, a_label_query, a_suggestion, decide
from tests.fakes.clock import Clock
from tests.gold_work import WRONG, a_gold_query, gold_answers, hand_in_next, open_next


def test_the_first_items_are_gold_and_then_one_after_every_so_many(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 2, "every": 3})
    normal = [a_label_query(database, admin, f"问题 {number}") for number in range(9)]
    golden = {a_gold_query(database, admin, f"金标 {number}") for number in range(4)}
    got = [hand_in_next(database, li, time) in golden for _ in range(11)]
    assert got == [True, True, *[False] * 3, True, *[False] * 3, True, False]
    assert len(normal) == 9


def test_without_settings_a_gold_item_never_comes(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    a_gold_query(database, admin)
    assert annotate.open_next(database, li) is None
    normal = a_label_query(database, admin)
    assert hand_in_next(database, li, time) == normal
    assert annotate.open_next(database, li) is None


def test_what_is_mine_comes_before_gold(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    held = a_label_query(database, admin)
    annotate.open_item(database, li, held)
    golden = a_gold_query(database, admin)
    decide(database, admin, gold={"onboarding": 1})
    assert hand_in_next(database, li, time) == held
    assert hand_in_next(database, li, time) == golden


def test_everybody_gets_the_same_item_once_each_in_a_slot_of_their_own(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 5})
    golden = a_gold_query(database, admin)
    assert open_next(database, li).query_id == golden
    assert open_next(database, wang).query_id == golden
    for who in (li, wang):
        assert hand_in_next(database, who, time) == golden
        assert annotate.open_next(database, who) is None
    assert {each.person_id for each in gold_answers(database)} == {li.person_id, wang.person_id}


def test_who_made_a_gold_item_is_never_given_it(
    database: Database, admin: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    a_gold_query(database, admin)
    assert annotate.open_next(database, admin) is None


def test_a_gold_item_looks_like_any_other_in_everything_that_a_page_is_given(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    normal = a_label_query(database, admin, "普通")
    golden = a_gold_query(database, admin, "金标")
    for query in (normal, golden):
        a_suggestion(database, admin, query, plan=WRONG)
    create_batch(database, admin, "一组", QueryChoice(ids=(normal,)))
    decide(database, admin, gold={"every": 1, "auto_pause": False})
    given: dict[str, LabelItem] = {}
    seen: list[Any] = []
    for _ in range(2):
        # What comes after it is in a batch, so the gold item tells one too.
        a_label_query(database, admin, "更多")
        if given:
            create_batch(database, admin, "二组", QueryChoice(text="更多"))
        item = open_next(database, li)
        given[item.query_id] = item
        seen.append(progress(database, li).returned_to_me)
        annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=5)
        time.move(seconds=5)
    plain = {query: item.model_dump(mode="json") for query, item in given.items()}
    assert given.keys() == {normal, golden}
    names = {"task_id", "query_id", "annotation_id", "text", "suggestions", "suggestion_id"}
    names |= {"lease_until", "batch"}
    same = [{k: v for k, v in each.items() if k not in names} for each in plain.values()]
    assert same[0] == same[1]
    assert given[golden].batch == "二组"
    assert seen == [0, 0]
    mine = {each.query_id: each for each in annotate.list_mine(database, li)}
    names = {"query_id", "annotation_id", "text", "opened_at", "submitted_at"}
    listed = [each.model_dump(exclude=names) for each in (mine[golden], mine[normal])]
    assert listed[0] == listed[1]
    assert (listed[0]["state"], listed[0]["can_withdraw"]) == ("submitted", True)
    found = {
        each.query_id: each for each in search(database, li, "普通") + search(database, li, "金标")
    }
    assert found[golden].state == found[normal].state
    assert progress(database, li).mine_today == 2


def test_a_gold_item_can_be_put_aside_given_back_skipped_and_withdrawn_like_any_other(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    golden = a_gold_query(database, admin)
    item = open_next(database, li)
    annotate.postpone(database, li, item.annotation_id)
    assert open_next(database, li).query_id == golden
    annotate.release(database, li, item.annotation_id)
    assert annotate.open_next(database, wang)
    assert open_next(database, li).query_id == golden
    annotate.submit(database, li, item.annotation_id, number=0, content=WRONG, seconds=1)
    annotate.withdraw(database, li, item.annotation_id)
    again = open_next(database, li)
    assert (again.query_id, again.state, again.draft) == (golden, "draft", WRONG)
    annotate.skip(database, wang, open_next(database, wang).annotation_id)
    assert annotate.open_next(database, wang) is None
    assert open_next(database, li).query_id == golden


def test_what_was_skipped_in_one_tab_can_be_handed_in_in_another_gold_or_not(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    normal, golden = a_label_query(database, admin), a_gold_query(database, admin)
    got: list[str] = []
    for onboarding in (0, 1):
        decide(database, admin, gold={"onboarding": onboarding})
        item = open_next(database, li)
        got.append(item.query_id)
        annotate.skip(database, li, item.annotation_id)
        annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    assert got == [normal, golden]
    assert len(gold_answers(database)) == 1


def test_a_gold_item_that_lapses_waits_for_its_person_and_goes_to_nobody_else(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    golden = a_gold_query(database, admin)
    item = open_next(database, li)
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    annotate.withdraw(database, li, item.annotation_id)
    decide(database, admin, gold={"onboarding": 0})
    time.move(minutes=60)
    assert annotate.open_next(database, wang) is None
    assert open_next(database, li).query_id == golden


def test_the_first_answer_counts_however_often_it_is_changed(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    a_gold_query(database, admin)
    item = open_next(database, li)
    annotate.submit(database, li, item.annotation_id, number=0, content=WRONG, seconds=1)
    annotate.withdraw(database, li, item.annotation_id)
    again = open_next(database, li)
    annotate.submit(
        database, li, item.annotation_id, number=again.draft_number, content=A_PLAN, seconds=1
    )
    (answer,) = gold_answers(database)
    assert not answer.is_right
    assert 0 < answer.score < 1


def test_a_gold_answer_is_nothing_to_review_and_no_bundle_may_hold_its_query(
    database: Database, admin: Actor, li: Actor, chen: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1}, sampling={"is_on": True, "lot_size": 5})
    golden = a_gold_query(database, admin, "流量为何一路下滑呢")
    item = open_next(database, li)
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    assert review.take_next(database, chen) is None
    with pytest.raises(TransitionRefused):
        review.open_item(database, chen, item.annotation_id)
    with database.reading() as session:
        assert session.exec(select(Task).where(Task.kind == "review")).all() == []
        assert session.get_one(Query, golden).state == "decided"
    leak = load_guard(database, admin).find_leak("流量为何一路下滑呢？", None)
    assert leak
    assert leak.question.reference == "gold"
    assert load_guard(database, admin).find_leak("别的问题", A_PLAN["rewritten_query"])


def test_a_careless_person_is_paused_by_the_rule_told_calmly_and_judged_anew_when_lifted(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 6, "every": 1, "tolerated_rate": 0.2})
    for number in range(8):
        a_gold_query(database, admin, f"金标 {number}")
    answered = 0
    while annotate.open_next(database, li) is not None:
        hand_in_next(database, li, time, WRONG)
        answered += 1
    assert answered == 2  # of six, five must be right
    (paused,) = list_paused(database, admin)
    assert (paused.person_id, paused.reason_code, paused.paused_by) == (
        li.person_id,
        "by_gold",
        None,
    )
    assert paused.why["wrong"] == 2
    note = find_note(database, li)
    assert note
    assert note.code == "pauses.by_gold"
    assert "wrong" not in note.values
    lift(database, admin, li.person_id)
    hand_in_next(database, li, time, WRONG)
    assert list_paused(database, admin) == ()
    with database.transaction() as session:
        session.get_one(Person, li.person_id).password_hash = "of somebody who can sign in"
    (record,) = gold.list_records(database, admin)
    assert (record.name, record.answered, record.right) == ("Li", 1, 0)
    assert (record.is_paused, record.last_at) == (False, time.at)


def test_nobody_is_paused_by_the_rule_where_the_project_decides_so(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 6, "auto_pause": False})
    for number in range(6):
        a_gold_query(database, admin, f"金标 {number}")
    for _ in range(6):
        hand_in_next(database, li, time, WRONG)
    assert list_paused(database, admin) == ()


def test_a_query_in_somebodys_hands_becomes_gold_and_their_plan_is_its_first_answer(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin, slots=2)
    item = open_next(database, li)
    gold.set_gold(database, admin, query, A_PLAN)
    assert annotate.open_next(database, wang) is None
    time.move(minutes=60)
    assert annotate.open_next(database, wang) is None
    annotate.submit(database, li, item.annotation_id, number=0, content=WRONG, seconds=1)
    assert [each.person_id for each in gold_answers(database)] == [li.person_id]


def test_the_page_is_not_told_the_number_of_a_task_by_which_a_new_one_would_be_known(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    a_gold_query(database, admin)
    answer = to_answer(open_next(database, li), progress(database, li), Words("en"))
    assert answer["item"].keys() >= {"query_id", "draft", "lease_until"}
    assert "task_id" not in answer["item"]
