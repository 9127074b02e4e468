"""Drafts and submissions: nothing typed is lost, nothing is handed in twice."""

import math
from typing import Any

import pytest
from sqlmodel import col, select

from db.engine import Database
from db.tables import Revision
from labeling import annotate, queue, review
from schemas.desk import LabelItem
from schemas.errors import EditConflict, InvalidInput, NotAllowed, TransitionRefused
from schemas.people import Actor
from tests.factories import A_PLAN, EXPERTS, a_label_query
from tests.fakes.clock import Clock

ANOTHER: dict[str, Any] = {**A_PLAN, "rewritten_query": "上周流量下降了多少"}


def _open(database: Database, admin: Actor, who: Actor, *, slots: int = 1) -> LabelItem:
    a_label_query(database, admin, slots=slots)
    item = annotate.open_next(database, who)
    assert item
    return item


def _revisions(database: Database, annotation_id: str) -> list[tuple[str, str]]:
    statement = select(Revision.kind, Revision.content).where(
        Revision.annotation_id == annotation_id
    )
    with database.reading() as session:
        found = session.exec(statement.order_by(col(Revision.number))).all()
    return [(kind, str(content.get("rewritten_query"))) for kind, content in found]


def _save(database: Database, who: Actor, item: LabelItem, number: int, said: str) -> int:
    content = {**A_PLAN, "rewritten_query": said}
    return annotate.save_draft(
        database, who, item.annotation_id, number=number, content=content
    ).number


def _submit(
    database: Database, who: Actor, item: LabelItem, number: int, content: object = A_PLAN
) -> None:
    annotate.submit(database, who, item.annotation_id, number=number, content=content, seconds=12.5)


def test_each_save_has_a_number_and_a_time(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    item = _open(database, admin, li)
    assert _save(database, li, item, 0, "一") == 1
    time.move(seconds=3)
    saved = annotate.save_draft(database, li, item.annotation_id, number=1, content=ANOTHER)
    assert (saved.number, saved.saved_at) == (2, time.at)
    again = annotate.open_next(database, li)
    assert again
    assert (again.draft, again.draft_number, again.draft_saved_at) == (ANOTHER, 2, time.at)


def test_a_draft_may_be_wrong(database: Database, admin: Actor, li: Actor) -> None:
    item = _open(database, admin, li)
    wrong: dict[str, Any] = {"rewritten_query": 7, "steps": [{"expert": "谁"}], "x": None}
    annotate.save_draft(database, li, item.annotation_id, number=0, content=wrong)
    again = annotate.open_next(database, li)
    assert again
    assert again.draft == wrong


def test_a_draft_may_hold_what_no_text_column_takes(
    database: Database, admin: Actor, li: Actor
) -> None:
    item = _open(database, admin, li)
    odd = {"rewritten_query": "a\x00b\ud800", "steps": []}
    annotate.save_draft(database, li, item.annotation_id, number=0, content=odd)
    again = annotate.open_next(database, li)
    assert again
    assert again.draft == odd


@pytest.mark.parametrize("content", [None, [], "x", {"x": math.nan}, {"x": {1, 2}}])
def test_what_is_not_json_is_not_saved(
    database: Database, admin: Actor, li: Actor, content: object
) -> None:
    item = _open(database, admin, li)
    with pytest.raises(InvalidInput) as refused:
        annotate.save_draft(database, li, item.annotation_id, number=0, content=content)
    assert refused.value.code == "annotate.not_an_object"


def test_a_draft_beyond_bounds_is_not_saved(database: Database, admin: Actor, li: Actor) -> None:
    item = _open(database, admin, li)
    with pytest.raises(InvalidInput, match="200000 characters"):
        _save(database, li, item, 0, "长" * 200_000)


def test_a_save_sent_twice_is_one_save(database: Database, admin: Actor, li: Actor) -> None:
    item = _open(database, admin, li)
    assert _save(database, li, item, 0, "一") == 1
    assert _save(database, li, item, 0, "一") == 1
    assert _revisions(database, item.annotation_id) == []


def test_two_tabs_conflict_and_the_later_one_is_kept(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    item = _open(database, admin, li)
    _save(database, li, item, 0, "第一个标签页")
    time.move(seconds=30)
    for _ in range(2):
        with pytest.raises(EditConflict, match=r"You saved this plan at \S+ 09:00:00") as refused:
            _save(database, li, item, 0, "第二个标签页")
    assert refused.value.code == "annotate.saved_elsewhere"
    assert refused.value.values["number"] == 1
    assert "09:00:00" in refused.value.sentence("zh")
    assert _revisions(database, item.annotation_id) == [("refused", "第二个标签页")]
    again = annotate.open_next(database, li)
    assert again
    assert again.draft["rewritten_query"] == "第一个标签页"


def test_a_submission_from_an_old_tab_conflicts_and_is_kept(
    database: Database, admin: Actor, li: Actor
) -> None:
    item = _open(database, admin, li)
    _save(database, li, item, 0, "第一个标签页")
    with pytest.raises(EditConflict):
        _submit(database, li, item, 0)
    assert _revisions(database, item.annotation_id) == [("refused", str(A_PLAN["rewritten_query"]))]
    _submit(database, li, item, 1)


def test_a_submission_may_not_be_wrong(database: Database, admin: Actor, li: Actor) -> None:
    item = _open(database, admin, li)
    wrong = {"rewritten_query": "", "steps": [{"expert": "谁", "sub_questions": [], "order": 1}]}
    with pytest.raises(InvalidInput) as refused:
        _submit(database, li, item, 0, wrong)
    assert refused.value.code == "plan.refused"
    assert {problem.path for problem in refused.value.problems} == {
        "$.rewritten_query",
        "$.steps[0].expert",
        "$.steps[0].sub_questions",
    }
    assert annotate.open_next(database, li) == item


def test_no_expert_needed_is_a_plan(database: Database, admin: Actor, li: Actor) -> None:
    item = _open(database, admin, li)
    _submit(database, li, item, 0, {"rewritten_query": "你好", "steps": []})
    assert queue.stats(database, li).queries["in_review"] == 1


def test_a_submission_stores_steps_in_order(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    item = _open(database, admin, li)
    steps = [
        {"expert": EXPERTS[0], "sub_questions": ["b"], "order": 2},
        {"expert": EXPERTS[1], "sub_questions": ["a"], "order": 1},
    ]
    _submit(database, li, item, 0, {"rewritten_query": "x", "steps": steps})
    submitted = review.take_next(database, chen)
    assert submitted
    assert [step["order"] for step in submitted.plan["steps"]] == [1, 2]
    assert submitted.lead_seconds == 12.5


def test_a_submission_sent_twice_is_one_submission(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    item = _open(database, admin, li)
    for _ in range(3):
        _submit(database, li, item, 0)
    taken = review.take_next(database, chen)
    assert taken
    review.return_to_author(
        database,
        chen,
        taken.annotation_id,
        taken.revision_id,
        reasons=[{"code": "wrong_order", "remark": ""}],
    )
    _submit(database, li, item, 0)
    again = annotate.open_next(database, li)
    assert again
    assert again.state == "returned"
    assert [kind for kind, _ in _revisions(database, item.annotation_id)] == ["submitted"]
    _submit(database, li, again, again.draft_number)
    assert [kind for kind, _ in _revisions(database, item.annotation_id)] == ["submitted"] * 2
    detail = queue.query_detail(database, chen, item.query_id)
    assert detail.annotations[0].lead_seconds == 25.0


def test_an_autosave_that_arrives_after_the_submission_does_no_harm(
    database: Database, admin: Actor, li: Actor
) -> None:
    item = _open(database, admin, li)
    _submit(database, li, item, 0)
    saved = annotate.save_draft(database, li, item.annotation_id, number=0, content=A_PLAN)
    assert saved.number == 1
    with pytest.raises(TransitionRefused, match="Withdraw it to go on"):
        _save(database, li, item, 1, "还想改")
    assert _revisions(database, item.annotation_id)[1] == ("refused", "还想改")


def test_a_late_submission_counts_while_nobody_else_has_the_query(
    database: Database, admin: Actor, li: Actor, time: Clock
) -> None:
    item = _open(database, admin, li)
    time.move(minutes=300)
    _submit(database, li, item, 0)
    assert queue.stats(database, li).annotations["submitted"] == 1


def test_a_late_submission_counts_when_who_took_the_query_gave_it_back(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    item = _open(database, admin, li)
    time.move(minutes=16)
    taken = annotate.open_next(database, wang)
    assert taken
    annotate.release(database, wang, taken.annotation_id)
    _submit(database, li, item, 0)
    assert annotate.open_next(database, wang) is None


def test_work_after_somebody_else_took_the_query_is_kept_and_they_are_named(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    item = _open(database, admin, li)
    time.move(minutes=16)
    assert annotate.open_next(database, wang)
    time.move(minutes=1)
    with pytest.raises(EditConflict, match=r"Wang took this query at \S+ 09:16:00 UTC"):
        _save(database, li, item, 0, "晚了")
    with pytest.raises(EditConflict, match="Wang took"):
        _submit(database, li, item, 1, ANOTHER)
    detail = queue.query_detail(database, admin, item.query_id)
    mine = next(each for each in detail.annotations if each.author == "Li")
    assert mine.state == "draft"
    assert mine.draft == ANOTHER
    assert [entry.action for entry in detail.timeline] == ["opened", "opened", "lapsed"]


def test_with_a_free_slot_left_the_late_submission_takes_that(
    database: Database, admin: Actor, li: Actor, wang: Actor, time: Clock
) -> None:
    item = _open(database, admin, li, slots=2)
    time.move(minutes=16)
    assert annotate.open_next(database, wang)
    _submit(database, li, item, 0)
    assert queue.stats(database, li).annotations["submitted"] == 1


def test_a_withdrawn_submission_is_in_my_hands_again(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    item = _open(database, admin, li)
    _submit(database, li, item, 0)
    annotate.withdraw(database, li, item.annotation_id)
    assert review.take_next(database, chen) is None
    again = annotate.open_next(database, li)
    assert again
    assert (again.state, again.draft, again.draft_number) == ("draft", A_PLAN, 1)
    _submit(database, li, again, 1, ANOTHER)
    taken = review.take_next(database, chen)
    assert taken
    assert taken.plan == ANOTHER


def test_what_a_reviewer_has_taken_cannot_be_withdrawn_until_they_let_go(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    item = _open(database, admin, li)
    _submit(database, li, item, 0)
    assert review.take_next(database, chen)
    with pytest.raises(TransitionRefused, match="Chen has been reviewing"):
        annotate.withdraw(database, li, item.annotation_id)
    review.release(database, chen, item.annotation_id)
    annotate.withdraw(database, li, item.annotation_id)


def test_only_a_submission_can_be_withdrawn(database: Database, admin: Actor, li: Actor) -> None:
    item = _open(database, admin, li)
    with pytest.raises(TransitionRefused) as refused:
        annotate.withdraw(database, li, item.annotation_id)
    assert refused.value.code == "annotate.not_submitted"


def test_the_annotation_of_somebody_else_is_not_mine_to_touch(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    item = _open(database, admin, li)
    with pytest.raises(NotAllowed):
        _save(database, wang, item, 0, "别人的")
    with pytest.raises(NotAllowed):
        _submit(database, admin, item, 0)
