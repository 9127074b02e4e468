"""What the editor opens with."""

from db.engine import Database
from labeling import annotate
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_suggestion, decide


def test_the_editor_opens_with_the_first_usable_suggestion(
    database: Database, admin: Actor, li: Actor
) -> None:
    query = a_label_query(database, admin)
    a_suggestion(database, admin, query, candidate=1)
    a_suggestion(database, admin, query, candidate=2, partial_plan={"steps": []})
    usable = a_suggestion(database, admin, query, candidate=3, plan=A_PLAN)
    item = annotate.open_next(database, li)
    assert item
    assert item.suggestion_id == usable
    assert item.draft == A_PLAN
    assert item.draft_number == 0
    assert item.draft_saved_at is None
    assert [each.candidate for each in item.suggestions] == [1, 2, 3]
    assert item.suggestions[0].failure == "replies.no_plan"


def test_a_partial_plan_opens_in_shape_and_nothing_is_guessed(
    database: Database, admin: Actor, li: Actor
) -> None:
    query = a_label_query(database, admin)
    partial = {"steps": [{"expert": "诊断专家", "order": 1}, "不是步骤"], "note": 1}
    a_suggestion(database, admin, query, partial_plan=partial)
    item = annotate.open_next(database, li)
    assert item
    assert item.draft == {
        "rewritten_query": "",
        "steps": [{"expert": "诊断专家", "sub_questions": [], "order": 1}],
    }


def test_a_query_without_suggestions_opens_with_an_empty_plan(
    database: Database, admin: Actor, li: Actor
) -> None:
    a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    assert item.draft == {"rewritten_query": "", "steps": []}
    assert item.suggestion_id is None


def test_the_item_shows_what_is_needed_to_label(
    database: Database, admin: Actor, li: Actor
) -> None:
    decide(database, admin, banned_words=("微信",), lease_minutes=5)
    a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    assert item.expert_list.reference == "merchant@1"
    assert item.previous_list is None
    assert item.banned_words == ("微信",)
    assert item.think.max == 180
    assert item.dialect == "zh@1"
    assert item.guideline is None
