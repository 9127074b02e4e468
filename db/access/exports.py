"""What a bundle is made of: a stream of queries with what was said to them, and texts by their ids.

JSON columns are read as text, so that a reader parses only what it needs. Statements are made once
for each engine and kept.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.parts import Fetch, Wanted
from db.engine import (
    Backend,
    PlainSource,
    among_value,
    backend_of,
    day_text,
    fetch_rows,
    plain_source,
    values_among,
)
from db.tables import Annotation, ListVersion, PromptVersion, Query, Revision, Suggestion
from schemas.experts import ExpertList
from schemas.parts import PinnedPrompt, QueryPart, RevisionText, Span, SuggestionPart, by_query
from schemas.recipe import SourceKind

CHUNK = 500
Statement = sa.Select[*tuple[Any, ...]]


_MAY_TAKE: Mapping[SourceKind, sa.ColumnElement[bool]] = {
    "accepted": col(Query.chosen_annotation_id).is_not(None),
    "suggestions": sa.or_(
        col(Query.kind) != "history", col(Query.chosen_annotation_id).is_not(None)
    ),
    "history": col(Query.kind) == "history",
}


def _of_project(table: type[Query | Revision | Suggestion]) -> Any:
    """The condition on the project as a filter only.

    As a plain comparison SQLite would walk the whole project by its index, for every chunk of ids.
    """
    return sa.func.coalesce(col(table.project_id), "") == sa.bindparam("project_id")


def list_spans(session: Session, project_id: str) -> list[Span]:
    """The project's queries, as they are now, in spans of `CHUNK`, by id."""
    ids = [row[0] for row in fetch_rows(session, _ALL_IDS, {"project_id": project_id})]
    ends = [*ids[CHUNK - 1 : -1 : CHUNK], *ids[-1:]]
    return [Span(after, until) for after, until in pairwise(["", *ends])]


def fetch_parts(session: Session, project_id: str, kinds: Collection[SourceKind]) -> Fetch:
    """Reads what `read_span` asks for: of the queries that sources of these kinds may take.

    Suggestions may be taken of whatever was asked here: what is no history, or was decided on.
    """
    statements = _statements(backend_of(session), frozenset(kinds))

    def fetch(wanted: Wanted, values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        return fetch_rows(session, statements[wanted], {"project_id": project_id, **values})

    return fetch


def plain_parts(
    session: Session, project_id: str, kinds: Collection[SourceKind]
) -> PlainSource[Wanted]:
    """What `fetch_parts` reads, for a process that has no session."""
    statements = _statements(backend_of(session), frozenset(kinds))
    return plain_source(session, statements, {"project_id": project_id})


def list_suggestions(
    session: Session, project_id: str, query_ids: Sequence[str]
) -> dict[str, list[SuggestionPart]]:
    """The suggestions of some queries, each query's in order."""
    statement = _suggestions_by(backend_of(session), "query_id")
    return by_query(_by_ids(session, project_id, statement, query_ids))


def list_discarded_between(
    session: Session, project_id: str, first_id: str, last_id: str
) -> set[str]:
    """Queries, from one id to another, that a reviewer discarded an annotation of."""
    values = {"project_id": project_id, "first": first_id, "last": last_id}
    return {row[0] for row in fetch_rows(session, _DISCARDED, values)}


def get_queries(session: Session, project_id: str, ids: Iterable[str]) -> dict[str, QueryPart]:
    """Queries by id; those that do not exist here are left out."""
    rows = _by_ids(session, project_id, _queries_by_id(backend_of(session)), ids)
    return {row[0]: QueryPart._make(row) for row in rows}


def get_revision_texts(
    session: Session, project_id: str, ids: Iterable[str]
) -> dict[str, RevisionText]:
    """Revisions by id; those that do not exist here are left out."""
    rows = _by_ids(session, project_id, _revisions_by_id(backend_of(session)), ids)
    return {row[0]: RevisionText(row[1], row[2]) for row in rows}


def get_suggestions(
    session: Session, project_id: str, ids: Iterable[str]
) -> dict[str, SuggestionPart]:
    """Suggestions by id; those that do not exist here are left out."""
    rows = _by_ids(session, project_id, _suggestions_by(backend_of(session), "id"), ids)
    return {row[0]: SuggestionPart._make(row) for row in rows}


def list_pinned_lists(session: Session, project_id: str) -> dict[str, ExpertList]:
    """Every published list version of the project, by id."""
    statement = select(ListVersion).where(ListVersion.project_id == project_id)
    return {row.id: ExpertList.model_validate(row.content) for row in session.exec(statement)}


def list_pinned_prompts(session: Session, project_id: str) -> dict[str, PinnedPrompt]:
    """Every prompt version of the project, by id."""
    statement = select(PromptVersion).where(PromptVersion.project_id == project_id)
    return {
        row.id: PinnedPrompt(f"{row.name}@{row.version}", row.template, row.content_hash)
        for row in session.exec(statement)
    }


def _by_ids(
    session: Session, project_id: str, statement: Statement, ids: Iterable[str]
) -> Sequence[tuple[Any, ...]]:
    wanted = sorted(ids)
    if not wanted:
        return ()
    values = {"project_id": project_id, "ids": among_value(session, wanted)}
    return fetch_rows(session, statement, values)


@cache
def _statements(backend: Backend, kinds: frozenset[SourceKind]) -> Mapping[Wanted, Statement]:
    return {
        "queries": _queries_in(backend, kinds),
        "suggestions": _suggestions_between(backend),
        "discarded": _DISCARDED,
    }


@cache
def _queries_in(backend: Backend, kinds: frozenset[SourceKind]) -> Statement:
    return (
        _queries(backend)
        .where(
            col(Query.id) > sa.bindparam("after"),
            col(Query.id) <= sa.bindparam("until"),
            sa.or_(*(_MAY_TAKE[kind] for kind in sorted(kinds))),
        )
        .order_by(col(Query.id))
    )


@cache
def _queries_by_id(backend: Backend) -> Statement:
    among = values_among(backend, "ids")
    return _queries(backend).join(among, among.c.value == col(Query.id))


@cache
def _suggestions_between(backend: Backend) -> Statement:
    ends = sa.bindparam("first"), sa.bindparam("last")
    return _suggestions(backend).where(col(Suggestion.query_id).between(*ends))


@cache
def _suggestions_by(backend: Backend, column: str) -> Statement:
    among = values_among(backend, "ids")
    return _suggestions(backend).join(among, among.c.value == getattr(Suggestion, column))


@cache
def _revisions_by_id(backend: Backend) -> Statement:
    among = values_among(backend, "ids")
    columns = (
        col(Revision.id),
        sa.cast(col(Revision.content), sa.Text),
        col(Revision.content_hash),
    )
    statement = sa.select(*columns).join(among, among.c.value == col(Revision.id))
    return statement.where(_of_project(Revision))


def _queries(backend: Backend) -> Statement:
    """Columns of `QueryPart`, in order."""
    accepted = sa.and_(
        col(Annotation.id) == col(Query.chosen_annotation_id), col(Annotation.state) == "accepted"
    )
    columns = (
        col(Query.id),
        col(Query.kind),
        col(Query.text),
        sa.cast(col(Query.history), sa.Text),
        col(Query.messages),
        col(Query.answer),
        col(Query.cluster),
        col(Query.list_version_id),
        col(Query.prompt_version_id),
        col(Query.dialect),
        col(Query.window),
        col(Query.content_hash),
        day_text(backend, col(Query.created_at)),
        col(Revision.id),
        sa.cast(col(Revision.content), sa.Text),
        col(Revision.content_hash),
        col(Annotation.suggestion_id),
        day_text(backend, col(Annotation.decided_at)),
        col(Revision.kind),
    )
    return (
        sa.select(*columns)
        .select_from(Query)
        .outerjoin(Annotation, accepted)
        .outerjoin(Revision, col(Revision.id) == col(Annotation.revision_id))
        .where(_of_project(Query))
    )


def _suggestions(backend: Backend) -> Statement:
    """Columns of `SuggestionPart`, in order; a plan that was moved from another list is no model's.

    It is trained on when somebody has accepted it, and so is a trace that was written anew.
    """
    columns = (
        col(Suggestion.id),
        col(Suggestion.query_id),
        col(Suggestion.origin),
        col(Suggestion.candidate),
        col(Suggestion.model),
        sa.cast(col(Suggestion.plan), sa.Text),
        col(Suggestion.trace),
        col(Suggestion.trace_length),
        col(Suggestion.failure),
        col(Suggestion.is_repaired),
        day_text(backend, col(Suggestion.created_at)),
        col(Suggestion.rederived_for),
    )
    origin = col(Suggestion.origin)
    is_said = sa.or_(
        sa.and_(origin != "migration", origin != "rederived"),
        col(Suggestion.rederived_for).is_not(None),
    )
    return sa.select(*columns).select_from(Suggestion).where(_of_project(Suggestion), is_said)


_ALL_IDS: Statement = (
    sa.select(col(Query.id))
    .where(col(Query.project_id) == sa.bindparam("project_id"))
    .order_by(col(Query.id))
)
_DISCARDED: Statement = sa.select(col(Annotation.query_id)).where(
    col(Annotation.project_id) == sa.bindparam("project_id"),
    col(Annotation.query_id).between(sa.bindparam("first"), sa.bindparam("last")),
    col(Annotation.state) == "discarded",
)
