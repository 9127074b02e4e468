"""Skip, postpone, release and flag; the header's counts and my own list."""

import pytest

from db.engine import Database
from labeling import annotate, queue, review
from schemas.desk import LabelItem
from schemas.errors import InvalidInput, TransitionRefused
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query
from tests.fakes.clock import Clock


def _open(database: Database, admin: Actor, who: Actor, *, slots: int = 1) -> LabelItem:
    a_label_query(database, admin, slots=slots)
    item = annotate.open_next(database, who)
    assert item
    return item


def _save(database: Database, who: Actor, item: LabelItem, number: int, said: str) -> int:
    content = {**A_PLAN, "rewritten_query": said}
    return annotate.save_draft(
        database, who, item.annotation_id, number=number, content=content
    ).number


def _submit(
    database: Database, who: Actor, item: LabelItem, number: int, content: object = A_PLAN
) -> None:
    annotate.submit(database, who, item.annotation_id, number=number, content=content, seconds=12.5)


def test_what_i_gave_back_cannot_be_skipped_again(
    database: Database, admin: Actor, li: Actor
) -> None:
    item = _open(database, admin, li)
    annotate.release(database, li, item.annotation_id)
    with pytest.raises(TransitionRefused) as refused:
        annotate.skip(database, li, item.annotation_id)
    assert refused.value.code == "annotate.not_held"


def test_typing_on_after_a_skip_keeps_the_draft_and_does_not_take_the_query_back(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    item = _open(database, admin, li)
    annotate.skip(database, li, item.annotation_id)
    assert _save(database, li, item, 0, "另一个标签页") == 1
    taken = annotate.open_next(database, wang)
    assert taken
    assert taken.query_id == item.query_id


def test_a_flagged_plan_is_reviewed_first(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    first, second = _open(database, admin, li), None
    _submit(database, li, first, 0)
    second = _open(database, admin, li)
    annotate.flag(database, li, second.annotation_id, reason="问题里有电话号码")
    _submit(database, li, second, 0)
    taken = review.take_next(database, chen)
    assert taken
    assert (taken.annotation_id, taken.flag) == (second.annotation_id, "问题里有电话号码")
    assert queue.stats(database, admin).flagged == 1


def test_a_flag_after_submission_moves_the_review_and_can_be_taken_back(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    items = [_open(database, admin, li)]
    _submit(database, li, items[0], 0)
    items.append(_open(database, admin, li))
    _submit(database, li, items[1], 0)
    annotate.flag(database, li, items[1].annotation_id, reason="看一下")
    annotate.flag(database, li, items[1].annotation_id, reason=None)
    annotate.flag(database, li, items[1].annotation_id, reason="看一下")
    taken = review.take_next(database, chen)
    assert taken
    assert taken.annotation_id == items[1].annotation_id
    with pytest.raises(InvalidInput):
        annotate.flag(database, li, items[1].annotation_id, reason="  ")


def test_the_header_counts_what_is_mine_and_what_is_ours(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, time: Clock
) -> None:
    for _ in range(3):
        a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    _submit(database, li, item, 0)
    time.move(minutes=1)
    mine = annotate.progress(database, li)
    assert (mine.mine_today, mine.daily_goal, mine.returned_to_me) == (1, 120, 0)
    assert (mine.open_labels, mine.open_reviews, mine.queries) == (2, 1, 3)
    assert annotate.progress(database, wang).mine_today == 0
    taken = review.take_next(database, chen)
    assert taken
    review.return_to_author(
        database,
        chen,
        taken.annotation_id,
        taken.revision_id,
        reasons=[{"code": "other", "remark": "再看"}],
    )
    assert annotate.progress(database, li).returned_to_me == 1


def test_my_annotations_are_listed_by_state(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    submitted = _open(database, admin, li)
    _submit(database, li, submitted, 0)
    aside = _open(database, admin, li)
    annotate.postpone(database, li, aside.annotation_id)
    assert [each.annotation_id for each in annotate.list_mine(database, li)] == [
        aside.annotation_id,
        submitted.annotation_id,
    ]
    (postponed,) = annotate.list_mine(database, li, "postponed")
    assert postponed.is_postponed
    taken = review.take_next(database, chen)
    assert taken
    review.return_to_author(
        database,
        chen,
        taken.annotation_id,
        taken.revision_id,
        reasons=[{"code": "other", "remark": "再看"}],
    )
    (returned,) = annotate.list_mine(database, li, "returned")
    assert returned.returned
    assert [each.remark for each in returned.returned.reasons] == ["再看"]
