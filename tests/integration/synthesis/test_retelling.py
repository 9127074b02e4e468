"""Re-derived traces are tested again from what is stored, and nothing is asked."""

from typing import Any

import pytest
from sqlmodel import Session, col, select

from db.engine import Database
from db.tables import BlindDecode, Rederivation, Suggestion, SynthesisRequest
from labeling import rederived
from labeling.synthesis.batch import reopen_failed
from labeling.synthesis.reread import reread
from schemas.people import Actor
from schemas.synthesis import RetoldCounts
from tests.exporting import a_pinned_query, a_plan, a_suggestion, an_acceptance
from tests.factories import EXPERTS, a_person
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import order_for, run_order, work_on

TESTS = {"rederive": {"tries": 3, "agree": 2}}
NOT_DECODED = {"synthesis.rederived_not_decoded": 1}


def a_trace_of(database: Database, who: Actor, endpoint: RunningEndpoint) -> str:
    """A corrected plan whose new trace has come; the id of its query."""
    query_id = a_pinned_query(database, who, "上周流量为什么下降？")
    own = a_suggestion(database, who, query_id, a_plan("流量", EXPERTS[0]))
    an_acceptance(database, who, query_id, a_plan("流量", EXPERTS[0], EXPERTS[3]), own)
    run_order(database, who, order_for(endpoint, **TESTS))
    return query_id


def _one(session: Session) -> tuple[Rederivation, Suggestion, SynthesisRequest]:
    trace = session.exec(select(Rederivation)).one()
    request = session.get_one(SynthesisRequest, trace.request_id)
    return trace, session.get_one(Suggestion, trace.suggestion_id), request


def _left_refused(database: Database, failure: str, *, blind: bool = False) -> None:
    """As an earlier, worse reader would have left a trace that is good, or its blind plans."""
    with database.transaction() as session:
        trace, suggestion, request = _one(session)
        trace.state, trace.failure, trace.passage = "refused", failure, "给定"
        request.state, request.failure = "failed", failure
        if not blind:
            suggestion.failure = failure
            return
        for each in session.exec(select(BlindDecode)):
            each.plan, each.failure, each.agrees = None, "replies.no_plan", False


def _reread(database: Database, who: Actor, endpoint: RunningEndpoint) -> RetoldCounts:
    before = sum(endpoint.counts()["asked"].values())
    counts = reread(database, who)
    assert (counts.read, sum(endpoint.counts()["asked"].values())) == (0, before)
    return counts.traces


@pytest.mark.parametrize("blind", [True, False])
def test_a_trace_that_was_refused_wrongly_waits_for_a_reviewer(
    database: Database, who: Actor, endpoint: RunningEndpoint, blind: bool
) -> None:
    a_trace_of(database, who, endpoint)
    failure = "synthesis.rederived_blind" if blind else "synthesis.rederived_hint_phrase"
    _left_refused(database, failure, blind=blind)
    assert _reread(database, who, endpoint) == RetoldCounts(read=1, mended=1, refused=0)
    with database.reading() as session:
        trace, suggestion, request = _one(session)
        assert (trace.state, trace.failure, trace.passage) == ("waiting", None, None)
        assert (suggestion.failure, request.state, request.failure) == (None, "done", None)
        assert [each.agrees for each in session.exec(select(BlindDecode))] == [True] * 3
    assert len(rederived.list_waiting(database, who)) == 1
    assert _reread(database, who, endpoint) == RetoldCounts(read=1, mended=0, refused=0)


def test_a_trace_that_betrays_its_hint_is_refused_although_it_waited(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(hint_leak=1.0)
    a_trace_of(database, who, endpoint)
    with database.transaction() as session:  # as a test that knew fewer phrases would have it
        trace, suggestion, request = _one(session)
        trace.state, trace.failure, trace.passage, suggestion.failure = "waiting", None, None, None
        request.state, request.failure = "done", None
    assert _reread(database, who, endpoint) == RetoldCounts(read=1, mended=0, refused=1)
    with database.reading() as session:
        trace, _, request = _one(session)
        assert (trace.state, trace.failure) == ("refused", "synthesis.rederived_hint_phrase")
        assert trace.passage == "根据给定的规划"
        assert (request.state, request.failure) == ("failed", trace.failure)


def test_a_trace_whose_blind_plans_lead_elsewhere_stays_refused(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(dissent=1.0)
    a_trace_of(database, who, endpoint)
    assert _reread(database, who, endpoint) == RetoldCounts(read=1, mended=0, refused=0)
    with database.reading() as session:
        assert _one(session)[0].failure == "synthesis.rederived_blind"


def test_a_trace_without_stored_blind_plans_stays_and_is_counted_with_its_reason(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    a_trace_of(database, who, endpoint)
    _left_refused(database, "synthesis.rederived_hint_phrase")
    with database.transaction() as session:
        for each in session.exec(select(BlindDecode)).all()[:2]:
            session.delete(each)
    found = _reread(database, who, endpoint)
    assert found == RetoldCounts(read=1, mended=0, refused=0, left=NOT_DECODED)
    with database.reading() as session:
        assert _one(session)[0].failure == "synthesis.rederived_hint_phrase"


def test_blind_plans_of_another_text_say_nothing_of_a_trace(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    a_trace_of(database, who, endpoint)
    with database.transaction() as session:
        _one(session)[1].trace = "以前读到的另一段文字"
    assert _reread(database, who, endpoint).left == NOT_DECODED
    with database.reading() as session:
        assert _one(session)[0].state == "waiting"


def test_what_a_reviewer_decided_or_somebody_corrected_is_left_alone(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    query_id = a_trace_of(database, who, endpoint)
    _left_refused(database, "synthesis.rederived_hint_phrase")
    an_acceptance(database, who, query_id, a_plan("流量", EXPERTS[3]))
    left = {"synthesis.rederived_superseded": 1}
    assert _reread(database, who, endpoint).left == left
    reviewer = a_person(database, who.project_id, "reviewer")
    with database.transaction() as session:
        _one(session)[0].reviewer_id = reviewer.person_id
    assert _reread(database, who, endpoint).read == 0


def test_a_refused_trace_does_not_undo_the_one_that_was_asked_for_after_it(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(hint_leak=1.0)
    a_trace_of(database, who, endpoint)
    with database.reading() as session:
        batch_id = _one(session)[0].batch_id
    endpoint.configure(hint_leak=0.0)
    _, prepared = reopen_failed(database, who, batch_id)
    work_on(database, prepared)
    assert _reread(database, who, endpoint) == RetoldCounts(read=2, mended=0, refused=0)
    with database.reading() as session:
        traces: list[Any] = list(session.exec(select(Rederivation).order_by(col(Rederivation.id))))
        assert [each.state for each in traces] == ["refused", "waiting"]
        request = session.get_one(SynthesisRequest, traces[1].request_id)
        assert (request.state, request.failure) == ("done", None)
