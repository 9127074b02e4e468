"""Judging what could stand in a bundle: usable or not, and for what reason.

A reason is `reason_NAME` in the area `export`. Some keep a row out of every pool (`reason`), some
only where its trace is to be learned (`trace_reason`): GRPO throws the assistant's text away.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import orjson

from db.access import exports as access
from db.access.exports import AcceptedPart, HistoryPart, QueryPart, SuggestionPart
from db.engine import Session
from schemas.experts import ExpertList
from schemas.recipe import SourceKind
from schemas.scoring.check import VISIBLE, plan_problems
from schemas.staleness import Suggested, TraceState, choose_trace, trace_state
from schemas.trace import ReadReply, read_reply

Leak = Callable[[QueryPart, str | None], bool]
"""Whether a query, or its rewrite, is one to evaluate with."""


class Candidate(NamedTuple):
    """One judged thing; texts are read again, by these ids, when the row is written.

    `source_id` is a revision, a suggestion, or the query itself where the plan is read from its old
    answer; `trace_id` likewise says where the trace is.
    """

    kind: SourceKind
    query_id: str
    source_id: str
    trace_id: str | None
    cluster: str
    list_id: str
    model: str | None
    day: date | None
    size: int
    trace_length: int
    trace_state: TraceState | None
    source_hash: str
    rejected_id: str | None = None
    """Of an accepted plan: a suggestion with another plan, its trace and all, for `dpo`."""
    reason: str | None = None
    trace_reason: str | None = None


class Judge:
    """Judges under the lists by id and the leak guard, with or without traces to be learned."""

    def __init__(
        self, lists: Mapping[str, ExpertList], leaks: Leak, *, with_thinking: bool
    ) -> None:
        self._lists = lists
        self._leaks = leaks
        self._with_thinking = with_thinking

    def stream(
        self, session: Session, project_id: str, kind: SourceKind
    ) -> Iterator[list[Candidate]]:
        """The candidates of a kind; each list is one query's."""
        match kind:
            case "accepted":
                return self._stream_accepted(session, project_id)
            case "history":
                return self._stream_history(session, project_id)
            case "suggestions":
                return self._stream_suggestions(session, project_id)

    def _stream_accepted(self, session: Session, project_id: str) -> Iterator[list[Candidate]]:
        for parts in access.stream_accepted(session, project_id):
            ids = [part.query.id for part in parts]
            suggestions = access.list_suggestions(session, project_id, ids)
            for part in parts:
                yield [self._judge_accepted(part, suggestions.get(part.query.id, []))]

    def _stream_history(self, session: Session, project_id: str) -> Iterator[list[Candidate]]:
        for parts in access.stream_history(session, project_id):
            ids = [part.query.id for part in parts]
            suggestions = access.list_suggestions(session, project_id, ids)
            for part in parts:
                yield [self._judge_history(part, suggestions.get(part.query.id, []))]

    def _stream_suggestions(self, session: Session, project_id: str) -> Iterator[list[Candidate]]:
        for queries in access.stream_suggested(session, project_id):
            ids = [query.id for query in queries]
            suggestions = access.list_suggestions(session, project_id, ids)
            chosen = access.list_chosen_plans(session, project_id, ids)
            discarded = access.list_discarded(session, project_id, ids)
            for query in queries:
                accepted = chosen.get(query.id)
                decided = orjson.loads(accepted) if accepted else None
                is_discarded = query.id in discarded and decided is None
                yield [
                    self._judge_suggestion(query, each, decided, is_discarded=is_discarded)
                    for each in suggestions.get(query.id, [])
                    if each.origin != "history"
                ]

    def _judge_accepted(self, part: AcceptedPart, suggestions: list[SuggestionPart]) -> Candidate:
        plan = orjson.loads(part.plan)
        suggested = [_suggested(each) for each in suggestions if each.plan and not each.failure]
        with_trace = [each for each in suggested if each.trace_length]
        choice = choose_trace(plan, part.own_suggestion_id, with_trace)
        chosen = next((each for each in suggestions if each.id == choice.suggestion_id), None)
        comparable = with_trace if self._with_thinking else suggested
        stale = (each for each in comparable if trace_state(plan, each.plan) == "stale")
        rejected = next(stale, None)
        trace_reason = {None: "no_trace", "stale": "stale"}.get(choice.state)
        return Candidate(
            kind="accepted",
            query_id=part.query.id,
            source_id=part.revision_id,
            trace_id=choice.suggestion_id,
            cluster=part.query.cluster,
            list_id=part.query.list_version_id,
            model=chosen.model if chosen else None,
            day=part.decided_at.date() if part.decided_at else None,
            size=_size(plan),
            trace_length=chosen.trace_length if chosen else 0,
            trace_state=choice.state,
            source_hash=part.plan_hash,
            rejected_id=rejected.suggestion_id if rejected else None,
            reason=self._plan_reason(part.query, plan),
            trace_reason=trace_reason,
        )

    def _judge_history(self, part: HistoryPart, suggestions: list[SuggestionPart]) -> Candidate:
        query = part.query
        kept = next((each for each in suggestions if each.origin == "history"), None)
        if kept is not None:
            plan: Any = orjson.loads(kept.plan) if kept.plan else None
            trace, missing = kept.trace, _failure_reason(kept.failure)
            source_id = kept.id
        else:
            expert_list = self._lists[query.list_version_id]
            read = read_old_answer(part.answer or "", query.dialect, expert_list)
            plan = read.plan.to_plain() if read.plan else None
            trace, missing = read.trace, _failure_reason(read.failure, "unreadable")
            source_id = query.id
        has_trace = is_trace(trace)
        return Candidate(
            kind="history",
            query_id=query.id,
            source_id=source_id,
            trace_id=source_id if has_trace else None,
            cluster=query.cluster,
            list_id=query.list_version_id,
            model=kept.model if kept else None,
            day=part.created_at.date(),
            size=_size(plan),
            trace_length=len(trace or "") if has_trace else 0,
            trace_state="fresh" if has_trace else None,
            source_hash=query.content_hash,
            reason=missing if plan is None else self._plan_reason(query, plan),
            trace_reason=None if has_trace else "no_trace",
        )

    def _judge_suggestion(
        self, query: QueryPart, part: SuggestionPart, decided: Any, *, is_discarded: bool
    ) -> Candidate:
        plan: Any = orjson.loads(part.plan) if part.plan else None
        has_trace = is_trace(part.trace)
        if plan is None:
            reason = _failure_reason(part.failure)
        elif part.is_repaired:
            reason = "repaired"
        elif is_discarded:
            reason = "discarded"
        elif decided is not None and trace_state(decided, plan) == "stale":
            reason = "corrected"
        else:
            reason = self._plan_reason(query, plan)
        return Candidate(
            kind="suggestions",
            query_id=query.id,
            source_id=part.id,
            trace_id=part.id if has_trace else None,
            cluster=query.cluster,
            list_id=query.list_version_id,
            model=part.model,
            day=part.created_at.date(),
            size=_size(plan),
            trace_length=part.trace_length,
            trace_state="fresh" if has_trace else None,
            source_hash=query.content_hash,
            reason=reason,
            trace_reason=None if has_trace else "no_trace",
        )

    def _plan_reason(self, query: QueryPart, plan: Any) -> str | None:
        """Why a plan may stand in no pool."""
        problems = plan_problems(plan, self._lists[query.list_version_id].names)
        if problems:
            missing = any(each.code == "missing" for each in problems)
            return "incomplete" if missing else "breaks_list"
        return "benchmark" if self._leaks(query, plan["rewritten_query"]) else None


def read_old_answer(answer: str, dialect: str, expert_list: ExpertList) -> ReadReply:
    """The plan and trace of a historical answer, whatever its form."""
    return read_reply(answer, None, dialect=dialect, expert_list=expert_list)


def _suggested(part: SuggestionPart) -> Suggested:
    length = part.trace_length if is_trace(part.trace) else 0
    return Suggested(part.id, orjson.loads(part.plan or "null"), length)


_FAILURE_REASONS = {"replies.incomplete": "incomplete", "replies.invalid_plan": "breaks_list"}


def _failure_reason(failure: str | None, otherwise: str = "no_plan") -> str:
    return _FAILURE_REASONS.get(failure or "", otherwise)


def is_trace(trace: str | None) -> bool:
    """Whether there is something to read in a trace."""
    return bool(trace and VISIBLE.search(trace))


def _size(plan: Any) -> int:
    return len(plan["steps"]) if isinstance(plan, dict) and "steps" in plan else 0
