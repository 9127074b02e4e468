"""What the database says of a bundle's lines: whether they are what their origins make them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from db.access import exports as access
from db.access import near_clusters
from db.engine import Database, Session
from exports.pinned import load_pinned
from labeling.duplicates import guard_of
from schemas.bundle import RowOrigin
from schemas.dialects import get_dialect
from schemas.experts import ExpertList
from schemas.old_answers import read_old_answer
from schemas.parts import QueryPart, RevisionText, SuggestionPart
from schemas.prompt import agent_template, render_system
from schemas.recipe import Format


class Ground(NamedTuple):
    """The database and the project that a bundle was made from."""

    database: Database
    project_id: str


class Said(NamedTuple):
    """A plan (canonical) and the thinking that led to it."""

    plan: Any
    trace: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """What one line is made of.

    `plan` is its answer's, `taught` what its thinking led to, `rejected` the other answer of a
    pair. `is_leak` tells a question to evaluate with.
    """

    query: QueryPart
    own_list: ExpertList
    plan: Any
    taught: Said | None
    rejected: Said | None
    is_leak: bool


class Sources:
    """Looks up origins in one project; prompts are rendered once for all that share them."""

    def __init__(self, session: Session, project_id: str) -> None:
        self._session = session
        self._project_id = project_id
        self._guard = guard_of(session, project_id)
        self._prompts: dict[tuple[object, ...], str] = {}
        self._leaks: dict[tuple[str, str | None], bool] = {}
        self.pinned = load_pinned(session, project_id)
        self.bridges = near_clusters.list_bridges(session, project_id)
        self.keys = near_clusters.list_joined(session, project_id)

    def knows_any(self, query_ids: Iterable[str]) -> bool:
        """Whether any of these queries is of this project."""
        return bool(access.get_queries(self._session, self._project_id, set(query_ids)))

    def of(self, format_: Format, origins: Sequence[RowOrigin]) -> list[Source | None]:
        """The source of each line; none where it is not in the database."""
        session, project_id = self._session, self._project_id
        revisions: set[str | None] = set()
        suggestions: set[str | None] = set()
        for each in origins:
            (revisions if each.kind == "accepted" else suggestions).add(each.source_id)
            suggestions.update((each.trace_id, each.against_id if format_ == "dpo" else None))
        queries = access.get_queries(session, project_id, {each.query_id for each in origins})
        accepted = access.get_revision_texts(session, project_id, filter(None, revisions))
        said = access.get_suggestions(session, project_id, filter(None, suggestions))
        return [self._source(format_, each, queries, accepted, said) for each in origins]

    def system(self, source: Source, *, is_agent: bool, thinks: bool) -> str:
        """The system message by the pins of a query."""
        query = source.query
        pins = (
            is_agent,
            query.prompt_version_id,
            query.list_version_id,
            query.dialect,
            query.window,
            thinks,
        )
        if pins not in self._prompts:
            template = self.pinned.prompts[query.prompt_version_id].template
            self._prompts[pins] = render_system(
                agent_template(template) if is_agent else template,
                source.own_list,
                query.window,
                get_dialect(query.dialect),
                with_thinking=thinks,
            )
        return self._prompts[pins]

    def _source(
        self,
        format_: Format,
        origin: RowOrigin,
        queries: Mapping[str, QueryPart],
        accepted: Mapping[str, RevisionText],
        said: Mapping[str, SuggestionPart],
    ) -> Source | None:
        try:
            query = queries[origin.query_id]
            own_list = self.pinned.lists[query.list_version_id]
            taught: Said | None = None
            if origin.kind == "accepted":
                plan = orjson.loads(accepted[origin.source_id].plan)
                taught = _taught(said[origin.trace_id], origin, plan) if origin.trace_id else None
            elif origin.source_id == origin.query_id:
                read = read_old_answer(query.answer or "", query.dialect, own_list)
                plan, taught = read.plan, Said(read.plan, read.trace)
            else:
                taught = _said(said[origin.source_id])
                plan = taught.plan
            is_pair = format_ == "dpo"
            rejected = _said(said[origin.against_id or ""]) if is_pair else None
        except KeyError:
            return None
        rewrite = None if format_ == "kto" or plan is None else str(plan["rewritten_query"])
        return Source(query, own_list, plan, taught, rejected, self._is_leak(query, rewrite))

    def _is_leak(self, query: QueryPart, rewrite: str | None) -> bool:
        key = (query.id, rewrite)
        if key not in self._leaks:
            self._leaks[key] = self._guard.is_leak(query, rewrite)
        return self._leaks[key]


def _taught(part: SuggestionPart, origin: RowOrigin, plan: Any) -> Said:
    """What thinking led to; one that was written for the accepted revision led to its plan."""
    is_of_plan = part.rederived_for is not None and part.rederived_for == origin.source_id
    return Said(plan, part.trace) if is_of_plan else _said(part)


def _said(part: SuggestionPart) -> Said:
    return Said(orjson.loads(part.plan) if part.plan else None, part.trace)
