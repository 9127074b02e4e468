"""Moving decided rows to a newer list: proposals that go through review; the old rows stay."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import (
    Annotation,
    Event,
    ListWork,
    MigrationProposal,
    Query,
    Revision,
    Suggestion,
    Task,
)
from labeling import annotate, review
from labeling.accounts import command_line_actor
from labeling.demo import load_demo
from labeling.experts import get_list, publish
from labeling.list_work import begin_migration
from labeling.migration import count_moved, list_moved, move_some, preview, take_back
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.list_changes import ListChange
from schemas.list_impact_report import MigrationCounts
from schemas.people import Actor
from schemas.settings import Settings
from tests.factories import A_PLAN, EXPERTS, a_label_query
from tests.factories import decide as settle
from tests.many_rows import add_decided

QA, DATA, ADVICE, DIAGNOSIS, EVENTS = (EXPERTS[place] for place in (1, 0, 2, 3, 4))
CROWD = {"name": "人群运营专家", "description": "圈选老客、会员，发放优惠券，提升复购"}

Decide = Callable[..., str]


@pytest.fixture
def decide(database: Database, admin: Actor, li: Actor, chen: Actor) -> Decide:
    """Makes queries that were labelled and accepted: (expert, sub-question) a step."""

    def make(*steps: tuple[str, str]) -> str:
        query_id = a_label_query(database, admin)
        item = annotate.open_item(database, li, query_id)
        content = {
            **A_PLAN,
            "steps": [
                {"expert": expert, "sub_questions": [asked], "order": order}
                for order, (expert, asked) in enumerate(steps, start=1)
            ],
        }
        annotate.submit(database, li, item.annotation_id, number=0, content=content, seconds=1)
        taken = review.take_next(database, chen)
        assert taken
        review.accept(database, chen, taken.annotation_id, taken.revision_id)
        return query_id

    return make


def next_list(database: Database, who: Actor) -> None:
    """QA renamed, DATA and DIAGNOSIS merged, CROWD split off ADVICE, EVENTS retired."""
    _, now = get_list(database, who, "merchant@1")
    kept = {each.name: each.model_dump(mode="json") for each in now.experts}
    experts = [
        {"name": "答疑专家", "description": "解答规则"},
        {"name": "经营分析专家", "description": "查询数据、找原因"},
        kept[ADVICE] | {"description": "推荐菜品、定价、投放"},
        CROWD,
    ]
    changes = [
        ListChange(kind="rename", before=(QA,), after=("答疑专家",)),
        ListChange(kind="merge", before=(DATA, DIAGNOSIS), after=("经营分析专家",)),
        ListChange(kind="split", before=(ADVICE,), after=(ADVICE, CROWD["name"])),
        ListChange(kind="retire", before=(EVENTS,)),
    ]
    content: Any = {"name": "merchant", "experts": experts}
    publish(database, who, json.dumps(content).encode(), changes=changes)


def move(database: Database, who: Actor) -> MigrationCounts:
    work, migration = begin_migration(database, who, "merchant@1", "merchant@2")
    while move_some(database, who, migration, work.id):
        pass
    with database.reading() as session:
        report: Any = session.get_one(ListWork, work.id).report
    return MigrationCounts.model_validate(report["counts"])


def rows(database: Database, model: type[Any]) -> list[Any]:
    with database.reading() as session:
        return list(session.exec(select(model).order_by(*model.__table__.primary_key)))


def counted(**counts: int) -> MigrationCounts:
    return MigrationCounts(**counts)


def test_each_kind_of_change_becomes_its_kind_of_proposal(
    database: Database, admin: Actor, decide: Decide
) -> None:
    renamed = decide((QA, "费率是多少"))
    merged = decide((DATA, "查询流量"), (DIAGNOSIS, "为什么掉"))
    split = decide((ADVICE, "圈选老客并发放优惠券"))
    lost = decide((EVENTS, "xyz"))
    stays = decide((ADVICE, "推荐菜品和定价"))
    next_list(database, admin)
    expected = counted(untouched=1, automatic=2, people=1, lost=1)
    assert preview(database, admin, "merchant@1", "merchant@2") == expected
    assert rows(database, MigrationProposal) == []
    assert move(database, admin) == expected
    moved = {each.parent_query_id: each for each in list_moved(database, admin, "merchant@2")}
    assert stays not in moved
    assert [(moved[each].fate, moved[each].rule) for each in (renamed, merged, split, lost)] == [
        ("automatic", "rename"),
        ("automatic", "merge"),
        ("people", "split"),
        ("lost", "retire"),
    ]
    assert (moved[lost].query_id, moved[lost].state) == (None, None)
    assert (moved[renamed].state, moved[split].state) == ("in_review", "ready")
    suggested = {each.query_id: each for each in rows(database, Suggestion) if each.candidate == 1}
    assert [s["expert"] for s in suggested[moved[renamed].query_id].plan["steps"]] == ["答疑专家"]
    steps = suggested[moved[merged].query_id].plan["steps"]
    assert [step["expert"] for step in steps] == ["经营分析专家", "经营分析专家"]
    candidates = [
        each.plan["steps"][0]["expert"]
        for each in rows(database, Suggestion)
        if each.query_id == moved[split].query_id
    ]
    assert candidates == [CROWD["name"], ADVICE]


def test_the_old_row_stays_as_it_is_and_the_new_one_is_of_its_cluster(
    database: Database, admin: Actor, decide: Decide
) -> None:
    parent = decide((QA, "费率是多少"))
    with database.reading() as session:
        before = session.get_one(Query, parent).model_dump()
        revisions = [each.model_dump() for each in rows(database, Revision)]
    next_list(database, admin)
    move(database, admin)
    (moved,) = list_moved(database, admin, "merchant@2")
    with database.reading() as session:
        assert session.get_one(Query, parent).model_dump() == before
        made = session.get_one(Query, moved.query_id)
    same = ("text", "history", "cluster", "prompt_version_id", "dialect", "window")
    assert [getattr(made, name) for name in same] == [before[name] for name in same]
    assert made.list_version_id == get_list(database, admin, "merchant@2")[0]
    assert [each.model_dump() for each in rows(database, Revision)][: len(revisions)] == revisions


def test_moving_twice_adds_nothing(database: Database, admin: Actor, decide: Decide) -> None:
    decide((QA, "费率是多少"))
    decide((ADVICE, "圈选老客"))
    decide((EVENTS, "xyz"))
    next_list(database, admin)
    assert move(database, admin).known == 0
    counts = [len(rows(database, each)) for each in (Query, Suggestion, Task, Annotation)]
    assert move(database, admin) == counted(known=3)
    assert preview(database, admin, "merchant@1", "merchant@2") == counted(known=3)
    assert [len(rows(database, each)) for each in (Query, Suggestion, Task, Annotation)] == counts


def test_two_who_move_at_once_move_each_row_once(
    database: Database, admin: Actor, decide: Decide
) -> None:
    for number in range(6):
        decide((QA, f"费率是多少 {number}"))
    next_list(database, admin)
    failures: list[Exception] = []

    def work() -> None:
        try:
            move(database, admin)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    parents = [each.parent_query_id for each in rows(database, MigrationProposal)]
    assert len(parents) == len(set(parents)) == 6


def test_a_rewritten_plan_counts_only_when_somebody_else_has_accepted_it(
    database: Database, admin: Actor, chen: Actor, decide: Decide
) -> None:
    decide((QA, "费率是多少"))
    next_list(database, admin)
    move(database, admin)
    (moved,) = list_moved(database, admin, "merchant@2")
    assert review.take_next(database, admin) is None
    with database.reading() as session:
        assert session.get_one(Query, moved.query_id).chosen_annotation_id is None
    item = review.take_next(database, chen)
    assert item
    assert item.query_id == moved.query_id
    assert item.expert_list.reference == "merchant@2"
    review.accept(database, chen, item.annotation_id, item.revision_id)
    assert list_moved(database, admin, "merchant@2")[0].state == "decided"
    assert count_moved(database, admin, "merchant@2") == {("automatic", "decided"): 1}


def test_a_split_row_is_labelled_from_its_candidates_under_the_new_list(
    database: Database, admin: Actor, li: Actor, chen: Actor, decide: Decide
) -> None:
    decide((ADVICE, "圈选老客"))
    next_list(database, admin)
    move(database, admin)
    item = annotate.open_next(database, li)
    assert item
    assert item.expert_list.reference == "merchant@2"
    assert len(item.suggestions) == 2
    assert item.draft["steps"][0]["expert"] == CROWD["name"]
    number = item.draft_number
    annotate.submit(database, li, item.annotation_id, number=number, content=item.draft, seconds=3)
    taken = review.take_next(database, chen)
    assert taken
    review.accept(database, chen, taken.annotation_id, taken.revision_id)
    assert list_moved(database, admin, "merchant@2")[0].state == "decided"


def test_where_a_row_came_from_stands_in_its_events(
    database: Database, admin: Actor, decide: Decide
) -> None:
    parent = decide((QA, "费率是多少"))
    next_list(database, admin)
    move(database, admin)
    (event,) = [each for each in rows(database, Event) if each.action == "moved"]
    assert event.why == {
        "parent": parent,
        "from": "merchant@1",
        "to": "merchant@2",
        "rule": "rename",
    }


def test_what_nobody_has_touched_is_taken_back_and_can_be_moved_again(
    database: Database, admin: Actor, li: Actor, decide: Decide
) -> None:
    for asked in ("圈选老客", "圈选会员"):
        decide((ADVICE, asked))
    decide((QA, "费率是多少"))
    decide((EVENTS, "xyz"))
    before = [len(rows(database, each)) for each in (Query, Task, Annotation, Revision, Suggestion)]
    next_list(database, admin)
    move(database, admin)
    item = annotate.open_next(database, li)
    assert item
    assert take_back(database, admin, "merchant@1", "merchant@2") == 3
    (left,) = list_moved(database, admin, "merchant@2")
    assert left.query_id == item.query_id
    after = [len(rows(database, each)) for each in (Query, Task, Annotation, Revision, Suggestion)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 1, 0, 2]
    assert take_back(database, admin, "merchant@1", "merchant@2") == 0
    assert move(database, admin) == counted(automatic=1, people=1, lost=1, known=1)


def test_what_a_reviewer_has_in_hand_or_has_decided_is_not_taken_back(
    database: Database, admin: Actor, chen: Actor, decide: Decide
) -> None:
    decide((QA, "费率是多少"))
    decide((QA, "怎么结算"))
    next_list(database, admin)
    move(database, admin)
    item = review.take_next(database, chen)
    assert item
    review.accept(database, chen, item.annotation_id, item.revision_id)
    assert review.take_next(database, chen)
    assert take_back(database, admin, "merchant@1", "merchant@2") == 0


def test_with_sampling_the_rewritten_plans_gather_in_a_lot_and_leave_it_when_taken_back(
    database: Database, admin: Actor, decide: Decide
) -> None:
    for number in range(3):
        decide((QA, f"费率 {number}"))
    next_list(database, admin)
    sampling = {"is_on": True, "lot_size": 50}
    settle(database, admin, sampling=sampling)
    move(database, admin)
    assert [each.state for each in list_moved(database, admin, "merchant@2")] == ["in_review"] * 3
    assert take_back(database, admin, "merchant@1", "merchant@2") == 3


def test_rows_are_moved_by_admins_between_two_versions_that_are_there(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    next_list(database, admin)
    for who in (li, chen):
        with pytest.raises(NotAllowed):
            begin_migration(database, who, "merchant@1", "merchant@2")
        with pytest.raises(NotAllowed):
            preview(database, who, "merchant@1", "merchant@2")
        with pytest.raises(NotAllowed):
            take_back(database, who, "merchant@1", "merchant@2")
    with pytest.raises(NotAllowed):
        list_moved(database, li, "merchant@2")
    with pytest.raises(NotFound):
        preview(database, admin, "merchant@1", "merchant@9")
    with pytest.raises(InvalidInput):
        preview(database, admin, "merchant@2", "merchant@2")


def test_the_demo_moves_what_its_split_touches(database: Database, settings: Settings) -> None:
    load_demo(database, settings)
    who = command_line_actor(database, "demo")
    assert preview(database, who, "merchant@1", "merchant@2") == counted(untouched=11, people=3)
    assert move(database, who) == counted(untouched=11, people=3)
    moved = list_moved(database, who, "merchant@2")
    assert sorted(each.rule for each in moved) == ["add", "split", "split"]
    with database.reading() as session:
        for each in moved:
            assert session.get_one(Query, each.parent_query_id).kind == "history"
            made = session.get_one(Query, each.query_id)
            assert (made.state, made.messages, made.answer) == ("ready", None, None)


def test_a_thousand_rows_are_moved_in_pages(database: Database, admin: Actor) -> None:
    add_decided(database, admin, 1_050, (QA, "费率是多少"), (ADVICE, "圈选老客"))
    next_list(database, admin)
    assert move(database, admin) == counted(automatic=525, people=525)
    assert count_moved(database, admin, "merchant@2") == {
        ("automatic", "in_review"): 525,
        ("people", "ready"): 525,
    }
    assert move(database, admin) == counted(known=1_050)
    assert take_back(database, admin, "merchant@1", "merchant@2") == 1_050
