"""The handlers of both desks, called without a server."""

import json
from typing import Any

import gradio as gr
import pytest

from db.tables import Task
from labeling.ui.i18n import Words
from labeling.ui.label import LabelHandlers
from labeling.ui.review import ReviewHandlers
from labeling.ui.session import Services, request_of
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
    review("return", **verdict, reason_code="sub_questions", reason="再拆细一些", path="$.steps[0]")
    again = label("open")["item"]
    assert again["returned"]["reason_words"] == "子问题拆解不完整或不清楚"
    assert again["returned"]["path"] == "$.steps[0]"
    label("submit", **_known(again), number=again["draft_number"], content=PLAN, seconds=1)
    taken = review("open")["item"]
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
