"""What a bundle is made of: one stream for each source, and whole rows by their ids.

JSON columns are read as text, so that a reader parses only what it needs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.engine import among_value, values_among
from db.tables import Annotation, ListVersion, PromptVersion, Query, Revision, Suggestion
from schemas.experts import ExpertList
from schemas.recipe import SourceKind

CHUNK = 1000
TRACE_BEGINNING = 64


class QueryPart(NamedTuple):
    """A query as the choice of rows needs it, with its chosen plan, as JSON text, where it has one.

    `answer` is the old answer of a historical chat, byte for byte.
    """

    id: str
    kind: str
    text: str
    answer: str | None
    cluster: str
    list_version_id: str
    dialect: str
    content_hash: str
    created_at: datetime
    revision_id: str | None
    plan: str | None
    plan_hash: str | None
    own_suggestion_id: str | None
    decided_at: datetime | None


class SuggestionPart(NamedTuple):
    """One suggestion; `plan` is JSON text, `trace` its beginning (`TRACE_BEGINNING` characters)."""

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


def _of_project(table: type[Query | Revision | Suggestion], project_id: str) -> Any:
    """The condition on the project as a filter only.

    As a plain comparison SQLite would walk the whole project by its index, for every chunk of ids.
    """
    return sa.func.coalesce(col(table.project_id), "") == project_id


def _plain_time(column: Any) -> Any:
    """A time past our own column type, which costs more than the row: naive UTC on SQLite."""
    return sa.type_coerce(column, sa.DateTime(timezone=True))


_QUERY = (
    col(Query.id),
    col(Query.kind),
    col(Query.text),
    col(Query.answer),
    col(Query.cluster),
    col(Query.list_version_id),
    col(Query.dialect),
    col(Query.content_hash),
    _plain_time(col(Query.created_at)),
    col(Revision.id),
    sa.cast(col(Revision.content), sa.Text),
    col(Revision.content_hash),
    col(Annotation.suggestion_id),
    _plain_time(col(Annotation.decided_at)),
)
_MAY_TAKE: Mapping[SourceKind, sa.ColumnElement[bool]] = {
    "accepted": col(Query.chosen_annotation_id).is_not(None),
    "suggestions": sa.or_(
        col(Query.kind) != "history", col(Query.chosen_annotation_id).is_not(None)
    ),
    "history": col(Query.kind) == "history",
}
_SUGGESTION = (
    col(Suggestion.id),
    col(Suggestion.query_id),
    col(Suggestion.origin),
    col(Suggestion.candidate),
    col(Suggestion.model),
    sa.cast(col(Suggestion.plan), sa.Text),
    sa.func.substr(col(Suggestion.trace), 1, TRACE_BEGINNING),
    col(Suggestion.trace_length),
    col(Suggestion.failure),
    col(Suggestion.is_repaired),
    _plain_time(col(Suggestion.created_at)),
)


def stream_queries(
    session: Session, project_id: str, kinds: Collection[SourceKind]
) -> Iterator[list[QueryPart]]:
    """The queries that sources of these kinds may take, with their chosen plans, in chunks, by id.

    Suggestions may be taken of whatever was asked here: what is no history, or was decided on.
    """
    statement = (
        sa.select(*_QUERY)
        .select_from(Query)
        .outerjoin(
            Annotation,
            sa.and_(
                col(Annotation.id) == col(Query.chosen_annotation_id),
                col(Annotation.state) == "accepted",
            ),
        )
        .outerjoin(Revision, col(Revision.id) == col(Annotation.revision_id))
        .where(_of_project(Query, project_id), sa.or_(*(_MAY_TAKE[kind] for kind in kinds)))
        .order_by(col(Query.id))
        .execution_options(yield_per=CHUNK)
    )
    for rows in session.connection().execute(statement).partitions(CHUNK):
        yield list(map(QueryPart._make, rows))


def list_suggestions_between(
    session: Session, project_id: str, first_id: str, last_id: str
) -> dict[str, list[SuggestionPart]]:
    """The suggestions of the queries from one id to another, each query's in order."""
    between = col(Suggestion.query_id).between(first_id, last_id)
    return _by_query(session, project_id, between)


def list_suggestions(
    session: Session, project_id: str, query_ids: Sequence[str]
) -> dict[str, list[SuggestionPart]]:
    """The suggestions of some queries, each query's in order."""
    return _by_query(session, project_id, col(Suggestion.query_id).in_(query_ids))


def _by_query(
    session: Session, project_id: str, where: sa.ColumnElement[bool]
) -> dict[str, list[SuggestionPart]]:
    statement = sa.select(*_SUGGESTION).where(_of_project(Suggestion, project_id), where)
    found: dict[str, list[SuggestionPart]] = {}
    for row in session.connection().execute(statement).all():
        found.setdefault(row[1], []).append(SuggestionPart._make(row))
    for parts in found.values():
        if len(parts) > 1:
            parts.sort(key=lambda part: (part.candidate, part.id))
    return found


def list_discarded_between(
    session: Session, project_id: str, first_id: str, last_id: str
) -> set[str]:
    """Queries, from one id to another, that a reviewer discarded an annotation of."""
    statement = sa.select(col(Annotation.query_id)).where(
        col(Annotation.project_id) == project_id,
        col(Annotation.query_id).between(first_id, last_id),
        col(Annotation.state) == "discarded",
    )
    return set(session.connection().execute(statement).scalars())


def get_whole_queries(
    session: Session, project_id: str, query_ids: Iterable[str]
) -> dict[str, WholeQuery]:
    """Whole queries by id; those that do not exist here are left out."""
    columns = (
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
    )
    rows = _by_id(session, Query, columns, project_id, query_ids)
    return {row[0]: WholeQuery._make(row) for row in rows}


def get_revision_texts(
    session: Session, project_id: str, revision_ids: Iterable[str | None]
) -> dict[str, RevisionText]:
    """Revisions by id; those that do not exist here are left out."""
    columns = (
        col(Revision.id),
        sa.cast(col(Revision.content), sa.Text),
        col(Revision.content_hash),
    )
    rows = _by_id(session, Revision, columns, project_id, revision_ids)
    return {row[0]: RevisionText(row[1], row[2]) for row in rows}


def get_suggestion_texts(
    session: Session, project_id: str, suggestion_ids: Iterable[str | None]
) -> dict[str, SuggestionText]:
    """Suggestions by id; those that do not exist here are left out."""
    columns = (
        col(Suggestion.id),
        sa.cast(col(Suggestion.plan), sa.Text),
        col(Suggestion.trace),
    )
    rows = _by_id(session, Suggestion, columns, project_id, suggestion_ids)
    return {row[0]: SuggestionText(row[1], row[2]) for row in rows}


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


def _by_id(
    session: Session,
    table: type[Query | Revision | Suggestion],
    columns: tuple[Any, ...],
    project_id: str,
    ids: Iterable[str | None],
) -> Sequence[Any]:
    wanted = sorted(each for each in ids if each is not None)
    if not wanted:
        return ()
    among = values_among(session, "ids")
    statement = (
        sa.select(*columns)
        .join(among, among.c.value == col(table.id))
        .where(_of_project(table, project_id))
    )
    values = {"ids": among_value(session, wanted)}
    return session.connection().execute(statement, values).all()
