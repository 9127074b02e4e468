"""Gold items as admins keep them: set, offered, retired, looked at."""

import pytest

from db.engine import Database
from labeling import annotate, gold, queue, review
from labeling.duplicates import load_guard
from labeling.work_batches import create_batch, list_batches
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.queries import QueryChoice
from tests.factories import A_PLAN, a_label_query, a_suggestion, decide
from tests.fakes.clock import Clock
from tests.gold_work import WRONG, a_gold_query, gold_answers, hand_in_next, open_next


def test_the_chosen_plan_of_a_decided_query_is_offered(
    database: Database, admin: Actor, li: Actor, chen: Actor, time: Clock
) -> None:
    query = a_label_query(database, admin)
    assert gold.offer(database, admin, query).source == "none"
    a_suggestion(database, admin, query, plan=WRONG)
    assert gold.offer(database, admin, query).source == "suggestion"
    hand_in_next(database, li, time)
    with pytest.raises(TransitionRefused) as refused:
        gold.set_gold(database, admin, query, A_PLAN)
    assert refused.value.code == "gold.under_review"
    seen = review.take_next(database, chen)
    assert seen
    review.accept(database, chen, seen.annotation_id, seen.revision_id)
    offered = gold.offer(database, admin, query)
    assert (offered.source, offered.plan, offered.is_gold) == ("chosen", A_PLAN, False)
    gold.set_gold(database, admin, query, A_PLAN, note="典型")
    offered = gold.offer(database, admin, query)
    assert (offered.source, offered.note, offered.is_active) == ("gold", "典型", True)
    decide(database, admin, gold={"onboarding": 1})
    assert annotate.open_next(database, li) is None  # who wrote the plan knows it


def test_a_plan_that_breaks_the_querys_list_makes_no_gold_item(
    database: Database, admin: Actor
) -> None:
    query = a_label_query(database, admin)
    bad = {**A_PLAN, "steps": [{"expert": "无名专家", "sub_questions": ["?"], "order": 1}]}
    with pytest.raises(InvalidInput) as refused:
        gold.set_gold(database, admin, query, bad)
    assert refused.value.problems
    assert gold.list_items(database, admin) == ()
    with pytest.raises(NotFound):
        gold.set_gold(database, admin, "no such query", A_PLAN)


def test_a_retired_item_keeps_its_answers_comes_no_more_and_can_come_back(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    golden = a_gold_query(database, admin)
    hand_in_next(database, li, time)
    assert gold.retire(database, admin, golden)
    assert annotate.open_next(database, wang) is None
    (shown,) = gold.list_items(database, admin)
    assert (shown.is_active, shown.answered, shown.right) == (False, 1, 1)
    assert gold.gold_among(database, admin, [golden, "another"]) == {golden}
    (answer,) = gold.list_answers(database, admin, query_id=golden)
    assert (answer.name, answer.is_right, answer.score, answer.plan) == ("Li", True, 1.0, A_PLAN)
    assert load_guard(database, admin).find_leak("流量为何下滑？", None)
    gold.set_gold(database, admin, golden, A_PLAN)
    assert hand_in_next(database, wang, time) == golden


def test_an_item_that_nobody_has_met_is_taken_away_and_its_query_is_labelled_again(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    golden = a_gold_query(database, admin)
    time.move(seconds=1)
    assert not gold.retire(database, admin, golden)
    assert gold.list_items(database, admin) == ()
    assert hand_in_next(database, li, time) == golden
    assert gold_answers(database) == []


def test_what_an_admin_frees_of_gold_goes_to_nobody(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    a_gold_query(database, admin)
    open_next(database, li)
    decide(database, admin, gold={"onboarding": 0})
    assert queue.free_tasks_of(database, admin, li.person_id) == 1
    assert annotate.open_next(database, wang) is None


def test_gold_items_do_not_count_in_a_batch(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    decide(database, admin, gold={"onboarding": 1})
    golden = a_gold_query(database, admin)
    normal = a_label_query(database, admin)
    create_batch(database, admin, "一组", QueryChoice(ids=(normal, golden)))
    assert hand_in_next(database, li, time) == golden
    (shown,) = list_batches(database, admin)
    assert (shown.done, shown.total) == (0, 1)


def test_only_admins_know_of_gold(
    database: Database, admin: Actor, chen: Actor, time: Clock
) -> None:
    golden = a_gold_query(database, admin)
    for act in (
        lambda: gold.set_gold(database, chen, golden, A_PLAN),
        lambda: gold.retire(database, chen, golden),
        lambda: gold.offer(database, chen, golden),
        lambda: gold.list_items(database, chen),
        lambda: gold.gold_among(database, chen, [golden]),
        lambda: gold.list_answers(database, chen),
        lambda: gold.list_records(database, chen),
    ):
        with pytest.raises(NotAllowed):
            act()
