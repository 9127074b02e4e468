"""Batches against a real endpoint that misbehaves: nothing lost, nothing paid twice."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from db.access.events import list_events
from db.access.requests import hold_requests
from db.clock import told_by
from db.durable import Durable
from db.engine import Database
from db.tables import Query, Suggestion, SynthesisBatch, SynthesisRequest
from labeling.synthesis.batch import (
    Prepared,
    ask_again,
    batch_progress,
    cancel_batch,
    list_batches,
    prepare_batch,
    preview_batch,
    reopen_failed,
    resume_batch,
    start_batch,
)
from labeling.synthesis.reread import reread
from labeling.synthesis.work import ask_some
from schemas.errors import (
    InvalidInput,
    ModelServiceError,
    NotAllowed,
    NotFound,
    TransitionRefused,
)
from schemas.people import Actor
from schemas.settings import Settings
from schemas.synthesis import BatchProgress, SynthesisOrder
from tests.factories import a_person, a_project, a_query
from tests.fakes.endpoint import SHAPES
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint

DEFAULTS: dict[str, object] = {
    "keep_bodies": False,
    "is_down": False,
    "shape": "reasoning_content",
    "trace_length": 120,
    "trace_nul": False,
    "key": None,
    "model": None,
    "credit": True,
    "max_in_flight": None,
    "latency_s": 0.0,
    "fault_times": 1,
    "retry_after_s": 0.05,
    "hang_s": 30.0,
    **dict.fromkeys(
        (
            "rate_limited",
            "server_error",
            "hangs",
            "empty",
            "unreadable_body",
            "refused",
            "cut_off",
            "bad_plan",
            "repairable",
        ),
        0.0,
    ),
}


@pytest.fixture(scope="module")
def shared_endpoint() -> Iterator[RunningEndpoint]:
    with running_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(shared_endpoint: RunningEndpoint) -> RunningEndpoint:
    """Well-behaved until a test says otherwise."""
    shared_endpoint.configure(**DEFAULTS, forget=True)
    return shared_endpoint


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)


def _order(endpoint: RunningEndpoint | str, /, **changes: object) -> SynthesisOrder:
    values: dict[str, object] = {
        "endpoint": endpoint if isinstance(endpoint, str) else endpoint.url,
        "model": "fake",
        "concurrency": 8,
        "backoff_s": 0.02,
        "attempts": 3,
        **changes,
    }
    return SynthesisOrder.read(values)


def _work(database: Database, prepared: Prepared, owner: str = "me") -> None:
    while (
        ask_some(
            database,
            prepared.batch_id,
            owner,
            round_=prepared.round,
            is_closing=lambda: False,
        )
        == "more"
    ):
        pass


def _run(database: Database, who: Actor, order: SynthesisOrder) -> BatchProgress:
    prepared = prepare_batch(database, who, order)
    _work(database, prepared)
    return batch_progress(database, who, prepared.batch_id)


def _queries(database: Database, who: Actor, count: int) -> list[str]:
    return [a_query(database, who, f"第{number}家店上周流量如何？") for number in range(count)]


def _suggestions(session: Session) -> list[Suggestion]:
    return list(session.exec(select(Suggestion).order_by(col(Suggestion.id))))


def test_every_query_gets_its_suggestion_and_becomes_ready(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _queries(database, who, 20)
    progress = _run(database, who, _order(endpoint))
    assert (progress.state, progress.done, progress.failed, progress.open) == ("done", 20, 0, 0)
    assert progress.output_tokens > progress.reasoning_tokens > 0
    assert progress.input_tokens > 0
    with database.reading() as session:
        found = _suggestions(session)
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
    _queries(sqlite_database, who, 3)
    assert _run(sqlite_database, who, _order(endpoint)).done == 3
    with sqlite_database.reading() as session:
        assert all((each.trace or "").startswith("用户想知道") for each in _suggestions(session))


def test_faults_that_pass_are_tried_again_until_they_have_passed(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(
        rate_limited=0.25, server_error=0.25, empty=0.2, unreadable_body=0.2, fault_times=1
    )
    _queries(database, who, 30)
    progress = _run(database, who, _order(endpoint))
    assert (progress.done, progress.failed) == (30, 0)
    assert {"429", "503", "200"} <= endpoint.counts()["statuses"].keys()


def test_a_retry_after_is_waited_for(sqlite_database: Database, endpoint: RunningEndpoint) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(rate_limited=1.0, retry_after_s=0.8)
    _queries(sqlite_database, who, 1)
    begun = time.monotonic()
    assert _run(sqlite_database, who, _order(endpoint)).done == 1
    assert time.monotonic() - begun > 0.8


def test_attempts_are_bounded(sqlite_database: Database, endpoint: RunningEndpoint) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(server_error=1.0, fault_times=1000)
    _queries(sqlite_database, who, 1)
    progress = _run(sqlite_database, who, _order(endpoint, attempts=3))
    assert progress.failures == (("synthesis.server_error", 1),)
    assert endpoint.counts()["statuses"] == {"503": 3}


def test_a_silent_endpoint_is_not_waited_for_longer_than_ordered(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(hangs=1.0, fault_times=1000, hang_s=5)
    _queries(sqlite_database, who, 1)
    begun = time.monotonic()
    progress = _run(sqlite_database, who, _order(endpoint, timeout_s=0.3))
    assert progress.failures == (("synthesis.timeout", 1),)
    assert time.monotonic() - begun < 4


def test_a_reply_without_a_plan_is_a_failure_that_keeps_its_raw_text(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(cut_off=0.3, bad_plan=0.3, refused=0.2)
    _queries(database, who, 40)
    progress = _run(database, who, _order(endpoint))
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
        failed = [each for each in _suggestions(session) if each.failure]
        waiting = len(list(session.exec(select(Query.id).where(Query.state == "waiting"))))
    assert len(failed) == progress.failed - failures.get("synthesis.refused_request", 0)
    assert all(each.plan is None and each.raw_reply for each in failed)
    assert waiting == progress.failed


def test_a_repaired_answer_is_marked(sqlite_database: Database, endpoint: RunningEndpoint) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(repairable=1.0)
    _queries(sqlite_database, who, 2)
    assert _run(sqlite_database, who, _order(endpoint)).done == 2
    with sqlite_database.reading() as session:
        assert all(each.is_repaired for each in _suggestions(session))


def test_a_long_trace_with_a_nul_is_stored_whole(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(trace_length=200_000, trace_nul=True)
    _queries(database, who, 2)
    assert _run(database, who, _order(endpoint)).done == 2
    with database.reading() as session:
        found = _suggestions(session)
    for each in found:
        assert each.trace_length == 200_000
        assert each.trace is not None
        assert "\x00" not in each.trace
        assert b"\\u0000" in (each.raw_reply or b"")


def test_an_endpoint_that_is_not_there_stops_the_batch_and_costs_it_nothing(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _queries(database, who, 200)
    order = _order("http://127.0.0.1:9/v1", concurrency=4)
    begun = time.monotonic()
    progress = _run(database, who, order)
    assert time.monotonic() - begun < 20
    assert progress.state == "stopped"
    assert progress.reason is not None
    assert progress.reason[0] == "synthesis.stopped_unreachable"
    assert (progress.open, progress.failed) == (200, 0)


def test_one_query_and_no_endpoint_stops_too(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    _queries(sqlite_database, who, 1)
    progress = _run(sqlite_database, who, _order("http://127.0.0.1:9/v1"))
    assert (progress.state, progress.open) == ("stopped", 1)


def test_an_endpoint_that_goes_down_stops_the_batch_and_the_same_order_goes_on(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=0.02)
    _queries(database, who, 120)
    order = _order(endpoint, concurrency=4)
    prepared = prepare_batch(database, who, order)
    worker = threading.Thread(target=_work, args=(database, prepared))
    worker.start()
    while not batch_progress(database, who, prepared.batch_id).done:
        time.sleep(0.02)
    endpoint.configure(is_down=True)
    worker.join()
    stopped = batch_progress(database, who, prepared.batch_id)
    assert stopped.state == "stopped"
    assert stopped.reason is not None
    assert stopped.reason[0] == "synthesis.stopped_server_error"
    assert stopped.failed == 0
    assert 0 < stopped.done < 120
    endpoint.configure(is_down=False)
    again = prepare_batch(database, who, order)
    assert again == Prepared(prepared.batch_id, 2)
    _work(database, again)
    assert batch_progress(database, who, prepared.batch_id).done == 120
    assert max(endpoint.counts()["answered"].values()) == 1


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ({"key": "the-right-one"}, "synthesis.key_refused"),
        ({"model": "another"}, "synthesis.model_unknown"),
        ({"credit": False}, "synthesis.no_credit"),
        ({"refused": 1.0}, "synthesis.stopped_refused_request"),
        ({"unreadable_body": 1.0, "fault_times": 1000}, "synthesis.stopped_unreadable_body"),
    ],
)
def test_what_no_retry_can_mend_stops_the_batch_with_a_sentence(
    sqlite_database: Database,
    endpoint: RunningEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: dict[str, object],
    code: str,
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "sk-very-secret")
    who = a_project(sqlite_database)
    endpoint.configure(**behaviour)
    _queries(sqlite_database, who, 60)
    progress = _run(sqlite_database, who, _order(endpoint, key_env="FAKE_API_KEY", concurrency=2))
    assert progress.state == "stopped"
    assert progress.reason is not None
    assert progress.reason[0] == code
    assert progress.done == 0
    assert progress.open >= 60 - 10
    with sqlite_database.reading() as session:
        rows = [*session.exec(select(SynthesisBatch)), *session.exec(select(SynthesisRequest))]
    assert "sk-very-secret" not in repr([row.model_dump() for row in rows])


def test_the_key_reaches_the_endpoint(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "sk-very-secret")
    who = a_project(sqlite_database)
    endpoint.configure(key="sk-very-secret")
    _queries(sqlite_database, who, 2)
    assert _run(sqlite_database, who, _order(endpoint, key_env="FAKE_API_KEY")).done == 2


def test_a_missing_key_is_said_before_anything_is_written(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_API_KEY", raising=False)
    who = a_project(sqlite_database)
    _queries(sqlite_database, who, 1)
    with pytest.raises(ModelServiceError, match="NO_SUCH_API_KEY is not set"):
        prepare_batch(sqlite_database, who, _order(endpoint, key_env="NO_SUCH_API_KEY"))
    assert list_batches(sqlite_database, who) == []


def test_a_key_that_is_gone_where_the_batch_runs_stops_it(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "x")
    who = a_project(sqlite_database)
    _queries(sqlite_database, who, 1)
    prepared = prepare_batch(sqlite_database, who, _order(endpoint, key_env="FAKE_API_KEY"))
    monkeypatch.delenv("FAKE_API_KEY")
    _work(sqlite_database, prepared)
    progress = batch_progress(sqlite_database, who, prepared.batch_id)
    assert (progress.state, progress.open) == ("stopped", 1)
    assert progress.reason == ("synthesis.key_missing", {"name": "FAKE_API_KEY"})


def test_the_same_order_twice_is_one_batch(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _queries(database, who, 5)
    first = prepare_batch(database, who, _order(endpoint))
    assert prepare_batch(database, who, _order(endpoint)) == first
    assert len(list_batches(database, who)) == 1


def test_more_answers_cost_only_the_new_ones(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _queries(database, who, 10)
    _run(database, who, _order(endpoint, n=2))
    with pytest.raises(InvalidInput, match="nothing to ask"):
        prepare_batch(database, who, _order(endpoint, n=2))
    more = _order(endpoint, n=3, which="undecided")
    preview = preview_batch(database, who, more)
    assert (preview.queries, preview.requests, preview.known) == (10, 10, 20)
    assert _run(database, who, more).total == 10
    assert set(endpoint.counts()["answered"].values()) == {3}
    with database.reading() as session:
        candidates = sorted(each.candidate for each in _suggestions(session))
    assert candidates == [1] * 10 + [2] * 10 + [3] * 10


def test_what_another_batch_left_open_is_asked_under_the_same_key(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    _queries(sqlite_database, who, 6)
    left = prepare_batch(sqlite_database, who, _order(endpoint))
    cancel_batch(sqlite_database, who, left.batch_id)
    progress = _run(sqlite_database, who, _order(endpoint, n=2))
    assert (progress.total, progress.done) == (12, 12)
    assert batch_progress(sqlite_database, who, left.batch_id).total == 0


def test_a_limit_counts_queries_and_the_next_batch_takes_the_next(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _queries(database, who, 7)
    order = _order(endpoint, n=2, limit=3)
    assert [_run(database, who, order).total for _ in range(3)] == [6, 6, 2]


def test_asking_again_keeps_what_came_before(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(cut_off=1.0)
    _queries(database, who, 4)
    first = _run(database, who, _order(endpoint))
    assert first.failed == 4
    endpoint.configure(cut_off=0.0)
    count, prepared = reopen_failed(database, who, first.id)
    assert count == 4
    _work(database, prepared)
    assert batch_progress(database, who, first.id).done == 4
    with database.reading() as session:
        found = _suggestions(session)
    assert sorted(each.failure or "" for each in found) == [""] * 4 + ["replies.cut_off"] * 4
    with pytest.raises(TransitionRefused, match="No request"):
        reopen_failed(database, who, first.id)


def test_stored_replies_can_be_read_again_without_asking(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(bad_plan=0.4)
    _queries(database, who, 12)
    progress = _run(database, who, _order(endpoint))
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


def test_a_cancelled_batch_asks_no_more_but_keeps_what_is_under_way(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=0.3)
    _queries(database, who, 200)
    prepared = prepare_batch(database, who, _order(endpoint, concurrency=4))
    worker = threading.Thread(target=_work, args=(database, prepared))
    worker.start()
    while not batch_progress(database, who, prepared.batch_id).done:
        time.sleep(0.02)
    cancel_batch(database, who, prepared.batch_id)
    worker.join(timeout=10)
    assert not worker.is_alive()
    progress = batch_progress(database, who, prepared.batch_id)
    assert (progress.state, progress.in_flight) == ("cancelled", 0)
    assert progress.done == sum(endpoint.counts()["answered"].values()) < 200
    with pytest.raises(TransitionRefused):
        cancel_batch(database, who, prepared.batch_id)


def test_two_who_work_on_one_batch_never_ask_the_same(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=0.01)
    _queries(database, who, 150)
    prepared = prepare_batch(database, who, _order(endpoint))
    workers = [
        threading.Thread(target=_work, args=(database, prepared, f"worker-{number}"))
        for number in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    progress = batch_progress(database, who, prepared.batch_id)
    assert (progress.state, progress.done) == ("done", 150)
    assert set(endpoint.counts()["asked"].values()) == {1}


def test_what_a_dead_process_held_is_asked_when_its_lease_has_run_out(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _queries(database, who, 6)
    prepared = prepare_batch(database, who, _order(endpoint))
    with told_by(lambda: datetime.now(UTC) - timedelta(minutes=3)), database.transaction() as dead:
        assert len(hold_requests(dead, prepared.batch_id, "dead", 4)) == 4
    with database.transaction() as session:
        assert len(hold_requests(session, prepared.batch_id, "alive", 10)) == 6


def test_an_endpoint_that_takes_few_at_once_is_given_few(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(max_in_flight=4, latency_s=0.05, retry_after_s=0.1)
    _queries(sqlite_database, who, 60)
    order = _order(endpoint, concurrency=32, attempts=8, backoff_s=0.2)
    progress = _run(sqlite_database, who, order)
    assert (progress.done, progress.failed) == (60, 0)


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
    assert _run(sqlite_database, who, _order(endpoint, parameters={"temperature": 0.6})).done == 1
    (body,) = endpoint.counts()["bodies"]
    assert body["temperature"] == 0.6
    contents = [each["content"] for each in body["messages"]]
    assert "数据分析专家" in contents[0]
    assert contents[1:] == ["这个月流量如何？", "下降 8%", "那上个月呢？"]


def test_only_admins_ask_and_only_their_own_project(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    _queries(sqlite_database, who, 1)
    other = a_project(sqlite_database, name="other")
    reviewer = a_person(sqlite_database, who.project_id, "reviewer")
    with pytest.raises(NotAllowed):
        prepare_batch(sqlite_database, reviewer, _order(endpoint))
    prepared = prepare_batch(sqlite_database, who, _order(endpoint))
    assert batch_progress(sqlite_database, reviewer, prepared.batch_id).total == 1
    for act in (batch_progress, cancel_batch, reopen_failed):
        with pytest.raises(NotFound):
            act(sqlite_database, other, prepared.batch_id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"endpoint": "ftp://host/v1"}, "synthesis.endpoint_not_a_url"),
        ({"endpoint": "https://name:secret@host/v1"}, "synthesis.endpoint_not_a_url"),
        ({"key_env": "sk-abcdef123456"}, "synthesis.key_env_not_a_name"),
        ({"key_env": "PLANWRIGHT_ANY_KEY"}, "synthesis.key_env_not_a_name"),
        ({"parameters": {"messages": []}}, "synthesis.parameter_is_ours"),
        ({"n": 0}, "synthesis.order_refused"),
        ({"experts": "nobody@1"}, "experts.list_not_found"),
    ],
)
def test_an_order_that_cannot_be_used_is_refused_without_repeating_secrets(
    sqlite_database: Database, changes: dict[str, Any], code: str
) -> None:
    who = a_project(sqlite_database)
    with pytest.raises((InvalidInput, NotFound)) as caught:
        preview_batch(sqlite_database, who, _order("http://127.0.0.1:9/v1", **changes))
    assert caught.value.code == code
    assert "sk-abc" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.fixture
def durable(database: Database, settings: Settings) -> Iterator[Durable]:
    executor = Durable(settings, database, "serve")
    executor.launch()
    yield executor
    executor.close()


def _wait(database: Database, who: Actor, batch_id: str, *states: str) -> BatchProgress:
    deadline = time.monotonic() + 30
    while (progress := batch_progress(database, who, batch_id)).state not in states:
        assert time.monotonic() < deadline, progress
        time.sleep(0.05)
    return progress


def test_a_started_batch_is_worked_on_and_can_be_cancelled_resumed_and_asked_again(
    database: Database, who: Actor, durable: Durable, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=0.1)
    _queries(database, who, 60)
    batch_id = start_batch(database, durable, who, _order(endpoint))
    assert start_batch(database, durable, who, _order(endpoint)) == batch_id
    while not batch_progress(database, who, batch_id).done:
        time.sleep(0.02)
    cancel_batch(database, who, batch_id)
    endpoint.configure(latency_s=0.0, cut_off=0.2)
    resume_batch(database, durable, who, batch_id)
    progress = _wait(database, who, batch_id, "done")
    assert progress.done + progress.failed == 60
    assert progress.failed > 0
    endpoint.configure(cut_off=0.0)
    assert ask_again(database, durable, who, batch_id) == progress.failed
    assert _wait(database, who, batch_id, "done").done == 60
    assert max(endpoint.counts()["answered"].values()) == 2
    with database.reading() as session:
        events = [
            event.action
            for event in list_events(session, who.project_id, "synthesis_batch", batch_id)
        ]
    assert events == ["started", "cancelled", "resumed", "ended", "asked_again", "ended"]
    with pytest.raises(TransitionRefused):
        resume_batch(database, durable, who, batch_id)


def test_a_batch_that_was_under_way_when_the_server_left_goes_on_at_its_next_start(
    database: Database, who: Actor, settings: Settings, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=0.2)
    _queries(database, who, 60)
    first = Durable(settings, database, "serve")
    first.launch()
    batch_id = start_batch(database, first, who, _order(endpoint))
    while not batch_progress(database, who, batch_id).done:
        time.sleep(0.02)
    first.close(grace_s=10)
    assert batch_progress(database, who, batch_id).state == "running"
    endpoint.configure(latency_s=0.0)
    second = Durable(settings, database, "serve")
    second.launch()
    assert _wait(database, who, batch_id, "done").done == 60
    second.close()
    assert set(endpoint.counts()["asked"].values()) == {1}
