"""An endpoint that misbehaves costs time, never rows."""

import time

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import SynthesisBatch, SynthesisRequest
from labeling.synthesis.batch import (
    Prepared,
    batch_progress,
    prepare_batch,
)
from schemas.people import Actor
from tests.factories import a_project
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import add_queries, order_for, run_order, work_on


def test_faults_that_pass_are_tried_again_until_they_have_passed(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(
        rate_limited=0.25, server_error=0.25, empty=0.2, unreadable_body=0.2, fault_times=1
    )
    add_queries(database, who, 30)
    progress = run_order(database, who, order_for(endpoint))
    assert (progress.done, progress.failed) == (30, 0)
    assert {"429", "503", "200"} <= endpoint.counts()["statuses"].keys()


def test_a_retry_after_is_waited_for(sqlite_database: Database, endpoint: RunningEndpoint) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(rate_limited=1.0, retry_after_s=0.8)
    add_queries(sqlite_database, who, 1)
    begun = time.monotonic()
    assert run_order(sqlite_database, who, order_for(endpoint)).done == 1
    assert time.monotonic() - begun > 0.8


def test_attempts_are_bounded(sqlite_database: Database, endpoint: RunningEndpoint) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(server_error=1.0, fault_times=1000)
    add_queries(sqlite_database, who, 1)
    progress = run_order(sqlite_database, who, order_for(endpoint, attempts=3))
    assert progress.failures == (("synthesis.server_error", 1),)
    assert endpoint.counts()["statuses"] == {"503": 3}


def test_a_silent_endpoint_is_not_waited_for_longer_than_ordered(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(hangs=1.0, fault_times=1000, hang_s=60)
    add_queries(sqlite_database, who, 1)
    begun = time.monotonic()
    progress = run_order(sqlite_database, who, order_for(endpoint, timeout_s=0.3))
    assert progress.failures == (("synthesis.timeout", 1),)
    assert time.monotonic() - begun < 50


def test_an_endpoint_that_is_not_there_stops_the_batch_and_costs_it_nothing(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 200)
    order = order_for("http://127.0.0.1:9/v1", concurrency=4)
    begun = time.monotonic()
    progress = run_order(database, who, order)
    assert time.monotonic() - begun < 60
    assert progress.state == "stopped"
    assert progress.reason is not None
    assert progress.reason[0] == "synthesis.stopped_unreachable"
    assert (progress.open, progress.failed) == (200, 0)


def test_one_query_and_no_endpoint_stops_too(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 1)
    progress = run_order(sqlite_database, who, order_for("http://127.0.0.1:9/v1"))
    assert (progress.state, progress.open) == ("stopped", 1)


def test_an_endpoint_that_goes_down_stops_the_batch_and_the_same_order_goes_on(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(down_after=20)
    add_queries(database, who, 120)
    order = order_for(endpoint, concurrency=4)
    prepared = prepare_batch(database, who, order)
    work_on(database, prepared)
    stopped = batch_progress(database, who, prepared.batch_id)
    assert stopped.state == "stopped"
    assert stopped.reason is not None
    assert stopped.reason[0] == "synthesis.stopped_server_error"
    assert stopped.failed == 0
    assert 20 <= stopped.done < 24
    endpoint.configure(down_after=None)
    again = prepare_batch(database, who, order)
    assert again == Prepared(prepared.batch_id, 2)
    work_on(database, again)
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
    add_queries(sqlite_database, who, 60)
    progress = run_order(
        sqlite_database, who, order_for(endpoint, key_env="FAKE_API_KEY", concurrency=2)
    )
    assert progress.state == "stopped"
    assert progress.reason is not None
    assert progress.reason[0] == code
    assert progress.done == 0
    assert progress.open >= 60 - 10
    with sqlite_database.reading() as session:
        rows = [*session.exec(select(SynthesisBatch)), *session.exec(select(SynthesisRequest))]
    assert "sk-very-secret" not in repr([row.model_dump() for row in rows])


def test_an_endpoint_that_takes_few_at_once_is_given_few(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(max_in_flight=4, latency_s=0.05, retry_after_s=0.1)
    add_queries(sqlite_database, who, 60)
    order = order_for(endpoint, concurrency=32, attempts=8, backoff_s=0.2)
    progress = run_order(sqlite_database, who, order)
    assert (progress.done, progress.failed) == (60, 0)
