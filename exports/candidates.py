"""Judging what could stand in a bundle: usable or not, and for what reason.

A reason is `reason_NAME` in the area `export`. Some keep a row out of every pool (`reason`), some
only where its trace is to be learned (`trace_reason`): GRPO throws the assistant's text away.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any, NamedTuple

import orjson

from db.access.parts import Fetch, read_span
from exports.best_of import BestOf
from exports.said import Said, said_beside, trace_length_of
from schemas.bundle import REDERIVED, RowOrigin
from schemas.experts import ExpertList
from schemas.old_answers import read_old_answer
from schemas.parts import QueryPart, Span, SuggestionPart
from schemas.recipe import BundleRecipe, Label, SourceKind
from schemas.scoring.check import plan_problems
from schemas.staleness import Compared, TraceState, choose_trace

Leak = Callable[[QueryPart, str | None], bool]
"""Whether a query, or its rewrite, is one to evaluate with."""
_FAILURE_REASONS = {"replies.incomplete": "incomplete", "replies.invalid_plan": "breaks_list"}


class Candidate(NamedTuple):
    """One judged thing; texts are read again, by these ids, when the row is written.

    `source_id` is a revision, a suggestion, or the query itself where the plan is read from its old
    answer; `trace_id` likewise says where the trace is. `rejected_id` is, of an accepted plan, a
    suggestion with another plan. `experts` are those of
    the steps, in order; `label` says how a plan was decided; `own_prompt` is a prompt not ours.
    """

    kind: SourceKind
    query_id: str
    source_id: str
    trace_id: str | None
    cluster: str
    list_id: str
    model: str | None
    day: str | None
    size: int
    trace_length: int
    trace_state: TraceState | None
    source_hash: str
    rejected_id: str | None = None
    reason: str | None = None
    trace_reason: str | None = None
    experts: tuple[str, ...] = ()
    label: Label | None = None
    own_prompt: bool = False

    def origin(self, trace_id: str | None, against_id: str | None, variant: str = "") -> RowOrigin:
        """What a line that is made of it comes from."""
        is_rederived = self.trace_state == "rederived" and trace_id is not None
        if is_rederived and trace_id == self.trace_id and not variant:
            variant = REDERIVED
        return RowOrigin(
            self.kind,
            self.query_id,
            self.source_id,
            trace_id,
            against_id,
            self.source_hash,
            variant=variant,
        )


class Judged(NamedTuple):
    """A candidate with its plan (canonical) and trace, while both are at hand.

    `score` is what the rewards say of a suggestion, where a recipe asks them.
    """

    candidate: Candidate
    plan: Any
    trace: str | None
    score: float = 0.0


class Offered(NamedTuple):
    """What one query offers to sources of each kind; `said` stands beside an accepted plan.

    `rederived` is the accepted row with a trace that was written anew, where it has no other.
    """

    query: QueryPart
    by_kind: Mapping[SourceKind, list[Judged]]
    said: Sequence[Said]
    rederived: Judged | None = None


class Judge:
    """Judges for one recipe, under the lists by id and the leak guard.

    With `best_of`, usable suggestions are scored where a query has several.
    """

    def __init__(
        self,
        recipe: BundleRecipe,
        lists: Mapping[str, ExpertList],
        leaks: Leak,
        best_of: BestOf | None = None,
    ) -> None:
        self.lists = lists
        self._best_of = best_of
        self._leaks = leaks
        self._with_thinking = recipe.with_thinking
        self._takes_rederived = recipe.stale_traces == "rederived"
        self._judged: tuple[Any, str | None] = (None, None)
        self._named: dict[tuple[str, ...], tuple[str, ...]] = {}

    def stream(
        self, fetch: Fetch, kinds: Collection[SourceKind], spans: Iterable[Span]
    ) -> Iterator[Offered]:
        """What each query of these spans offers to sources of these kinds."""
        for span in spans:
            for query, suggestions, is_discarded in read_span(fetch, span):
                yield self.judge(query, suggestions, kinds, is_discarded)

    def judge(
        self,
        query: QueryPart,
        suggestions: list[SuggestionPart],
        kinds: Collection[SourceKind],
        is_discarded: bool,
    ) -> Offered:
        """What a query offers; its suggestions come in their order."""
        offered: dict[SourceKind, list[Judged]] = {}
        plan = orjson.loads(query.plan) if query.plan else None
        said = said_beside(plan, query.plan, suggestions) if plan is not None else []
        rederived: Judged | None = None
        if plan is not None and "accepted" in kinds:
            accepted = self._judge_accepted(query, plan, said)
            rederived = _rederived(accepted, query, suggestions)
            offered["accepted"] = [(self._takes_rederived and rederived) or accepted]
        if query.kind == "history" and "history" in kinds:
            offered["history"] = [self._judge_history(query, suggestions)]
        if suggestions and "suggestions" in kinds and (query.kind != "history" or plan is not None):
            compared = {each.part.id: each for each in said}
            offered["suggestions"] = [
                self._judge_suggestion(
                    query, each, compared.get(each.id), is_discarded and plan is None
                )
                for each in suggestions
                if each.origin not in ("history", "rederived")
            ]
            if self._best_of is not None:
                self._score(self._best_of, query, offered["suggestions"], plan)
        return Offered(query, offered, said, rederived)

    def _judge_accepted(self, query: QueryPart, plan: Any, said: list[Said]) -> Judged:
        with_trace = [each for each in said if each.trace_length]
        choice = choose_trace(
            query.own_suggestion_id,
            [Compared(each.part.id, each.state, each.trace_length) for each in with_trace],
        )
        chosen = rejected = None
        for each in said:
            if each.part.id == choice.suggestion_id:
                chosen = each.part
            is_against = each.state == "stale" and (each.trace_length or not self._with_thinking)
            if is_against and rejected is None:
                rejected = each.part.id
        reason = self._plan_reason(query, plan)
        candidate = Candidate(
            kind="accepted",
            query_id=query.id,
            source_id=query.revision_id or "",
            trace_id=choice.suggestion_id,
            cluster=query.cluster,
            list_id=intern(query.list_version_id),
            model=chosen.model if chosen else None,
            day=query.decided_on and intern(query.decided_on),
            size=_size(plan),
            trace_length=chosen.trace_length if chosen else 0,
            trace_state=choice.state,
            source_hash=(query.plan_hash or "")[:16],
            rejected_id=rejected,
            reason=reason,
            trace_reason={None: "no_trace", "stale": "stale"}.get(choice.state),
            experts=self._experts(plan) if reason is None else (),
            label="fixed" if query.revision_kind == "fixed" else "accepted",
            own_prompt=query.messages is not None,
        )
        return Judged(candidate, plan, chosen.trace if chosen else None)

    def _judge_history(self, query: QueryPart, suggestions: list[SuggestionPart]) -> Judged:
        kept = next((each for each in suggestions if each.origin == "history"), None)
        if kept is not None:
            plan: Any = orjson.loads(kept.plan) if kept.plan else None
            missing, source_id = _failure_reason(kept.failure), kept.id
            trace, trace_length = kept.trace, trace_length_of(kept)
            reason = missing if plan is None else self._plan_reason(query, plan)
        else:
            expert_list = self.lists[query.list_version_id]
            read = read_old_answer(query.answer or "", query.dialect, expert_list)
            plan, source_id, trace = read.plan, query.id, read.trace
            trace_length = len(trace or "")
            reason = _failure_reason(read.failure, "unreadable")
            if plan is not None:
                is_leak = self._leaks(query, plan["rewritten_query"])
                reason = "benchmark" if is_leak else None
        candidate = Candidate(
            kind="history",
            query_id=query.id,
            source_id=source_id,
            trace_id=source_id if trace_length else None,
            cluster=query.cluster,
            list_id=intern(query.list_version_id),
            model=kept.model if kept else None,
            day=intern(query.created_on),
            size=_size(plan),
            trace_length=trace_length,
            trace_state="fresh" if trace_length else None,
            source_hash=query.content_hash[:16],
            reason=reason,
            trace_reason=None if trace_length else "no_trace",
            experts=self._experts(plan) if reason is None else (),
            own_prompt=query.messages is not None,
        )
        return Judged(candidate, plan, trace)

    def _judge_suggestion(
        self, query: QueryPart, part: SuggestionPart, said: Said | None, is_discarded: bool
    ) -> Judged:
        if said is not None:
            plan, trace_length = said.plan, said.trace_length
        else:
            plan = orjson.loads(part.plan) if part.plan else None
            trace_length = trace_length_of(part)
        if plan is None:
            reason = _failure_reason(part.failure)
        elif part.is_repaired:
            reason = "repaired"
        elif is_discarded:
            reason = "discarded"
        elif said and said.state == "stale":
            reason = "corrected"
        else:
            reason = self._plan_reason(query, plan)
        candidate = Candidate(
            kind="suggestions",
            query_id=query.id,
            source_id=part.id,
            trace_id=part.id if trace_length else None,
            cluster=query.cluster,
            list_id=intern(query.list_version_id),
            model=part.model,
            day=intern(part.created_on),
            size=_size(plan),
            trace_length=trace_length,
            trace_state="fresh" if trace_length else None,
            source_hash=query.content_hash[:16],
            reason=reason,
            trace_reason=None if trace_length else "no_trace",
            experts=self._experts(plan) if reason is None else (),
            own_prompt=query.messages is not None,
        )
        return Judged(candidate, plan, part.trace)

    def _score(
        self, best_of: BestOf, query: QueryPart, offered: list[Judged], accepted: Any
    ) -> None:
        """Say of usable suggestions what the rewards say, where there are several."""
        usable = [n for n, each in enumerate(offered) if each.candidate.reason is None]
        for number in usable if len(usable) > 1 else ():
            _, plan, trace, _ = offered[number]
            score = best_of.score(query, plan, trace, accepted)
            offered[number] = offered[number]._replace(score=score)

    def _plan_reason(self, query: QueryPart, plan: Any) -> str | None:
        """Why a plan may stand in no pool."""
        if plan is self._judged[0]:  # a suggestion that was accepted as it stood
            return self._judged[1]
        problems = plan_problems(plan, self.lists[query.list_version_id].names)
        if any(each.code == "missing" for each in problems):
            reason = "incomplete"
        elif problems:
            reason = "breaks_list"
        else:
            reason = "benchmark" if self._leaks(query, plan["rewritten_query"]) else None
        self._judged = (plan, reason)
        return reason

    def _experts(self, plan: Any) -> tuple[str, ...]:
        """The experts of a plan's steps; equal ones are one value, since there are many."""
        names = tuple([step["expert"] for step in plan["steps"]])
        return self._named.setdefault(names, names)


def _rederived(
    accepted: Judged, query: QueryPart, suggestions: Iterable[SuggestionPart]
) -> Judged | None:
    """The accepted row with a trace that was written for this very revision."""
    candidate = accepted.candidate
    parts = [
        each
        for each in suggestions
        if each.rederived_for is not None
        and each.rederived_for == query.revision_id
        and trace_length_of(each)
    ]
    if candidate.trace_reason is None or not parts:
        return None
    part = min(parts, key=lambda each: (each.trace_length, each.id))
    changed = candidate._replace(
        trace_id=part.id,
        trace_length=part.trace_length,
        trace_state="rederived",
        trace_reason=None,
        model=part.model,
    )
    return Judged(changed, accepted.plan, part.trace)


def _failure_reason(failure: str | None, otherwise: str = "no_plan") -> str:
    return _FAILURE_REASONS.get(failure or "", otherwise)


def _size(plan: Any) -> int:
    return len(plan["steps"]) if isinstance(plan, dict) and "steps" in plan else 0
