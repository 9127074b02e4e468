"""The list of what waits: narrowed, ordered, paged; and the next one follows it."""

import pytest

from db.engine import Database
from db.tables import Query
from labeling import annotate, review
from labeling.waiting import list_choices, list_waiting
from schemas.errors import InvalidInput, NotAllowed
from schemas.people import Actor
from schemas.waiting import Narrowed, WaitingOrder
from tests.factories import A_PLAN, a_label_query, a_person, a_suggestion, decide
from tests.fakes.clock import Clock


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


def _hand_in(
    database: Database,
    admin: Actor,
    who: Actor,
    *,
    disagreement: float | None = None,
    rank: int = 0,
) -> str:
    query_id = a_label_query(database, admin, rank=rank)
    if disagreement is not None:
        a_suggestion(database, admin, query_id, plan=A_PLAN)
        with database.transaction() as session:
            session.get_one(Query, query_id).disagreement = disagreement
    item = annotate.open_item(database, who, query_id)
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
    )
    return item.annotation_id


def _listed(database: Database, who: Actor, **narrowed: object) -> list[str]:
    page = list_waiting(database, who, Narrowed.model_validate(narrowed))
    assert page.total == len(page.rows)
    return [row.annotation_id for row in page.rows]


def test_the_list_is_narrowed_by_author_agreement_model_flag_and_age(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, time: Clock
) -> None:
    old = _hand_in(database, admin, li, disagreement=0.6)
    time.move(minutes=180)
    agreed = _hand_in(database, admin, li, disagreement=0)
    bare = _hand_in(database, admin, wang)
    annotate.flag(database, wang, bare, reason="看")
    assert set(_listed(database, chen)) == {old, agreed, bare}
    assert _listed(database, chen, author_id=wang.person_id) == [bare]
    assert _listed(database, chen, agreement="disagree") == [old]
    assert _listed(database, chen, agreement="agree") == [agreed]
    assert set(_listed(database, chen, model="deepseek-r1")) == {old, agreed}
    assert _listed(database, chen, is_flagged=True) == [bare]
    assert _listed(database, chen, older_than_h=2) == [old]
    (version,) = list_choices(database, chen).lists
    assert len(_listed(database, chen, list_version_id=version.id)) == 3
    assert _listed(database, chen, list_version_id="other") == []


def test_own_work_and_what_others_review_is_not_listed(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    _hand_in(database, admin, chen)
    mine = _hand_in(database, admin, li)
    assert review.open_item(database, zhao, mine)
    assert _listed(database, chen) == []
    (row,) = [r for r in list_waiting(database, zhao).rows if r.annotation_id == mine]
    assert row.is_in_hand
    with pytest.raises(NotAllowed):
        list_waiting(database, li)


@pytest.mark.parametrize("order", ["queue", "oldest", "newest", "disagreement"])
def test_pages_in_every_order_show_each_once(
    database: Database, admin: Actor, li: Actor, chen: Actor, time: Clock, order: WaitingOrder
) -> None:
    handed_in: list[str] = []
    for number in range(7):
        disagreement = [None, 0.25, 0.5, 0.25][number % 4]
        handed_in.append(
            _hand_in(database, admin, li, disagreement=disagreement, rank=-(number % 3))
        )
        time.move(minutes=1)
    seen: list[str] = []
    after: str | None = None
    while True:
        page = list_waiting(database, chen, Narrowed(order=order), after=after, limit=2)
        seen += [row.annotation_id for row in page.rows]
        assert page.total == 7
        after = page.next_after
        if after is None:
            break
    assert sorted(seen) == sorted(handed_in)
    if order == "oldest":
        assert seen == handed_in
    if order == "newest":
        assert seen == handed_in[::-1]
    if order == "disagreement":
        assert set(seen[:1]) == {handed_in[2]} or set(seen[:2]) == {handed_in[2], handed_in[6]}


@pytest.mark.parametrize("after", ["", "{", "[1]", '["x", "y"]', "[null, null]"])
def test_a_place_that_cannot_be_read_is_refused(
    database: Database, chen: Actor, after: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        list_waiting(database, chen, after=after)
    assert refused.value.code == "review.bad_page"


def test_the_next_one_follows_the_filter_and_the_order(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor, zhao: Actor, time: Clock
) -> None:
    _hand_in(database, admin, li)
    time.move(minutes=1)
    first, second = (_hand_in(database, admin, wang) for _ in range(2))
    narrowed = Narrowed(author_id=wang.person_id, order="oldest")
    item = review.take_next(database, chen, narrowed)
    assert item
    assert item.annotation_id == first
    again = review.take_next(database, chen, narrowed)
    assert again
    assert again.annotation_id == first
    other = review.take_next(database, zhao, narrowed)
    assert other
    assert other.annotation_id == second
    review.skip(database, chen, first)
    assert review.take_next(database, chen, narrowed) is None
    assert review.take_next(database, chen)


def test_where_authors_are_hidden_nothing_is_narrowed_by_them(
    database: Database, admin: Actor, li: Actor, wang: Actor, chen: Actor
) -> None:
    decide(database, admin, hide_author=True)
    _hand_in(database, admin, li)
    _hand_in(database, admin, wang)
    assert list_choices(database, chen).authors == ()
    page = list_waiting(database, chen, Narrowed(author_id=li.person_id))
    assert page.total == 2
    assert {row.author for row in page.rows} == {None}
    assert [each.name for each in list_choices(database, admin).authors] == ["Li", "Wang"]
    assert list_waiting(database, admin, Narrowed(author_id=li.person_id)).total == 1
