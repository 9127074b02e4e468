"""What comes first: priority, then due date, then what models disagree about."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from db.engine import Database
from db.tables import Query, Task
from labeling import annotate, review
from labeling.ranking import recompute_disagreement, refresh_disagreement, set_priority
from labeling.work_batches import create_batch
from schemas.errors import InvalidInput, NotAllowed
from schemas.people import Actor
from schemas.queries import QueryChoice
from schemas.ranks import FLAGGED_FIRST, HIGHEST_PRIORITY, rank_of
from tests.factories import A_PLAN, EXPERTS, a_label_query, a_suggestion

OTHER_PLAN: dict[str, Any] = {
    "rewritten_query": "活动怎么报名",
    "steps": [{"expert": EXPERTS[4], "sub_questions": ["活动怎么报名"], "order": 1}],
}
days = st.none() | st.dates(date(2020, 1, 2), date(2047, 5, 18))
shares = st.none() | st.integers(0, 100).map(lambda percent: percent / 100)
priorities = st.integers(-HIGHEST_PRIORITY, HIGHEST_PRIORITY)


def _hand_in_next(database: Database, who: Actor) -> str:
    item = annotate.open_next(database, who)
    assert item
    annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    return item.query_id


def _rank(database: Database, query_id: str, kind: str = "label") -> int:
    with database.reading() as session:
        statement = select(Task.rank).where(Task.query_id == query_id, Task.kind == kind)
        return session.exec(statement).one()


@given(priorities, days, shares, priorities, days, shares)
def test_ranks_order_by_priority_then_day_then_disagreement(
    p1: int, d1: date | None, s1: float | None, p2: int, d2: date | None, s2: float | None
) -> None:
    one = (-p1, d1 or date.max, -(s1 or 0))
    other = (-p2, d2 or date.max, -(s2 or 0))
    assert (rank_of(p1, d1, s1) < rank_of(p2, d2, s2)) == (one < other)


@given(priorities, days, shares)
def test_any_flagged_review_comes_before_any_other_and_fits_the_column(
    priority: int, due_on: date | None, share: float | None
) -> None:
    flagged = rank_of(-HIGHEST_PRIORITY, None, None) - FLAGGED_FIRST
    assert flagged < rank_of(priority, due_on, share)
    assert rank_of(priority, due_on, share) - FLAGGED_FIRST > -(2**31)


@pytest.mark.parametrize("percent", [0, 1, 29, 55, 57, 58, 100])
def test_both_engines_reckon_the_rank_that_the_rule_says(
    database: Database, admin: Actor, percent: int
) -> None:
    query = a_label_query(database, admin)
    with database.transaction() as session:
        session.get_one(Query, query).disagreement = percent / 100
    due_on = date(2026, 5, 4) + timedelta(days=percent)
    create_batch(database, admin, "甲", QueryChoice(ids=(query,)), due_on=due_on)
    set_priority(database, admin, QueryChoice(ids=(query,)), 3)
    assert _rank(database, query) == rank_of(3, due_on, percent / 100)


def test_a_query_that_was_brought_forward_comes_first_even_behind_where_i_searched(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    first, second, third = (a_label_query(database, admin) for _ in range(3))
    assert _hand_in_next(database, li) == first
    assert set_priority(database, chen, QueryChoice(ids=(third,)), 5) == 1
    assert _hand_in_next(database, li) == third
    assert _hand_in_next(database, li) == second


def test_a_priority_goes_to_everything_that_a_filter_finds(
    database: Database, admin: Actor, li: Actor
) -> None:
    a_label_query(database, admin, "退款")
    wanted = [a_label_query(database, admin, "流量") for _ in range(2)]
    assert set_priority(database, admin, QueryChoice(text="流量", state="waiting"), 2) == 2
    assert set_priority(database, admin, QueryChoice(text="流量"), 2) == 0
    assert [_hand_in_next(database, li) for _ in range(2)] == wanted


def test_a_review_follows_its_label_and_a_flagged_one_stays_before_all(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    plain, flagged, urgent = (a_label_query(database, admin) for _ in range(3))
    for query in (plain, flagged, urgent):
        item = annotate.open_item(database, li, query)
        if query == flagged:
            annotate.flag(database, li, item.annotation_id, reason="看")
        annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    set_priority(database, admin, QueryChoice(ids=(urgent,)), HIGHEST_PRIORITY)
    set_priority(database, admin, QueryChoice(ids=(flagged,)), -1)
    assert _rank(database, urgent, "review") == rank_of(HIGHEST_PRIORITY, None, None)
    assert _rank(database, flagged, "review") == rank_of(-1, None, None) - FLAGGED_FIRST
    got: list[str] = []
    for _ in range(3):
        seen = review.take_next(database, chen)
        assert seen
        got.append(seen.query_id)
        review.accept(database, chen, seen.annotation_id, seen.revision_id)
    assert got == [flagged, urgent, plain]


def test_what_models_disagree_about_comes_first_at_equal_priority(
    database: Database, admin: Actor, li: Actor
) -> None:
    alike, apart, single = (a_label_query(database, admin) for _ in range(3))
    for query, plans in (
        (alike, (A_PLAN, A_PLAN)),
        (apart, (A_PLAN, OTHER_PLAN, A_PLAN)),
        (single, (A_PLAN,)),
    ):
        for number, plan in enumerate(plans, start=1):
            a_suggestion(database, admin, query, plan=plan, candidate=number)
    assert recompute_disagreement(database, admin) == 2
    assert recompute_disagreement(database, admin) == 0
    with database.reading() as session:
        found = {each: session.get_one(Query, each).disagreement for each in (alike, apart, single)}
    assert found[alike] == 0.0
    assert found[single] is None
    assert 0.4 < (found[apart] or 0) <= 0.67
    assert [_hand_in_next(database, li) for _ in range(3)] == [apart, alike, single]


def test_a_suggestion_more_changes_the_disagreement_of_its_query_alone(
    database: Database, admin: Actor
) -> None:
    query, other = a_label_query(database, admin), a_label_query(database, admin)
    for each in (query, other):
        a_suggestion(database, admin, each, plan=A_PLAN)
        a_suggestion(database, admin, each, plan=OTHER_PLAN, candidate=2)
    assert refresh_disagreement(database, admin.project_id, [query]) == 1
    assert _rank(database, query) < 0
    assert _rank(database, other) == 0


def test_annotators_set_no_priorities_and_nobody_sets_one_beyond_the_ends(
    database: Database, admin: Actor, li: Actor
) -> None:
    with pytest.raises(NotAllowed):
        set_priority(database, li, QueryChoice(), 1)
    with pytest.raises(NotAllowed):
        recompute_disagreement(database, li)
    with pytest.raises(InvalidInput):
        set_priority(database, admin, QueryChoice(), HIGHEST_PRIORITY + 1)
