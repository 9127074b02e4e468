"""Several endpoints, limits, budgets, pauses, streams and repairs, where endpoints misbehave."""

import threading
import time
from collections import Counter

import orjson
import pytest
from sqlmodel import col, select

from db.engine import Database
from db.tables import RepairCall, Suggestion, SynthesisBatch, SynthesisRequest
from labeling.model_endpoints import named_order
from labeling.synthesis.batch import (
    batch_progress,
    cancel_batch,
    go_on,
    pause_batch,
    prepare_batch,
)
from labeling.synthesis.reread import reread
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.synthesis import Budget
from tests.factories import a_project
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint
from tests.integration.synthesis.cases import (
    add_queries,
    an_endpoint,
    list_suggestions,
    order_for,
    run_order,
    work_on,
)

IMPATIENT = {"concurrency": 8, "backoff_s": 0.02, "attempts": 3}
PRICED = {"input_price": 1.0, "output_price": 1000.0, "currency": "CNY"}


def test_endpoints_share_a_batch_by_weight_and_each_answer_says_whose_it_is(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 60)
    with running_endpoint(latency_s=0.03) as second:
        endpoint.configure(latency_s=0.03)
        an_endpoint(database, who, "a", endpoint.url, weight=3)
        an_endpoint(database, who, "b", second.url, model="other")
        order = named_order(database, who, ["a", "b"], IMPATIENT)
        assert run_order(database, who, order).done == 60
        with database.reading() as session:
            by = Counter((each.endpoint, each.model) for each in list_suggestions(session))
        assert by[endpoint.url, "fake"] + by[second.url, "other"] == 60
        assert by[endpoint.url, "fake"] > 1.5 * by[second.url, "other"] > 0


def test_an_endpoint_that_goes_down_costs_no_row(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 80)
    with running_endpoint(down_after=5) as second:
        an_endpoint(database, who, "a", endpoint.url)
        an_endpoint(database, who, "b", second.url)
        order = named_order(database, who, ["a", "b"], IMPATIENT)
        progress = run_order(database, who, order)
        assert (progress.state, progress.done, progress.failed) == ("done", 80, 0)
        answered = sum(second.counts()["answered"].values())
        assert 5 <= answered < 5 + order.concurrency  # those that were under way were answered too
    paid = endpoint.counts()["answered"]
    assert sum(paid.values()) == 80 - answered
    assert max(paid.values()) == 1


def test_an_endpoint_that_refuses_its_key_leaves_the_work_to_the_others(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "wrong")
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 20)
    with running_endpoint(key="right") as second:
        an_endpoint(sqlite_database, who, "a", second.url, key_env="FAKE_API_KEY")
        an_endpoint(sqlite_database, who, "b", endpoint.url)
        order = named_order(sqlite_database, who, ["a", "b"], IMPATIENT)
        assert run_order(sqlite_database, who, order).done == 20


def test_what_an_endpoint_says_is_left_is_waited_for(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(left=[0, "600ms"])
    add_queries(sqlite_database, who, 3)
    begun = time.monotonic()
    order = order_for(endpoint, concurrency=1)
    assert run_order(sqlite_database, who, order).done == 3
    assert time.monotonic() - begun > 1.2


def test_a_budget_is_not_passed_and_the_batch_goes_on_when_it_is_raised(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 40)
    an_endpoint(database, who, "a", endpoint.url, **PRICED)
    order = named_order(database, who, ["a"], {**IMPATIENT, "concurrency": 2})
    budget = Budget(money=1.5)
    stopped = run_order(database, who, order, budget=budget)
    assert stopped.state == "stopped"
    assert stopped.reason is not None
    assert stopped.reason[0] == "synthesis.stopped_budget_money"
    each = stopped.spent_money / stopped.done
    assert 1.5 - 3 * each < stopped.spent_money < 1.5 + 2 * each
    assert 0 < stopped.done < 40
    assert stopped.failed == 0
    assert stopped.forecast_money == pytest.approx(40 * each)
    prepared = go_on(database, who, stopped.id, budget=Budget(money=100))
    work_on(database, prepared)
    done = batch_progress(database, who, stopped.id)
    assert (done.state, done.done, done.open) == ("done", 40, 0)
    assert set(endpoint.counts()["answered"].values()) == {1}
    with database.reading() as session:
        costs = sum(session.exec(select(SynthesisRequest.cost)))
        written = session.get_one(SynthesisBatch, stopped.id)
    assert done.spent_money == pytest.approx(costs) == pytest.approx(written.spent_money)
    assert done.spent_tokens == done.input_tokens + done.output_tokens


def test_a_budget_of_tokens_needs_no_prices_and_one_of_money_does(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 20)
    order = order_for(endpoint, concurrency=1)
    with pytest.raises(InvalidInput, match="needs prices"):
        prepare_batch(sqlite_database, who, order, budget=Budget(money=1))
    stopped = run_order(sqlite_database, who, order, budget=Budget(tokens=5000))
    assert stopped.reason is not None
    assert stopped.reason[0] == "synthesis.stopped_budget_tokens"
    assert 0 < stopped.spent_tokens <= 5000


def test_a_paused_batch_keeps_what_is_open_and_a_cancelled_one_lets_it_go(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(hold_after=1)
    add_queries(database, who, 30)
    prepared = prepare_batch(database, who, order_for(endpoint, concurrency=2))
    worker = threading.Thread(target=work_on, args=(database, prepared))
    worker.start()
    while not batch_progress(database, who, prepared.batch_id).done:
        time.sleep(0.02)
    pause_batch(database, who, prepared.batch_id)
    endpoint.configure(hold_after=None, latency_s=1.0)
    worker.join(timeout=60)
    endpoint.configure(latency_s=0.0)
    paused = batch_progress(database, who, prepared.batch_id)
    assert (paused.state, paused.in_flight) == ("paused", 0)
    assert 0 < paused.open < 30
    with pytest.raises(InvalidInput, match="nothing to ask"):
        prepare_batch(database, who, order_for(endpoint, concurrency=3))
    work_on(database, go_on(database, who, prepared.batch_id))
    assert batch_progress(database, who, prepared.batch_id).done == 30
    assert set(endpoint.counts()["answered"].values()) == {1}


def test_what_was_paused_may_be_cancelled_and_asked_by_another(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 4)
    left = prepare_batch(sqlite_database, who, order_for(endpoint))
    pause_batch(sqlite_database, who, left.batch_id)
    cancel_batch(sqlite_database, who, left.batch_id)
    assert run_order(sqlite_database, who, order_for(endpoint, concurrency=3)).done == 4


def test_an_answer_that_is_cut_off_is_asked_for_longer_and_both_are_kept(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(needs_tokens=150)
    add_queries(database, who, 5)
    order = order_for(endpoint, parameters={"max_tokens": 100})
    progress = run_order(database, who, order)
    assert (progress.done, progress.failed) == (5, 0)
    with database.reading() as session:
        found = list_suggestions(session)
    assert Counter(each.failure for each in found) == {None: 5, "replies.cut_off": 5}
    keys = {each.request_key for each in found}
    assert {f"{key}#cut" for key in keys if key and "#" not in key} <= keys
    # Both were paid, and a better reader finds nothing in the first that the last has not.
    assert progress.output_tokens > 0
    assert reread(database, who).still_failed == 5
    add_queries(database, who, 1)
    once = order_for(endpoint, parameters={"max_tokens": 100}, raise_cut_off=False)
    assert dict(run_order(database, who, once).failures) == {"replies.cut_off": 1}


def test_a_stream_is_kept_as_a_reply_that_is_read_again_like_any_other(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(keep_alives=2)
    add_queries(database, who, 6)
    an_endpoint(database, who, "s", endpoint.url, stream=True)
    progress = run_order(database, who, named_order(database, who, ["s"], IMPATIENT))
    assert (progress.done, progress.failed) == (6, 0)
    assert progress.reasoning_tokens > 0
    with database.reading() as session:
        found = list_suggestions(session)
    for each in found:
        body = orjson.loads(each.raw_reply or b"")
        assert body["choices"][0]["message"]["reasoning_content"] == each.trace
        assert body["stream"]["keep_alives"] == 2
        assert each.trace_length == 120


def test_signs_of_life_keep_a_slow_stream_from_running_out_of_time(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(keep_alives=8, keep_alive_s=0.25)
    add_queries(sqlite_database, who, 1)
    an_endpoint(sqlite_database, who, "s", endpoint.url, stream=True)
    order = named_order(sqlite_database, who, ["s"], {**IMPATIENT, "timeout_s": 1.0})
    assert run_order(sqlite_database, who, order).done == 1
    endpoint.configure(keep_alives=1, keep_alive_s=5.0)
    add_queries(sqlite_database, who, 1)
    silent = run_order(sqlite_database, who, order)
    assert dict(silent.failures) == {"synthesis.timeout": 1}


def test_a_stream_that_breaks_off_is_kept_and_is_a_cut_off(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(stream_cut=1.0)
    add_queries(database, who, 3)
    an_endpoint(database, who, "s", endpoint.url, stream=True)
    progress = run_order(database, who, named_order(database, who, ["s"], IMPATIENT))
    assert dict(progress.failures) == {"replies.cut_off": 3}
    with database.reading() as session:
        found = list_suggestions(session)
    # Asked once more each; both are kept.
    assert [each.failure for each in found] == ["replies.cut_off"] * 6
    assert all((each.trace or "").startswith("用户想知道") for each in found)
    assert all(orjson.loads(each.raw_reply or b"")["stream"]["is_cut"] for each in found)


def test_what_is_nearly_a_plan_is_repaired_once_by_another_model_and_marked(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(prose_plan=0.5)
    add_queries(database, who, 20)
    with running_endpoint() as cheap:
        an_endpoint(database, who, "a", endpoint.url, **PRICED)
        an_endpoint(database, who, "cheap", cheap.url, model="small", **PRICED)
        values = {**IMPATIENT, "repair": {"endpoint": "cheap"}}
        progress = run_order(database, who, named_order(database, who, ["a"], values))
        asked = sum(cheap.counts()["answered"].values())
    assert (progress.state, progress.done, progress.failed) == ("done", 20, 0)
    assert progress.total == 20
    assert 0 < asked == progress.repairs == progress.repaired < 20
    with database.reading() as session:
        found = list_suggestions(session)
        calls = list(session.exec(select(RepairCall)))
        paid = session.exec(
            select(SynthesisRequest.cost).where(col(SynthesisRequest.kind) == "repair")
        ).all()
    repaired = [each for each in found if each.is_repaired]
    assert len(found) == 20
    assert len(repaired) == len(calls) == asked
    assert all(each.plan and each.trace and each.model == "fake" for each in repaired)
    assert {each.model for each in calls} == {"small"}
    assert all(each > 0 for each in paid)


def test_a_repair_that_adds_something_is_not_used_and_the_answer_waits_for_a_person(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(prose_plan=1.0, adds=True)
    add_queries(sqlite_database, who, 4)
    progress = run_order(sqlite_database, who, order_for(endpoint, repair={}))
    assert (progress.done, progress.failed, progress.repairs, progress.repaired) == (0, 4, 4, 0)
    with sqlite_database.reading() as session:
        calls = list(session.exec(select(RepairCall)))
        found = list(session.exec(select(Suggestion)))
    assert {each.failure for each in calls} == {"synthesis.repair_added"}
    assert all(each.plan is None and not each.is_repaired for each in found)


def test_without_the_switch_nothing_is_repaired_by_a_call(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    endpoint.configure(prose_plan=1.0)
    add_queries(sqlite_database, who, 2)
    progress = run_order(sqlite_database, who, order_for(endpoint))
    assert (progress.failed, progress.repairs) == (2, 0)
    assert sum(endpoint.counts()["answered"].values()) == 2
