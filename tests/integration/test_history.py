"""History: everybody who may read it reads all of it; what is put back is a new revision."""

import json
from typing import Any

import gradio as gr
import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Review
from labeling import annotate, lots, queue, review
from labeling.history import read_history, restore, restore_draft
from labeling.ui.i18n import Words
from labeling.ui.queries import QueriesHandlers
from labeling.ui.session import Services, request_of
from schemas.errors import EditConflict, InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.history import ItemHistory
from schemas.people import Actor
from schemas.reasons import Reason, reasons_of
from schemas.settings import Settings
from tests.factories import A_PLAN, a_label_query, a_person, a_suggestion, decide

FIXED: dict[str, Any] = {**A_PLAN, "rewritten_query": "上周店铺的访客数为什么下降"}
SECOND: dict[str, Any] = {**A_PLAN, "rewritten_query": "上周店铺流量下降的原因"}
TRACE = "先看上周的流量😀，再找原因。"


@pytest.fixture
def zhao(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Zhao")


def _hand_in(database: Database, who: Actor, query_id: str, content: object = A_PLAN) -> str:
    item = annotate.open_item(database, who, query_id)
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=content, seconds=1
    )
    return item.annotation_id


def _returned(database: Database, admin: Actor, author: Actor, reviewer: Actor) -> tuple[str, str]:
    query_id = a_label_query(database, admin)
    annotation_id = _hand_in(database, author, query_id)
    item = review.open_item(database, reviewer, annotation_id)
    review.return_to_author(
        database,
        reviewer,
        annotation_id,
        item.revision_id,
        reasons=[{"code": "wrong_expert", "remark": ""}],
    )
    return query_id, annotation_id


def _revisions(found: ItemHistory) -> list[tuple[str, str | None, str]]:
    return [(each.kind, each.author, each.plan["rewritten_query"]) for each in found.revisions]


def test_author_and_reviewers_read_the_same_story(
    database: Database, admin: Actor, li: Actor, chen: Actor, wang: Actor
) -> None:
    query_id, annotation_id = _returned(database, admin, li, chen)
    _hand_in(database, li, query_id, SECOND)
    for who in (li, chen, admin):
        found = read_history(database, who, annotation_id)
        assert [each.action for each in found.timeline] == [
            "opened",
            "submitted",
            "review_begun",
            "returned",
            "taken_up",
            "submitted",
        ]
        assert {each.person for each in found.timeline} == {"Li", "Chen"}
        assert _revisions(found) == [
            ("submitted", "Li", A_PLAN["rewritten_query"]),
            ("submitted", "Li", SECOND["rewritten_query"]),
        ]
        assert [each.verdict for each in found.reviews] == ["returned"]
    with pytest.raises(NotAllowed):
        read_history(database, wang, annotation_id)
    with pytest.raises(NotFound):
        read_history(database, li, "nothing")


def test_a_hidden_author_is_not_in_the_history(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    _, annotation_id = _returned(database, admin, li, chen)
    decide(database, admin, hide_author=True)
    assert "Li" not in read_history(database, chen, annotation_id).model_dump_json()
    assert "Li" in read_history(database, li, annotation_id).model_dump_json()


def test_an_author_gets_an_older_plan_back_into_the_draft_and_keeps_what_was_typed(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id, annotation_id = _returned(database, admin, li, chen)
    item = annotate.open_item(database, li, query_id)
    saved = annotate.save_draft(
        database, li, annotation_id, number=item.draft_number, content=SECOND
    )
    first = read_history(database, li, annotation_id).revisions[0].id
    restore_draft(database, li, annotation_id, first, number=saved.number)
    item = annotate.open_item(database, li, query_id)
    assert (item.draft, item.draft_number) == (A_PLAN, saved.number + 1)
    found = read_history(database, li, annotation_id)
    assert _revisions(found)[-1] == ("refused", "Li", SECOND["rewritten_query"])
    assert "restored" in {each.action for each in found.timeline}
    with pytest.raises(EditConflict) as refused:
        restore_draft(database, li, annotation_id, found.revisions[-1].id, number=saved.number)
    assert refused.value.code == "annotate.saved_elsewhere"


def test_an_author_gets_nothing_back_into_what_is_handed_in(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id, annotation_id = _returned(database, admin, li, chen)
    _hand_in(database, li, query_id, SECOND)
    first = read_history(database, li, annotation_id).revisions[0].id
    with pytest.raises(TransitionRefused) as refused:
        restore_draft(database, li, annotation_id, first, number=0)
    assert refused.value.code == "annotate.submitted_already"


def test_a_reviewer_puts_an_older_plan_back_as_a_fix_and_accepts_it(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    query_id, annotation_id = _returned(database, admin, li, chen)
    _hand_in(database, li, query_id, SECOND)
    found = read_history(database, chen, annotation_id)
    first, seen = found.revisions[0].id, found.revisions[1].id
    with pytest.raises(TransitionRefused) as refused:
        restore(database, chen, annotation_id, first, seen=seen)
    assert refused.value.code == "review.not_held"
    review.open_item(database, chen, annotation_id)
    with pytest.raises(EditConflict):
        restore(database, zhao, annotation_id, first, seen=seen)
    for _ in range(2):
        restore(database, chen, annotation_id, first, seen=seen)
    item = review.open_item(database, chen, annotation_id)
    assert item.plan == A_PLAN
    review.accept(database, chen, annotation_id, item.revision_id)
    found = read_history(database, chen, annotation_id)
    assert _revisions(found)[-1] == ("fixed", "Chen", A_PLAN["rewritten_query"])
    told = [each.action for each in found.timeline if each.action in ("restored", "accepted")]
    assert told == ["restored", "accepted"]


def test_an_accepted_plan_gives_way_to_an_older_one_unless_it_changed_since(
    database: Database, admin: Actor, li: Actor, chen: Actor, zhao: Actor
) -> None:
    annotation_id = _hand_in(database, li, a_label_query(database, admin))
    item = review.open_item(database, chen, annotation_id)
    review.fix_and_accept(database, chen, annotation_id, item.revision_id, FIXED)
    found = read_history(database, zhao, annotation_id)
    assert found.may_restore
    first, fixed = (each.id for each in found.revisions)
    restore(database, zhao, annotation_id, first, seen=fixed)
    found = read_history(database, zhao, annotation_id)
    assert found.state == "accepted"
    assert found.revision_id == found.revisions[-1].id
    assert _revisions(found)[-1] == ("fixed", "Zhao", A_PLAN["rewritten_query"])
    with pytest.raises(EditConflict) as refused:
        restore(database, chen, annotation_id, fixed, seen=fixed)
    assert (refused.value.code, refused.value.values["who"]) == ("history.changed_since", "Zhao")
    with pytest.raises(NotAllowed):
        restore(database, li, annotation_id, fixed, seen=found.revisions[-1].id)


def test_a_plan_replaced_before_it_is_accepted_is_a_defect_of_its_lot(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id, annotation_id = _returned(database, admin, li, chen)
    decide(database, admin, sampling={"is_on": True, "lot_size": 5})
    _hand_in(database, li, query_id, SECOND)
    (lot,) = lots.list_lots(database, chen)
    lots.close(database, chen, lot.id)
    item = review.open_item(database, chen, annotation_id)
    first = read_history(database, chen, annotation_id).revisions[0].id
    restore(database, chen, annotation_id, first, seen=item.revision_id)
    item = review.open_item(database, chen, annotation_id)
    review.accept(database, chen, annotation_id, item.revision_id)
    (lot,) = lots.list_lots(database, chen)
    assert (lot.state, lot.defects) == ("failed", 1)


def test_a_return_names_a_passage_of_the_trace_and_its_author_gets_it(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id = a_label_query(database, admin)
    suggestion_id = a_suggestion(database, admin, query_id, plan=A_PLAN, trace=TRACE)
    annotation_id = _hand_in(database, li, query_id)
    item = review.open_item(database, chen, annotation_id)
    span = {"suggestion_id": suggestion_id, "start": 8, "end": 14, "quote": TRACE[8:14]}

    def send_back(**place: object) -> None:
        reasons = [{"code": "wrong_order"}, {"code": "wrong_expert", **place}]
        review.return_to_author(database, chen, annotation_id, item.revision_id, reasons=reasons)

    for wrong in ({"quote": "别的"}, {"end": 99}, {"end": 3}, {"start": -1}, {"start": "x"}):
        with pytest.raises(InvalidInput):
            send_back(span={**span, **wrong})
    with pytest.raises(InvalidInput):
        send_back(path="steps of the plan")
    with pytest.raises(NotFound):
        send_back(span={**span, "suggestion_id": "other"})
    send_back(path="$.steps[0]", span=span)
    returned = annotate.open_item(database, li, query_id).returned
    assert returned
    first, second = returned.reasons
    assert (first.path, first.span) == (None, None)
    assert second.span
    assert (second.path, second.span.quote) == ("$.steps[0]", TRACE[8:14])
    found = read_history(database, li, annotation_id)
    (verdict,) = found.reviews
    assert verdict.reasons == returned.reasons
    (told,) = (each for each in found.timeline if each.action == "returned")
    assert reasons_of(told.why) == returned.reasons


def test_a_return_of_an_older_version_reads_as_one_reason(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    query_id, annotation_id = _returned(database, admin, li, chen)
    with database.transaction() as session:
        row = session.exec(select(Review)).one()
        row.reason_code, row.reason, row.path = None, "看一下", "$.steps[0]"
        session.add(row)
    returned = annotate.open_item(database, li, query_id).returned
    assert returned
    assert returned.reasons == (Reason(code=None, remark="看一下", path="$.steps[0]"),)
    (verdict,) = read_history(database, li, annotation_id).reviews
    assert verdict.reasons == returned.reasons


def test_the_queries_page_shows_every_version_and_puts_one_back(
    database: Database, admin: Actor, li: Actor, chen: Actor, settings: Settings
) -> None:
    annotation_id = _hand_in(database, li, a_label_query(database, admin))
    item = review.open_item(database, chen, annotation_id)
    review.fix_and_accept(database, chen, annotation_id, item.revision_id, FIXED)
    services = Services(settings, database, durable=None)  # pyright: ignore[reportArgumentType]
    handlers = QueriesHandlers(services, Words("en"))

    def on(act: Any, picked: str) -> Any:
        return act(gr.EventData(None, {"id": picked}), request_of(chen))

    page = json.dumps(on(handlers.on_pick, item.query_id).detail, ensure_ascii=False)
    assert A_PLAN["rewritten_query"] in page
    assert FIXED["rewritten_query"] in page
    assert "Version 1 · submitted · Li" in page
    first, fixed = (each.id for each in read_history(database, chen, annotation_id).revisions)
    answer = on(handlers.on_put_back, f"{annotation_id} {first} {fixed}")
    assert "Restored" in answer.notice["text"]
    (annotation,) = queue.query_detail(database, chen, item.query_id).annotations
    newest = annotation.revisions[-1]
    assert (annotation.revision_id, newest.plan, newest.author) == (newest.id, A_PLAN, "Chen")
    assert on(handlers.on_put_back, "nothing").notice["kind"] == "error"
