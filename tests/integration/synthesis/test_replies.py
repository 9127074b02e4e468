"""What a model answers, in whatever shape, is stored raw and read."""

import json
from collections import Counter

import pytest
from sqlmodel import col, select

from db.engine import Database
from db.tables import Query, Suggestion, SynthesisRequest
from labeling.ranking import recompute_disagreement
from labeling.synthesis.batch import (
    batch_progress,
    reopen_failed,
)
from labeling.synthesis.reread import reread
from schemas.errors import (
    TransitionRefused,
)
from schemas.people import Actor
from tests.factories import a_project, a_query
from tests.fakes.endpoint import SHAPES
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import (
    add_queries,
    list_suggestions,
    order_for,
    run_order,
    work_on,
)


def test_every_query_gets_its_suggestion_and_becomes_ready(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 20)
    progress = run_order(database, who, order_for(endpoint))
    assert (progress.state, progress.done, progress.failed, progress.open) == ("done", 20, 0, 0)
    assert progress.output_tokens > progress.reasoning_tokens > 0
    assert progress.input_tokens > 0
    with database.reading() as session:
        found = list_suggestions(session)
        states = set(session.exec(select(Query.state)))
    assert len(found) == 20
    assert states == {"ready"}
    for each in found:
        assert each.raw_reply is not None
        body = json.loads(each.raw_reply)
        assert body["choices"][0]["message"]["reasoning_content"].strip() == each.trace
        assert each.plan is not None
        assert each.trace_length == 120
        assert each.reply_shape == "reasoning+answer"
        assert (each.model, each.endpoint, each.candidate) == ("fake", endpoint.url, 1)
        assert each.usage is not None


@pytest.mark.parametrize("shape", SHAPES)
def test_thinking_and_plan_are_found_in_every_shape(
    sqlite_database: Database, endpoint: RunningEndpoint, shape: str
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(shape=shape)
    add_queries(sqlite_database, who, 3)
    assert run_order(sqlite_database, who, order_for(endpoint)).done == 3
    with sqlite_database.reading() as session:
        assert all(
            (each.trace or "").startswith("用户想知道") for each in list_suggestions(session)
        )


def test_a_reply_without_a_plan_is_a_failure_that_keeps_its_raw_text(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(cut_off=0.3, bad_plan=0.3, refused=0.2)
    add_queries(database, who, 40)
    progress = run_order(database, who, order_for(endpoint))
    failures = dict(progress.failures)
    assert progress.done + progress.failed == 40
    assert progress.failed == sum(failures.values())
    assert "replies.cut_off" in failures
    assert failures.keys() <= {
        "replies.cut_off",
        "replies.broken_json",
        "replies.invalid_plan",
        "replies.incomplete",
        "replies.not_a_plan",
        "synthesis.refused_request",
    }
    with database.reading() as session:
        failed = [each for each in list_suggestions(session) if each.failure]
        waiting = len(list(session.exec(select(Query.id).where(Query.state == "waiting"))))
    assert len(failed) == progress.failed - failures.get("synthesis.refused_request", 0)
    assert all(each.plan is None and each.raw_reply for each in failed)
    assert waiting == progress.failed


def test_a_repaired_answer_is_marked(sqlite_database: Database, endpoint: RunningEndpoint) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(repairable=1.0)
    add_queries(sqlite_database, who, 2)
    assert run_order(sqlite_database, who, order_for(endpoint)).done == 2
    with sqlite_database.reading() as session:
        assert all(each.is_repaired for each in list_suggestions(session))


def test_a_long_trace_with_a_nul_is_stored_whole(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(trace_length=200_000, trace_nul=True)
    add_queries(database, who, 2)
    assert run_order(database, who, order_for(endpoint)).done == 2
    with database.reading() as session:
        found = list_suggestions(session)
    for each in found:
        assert each.trace_length == 200_000
        assert each.trace is not None
        assert "\x00" not in each.trace
        assert b"\\u0000" in (each.raw_reply or b"")


def test_asking_again_keeps_what_came_before(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(cut_off=1.0)
    add_queries(database, who, 4)
    first = run_order(database, who, order_for(endpoint))
    assert first.failed == 4
    endpoint.configure(cut_off=0.0)
    count, prepared = reopen_failed(database, who, first.id)
    assert count == 4
    work_on(database, prepared)
    assert batch_progress(database, who, first.id).done == 4
    with database.reading() as session:
        found = list_suggestions(session)
    assert sorted(each.failure or "" for each in found) == [""] * 4 + ["replies.cut_off"] * 4
    with pytest.raises(TransitionRefused, match="No request"):
        reopen_failed(database, who, first.id)


def test_stored_replies_can_be_read_again_without_asking(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(bad_plan=0.4)
    add_queries(database, who, 12)
    progress = run_order(database, who, order_for(endpoint))
    asked = sum(endpoint.counts()["asked"].values())
    with database.transaction() as session:
        # As an earlier, worse reader would have left it.
        good = session.exec(select(Suggestion).where(col(Suggestion.failure).is_(None))).all()[0]
        plan, good.plan, good.failure = good.plan, None, "replies.no_plan"
        request = session.exec(
            select(SynthesisRequest).where(SynthesisRequest.request_key == good.request_key)
        ).one()
        request.state, request.failure = "failed", "replies.no_plan"
        session.get_one(Query, good.query_id).state = "waiting"
    counts = reread(database, who)
    assert (counts.read, counts.mended) == (progress.failed + 1, 1)
    with database.reading() as session:
        mended = session.get_one(Suggestion, good.id)
        assert (mended.plan, mended.failure) == (plan, None)
        assert session.get_one(Query, good.query_id).state == "ready"
    assert batch_progress(database, who, progress.id).done == progress.done
    assert sum(endpoint.counts()["asked"].values()) == asked


def test_each_query_is_asked_under_its_own_pins(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    query_id = a_query(sqlite_database, who, "那上个月呢？")
    with sqlite_database.transaction() as session:
        query = session.get_one(Query, query_id)
        query.history = [
            {"role": "user", "content": "最早的问题"},
            {"role": "assistant", "content": "最早的回答"},
            {"role": "user", "content": "这个月流量如何？"},
            {"role": "assistant", "content": "下降 8%"},
        ]
        query.window = 2
    endpoint.configure(keep_bodies=True)
    assert (
        run_order(sqlite_database, who, order_for(endpoint, parameters={"temperature": 0.6})).done
        == 1
    )
    (body,) = endpoint.counts()["bodies"]
    assert body["temperature"] == 0.6
    contents = [each["content"] for each in body["messages"]]
    assert "数据分析专家" in contents[0]
    assert contents[1:] == ["这个月流量如何？", "下降 8%", "那上个月呢？"]


def test_how_far_the_answers_to_a_query_differ_is_known_when_they_are_stored(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(bad_plan=0.4)
    add_queries(database, who, 12)
    run_order(database, who, order_for(endpoint, n=3))
    with database.reading() as session:
        plans = Counter(each.query_id for each in list_suggestions(session) if each.plan)
        known = {row.id: row.disagreement for row in session.exec(select(Query))}
    assert {query_id for query_id, value in known.items() if value is not None} == {
        query_id for query_id, count in plans.items() if count > 1
    }
    assert 0 < len([value for value in known.values() if value is not None]) < 12
    assert recompute_disagreement(database, who) == 0
