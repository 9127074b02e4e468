"""Traces written anew for corrected plans: who is asked, what is stored, what the tests decide."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from db.engine import Database
from db.tables import (
    Annotation,
    BenchmarkQuestion,
    BlindDecode,
    Event,
    Membership,
    Query,
    Rederivation,
    Suggestion,
    SynthesisRequest,
)
from labeling import rederived
from labeling.synthesis.batch import prepare_batch, preview_batch, reopen_failed
from labeling.ui.synthesis_order import Given, read_order
from schemas.errors import InvalidInput, NotAllowed, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.rederivation import Rederive
from schemas.synthesis import BatchProgress, SynthesisOrder
from tests.bundles import a_benchmark
from tests.exporting import a_pinned_query, a_plan, a_suggestion, an_acceptance
from tests.factories import EXPERTS, a_person, a_project
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import order_for, run_order, work_on

MODEL_PLAN = a_plan("店铺流量", EXPERTS[0])
CORRECTED = a_plan("店铺流量", EXPERTS[0], EXPERTS[3])
AGAIN = a_plan("店铺流量", EXPERTS[3], EXPERTS[0])


def _order(endpoint: RunningEndpoint, **changes: object) -> SynthesisOrder:
    return order_for(endpoint, **({"rederive": {"tries": 3, "agree": 2}} | changes))


def _rederive(
    database: Database, who: Actor, endpoint: RunningEndpoint, **changes: object
) -> BatchProgress:
    return run_order(database, who, _order(endpoint, **changes))


def a_stale_query(
    database: Database, who: Actor, text: str, plan: dict[str, Any] = CORRECTED
) -> tuple[str, str]:
    """A query whose plan was corrected in substance; its id, and that of the accepted revision."""
    query_id = a_pinned_query(database, who, text)
    suggestion_id = a_suggestion(database, who, query_id, MODEL_PLAN)
    return query_id, an_acceptance(database, who, query_id, plan, suggestion_id)


def _all(session: Session, table: type[Any]) -> list[Any]:
    return list(session.exec(select(table).order_by(col(table.id))))


def test_a_corrected_plan_gets_a_trace_that_waits_for_a_reviewer(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(keep_bodies=True)
    query_id, revision_id = a_stale_query(database, who, "上周流量为什么下降？")
    progress = _rederive(database, who, endpoint)
    assert (progress.state, progress.done, progress.failed, progress.total) == ("done", 4, 0, 4)
    with database.reading() as session:
        (trace,) = _all(session, Rederivation)
        suggestion = session.get_one(Suggestion, trace.suggestion_id)
        blind = _all(session, BlindDecode)
        assert (trace.state, trace.query_id, trace.revision_id) == (
            "waiting",
            query_id,
            revision_id,
        )
        assert (suggestion.origin, suggestion.plan, suggestion.rederived_for) == (
            "rederived",
            None,
            None,
        )
        assert suggestion.trace
        assert "<trace>" in (suggestion.raw_reply or b"").decode()
        assert "按照提示" not in suggestion.trace  # the model's own thinking is not the trace
        assert [each.agrees for each in blind] == [True, True, True]
        assert all(each.raw_reply for each in blind)
    bodies = endpoint.counts()["bodies"]
    asked, *blindly = [each["messages"] for each in bodies]
    assert "上周流量为什么下降" in asked[1]["content"]
    assert EXPERTS[3] in asked[1]["content"]
    for messages in blindly:
        assert messages[1]["content"] == suggestion.trace
        assert "上周流量为什么下降" not in str(messages)


def test_only_accepted_plans_that_no_trace_leads_to_are_asked_for(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    stale, _ = a_stale_query(database, who, "流量为什么下降？")
    missing = a_pinned_query(database, who, "转化率怎么样？")
    an_acceptance(database, who, missing, CORRECTED)
    fresh = a_pinned_query(database, who, "客单价怎么样？")
    own = a_suggestion(database, who, fresh, CORRECTED)
    an_acceptance(database, who, fresh, CORRECTED, own)
    rescued, _ = a_stale_query(database, who, "退款率怎么样？")
    a_suggestion(database, who, rescued, CORRECTED, candidate=2)
    a_pinned_query(database, who, "还没有人看过的问题")
    assert preview_batch(database, who, _order(endpoint)).queries == 2
    _rederive(database, who, endpoint)
    with database.reading() as session:
        assert {each.query_id for each in _all(session, Rederivation)} == {stale, missing}


def test_a_benchmarks_question_is_never_asked(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    a_benchmark(database, who)
    with database.reading() as session:
        text = session.exec(select(BenchmarkQuestion.text)).first()
    assert text
    a_stale_query(database, who, text)
    with pytest.raises(InvalidInput) as told:
        prepare_batch(database, who, _order(endpoint))
    assert told.value.code == "synthesis.nothing_to_rederive"
    assert not endpoint.counts()["asked"]


def test_what_fails_is_counted_by_reason_and_stored(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    for number in range(24):
        a_stale_query(database, who, f"第{number}家店流量为什么下降？")
    endpoint.configure(hint_leak=0.25, wrong_order=0.25, dissent=0.5)
    progress = _rederive(database, who, endpoint)
    failures = dict(progress.failures)
    assert set(failures) == {
        "synthesis.rederived_hint_phrase",
        "synthesis.rederived_order",
        "synthesis.rederived_blind",
    }
    with database.reading() as session:
        traces = _all(session, Rederivation)
        assert len(traces) == len(_all(session, Suggestion)) - 24 == 24
        refused = [each for each in traces if each.state == "refused"]
        assert len(refused) == progress.failed == sum(failures.values())
        assert {each.failure for each in refused} == set(failures)
        leaking = [each for each in refused if each.failure == "synthesis.rederived_hint_phrase"]
        assert {each.passage for each in leaking} == {"根据给定的规划"}
        waiting = [each for each in traces if each.state == "waiting"]
        blind = _all(session, BlindDecode)
        for each in waiting:
            agreed = [one.agrees for one in blind if one.rederivation_id == each.id]
            assert len(agreed) == 3
            assert sum(agreed) >= 2
    outcome = rederived.batch_outcome(database, who, progress.id)
    assert (outcome["waiting"], outcome["refused"]) == (len(waiting), len(refused))


def test_a_refused_trace_is_asked_for_again_and_the_first_is_kept(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    a_stale_query(database, who, "上周流量为什么下降？")
    endpoint.configure(hint_leak=1.0)
    progress = _rederive(database, who, endpoint)
    assert progress.failures == (("synthesis.rederived_hint_phrase", 1),)
    endpoint.configure(hint_leak=0.0)
    _, prepared = reopen_failed(database, who, progress.id)
    work_on(database, prepared)
    with database.reading() as session:
        assert [each.state for each in _all(session, Rederivation)] == ["refused", "waiting"]
        origins = [each.origin for each in _all(session, Suggestion)]
        assert origins == ["model", "rederived", "rederived"]


def test_an_endpoint_that_fails_leaves_the_verdict_open_until_it_is_asked_again(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    a_stale_query(database, who, "上周流量为什么下降？")
    endpoint.configure(down_after=1)
    progress = _rederive(database, who, endpoint, attempts=1)
    with database.reading() as session:
        assert [each.state for each in _all(session, Rederivation)] == ["testing"]
    assert progress.failed + progress.open == 3
    endpoint.configure(down_after=None)
    if progress.failed:
        _, prepared = reopen_failed(database, who, progress.id)
    else:
        prepared = prepare_batch(database, who, _order(endpoint, attempts=1))
    work_on(database, prepared)
    with database.reading() as session:
        assert [each.state for each in _all(session, Rederivation)] == ["waiting"]
    assert set(endpoint.counts()["answered"].values()) <= {1, 3}


def test_the_same_order_asks_nothing_twice(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    for number in range(5):
        a_stale_query(database, who, f"第{number}家店流量为什么下降？")
    _rederive(database, who, endpoint)
    before = sum(endpoint.counts()["asked"].values())
    with pytest.raises(InvalidInput):
        prepare_batch(database, who, _order(endpoint))
    with pytest.raises(InvalidInput):
        prepare_batch(database, who, _order(endpoint, model="another"))
    assert sum(endpoint.counts()["asked"].values()) == before == 5 + 15


def test_a_plan_that_was_corrected_since_is_not_asked_for(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    query_id, _ = a_stale_query(database, who, "上周流量为什么下降？")
    prepared = prepare_batch(database, who, _order(endpoint))
    an_acceptance(database, who, query_id, AGAIN)
    work_on(database, prepared)
    assert not endpoint.counts()["asked"]
    with database.reading() as session:
        (request,) = _all(session, SynthesisRequest)
        assert (request.state, request.failure) == ("failed", "synthesis.rederived_superseded")
        assert not _all(session, Rederivation)


def _waiting(database: Database, who: Actor, endpoint: RunningEndpoint) -> tuple[str, str]:
    query_id, _ = a_stale_query(database, who, "上周流量为什么下降？")
    _rederive(database, who, endpoint)
    (found,) = rederived.list_waiting(database, who)
    return query_id, found.id


def test_a_reviewer_accepts_a_trace_for_its_revision_and_the_timeline_says_so(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    query_id, trace_id = _waiting(database, who, endpoint)
    reviewer = a_person(database, who.project_id, "reviewer")
    found = rederived.get_trace(database, reviewer, trace_id)
    assert [each.agrees for each in found.blind] == [True, True, True]
    assert found.plan == CORRECTED
    rederived.accept_trace(database, reviewer, trace_id)
    with database.reading() as session:
        trace = session.get_one(Rederivation, trace_id)
        suggestion = session.get_one(Suggestion, trace.suggestion_id)
        assert (trace.state, trace.reviewer_id) == ("accepted", reviewer.person_id)
        assert suggestion.rederived_for == trace.revision_id
        events = session.exec(select(Event).where(Event.subject_id == query_id)).all()
        assert [(each.action, each.person_id) for each in events] == [
            ("trace_accepted", reviewer.person_id)
        ]
    assert rederived.list_waiting(database, reviewer) == []
    with pytest.raises(TransitionRefused):
        rederived.refuse_trace(database, reviewer, trace_id, reason="too late")


def test_a_refusal_says_why(database: Database, who: Actor, endpoint: RunningEndpoint) -> None:
    _, trace_id = _waiting(database, who, endpoint)
    with pytest.raises(InvalidInput):
        rederived.refuse_trace(database, who, trace_id, reason=" ")
    rederived.refuse_trace(database, who, trace_id, reason="it is thin")
    with database.reading() as session:
        trace = session.get_one(Rederivation, trace_id)
        assert (trace.state, trace.reason) == ("refused", "it is thin")
        assert session.get_one(Suggestion, trace.suggestion_id).rederived_for is None


def test_nobody_judges_the_trace_of_their_own_plan(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    query_id, trace_id = _waiting(database, who, endpoint)
    with database.transaction() as session:
        query = session.get_one(Query, query_id)
        author_id = session.get_one(Annotation, query.chosen_annotation_id).author_id
        session.get_one(Membership, (who.project_id, author_id)).role = "reviewer"
    author = Actor(
        person_id=author_id,
        name="author",
        project_id=who.project_id,
        project=who.project,
        role="reviewer",
        language="en",
    )
    assert rederived.list_waiting(database, author) == []
    with pytest.raises(NotAllowed) as told:
        rederived.accept_trace(database, author, trace_id)
    assert told.value.code == "rederived.own_plan"


def test_an_annotator_and_another_project_see_nothing(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    _, trace_id = _waiting(database, who, endpoint)
    annotator = a_person(database, who.project_id, "annotator")
    for act in (rederived.accept_trace, rederived.get_trace):
        with pytest.raises(NotAllowed):
            act(database, annotator, trace_id)
    with pytest.raises(NotAllowed):
        rederived.list_waiting(database, annotator)
    stranger = a_project(database, "other")
    with pytest.raises(NotFound):
        rederived.accept_trace(database, stranger, trace_id)
    assert rederived.list_waiting(database, stranger) == []


def test_a_trace_of_a_plan_that_was_corrected_since_cannot_be_accepted(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    query_id, trace_id = _waiting(database, who, endpoint)
    an_acceptance(database, who, query_id, AGAIN)
    assert rederived.list_waiting(database, who) == []
    with pytest.raises(TransitionRefused) as told:
        rederived.accept_trace(database, who, trace_id)
    assert told.value.code == "rederived.superseded"


def test_the_page_orders_new_thinking_with_the_usual_tests(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    given = Given(
        endpoints=[],
        endpoint=endpoint.url,
        model="m",
        key_env="",
        experts="",
        which="stale",
        n=1,
        limit=None,
        concurrency=16,
        timeout_s=600,
        parameters="",
        with_thinking=True,
        budget_money=0,
        budget_tokens=0,
        repair="",
        raise_cut_off=True,
    )
    order, budget = read_order(sqlite_database, who, *given)
    assert (order.rederive, budget) == (Rederive(tries=3, agree=2), None)
    order, _ = read_order(sqlite_database, who, *given._replace(which="undecided"))
    assert (order.rederive, order.which) == (None, "undecided")
    assert "rederive" not in order.to_plain()  # an order of an older version is the same order
