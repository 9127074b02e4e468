"""What a bundle is made of: one stream for each source, and whole rows by their ids.

JSON columns are read as text, so that a reader parses only what it needs.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.tables import Annotation, ListVersion, PromptVersion, Query, Revision, Suggestion
from schemas.experts import ExpertList

CHUNK = 1000


class QueryPart(NamedTuple):
    """A query as the choice of rows needs it."""

    id: str
    text: str
    cluster: str
    list_version_id: str
    dialect: str
    content_hash: str


class AcceptedPart(NamedTuple):
    """The accepted plan of a query, as JSON text."""

    query: QueryPart
    own_suggestion_id: str | None
    revision_id: str
    plan: str
    plan_hash: str
    decided_at: datetime | None


class SuggestionPart(NamedTuple):
    """One suggestion; `plan` is JSON text."""

    id: str
    query_id: str
    origin: str
    candidate: int
    model: str | None
    plan: str | None
    trace: str | None
    trace_length: int
    failure: str | None
    is_repaired: bool
    created_at: datetime


class HistoryPart(NamedTuple):
    """A historical query; `answer` is the old answer byte for byte, where it came as chat."""

    query: QueryPart
    answer: str | None
    created_at: datetime


class WholeQuery(NamedTuple):
    """Everything about a query that stands in a row; JSON columns as text."""

    id: str
    text: str
    history: str
    messages: str | None
    answer: str | None
    list_version_id: str
    prompt_version_id: str
    dialect: str
    window: int
    content_hash: str


class RevisionText(NamedTuple):
    """A revision's plan as JSON text, and its hash."""

    plan: str
    content_hash: str


class SuggestionText(NamedTuple):
    """A suggestion's plan as JSON text, and its trace."""

    plan: str | None
    trace: str | None


class PinnedPrompt(NamedTuple):
    """A version of a prompt; `reference` is NAME@N."""

    reference: str
    template: str
    content_hash: str


_QUERY = (
    col(Query.id),
    col(Query.text),
    col(Query.cluster),
    col(Query.list_version_id),
    col(Query.dialect),
    col(Query.content_hash),
)
_SUGGESTION = (
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
    col(Suggestion.created_at),
)


def stream_accepted(session: Session, project_id: str) -> Iterator[list[AcceptedPart]]:
    """Decided queries with their chosen plan, in chunks, by query id."""
    statement = (
        sa.select(
            *_QUERY,
            col(Annotation.suggestion_id),
            col(Revision.id),
            sa.cast(col(Revision.content), sa.Text),
            col(Revision.content_hash),
            col(Annotation.decided_at),
        )
        .select_from(Query)
        .join(Annotation, col(Annotation.id) == col(Query.chosen_annotation_id))
        .join(Revision, col(Revision.id) == col(Annotation.revision_id))
        .where(col(Query.project_id) == project_id, col(Annotation.state) == "accepted")
        .order_by(col(Query.id))
    )
    for chunk in _chunks(session, statement):
        yield [AcceptedPart(QueryPart(*row[:6]), *row[6:]) for row in chunk]


def stream_history(session: Session, project_id: str) -> Iterator[list[HistoryPart]]:
    """Historical queries in chunks, by query id."""
    statement = (
        sa.select(*_QUERY, col(Query.answer), col(Query.created_at))
        .where(col(Query.project_id) == project_id, col(Query.kind) == "history")
        .order_by(col(Query.id))
    )
    for chunk in _chunks(session, statement):
        yield [HistoryPart(QueryPart(*row[:6]), *row[6:]) for row in chunk]


def stream_suggested(session: Session, project_id: str) -> Iterator[list[QueryPart]]:
    """Queries that are not history and have at least one suggestion, in chunks, by id."""
    has_suggestion = (
        sa.exists()
        .where(col(Suggestion.query_id) == col(Query.id))
        .where(col(Suggestion.origin) != "history")
    )
    statement = (
        sa.select(*_QUERY)
        .where(col(Query.project_id) == project_id, col(Query.kind) != "history", has_suggestion)
        .order_by(col(Query.id))
    )
    for chunk in _chunks(session, statement):
        yield [QueryPart(*row) for row in chunk]


def list_suggestions(
    session: Session, project_id: str, query_ids: Sequence[str]
) -> dict[str, list[SuggestionPart]]:
    """The suggestions of some queries, each query's by candidate number and id."""
    statement = (
        sa.select(*_SUGGESTION)
        .where(col(Suggestion.project_id) == project_id, col(Suggestion.query_id).in_(query_ids))
        .order_by(col(Suggestion.candidate), col(Suggestion.id))
    )
    found: dict[str, list[SuggestionPart]] = {}
    for row in session.connection().execute(statement):
        found.setdefault(row[1], []).append(SuggestionPart(*row))
    return found


def list_chosen_plans(
    session: Session, project_id: str, query_ids: Sequence[str]
) -> dict[str, str]:
    """Query id → its accepted plan as JSON text, for those that have one."""
    statement = (
        sa.select(col(Query.id), sa.cast(col(Revision.content), sa.Text))
        .join(Annotation, col(Annotation.id) == col(Query.chosen_annotation_id))
        .join(Revision, col(Revision.id) == col(Annotation.revision_id))
        .where(col(Query.project_id) == project_id, col(Query.id).in_(query_ids))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def list_discarded(session: Session, project_id: str, query_ids: Sequence[str]) -> set[str]:
    """Those of some queries that a reviewer discarded an annotation of."""
    statement = sa.select(col(Annotation.query_id)).where(
        col(Annotation.project_id) == project_id,
        col(Annotation.query_id).in_(query_ids),
        col(Annotation.state) == "discarded",
    )
    return set(session.connection().execute(statement).scalars())


def get_whole_queries(
    session: Session, project_id: str, query_ids: Iterable[str]
) -> dict[str, WholeQuery]:
    """Whole queries by id; those that do not exist here are left out."""
    statement = sa.select(
        col(Query.id),
        col(Query.text),
        sa.cast(col(Query.history), sa.Text),
        col(Query.messages),
        col(Query.answer),
        col(Query.list_version_id),
        col(Query.prompt_version_id),
        col(Query.dialect),
        col(Query.window),
        col(Query.content_hash),
    ).where(col(Query.project_id) == project_id, col(Query.id).in_(set(query_ids)))
    return {row[0]: WholeQuery(*row) for row in session.connection().execute(statement)}


def get_revision_texts(
    session: Session, project_id: str, revision_ids: Iterable[str | None]
) -> dict[str, RevisionText]:
    """Revisions by id; those that do not exist here are left out."""
    statement = sa.select(
        col(Revision.id), sa.cast(col(Revision.content), sa.Text), col(Revision.content_hash)
    ).where(col(Revision.project_id) == project_id, col(Revision.id).in_(set(revision_ids)))
    return {row[0]: RevisionText(row[1], row[2]) for row in session.connection().execute(statement)}


def get_suggestion_texts(
    session: Session, project_id: str, suggestion_ids: Iterable[str | None]
) -> dict[str, SuggestionText]:
    """Suggestions by id; those that do not exist here are left out."""
    statement = sa.select(
        col(Suggestion.id), sa.cast(col(Suggestion.plan), sa.Text), col(Suggestion.trace)
    ).where(col(Suggestion.project_id) == project_id, col(Suggestion.id).in_(set(suggestion_ids)))
    return {
        row[0]: SuggestionText(row[1], row[2]) for row in session.connection().execute(statement)
    }


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


def _chunks(session: Session, statement: Any) -> Iterator[Sequence[Any]]:
    result = session.connection().execute(statement.execution_options(yield_per=CHUNK))
    yield from result.partitions(CHUNK)
