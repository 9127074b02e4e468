"""The playground asks planners as evaluations do, keeps what came, and labels no benchmark."""

import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from db.access import training
from db.engine import Database
from exports import playground
from exports.evaluate import external_planner
from labeling.annotate import open_next
from labeling.prompts import publish_prompt
from schemas.errors import NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.prompt import built_in_template
from schemas.serving import PlaygroundOrder, ReplyView
from schemas.settings import Settings
from tests.bundles import a_benchmark
from tests.factories import a_person, a_project
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint

QUERY = "上周的流量怎么样，退款为什么变多了"
TURNS: tuple[tuple[Literal["user", "assistant"], str], ...] = (
    ("user", "你好"),
    ("assistant", "请讲"),
)


@pytest.fixture
def endpoint() -> Iterator[RunningEndpoint]:
    with running_endpoint() as started:
        started.configure(keep_bodies=True, trace_length=150)
        yield started


@pytest.fixture
def admin(database: Database) -> Actor:
    found = a_project(database)
    publish_prompt(database, found, built_in_template("zh"))
    return found


@pytest.fixture
def chen(database: Database, admin: Actor) -> Actor:
    return a_person(database, admin.project_id, "reviewer", name="Chen")


def asked(
    database: Database, settings: Settings, who: Actor, planner_id: str, text: str = QUERY
) -> ReplyView:
    """A reply, once it has come."""
    order = PlaygroundOrder(planner_id=planner_id, text=text, history=TURNS)
    return answered(database, who, playground.ask(database, settings, who, order))


def answered(database: Database, who: Actor, reply_id: str) -> ReplyView:
    """A reply, once it has come."""
    deadline = time.monotonic() + 60
    while (reply := playground.get_reply(database, who, reply_id)).state == "asking":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return reply


def test_a_reviewer_asks_and_sees_thinking_plan_and_what_came(
    database: Database, settings: Settings, admin: Actor, chen: Actor, endpoint: RunningEndpoint
) -> None:
    planner_id = external_planner(database, admin, endpoint.url, "planner")
    reply = asked(database, settings, chen, planner_id)
    assert (reply.state, reply.is_strict, reply.problems) == ("done", True, ())
    assert reply.plan
    assert reply.plan["rewritten_query"] == QUERY
    assert reply.think_length == len(reply.thinking) == 150
    assert reply.completion.startswith("<think>\n")
    (body,) = endpoint.counts()["bodies"]
    assert [each["role"] for each in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert [each.id for each in playground.list_replies(database, chen)] == [reply.id]


def test_two_planners_are_asked_together_or_not_at_all(
    database: Database, settings: Settings, chen: Actor, admin: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=3.0)
    orders = [
        PlaygroundOrder(planner_id=external_planner(database, admin, endpoint.url, name), text="?")
        for name in ("one", "other")
    ]
    first = playground.ask(database, settings, chen, orders[0])
    ids = [first, *playground.ask_all(database, settings, chen, orders)]
    with pytest.raises(TransitionRefused) as refused:
        playground.ask_all(database, settings, chen, orders)
    assert refused.value.code == "serving.too_many"
    assert [each.id for each in playground.list_replies(database, chen)] == ids[::-1]
    assert {answered(database, chen, each).state for each in ids} == {"done"}


@pytest.mark.parametrize(
    ("text", "history"),
    [
        ("", ()),
        ("问" * 20_001, ()),
        ("?", (("user", "问" * 20_001),)),
        ("?", (("user", "?"),) * 41),
        ("?", (("system", "?"),)),
    ],
)
def test_there_is_an_end_to_what_can_be_asked(text: str, history: Any) -> None:
    with pytest.raises(ValidationError):
        PlaygroundOrder(planner_id="p", text=text, history=history)


def test_what_is_wrong_with_a_plan_is_told_and_a_broken_one_is_shown_as_it_came(
    database: Database, settings: Settings, admin: Actor, endpoint: RunningEndpoint
) -> None:
    planner_id = external_planner(database, admin, endpoint.url, "planner")
    endpoint.configure(repairable=1.0)
    mended = asked(database, settings, admin, planner_id)
    assert mended.is_repaired
    assert mended.plan
    endpoint.configure(repairable=0.0, bad_plan=1.0)
    broken = asked(database, settings, admin, planner_id)
    assert broken.state == "done"
    assert [code for _, code, _ in broken.problems] == ["wrong_type"]
    assert "三位专家" in broken.completion


def test_nobody_there_is_told_with_the_address(
    database: Database, settings: Settings, admin: Actor
) -> None:
    planner_id = external_planner(database, admin, "http://127.0.0.1:9/v1", "planner")
    reply = asked(database, settings, admin, planner_id)
    assert (reply.state, reply.reason) == ("failed", "evaluate.unreachable")
    assert reply.values == {"url": "http://127.0.0.1:9/v1"}


def test_the_key_of_an_external_planner_is_the_admins_choice(
    database: Database,
    settings: Settings,
    admin: Actor,
    chen: Actor,
    endpoint: RunningEndpoint,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint.configure(key="open sesame")
    monkeypatch.setenv("A_KEY", "open sesame")
    planner_id = external_planner(database, admin, endpoint.url, "planner", "A_KEY")
    assert asked(database, settings, chen, planner_id).state == "done"


def test_a_question_goes_into_the_queue_once_with_its_reply(
    database: Database, settings: Settings, admin: Actor, chen: Actor, endpoint: RunningEndpoint
) -> None:
    planner_id = external_planner(database, admin, endpoint.url, "planner")
    reply = asked(database, settings, chen, planner_id)
    query_id = playground.send_to_annotation(database, chen, reply.id)
    assert playground.send_to_annotation(database, chen, reply.id) == query_id
    assert playground.get_reply(database, chen, reply.id).query_id == query_id
    li = a_person(database, admin.project_id, "annotator", name="Li")
    item = open_next(database, li)
    assert item
    assert item.query_id == query_id
    assert [each.model for each in item.suggestions] == ["planner"]
    assert item.suggestions[0].trace == reply.thinking
    # Another planner's answer to the same question joins it.
    other = external_planner(database, admin, endpoint.url, "other")
    second = asked(database, settings, chen, other)
    assert playground.send_to_annotation(database, chen, second.id) == query_id


def test_a_question_of_a_benchmark_is_never_sent(
    database: Database, settings: Settings, admin: Actor, endpoint: RunningEndpoint
) -> None:
    benchmark_id = a_benchmark(database, admin, 3)
    with database.reading() as session:
        question = training.list_questions(session, benchmark_id, 1)[0].text
    planner_id = external_planner(database, admin, endpoint.url, "planner")
    for text in (question, f" {question}？"):
        reply = asked(database, settings, admin, planner_id, text)
        with pytest.raises(TransitionRefused) as refused:
            playground.send_to_annotation(database, admin, reply.id)
        assert refused.value.code == "serving.is_question"


def test_replies_are_seen_by_whom_asked_and_by_admins(
    database: Database, settings: Settings, admin: Actor, chen: Actor, endpoint: RunningEndpoint
) -> None:
    planner_id = external_planner(database, admin, endpoint.url, "planner")
    reply = asked(database, settings, chen, planner_id)
    wang = a_person(database, admin.project_id, "reviewer", name="Wang")
    li = a_person(database, admin.project_id, "annotator", name="Li")
    with pytest.raises(NotAllowed):
        playground.get_reply(database, wang, reply.id)
    with pytest.raises(NotAllowed):
        playground.send_to_annotation(database, wang, reply.id)
    with pytest.raises(NotAllowed):
        playground.ask(database, settings, li, PlaygroundOrder(planner_id=planner_id, text="?"))
    assert playground.get_reply(database, admin, reply.id).id == reply.id
    stranger = a_project(database, "other")
    with pytest.raises(NotFound):
        playground.get_reply(database, stranger, reply.id)
    with pytest.raises(NotFound):
        playground.ask(
            database, settings, stranger, PlaygroundOrder(planner_id=planner_id, text="?")
        )
