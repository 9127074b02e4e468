"""Verdicts: each on the revision that was seen, once, and never on one's own work."""

from typing import Any

import pytest
import sqlalchemy as sa

from db.engine import Database
from db.tables import Review
from labeling import annotate, queue, review
from schemas.desk import ReviewItem
from schemas.errors import EditConflict, InvalidInput, NotAllowed, TransitionRefused
from schemas.people import Actor
from schemas.queries import AnnotationView, QueryDetail
from tests.factories import A_PLAN, a_label_query, a_person, decide
from tests.fakes.clock import Clock

FIXED: dict[str, Any] = {**A_PLAN, "rewritten_query": "上周店铺的访客数为什么下降"}


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


def _handed_in(database: Database, admin: Actor, who: Actor, *, slots: int = 1) -> str:
    query_id = a_label_query(database, admin, slots=slots)
    _hand_in(database, who, query_id)
    return query_id


def _hand_in(database: Database, who: Actor, query_id: str, content: object = A_PLAN) -> str:
    item = annotate.open_item(database, who, query_id)
    annotate.submit(
        database,
        who,
        item.annotation_id,
        number=item.draft_number,
        content=content,
        seconds=10,
    )
    return item.annotation_id


def _taken(database: Database, who: Actor) -> ReviewItem:
    item = review.take_next(database, who)
    assert item
    return item


def _return(database: Database, who: Actor, item: ReviewItem) -> None:
    review.return_to_author(
        database,
        who,
        item.annotation_id,
        item.revision_id,
        reasons=[{"code": "wrong_expert", "remark": "换诊断专家", "path": "$.steps[0].expert"}],
    )


def _detail(database: Database, who: Actor, query_id: str) -> QueryDetail:
    return queue.query_detail(database, who, query_id)


def _only(detail: QueryDetail) -> AnnotationView:
    (annotation,) = detail.annotations
    return annotation


def test_an_accepted_plan_is_the_chosen_one(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    review.accept(database, chen, item.annotation_id, item.revision_id)
    detail = _detail(database, chen, query_id)
    assert (detail.state, detail.chosen_annotation_id) == ("decided", item.annotation_id)
    assert (_only(detail).state, _only(detail).is_chosen) == ("accepted", True)
    assert [entry.action for entry in detail.timeline] == [
        "opened",
        "submitted",
        "review_begun",
        "accepted",
    ]
    assert [entry.person for entry in detail.timeline] == ["Li", "Li", "Chen", "Chen"]
    assert review.take_next(database, chen) is None


def test_a_fix_is_a_revision_of_the_reviewer_and_the_annotation_keeps_its_author(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    review.fix_and_accept(database, chen, item.annotation_id, item.revision_id, FIXED)
    annotation = _only(_detail(database, admin, query_id))
    assert (annotation.author, annotation.state) == ("Li", "accepted")
    kinds = [(each.kind, each.author, each.plan) for each in annotation.revisions]
    assert kinds == [("submitted", "Li", A_PLAN), ("fixed", "Chen", FIXED)]
    (verdict,) = annotation.reviews
    assert (verdict.verdict, verdict.revision_id) == ("fixed", item.revision_id)


def test_a_fix_that_changes_nothing_is_plainly_accepted(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    review.fix_and_accept(database, chen, item.annotation_id, item.revision_id, A_PLAN)
    annotation = _only(_detail(database, admin, query_id))
    assert [each.kind for each in annotation.revisions] == ["submitted"]
    assert [each.verdict for each in annotation.reviews] == ["accepted"]


def test_a_fix_may_not_be_wrong(database: Database, admin: Actor, li: Actor, chen: Actor) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    with pytest.raises(InvalidInput) as refused:
        review.fix_and_accept(
            database,
            chen,
            item.annotation_id,
            item.revision_id,
            {"rewritten_query": "", "steps": []},
        )
    assert [problem.path for problem in refused.value.problems] == ["$.rewritten_query"]
    assert _detail(database, chen, query_id).state == "in_review"


def test_a_verdict_sent_twice_is_one_verdict(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    for _ in range(2):
        review.fix_and_accept(database, chen, item.annotation_id, item.revision_id, FIXED)
    assert len(_only(_detail(database, chen, query_id)).reviews) == 1
    with pytest.raises(TransitionRefused) as refused:
        review.discard(database, chen, item.annotation_id, item.revision_id, reason="不要")
    assert refused.value.code == "review.decided_by"
    assert refused.value.values["who"] == "Chen"


def test_a_returned_plan_comes_back_to_its_author_and_to_review_again(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    _return(database, chen, _taken(database, chen))
    detail = _detail(database, chen, query_id)
    assert (detail.state, _only(detail).state) == ("in_work", "returned")
    _hand_in(database, li, query_id, FIXED)
    again = _taken(database, zhao)
    assert again.plan == FIXED
    (note,) = again.earlier_returns
    (reason,) = note.reasons
    assert (reason.code, reason.path, note.reviewer) == (
        "wrong_expert",
        "$.steps[0].expert",
        "Chen",
    )


def test_a_return_needs_a_known_reason_and_other_needs_words(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _handed_in(database, admin, li)
    item = _taken(database, chen)
    for code, reason, refused_as in [
        ("because", "x", "review.unknown_reason"),
        ("other", " ", "review.reason_missing"),
    ]:
        with pytest.raises(InvalidInput) as refused:
            review.return_to_author(
                database,
                chen,
                item.annotation_id,
                item.revision_id,
                reasons=[{"code": code, "remark": reason}],
            )
        assert refused.value.code == refused_as


def test_a_discarded_plan_frees_the_slot_for_others_only(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    review.discard(database, chen, item.annotation_id, item.revision_id, reason="答非所问")
    assert _detail(database, chen, query_id).state == "waiting"
    assert annotate.open_next(database, li) is None
    assert annotate.open_item(database, li, query_id).state == "discarded"
    taken = annotate.open_next(database, wang)
    assert taken
    assert taken.query_id == query_id
    _hand_in(database, wang, query_id)
    assert _taken(database, chen).author == "Wang"


def test_the_first_accepted_plan_stays_the_chosen_one(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li, slots=2)
    _hand_in(database, wang, query_id, FIXED)
    first = _taken(database, chen)
    review.accept(database, chen, first.annotation_id, first.revision_id)
    second = _taken(database, chen)
    review.accept(database, chen, second.annotation_id, second.revision_id)
    detail = _detail(database, chen, query_id)
    assert detail.chosen_annotation_id == first.annotation_id
    assert [each.state for each in detail.annotations] == ["accepted", "accepted"]
    assert [each.is_chosen for each in detail.annotations].count(True) == 1


def test_nobody_is_given_or_may_decide_on_their_own_work(
    database: Database, admin: Actor, chen: Actor
) -> None:
    query_id = a_label_query(database, admin)
    annotation_id = _hand_in(database, chen, query_id)
    assert review.take_next(database, chen) is None
    revision_id = _only(_detail(database, admin, query_id)).revisions[0].id
    with pytest.raises(NotAllowed) as refused:
        review.accept(database, chen, annotation_id, revision_id)
    assert refused.value.code == "review.own_work"
    with pytest.raises(NotAllowed):
        review.open_item(database, chen, annotation_id)


def test_the_database_itself_refuses_a_review_of_own_work(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _handed_in(database, admin, li)
    item = _taken(database, chen)
    with (
        pytest.raises(sa.exc.IntegrityError, match="never_own_work"),
        database.transaction() as session,
    ):
        session.add(
            Review(
                project_id=admin.project_id,
                annotation_id=item.annotation_id,
                revision_id=item.revision_id,
                reviewer_id=li.person_id,
                author_id=li.person_id,
                verdict="accepted",
            )
        )


def test_two_reviewers_never_get_the_same_submission(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    _handed_in(database, admin, li)
    item = _taken(database, chen)
    assert review.take_next(database, zhao) is None
    with pytest.raises(EditConflict, match="Chen has been reviewing"):
        review.open_item(database, zhao, item.annotation_id)
    with pytest.raises(EditConflict, match="Chen has been reviewing"):
        review.accept(database, zhao, item.annotation_id, item.revision_id)


def test_a_review_not_in_hand_is_not_decided(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    annotation = _only(_detail(database, chen, query_id))
    with pytest.raises(TransitionRefused) as refused:
        review.accept(database, chen, annotation.id, annotation.revisions[0].id)
    assert refused.value.code == "review.not_held"


def test_a_lapsed_review_may_still_be_decided_until_another_takes_it(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor, time: Clock
) -> None:
    _handed_in(database, admin, li)
    item = _taken(database, chen)
    time.move(minutes=16)
    review.renew_lease(database, chen, item.annotation_id)
    time.move(minutes=10)
    assert review.take_next(database, zhao) is None
    time.move(minutes=6)
    assert _taken(database, zhao).annotation_id == item.annotation_id
    with pytest.raises(EditConflict, match="Zhao has been reviewing"):
        review.accept(database, chen, item.annotation_id, item.revision_id)


def test_a_verdict_on_an_older_revision_is_refused(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = _handed_in(database, admin, li)
    item = _taken(database, chen)
    review.release(database, chen, item.annotation_id)
    annotate.withdraw(database, li, item.annotation_id)
    with pytest.raises(TransitionRefused):
        review.accept(database, chen, item.annotation_id, item.revision_id)
    _hand_in(database, li, query_id, FIXED)
    newer = _taken(database, chen)
    with pytest.raises(EditConflict) as refused:
        review.accept(database, chen, item.annotation_id, item.revision_id)
    assert refused.value.code == "review.other_revision"
    review.accept(database, chen, newer.annotation_id, newer.revision_id)


def test_a_skipped_review_goes_to_another_reviewer_only(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    _handed_in(database, admin, li)
    item = _taken(database, chen)
    review.skip(database, chen, item.annotation_id, reason="不熟悉")
    assert review.take_next(database, chen) is None
    assert _taken(database, zhao).annotation_id == item.annotation_id


def test_hidden_authors_are_hidden_from_reviewers_and_not_from_admins(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    decide(database, admin, hide_author=True)
    query_id = _handed_in(database, admin, li)
    assert _taken(database, chen).author is None
    blind = _detail(database, chen, query_id)
    assert "Li" not in blind.model_dump_json()
    assert {entry.person for entry in blind.timeline} == {None, "Chen"}
    assert _only(_detail(database, admin, query_id)).author == "Li"
