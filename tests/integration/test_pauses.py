"""Pausing somebody: no new work, what they hold stays, and they read why."""

import pytest

from db.access.events import list_events
from db.engine import Database
from labeling import annotate, review
from labeling.pauses import find_note, lift, list_paused, pause
from labeling.searching import search
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.sentences import sentence
from tests.factories import A_PLAN, a_label_query, a_person, a_project


def test_a_paused_person_gets_nothing_new_and_others_do(
    database: Database, admin: Actor, li: Actor, wang: Actor
) -> None:
    query = a_label_query(database, admin)
    pause(database, admin, li.person_id, reason="先聊一聊专家分工。")
    assert annotate.open_next(database, li) is None
    assert search(database, li, "流量") == ()
    with pytest.raises(TransitionRefused) as refused:
        annotate.open_item(database, li, query)
    assert refused.value.code == "annotate.nothing_to_label"
    item = annotate.open_next(database, wang)
    assert item
    assert item.query_id == query


def test_what_a_paused_person_holds_stays_theirs_and_can_be_finished(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    held, returned = a_label_query(database, admin), a_label_query(database, admin)
    sent = annotate.open_item(database, li, returned)
    annotate.submit(database, li, sent.annotation_id, number=0, content=A_PLAN, seconds=1)
    annotate.open_item(database, li, held)
    pause(database, admin, li.person_id, reason="稍等")
    seen = review.take_next(database, chen)
    assert seen
    review.return_to_author(
        database,
        chen,
        seen.annotation_id,
        seen.revision_id,
        reasons=[{"code": "wrong_order"}],
    )
    item = annotate.open_next(database, li)
    assert item
    assert item.query_id == held
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    item = annotate.open_next(database, li)
    assert item
    assert (item.query_id, item.state) == (returned, "returned")


def test_a_paused_reviewer_gets_no_reviews(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    a_label_query(database, admin)
    item = annotate.open_next(database, li)
    assert item
    annotate.submit(database, li, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    pause(database, admin, chen.person_id, reason="休息")
    assert review.take_next(database, chen) is None
    lift(database, admin, chen.person_id)
    assert review.take_next(database, chen)


def test_who_is_paused_reads_why_and_whom_to_ask(
    database: Database, admin: Actor, li: Actor
) -> None:
    assert find_note(database, li) is None
    pause(database, admin, li.person_id, reason="先聊一聊专家分工。")
    note = find_note(database, li)
    assert note
    told = sentence(note.code, note.values, "zh")
    assert "先聊一聊专家分工。" in told
    lift(database, admin, li.person_id)
    assert find_note(database, li) is None


def test_a_pause_is_listed_until_it_is_lifted_and_both_are_told(
    database: Database, admin: Actor, li: Actor
) -> None:
    pause(database, admin, li.person_id, reason="稍等")
    (shown,) = list_paused(database, admin)
    assert (shown.name, shown.reason_code, shown.paused_by) == ("Li", "by_admin", admin.name)
    assert shown.why == {"reason": "稍等"}
    lift(database, admin, li.person_id)
    assert list_paused(database, admin) == ()
    with database.reading() as session:
        events = list_events(session, admin.project_id, "person", li.person_id)
    assert [(each.action, each.after) for each in events] == [
        ("paused", "paused"),
        ("pause_lifted", "active"),
    ]


def test_a_pause_of_one_project_is_none_in_another(
    database: Database, admin: Actor, li: Actor
) -> None:
    other = a_project(database, "other")
    a_label_query(database, other)
    pause(database, admin, li.person_id, reason="稍等")
    stranger = a_person(database, other.project_id, "annotator")
    assert annotate.open_next(database, stranger)
    with pytest.raises(NotFound):
        pause(database, admin, stranger.person_id, reason="稍等")


def test_nobody_is_paused_twice_or_freed_when_they_are_not_paused(
    database: Database, admin: Actor, li: Actor
) -> None:
    with pytest.raises(TransitionRefused, match="not paused"):
        lift(database, admin, li.person_id)
    pause(database, admin, li.person_id, reason="稍等")
    with pytest.raises(TransitionRefused, match="paused already"):
        pause(database, admin, li.person_id, reason="再等")


def test_a_pause_needs_a_reason_and_an_admin(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    with pytest.raises(InvalidInput):
        pause(database, admin, li.person_id, reason="  ")
    for act in (
        lambda: pause(database, chen, li.person_id, reason="稍等"),
        lambda: lift(database, chen, li.person_id),
        lambda: list_paused(database, chen),
    ):
        with pytest.raises(NotAllowed):
            act()
