"""What somebody finds from the label page."""

import pytest

from db.engine import Database
from db.tables import Query
from labeling import annotate, review
from labeling.searching import search, search_submissions
from schemas.desk import FoundItem
from schemas.errors import NotAllowed
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_person, a_project, decide


def _ids(found: tuple[FoundItem, ...]) -> list[tuple[str, str, bool]]:
    return [(each.query_id, each.state, each.is_mine) for each in found]


def test_a_part_of_the_text_finds_what_is_free_and_what_is_mine_first(
    database: Database, admin: Actor, li: Actor
) -> None:
    free = a_label_query(database, admin, "上周的转化率")
    a_label_query(database, admin, "退款怎么办")
    mine = a_label_query(database, admin, "昨天的转化率")
    item = annotate.open_item(database, li, mine)
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    found = search(database, li, " 转化率 ")
    assert _ids(found) == [(mine, "submitted", True), (free, "open", False)]
    assert found[1].text == "上周的转化率"


def test_a_whole_id_finds_a_query_and_a_part_of_one_does_not(
    database: Database, admin: Actor, li: Actor
) -> None:
    query = a_label_query(database, admin)
    with database.transaction() as session:
        session.get_one(Query, query).external_id = "row-17"
    assert _ids(search(database, li, query)) == [(query, "open", False)]
    assert _ids(search(database, li, "row-17")) == [(query, "open", False)]
    assert search(database, li, "row-1") == ()


@pytest.mark.parametrize("text", ["", "  ", "%", "_"])
def test_a_blank_text_and_a_wildcard_find_nothing(
    database: Database, admin: Actor, li: Actor, text: str
) -> None:
    a_label_query(database, admin)
    assert search(database, li, text) == ()


def test_what_somebody_else_has_in_hand_is_not_found_until_it_is_free_again(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    query = a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    assert search(database, wang, "流量") == ()
    annotate.release(database, li, item.annotation_id)
    assert _ids(search(database, wang, "流量")) == [(query, "open", False)]
    assert _ids(search(database, li, "流量")) == [(query, "draft", True)]


def test_a_search_gives_no_more_than_was_asked_for(
    database: Database, admin: Actor, li: Actor
) -> None:
    for _ in range(4):
        a_label_query(database, admin)
    mine = annotate.open_next(database, li)
    assert mine
    found = search(database, li, "流量", limit=3)
    assert [each.is_mine for each in found] == [True, False, False]
    assert len(search(database, li, "流量", limit=0)) == 1


def test_another_project_is_never_searched(database: Database, admin: Actor, li: Actor) -> None:
    other = a_project(database, "other")
    a_label_query(database, other)
    stranger = a_person(database, other.project_id, "annotator")
    assert search(database, li, "流量") == ()
    assert len(search(database, stranger, "流量")) == 1


def test_a_reviewer_finds_what_others_handed_in(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    for who, text in ((li, "上周的转化率"), (chen, "昨天的转化率")):
        item = annotate.open_item(database, who, a_label_query(database, admin, text))
        annotate.submit(database, who, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    a_label_query(database, admin, "还没有人做的转化率")
    (found,) = search_submissions(database, chen, "转化率")
    assert (found.text, found.author, found.is_taken) == ("上周的转化率", "Li", False)
    assert search_submissions(database, chen, found.annotation_id) == (found,)
    other = a_person(database, admin.project_id, "reviewer")
    taken = review.open_item(database, other, found.annotation_id)
    assert [each.is_taken for each in search_submissions(database, chen, "转化率")] == [True]
    assert not search_submissions(database, other, "上周")[0].is_taken
    decide(database, admin, hide_author=True)
    assert search_submissions(database, chen, "转化率")[0].author is None
    review.accept(database, other, taken.annotation_id, taken.revision_id)
    assert search_submissions(database, chen, "转化率") == ()
    assert search_submissions(database, a_project(database, "else"), "转化率") == ()
    with pytest.raises(NotAllowed):
        search_submissions(database, li, "转化率")


def test_my_list_says_what_can_still_be_withdrawn_and_how_long_it_took(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    item = annotate.open_item(database, li, a_label_query(database, admin))
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=42)
    (mine,) = annotate.list_mine(database, li, "submitted")
    assert (mine.can_withdraw, mine.lead_seconds) == (True, 42)
    review.open_item(database, chen, item.annotation_id)
    (mine,) = annotate.list_mine(database, li, "submitted")
    assert not mine.can_withdraw
