"""The handlers of both desks, called without a server."""

import json
from typing import Any

import gradio as gr
import pytest

from db.tables import Task
from labeling.ui.header import header_counts
from labeling.ui.i18n import Words
from labeling.ui.label import LabelHandlers
from labeling.ui.review import ReviewHandlers
from labeling.ui.session import Services, request_of
from schemas.keys import DEFAULT_KEYS
from schemas.people import Actor
from tests.factories import a_person, a_project, a_query

PLAN = {
    "rewritten_query": "查看经营周报",
    "steps": [{"expert": "数据分析专家", "sub_questions": ["查看经营周报"], "order": 1}],
}


class Asking:
    """Calls handlers as the script of a page does."""

    def __init__(self, handlers: object, who: Actor) -> None:
        self.handlers, self.who = handlers, who

    def __call__(self, name: str, **message: object) -> dict[str, Any]:
        data = {"serial": 7, "text": json.dumps(message)}
        event = gr.EventData(None, data)
        answer = json.loads(getattr(self.handlers, f"on_{name}")(event, request_of(self.who)))
        assert answer["serial"] == 7
        return answer


@pytest.fixture
def services(sqlite_database, settings) -> Services:
    return Services(settings, sqlite_database, durable=None)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def admin(sqlite_database) -> Actor:
    admin = a_project(sqlite_database)
    query_id = a_query(sqlite_database, admin)
    with sqlite_database.transaction() as session:
        session.add(Task(project_id=admin.project_id, kind="label", query_id=query_id))
    return admin


@pytest.fixture
def label(services, admin) -> Asking:
    person = a_person(services.database, admin.project_id, "annotator")
    return Asking(LabelHandlers(services, Words("zh")), person)


@pytest.fixture
def review(services, admin) -> Asking:
    person = a_person(services.database, admin.project_id, "reviewer")
    return Asking(ReviewHandlers(services, Words("zh")), person)


def _known(item: dict[str, Any]) -> dict[str, Any]:
    return {"annotation_id": item["annotation_id"], "query_id": item["query_id"]}


def test_an_item_goes_from_the_label_page_over_a_return_to_acceptance(label, review):
    item = label("open")["item"]
    saved = label("save", **_known(item), number=item["draft_number"], content=PLAN)["saved"]
    done = label("submit", **_known(item), number=saved["number"], content=PLAN, seconds=12.5)
    assert done["item"] is None
    assert done["progress"]["mine_today"] == 1
    taken = review("open")["item"]
    verdict = {key: taken[key] for key in ("annotation_id", "revision_id")}
    first = {"code": "sub_questions", "remark": "再拆细一些", "path": "$.steps[0]"}
    second = {"code": "rewrite_inaccurate", "path": "$.rewritten_query"}
    review("return", **verdict, reasons=[first, second])
    again = label("open")["item"]
    shown = [(each["words"], each["remark"], each["path"]) for each in again["returned"]["reasons"]]
    assert shown == [
        ("子问题拆解不完整或不清楚", "再拆细一些", "$.steps[0]"),
        ("补全后的问题不准确", "", "$.rewritten_query"),
    ]
    (row,) = label("mine", state="returned")["mine"]
    assert row["notes"] == ["子问题拆解不完整或不清楚 · 再拆细一些", "补全后的问题不准确"]
    label("submit", **_known(again), number=again["draft_number"], content=PLAN, seconds=1)
    taken = review("open")["item"]
    (earlier,) = taken["earlier_returns"]
    assert [each["words"] for each in earlier["reasons"]] == [each[0] for each in shown]
    verdict = {key: taken[key] for key in ("annotation_id", "revision_id")}
    assert review("accept", **verdict)["item"] is None


def test_a_plan_with_problems_is_answered_with_their_places(label):
    item = label("open")["item"]
    wrong = {"rewritten_query": " ", "steps": []}
    answer = label("submit", **_known(item), number=item["draft_number"], content=wrong)
    assert [each["path"] for each in answer["problems"]] == ["$.rewritten_query"]
    assert label("check", annotation_id=item["annotation_id"], content=wrong)["scores"] is None


def test_a_check_scores_a_valid_plan(label):
    item = label("open")["item"]
    scores = label("check", annotation_id=item["annotation_id"], content=PLAN)["scores"]
    assert scores["mine"]["ExpertValidationReward"] == 1
    assert scores["model"] is None


def test_an_old_draft_number_is_answered_with_the_newer_draft(label):
    item = label("open")["item"]
    for text in ("甲", "乙"):
        content = PLAN | {"rewritten_query": text}
        answer = label("save", **_known(item), number=item["draft_number"], content=content)
    assert answer["conflict"]["content"]["rewritten_query"] == "甲"
    assert answer["conflict"]["number"] == item["draft_number"] + 1


def test_half_a_surrogate_pair_is_kept(label):
    item = label("open")["item"]
    content = PLAN | {"rewritten_query": "\ud83d"}
    label("save", **_known(item), number=item["draft_number"], content=content)
    assert label("open")["item"]["draft"]["rewritten_query"] == "\ud83d"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"annotation_id": 3}', "[" * 5000])
def test_a_message_that_cannot_be_read_is_refused_in_words(services, label, text):
    event = gr.EventData(None, {"serial": 1, "text": text})
    answer = json.loads(label.handlers.on_save(event, request_of(label.who)))
    assert answer["failed"]
    assert "无法读取" in answer["notice"]["text"]


def test_an_annotator_is_refused_on_the_review_page(services, label):
    answer = Asking(ReviewHandlers(services, Words("zh")), label.who)("open")
    assert answer["failed"]
    assert answer["notice"]["kind"] == "refused"


COMMENT_ID = "0190b6a4-5c5e-7d5e-8000-000000000001"


def test_what_is_said_on_one_desk_lies_on_the_other_and_waits_for_the_author(label, review):
    item = label("open")["item"]
    assert item["comments"] == []
    label("submit", **_known(item), number=item["draft_number"], content=PLAN, seconds=1)
    taken = review("open")["item"]
    said = {"id": COMMENT_ID, "text": "改写得更具体", "anchor": {"kind": "whole"}}
    for _ in range(2):
        answer = review("comment", annotation_id=taken["annotation_id"], comment=said)
    assert [each["text"] for each in answer["comments"]] == ["改写得更具体"]
    waiting = label("waiting")["mine"]
    assert [(each["query_id"], each["threads"]) for each in waiting] == [(item["query_id"], 1)]
    database, words = label.handlers.database, Words("zh")
    services = Services(None, database, durable=None)  # pyright: ignore[reportArgumentType]
    assert header_counts(services, label.who, words).comments_text == "给你的批注（1）"
    again = label("open", query_id=item["query_id"])["item"]
    assert again["comments"] == label("comments", annotation_id=item["annotation_id"])["comments"]
    resolved = label("resolve", thread_id=COMMENT_ID, is_resolved=True)["comments"]
    assert resolved[0]["resolved_at"]
    assert header_counts(services, label.who, words).comments == 0


def test_a_comment_that_cannot_be_read_is_refused_in_words(label):
    item = label("open")["item"]
    for comment in ("text", {"id": "1"}, {"id": COMMENT_ID, "text": ""}, None):
        answer = label("comment", annotation_id=item["annotation_id"], comment=comment)
        assert answer["failed"]
        assert "批注" in answer["notice"]["text"] or "几个字" in answer["notice"]["text"]


def test_another_annotator_is_refused_what_is_said_on_this_annotation(services, admin, label):
    item = label("open")["item"]
    said = {"id": COMMENT_ID, "text": "给自己的话"}
    label("comment", annotation_id=item["annotation_id"], comment=said)
    stranger = Asking(
        LabelHandlers(services, Words("zh")),
        a_person(services.database, admin.project_id, "annotator"),
    )
    for name, message in (
        ("comments", {"annotation_id": item["annotation_id"]}),
        ("comment", {"annotation_id": item["annotation_id"], "comment": said}),
        ("resolve", {"thread_id": COMMENT_ID, "is_resolved": True}),
    ):
        answer = stranger(name, **message)
        assert answer["notice"]["kind"] == "refused"
        assert "comments" not in answer


def test_keys_are_chosen_for_the_desk_that_asks(label, review):
    assert label("keys", action="adopt", key="q")["keys"]["adopt"] == "Q"
    assert review("keys", action="accept", key="q")["keys"]["accept"] == "Q"
    refused = label("keys", action="skip", key="Q")
    assert "Q" in refused["notice"]["text"]
    assert label("keys", action="adopt")["keys"]["adopt"] == "A"
    assert label("keys")["keys"] == DEFAULT_KEYS["label"]


def test_an_item_is_given_back_and_found_again(label, review):
    item = label("open")["item"]
    assert label("release", annotation_id=item["annotation_id"])["item"] is None
    found = label("find", text=item["text"][:4])["found"]
    assert [(each["query_id"], each["state"]) for each in found] == [(item["query_id"], "draft")]
    again = label("open", query_id=item["query_id"])["item"]
    label("submit", **_known(again), number=again["draft_number"], content=PLAN, seconds=9)
    (mine,) = label("mine", state="submitted")["mine"]
    assert (mine["can_withdraw"], mine["lead_seconds"]) == (True, 9)
    (waits,) = review("find", text=item["text"][:4])["found"]
    assert review("open", annotation_id=waits["annotation_id"])["item"]
