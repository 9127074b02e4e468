"""Batches: one answer, one key, one holder."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from db.access.events import list_events
from db.access.requests import hold_requests
from db.clock import told_by
from db.durable import Durable
from db.engine import Database
from labeling.synthesis.batch import (
    ask_again,
    batch_progress,
    cancel_batch,
    list_batches,
    prepare_batch,
    preview_batch,
    resume_batch,
    start_batch,
)
from schemas.errors import (
    InvalidInput,
    TransitionRefused,
)
from schemas.people import Actor
from schemas.settings import Settings
from schemas.synthesis import BatchProgress
from tests.factories import a_project
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import (
    add_queries,
    list_suggestions,
    order_for,
    run_order,
    work_on,
)


def test_the_same_order_twice_is_one_batch(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 5)
    first = prepare_batch(database, who, order_for(endpoint))
    assert prepare_batch(database, who, order_for(endpoint)) == first
    assert len(list_batches(database, who)) == 1


def test_more_answers_cost_only_the_new_ones(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 10)
    run_order(database, who, order_for(endpoint, n=2))
    with pytest.raises(InvalidInput, match="nothing to ask"):
        prepare_batch(database, who, order_for(endpoint, n=2))
    more = order_for(endpoint, n=3, which="undecided")
    preview = preview_batch(database, who, more)
    assert (preview.queries, preview.requests, preview.known) == (10, 10, 20)
    assert run_order(database, who, more).total == 10
    assert set(endpoint.counts()["answered"].values()) == {3}
    with database.reading() as session:
        candidates = sorted(each.candidate for each in list_suggestions(session))
    assert candidates == [1] * 10 + [2] * 10 + [3] * 10


def test_what_another_batch_left_open_is_asked_under_the_same_key(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 6)
    left = prepare_batch(sqlite_database, who, order_for(endpoint))
    cancel_batch(sqlite_database, who, left.batch_id)
    progress = run_order(sqlite_database, who, order_for(endpoint, n=2))
    assert (progress.total, progress.done) == (12, 12)
    assert batch_progress(sqlite_database, who, left.batch_id).total == 0


def test_a_limit_counts_queries_and_the_next_batch_takes_the_next(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 7)
    order = order_for(endpoint, n=2, limit=3)
    assert [run_order(database, who, order).total for _ in range(3)] == [6, 6, 2]


def test_a_cancelled_batch_asks_no_more_but_keeps_what_is_under_way(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(hold_after=1)
    add_queries(database, who, 80)
    prepared = prepare_batch(database, who, order_for(endpoint, concurrency=4))
    worker = threading.Thread(target=work_on, args=(database, prepared))
    worker.start()
    while not batch_progress(database, who, prepared.batch_id).done:
        time.sleep(0.02)
    cancel_batch(database, who, prepared.batch_id)
    endpoint.configure(hold_after=None, latency_s=1.0)
    worker.join(timeout=60)
    assert not worker.is_alive()
    progress = batch_progress(database, who, prepared.batch_id)
    assert (progress.state, progress.in_flight) == ("cancelled", 0)
    assert progress.done == sum(endpoint.counts()["answered"].values()) < 80
    with pytest.raises(TransitionRefused):
        cancel_batch(database, who, prepared.batch_id)


def test_two_who_work_on_one_batch_never_ask_the_same(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(latency_s=0.01)
    add_queries(database, who, 150)
    prepared = prepare_batch(database, who, order_for(endpoint))
    workers = [
        threading.Thread(target=work_on, args=(database, prepared, f"worker-{number}"))
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
    add_queries(database, who, 6)
    prepared = prepare_batch(database, who, order_for(endpoint))
    with told_by(lambda: datetime.now(UTC) - timedelta(minutes=3)), database.transaction() as dead:
        assert len(hold_requests(dead, prepared.batch_id, "dead", 4)) == 4
    with database.transaction() as session:
        assert len(hold_requests(session, prepared.batch_id, "alive", 10)) == 6


@pytest.fixture
def durable(database: Database, settings: Settings) -> Iterator[Durable]:
    executor = Durable(settings, database, "serve")
    executor.launch()
    yield executor
    executor.close()


def _wait(database: Database, who: Actor, batch_id: str, *states: str) -> BatchProgress:
    deadline = time.monotonic() + 60
    while (progress := batch_progress(database, who, batch_id)).state not in states:
        assert time.monotonic() < deadline, progress
        time.sleep(0.05)
    return progress


def test_a_started_batch_is_worked_on_and_can_be_cancelled_resumed_and_asked_again(
    database: Database, who: Actor, durable: Durable, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(hold_after=10)
    add_queries(database, who, 60)
    batch_id = start_batch(database, durable, who, order_for(endpoint))
    assert start_batch(database, durable, who, order_for(endpoint)) == batch_id
    while not batch_progress(database, who, batch_id).done:
        time.sleep(0.02)
    cancel_batch(database, who, batch_id)
    endpoint.configure(hold_after=None, cut_off=0.2)
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
    endpoint.configure(hold_after=10)
    add_queries(database, who, 200)
    first = Durable(settings, database, "serve")
    first.launch()
    batch_id = start_batch(database, first, who, order_for(endpoint))
    while not batch_progress(database, who, batch_id).done:
        time.sleep(0.02)
    # What is under way comes home; the rest would take longer than leaving does.
    endpoint.configure(hold_after=None, latency_s=1.0)
    first.close(grace_s=30)
    assert batch_progress(database, who, batch_id).state == "running"
    endpoint.configure(latency_s=0.0)
    second = Durable(settings, database, "serve")
    second.launch()
    assert _wait(database, who, batch_id, "done").done == 200
    second.close()
    assert set(endpoint.counts()["asked"].values()) == {1}
