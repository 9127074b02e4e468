"""Comments: who may say and see what, where it stands, and that nothing is said twice."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from db.access.events import list_events
from db.engine import Database
from db.tables import Comment
from db.tables.base import new_id
from labeling import annotate, commenting, queue
from labeling.ui.i18n import LANGUAGES, Words
from labeling.ui.query_views import detail_view
from schemas.comments import LONGEST_COMMENT, MOST_COMMENTS
from schemas.desk import LabelItem
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.people import Actor
from tests.factories import A_PLAN, a_label_query, a_person, a_project, a_suggestion, decide
from tests.fakes.clock import Clock

TRACE = "先看上周的流量😀，再找原因。"
REWRITE = {"kind": "plan", "path": "$.rewritten_query", "quote": "上周店铺流量为什么下降"}


@pytest.fixture
def item(database: Database, admin: Actor, li: Actor) -> LabelItem:
    """Li has a query with two slots in hand, with a model's answer."""
    query_id = a_label_query(database, admin, slots=2)
    a_suggestion(database, admin, query_id, plan=A_PLAN, trace=TRACE)
    return annotate.open_item(database, li, query_id)


@pytest.fixture
def say(database: Database, item: LabelItem, time: Clock) -> Iterator[object]:
    """Says something on the item, a moment after what was said before; returns the id."""

    def said(who: Actor, text: str = "这里再具体一些", **more: object) -> str:
        time.move(minutes=1)
        comment_id = new_id()
        content = {"id": comment_id, "text": text, **more}
        commenting.add_comment(database, who, item.annotation_id, content)
        return comment_id

    return said  # pyright: ignore[reportReturnType]


def test_a_thread_is_answered_resolved_and_opened_again(database, item, li, chen, say):
    thread = say(chen, anchor=REWRITE)
    say(li, "好的，已改", reply_to_id=thread)
    said = commenting.resolve(database, chen, thread, is_resolved=True)
    assert [(each.author, each.text, each.reply_to_id) for each in said] == [
        ("Chen", "这里再具体一些", None),
        ("Li", "好的，已改", thread),
    ]
    assert said[0].anchor.model_dump() == said[1].anchor.model_dump() == REWRITE
    assert said[0].resolved_by == "Chen"
    say(li, "还有一处", reply_to_id=thread)
    said = commenting.list_comments(database, li, item.annotation_id)
    assert said[0].resolved_at is None
    assert [each.is_mine for each in said] == [False, True, True]
    with database.reading() as session:
        events = list_events(session, li.project_id, "comment", thread)
    assert [(event.person_id, event.action) for event in events] == [
        (chen.person_id, "added"),
        (chen.person_id, "resolved"),
        (li.person_id, "reopened"),
    ]


def test_what_is_resolved_twice_keeps_who_did_it_first(database, item, li, chen, say):
    thread = say(chen)
    first = commenting.resolve(database, li, thread, is_resolved=True)
    again = commenting.resolve(database, chen, thread, is_resolved=True)
    assert again == tuple(each.model_copy(update={"is_mine": True}) for each in first)
    assert again[0].resolved_by == "Li"


def test_a_request_sent_again_says_nothing_twice(database, item, chen):
    content = {"id": new_id(), "text": "看这里", "anchor": REWRITE}

    def send(_: int) -> int:
        return len(commenting.add_comment(database, chen, item.annotation_id, content))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(16))) == {1}
    with pytest.raises(InvalidInput) as refused:
        commenting.add_comment(database, chen, item.annotation_id, content | {"text": "别处"})
    assert refused.value.code == "comments.said_otherwise"


def test_another_annotator_of_the_same_query_sees_nothing(database, item, wang, chen, say):
    thread = say(chen)
    others = annotate.open_item(database, wang, item.query_id)
    assert commenting.list_comments(database, wang, others.annotation_id) == ()
    content = {"id": new_id(), "text": "我也来"}
    for call in (
        lambda: commenting.list_comments(database, wang, item.annotation_id),
        lambda: commenting.add_comment(database, wang, item.annotation_id, content),
        lambda: commenting.resolve(database, wang, thread, is_resolved=True),
    ):
        with pytest.raises(NotAllowed) as refused:
            call()
        assert refused.value.code == "comments.not_yours"
    assert commenting.list_waiting(database, wang) == ()


def test_another_project_is_not_there(database, item, chen, say):
    thread = say(chen)
    stranger = a_project(database, "other")
    content = {"id": new_id(), "text": "你好"}
    for call in (
        lambda: commenting.list_comments(database, stranger, item.annotation_id),
        lambda: commenting.add_comment(database, stranger, item.annotation_id, content),
        lambda: commenting.resolve(database, stranger, thread, is_resolved=True),
    ):
        with pytest.raises(NotFound):
            call()


def test_an_answer_belongs_to_a_thread_of_the_same_annotation(database, item, wang, chen, say):
    thread = say(chen)
    answer = say(chen, reply_to_id=thread)
    others = annotate.open_item(database, wang, item.query_id)
    for annotation_id, reply_to in ((item.annotation_id, answer), (others.annotation_id, thread)):
        content = {"id": new_id(), "text": "答", "reply_to_id": reply_to}
        with pytest.raises(NotFound):
            commenting.add_comment(database, chen, annotation_id, content)


def test_a_passage_is_counted_in_code_points_and_quoted_as_it_stands(database, item, chen, say):
    suggestion_id = item.suggestions[0].id
    span = {
        "kind": "trace",
        "suggestion_id": suggestion_id,
        "start": 7,
        "end": 11,
        "quote": "😀，再找",
    }
    say(chen, anchor=span)
    said = commenting.list_comments(database, chen, item.annotation_id)
    assert said[0].anchor.model_dump() == span
    for wrong, code in (
        ({"quote": "别的字"}, "comments.trace_differs"),
        ({"start": 20, "end": 99, "quote": ""}, "comments.trace_differs"),
        ({"suggestion_id": "x"}, "comments.no_such_trace"),
        ({"start": 11}, "comments.not_a_comment"),
    ):
        with pytest.raises((InvalidInput, NotFound)) as refused:
            say(chen, anchor=span | wrong)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"text": " \n "}, "comments.blank"),
        ({"text": "长" * (LONGEST_COMMENT + 1)}, "comments.not_a_comment"),
        ({"id": "1"}, "comments.not_a_comment"),
        ({"anchor": {"kind": "plan", "path": "$..*"}}, "comments.not_a_comment"),
        ({"anchor": {"kind": "html"}}, "comments.not_a_comment"),
        ({"author_id": "x"}, "comments.not_a_comment"),
    ],
)
def test_what_is_no_comment_is_refused(database, item, chen, wrong, code):
    content = {"id": new_id(), "text": "看"} | wrong
    with pytest.raises(InvalidInput) as refused:
        commenting.add_comment(database, chen, item.annotation_id, content)
    assert refused.value.code == code


def test_there_is_an_end_to_what_can_be_said(database, item, chen):
    with database.transaction() as session:
        session.add_all(
            Comment(
                project_id=chen.project_id,
                query_id=item.query_id,
                annotation_id=item.annotation_id,
                author_id=chen.person_id,
                anchor={"kind": "whole"},
                text="又",
            )
            for _ in range(MOST_COMMENTS)
        )
    with pytest.raises(InvalidInput) as refused:
        commenting.add_comment(database, chen, item.annotation_id, {"id": new_id(), "text": "又"})
    assert refused.value.code == "comments.too_many"


def test_the_author_is_told_of_threads_where_another_has_the_last_word(
    database, item, li, chen, time, say
):
    first = say(chen, "第一处", anchor=REWRITE)
    second = say(chen, "第二处")
    assert commenting.count_waiting(database, li) == 2
    waiting = commenting.list_waiting(database, li)
    assert [(each.threads, each.text, each.author) for each in waiting] == [(2, "第二处", "Chen")]
    assert waiting[0].query_id == item.query_id
    say(li, "改了", reply_to_id=first)
    assert commenting.count_waiting(database, li) == 1
    say(chen, "还差一点", reply_to_id=first)
    commenting.resolve(database, li, second, is_resolved=True)
    waiting = commenting.list_waiting(database, li)
    assert [(each.threads, each.text) for each in waiting] == [(1, "还差一点")]
    assert commenting.count_waiting(database, chen) == 0


def test_the_author_stays_hidden_from_reviewers_where_the_project_says_so(
    database, item, admin, li, chen, say
):
    decide(database, admin, hide_author=True)
    thread = say(li, "请看一下")
    say(chen, "好", reply_to_id=thread)
    commenting.resolve(database, li, thread, is_resolved=True)
    seen = {
        who.name: [
            each.author for each in commenting.list_comments(database, who, item.annotation_id)
        ]
        for who in (li, chen, admin)
    }
    assert seen == {"Li": ["Li", "Chen"], "Chen": [None, "Chen"], admin.name: ["Li", "Chen"]}
    hidden = commenting.list_comments(database, chen, item.annotation_id)[0]
    assert hidden.resolved_at is not None
    assert hidden.resolved_by is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_said_stands_with_the_query_for_reviewers(
    database, item, wang, chen, li, say, language
):
    thread = say(
        chen, "换一位专家", anchor={"kind": "plan", "path": "$.steps[0]", "quote": "诊断专家"}
    )
    say(li, "好的", reply_to_id=thread)
    commenting.resolve(database, li, thread, is_resolved=True)
    said = commenting.list_of_query(database, chen, item.query_id)
    assert list(said) == [item.annotation_id]
    detail = queue.query_detail(database, chen, item.query_id)
    drawn = json.dumps(detail_view(detail, Words(language), said), ensure_ascii=False)
    place = {"zh": "第 1 步 · 诊断专家", "en": "Step 1 · 诊断专家"}[language]
    for words in (place, "“诊断专家”", "换一位专家", "好的", "Chen", "Li"):
        assert words in drawn
    with pytest.raises(NotAllowed):
        commenting.list_of_query(database, wang, item.query_id)
    assert commenting.list_of_query(database, a_project(database, "other"), item.query_id) == {}


def test_a_comment_is_stored_once_and_never_changed(database, item, admin, chen, say):
    thread = say(chen, "  原话  ")
    say(a_person(database, admin.project_id, "reviewer"), "另一位", reply_to_id=thread)
    with database.reading() as session:
        rows = session.exec(select(Comment).order_by(Comment.created_at)).all()
    assert [row.text for row in rows] == ["原话", "另一位"]
    assert rows[1].annotation_id == item.annotation_id
