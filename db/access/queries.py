"""Queries: their derived state, what models said to them, and lists of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from db.engine import take_turns
from db.prepared import ONE, Prepared, word
from db.tables import Annotation, ListVersion, Query, Suggestion, Task
from schemas.desk import SuggestionView
from schemas.queries import QuerySummary

EXCERPT = 200

_QUERY, _ANNOTATION, _TASK, _SUGGESTION, _GUIDELINE, _GOLD = (
    Query.metadata.tables[name]
    for name in ("query", "annotation", "task", "suggestion", "guideline_version", "gold_item")
)


class Asked(NamedTuple):
    """What was asked, and under which list."""

    id: str
    external_id: str | None
    text: str
    history: list[dict[str, str]]
    list_version_id: str
    dialect: str


class Opening(NamedTuple):
    """The suggestion that an editor opens with."""

    suggestion_id: str
    plan: Mapping[str, Any] | None
    partial_plan: Mapping[str, Any] | None


class Waiting(NamedTuple):
    """A query that waits to be labelled."""

    id: str
    text: str


def list_unlabelled(session: Session, project_id: str, limit: int) -> list[Waiting]:
    """Queries that nobody has begun to label and somebody may, newest first."""
    is_open = sa.exists().where(
        _TASK.c.query_id == _QUERY.c.id, _TASK.c.kind == "label", _TASK.c.status == "open"
    )
    statement = (
        sa.select(_QUERY.c.id, _QUERY.c.text)
        .where(_QUERY.c.project_id == project_id, _QUERY.c.state.in_(("waiting", "ready")), is_open)
        .order_by(_QUERY.c.id.desc())
        .limit(limit)
    )
    return [Waiting(*row) for row in session.connection().execute(statement)]


def find_query(session: Session, project_id: str, query_id: str) -> Query | None:
    """A query of this project."""
    query = session.get(Query, query_id)
    return query if query and query.project_id == project_id else None


def get_asked(session: Session, project_id: str, query_id: str) -> Asked:
    """What was asked in a query that is known to be there."""
    found = _ASKED.first(session, project=project_id, key=query_id)
    if found is None:
        raise LookupError(query_id)
    return Asked(*found)


def refresh_state(session: Session, project_id: str, query_id: str) -> None:
    """Bring the cached state of a query in step with its rows; the last act of a transaction.

    Decided: it has a chosen plan. In review: something is handed in. In work: somebody holds it,
    put it aside, or has it returned. Ready: a model has answered. Waiting: none of these.
    """
    take_turns(session, f"query {query_id}")
    _REFRESH.run(session, key=query_id, project=project_id)


def derived_state() -> sa.ColumnElement[str]:
    """The state of a query as its annotations, tasks and suggestions tell it.

    The right plan of a gold query is known, so it is decided, whatever people answer.
    """
    is_gold = sa.exists().where(_GOLD.c.query_id == _QUERY.c.id)
    is_submitted = sa.exists().where(
        _ANNOTATION.c.query_id == _QUERY.c.id, _ANNOTATION.c.state == word("submitted")
    )
    is_in_work = sa.exists().where(
        _TASK.c.query_id == _QUERY.c.id,
        _TASK.c.kind == word("label"),
        sa.or_(
            _TASK.c.status.in_((word("taken"), word("postponed"))),
            _TASK.c.for_person_id.is_not(None),
        ),
    )
    is_answered = sa.exists().where(_SUGGESTION.c.query_id == _QUERY.c.id)
    return sa.case(
        (sa.or_(_QUERY.c.chosen_annotation_id.is_not(None), is_gold), word("decided")),
        (is_submitted, word("in_review")),
        (is_in_work, word("in_work")),
        (is_answered, word("ready")),
        else_=word("waiting"),
    )


_ASKED = Prepared(
    sa.select(*(_QUERY.c[name] for name in Asked._fields)).where(
        _QUERY.c.id == bindparam("key"), _QUERY.c.project_id == bindparam("project")
    )
)
_OPENING = Prepared(
    sa.select(_SUGGESTION.c.id, _SUGGESTION.c.plan, _SUGGESTION.c.partial_plan)
    .where(
        _SUGGESTION.c.query_id == bindparam("of_query"),
        sa.or_(_SUGGESTION.c.plan.is_not(None), _SUGGESTION.c.partial_plan.is_not(None)),
    )
    .order_by(_SUGGESTION.c.plan.is_(None), _SUGGESTION.c.candidate, _SUGGESTION.c.id)
    .limit(ONE)
)
_SUGGESTIONS = Prepared(
    sa.select(*(_SUGGESTION.c[name] for name in SuggestionView.model_fields))
    .where(
        _SUGGESTION.c.query_id == bindparam("of_query"),
        _SUGGESTION.c.origin != word("rederived"),
    )
    .order_by(_SUGGESTION.c.candidate, _SUGGESTION.c.id)
)
_NEWEST_GUIDELINE = Prepared(
    sa.select(_GUIDELINE.c.text)
    .where(_GUIDELINE.c.project_id == bindparam("project"))
    .order_by(_GUIDELINE.c.version.desc())
    .limit(ONE)
)
_REFRESH = Prepared(
    sa.update(_QUERY)
    .where(
        _QUERY.c.id == bindparam("key"),
        _QUERY.c.project_id == bindparam("project"),
        _QUERY.c.kind != word("history"),
    )
    .values(state=derived_state())
)


def choose(session: Session, query_id: str, annotation_id: str) -> None:
    """Make an accepted annotation the chosen one, unless one is chosen already."""
    take_turns(session, f"query {query_id}")
    statement = (
        sa.update(Query)
        .where(col(Query.id) == query_id, col(Query.chosen_annotation_id).is_(None))
        .values(chosen_annotation_id=annotation_id)
    )
    session.connection().execute(statement)


def find_opening(session: Session, query_id: str) -> Opening | None:
    """The first suggestion with a plan, else the first with a part of one."""
    row = _OPENING.first(session, of_query=query_id)
    return None if row is None else Opening(*row)


def list_suggestions(session: Session, query_id: str) -> tuple[SuggestionView, ...]:
    """What models said to a query, by candidate."""
    names = tuple(SuggestionView.model_fields)
    found = _SUGGESTIONS.all(session, of_query=query_id)
    return tuple(SuggestionView(**dict(zip(names, row, strict=True))) for row in found)


def find_guideline(session: Session, project_id: str) -> str | None:
    """The newest guideline of a project."""
    row = _NEWEST_GUIDELINE.first(session, project=project_id)
    return None if row is None else row[0]


class QueryFilter(NamedTuple):
    """What a list of queries is narrowed to; None does not narrow."""

    state: str | None = None
    text: str | None = None
    list_version_id: str | None = None
    is_flagged: bool = False
    import_id: str | None = None
    ids: Sequence[str] = ()


def list_queries(
    session: Session, project_id: str, after: str | None, limit: int, narrowed: QueryFilter
) -> list[QuerySummary]:
    """A page of queries after an id, oldest first; no JSON column is read."""
    page = (
        sa.select(
            col(Query.id),
            col(Query.external_id),
            col(Query.kind),
            sa.func.substr(col(Query.text), 1, EXCERPT).label("text"),
            col(Query.state),
            col(Query.created_at),
            col(Query.list_version_id),
            col(Query.priority),
            col(Query.disagreement),
        )
        .where(col(Query.project_id) == project_id, *_conditions(narrowed))
        .order_by(col(Query.id))
        .limit(limit)
    )
    if after is not None:
        page = page.where(col(Query.id) > after)
    rows = session.connection().execute(page).all()
    counts = _counts(session, [row[0] for row in rows])
    names = _references(session, {row[6] for row in rows})
    return [
        QuerySummary(
            id=row[0],
            external_id=row[1],
            kind=row[2],
            text=row[3],
            state=row[4],
            created_at=row[5],
            expert_list=names[row[6]],
            priority=row[7],
            disagreement=row[8],
            **counts[row[0]],
        )
        for row in rows
    ]


def count_by_state(session: Session, project_id: str) -> dict[str, int]:
    """Queries by state."""
    statement = (
        sa.select(col(Query.state), sa.func.count())
        .where(col(Query.project_id) == project_id)
        .group_by(col(Query.state))
    )
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def count_tasks(session: Session, project_id: str, kind: str, statuses: Sequence[str]) -> int:
    """Tasks of a kind in these states."""
    statement = sa.select(sa.func.count()).where(
        col(Task.project_id) == project_id,
        col(Task.kind) == kind,
        col(Task.status).in_(statuses),
    )
    return session.scalar(statement) or 0


def chosen_ids(project_id: str, narrowed: QueryFilter) -> sa.Select[str]:
    """The ids of queries that a filter leaves, to stand inside another statement."""
    return sa.select(col(Query.id)).where(
        col(Query.project_id) == project_id, *_conditions(narrowed)
    )


def _conditions(narrowed: QueryFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if narrowed.state is not None:
        conditions.append(col(Query.state) == narrowed.state)
    if narrowed.list_version_id is not None:
        conditions.append(col(Query.list_version_id) == narrowed.list_version_id)
    if narrowed.import_id is not None:
        conditions.append(col(Query.import_id) == narrowed.import_id)
    if narrowed.ids:
        wanted = list(narrowed.ids)
        conditions.append(sa.or_(col(Query.id).in_(wanted), col(Query.external_id).in_(wanted)))
    if narrowed.text:
        conditions.append(
            sa.or_(
                col(Query.text).icontains(narrowed.text, autoescape=True),
                col(Query.external_id) == narrowed.text,
                col(Query.id) == narrowed.text,
            )
        )
    if narrowed.is_flagged:
        flagged = sa.exists().where(
            col(Annotation.query_id) == col(Query.id), col(Annotation.flag).is_not(None)
        )
        conditions.append(flagged)
    return conditions


def _counts(session: Session, query_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    counts = {each: {"suggestions": 0, "annotations": 0, "flags": 0} for each in query_ids}
    suggestions = (
        sa.select(col(Suggestion.query_id), sa.func.count())
        .where(col(Suggestion.query_id).in_(query_ids), col(Suggestion.origin) != "rederived")
        .group_by(col(Suggestion.query_id))
    )
    for query_id, count in session.connection().execute(suggestions):
        counts[query_id]["suggestions"] = count
    annotations = (
        sa.select(col(Annotation.query_id), sa.func.count(), sa.func.count(col(Annotation.flag)))
        .where(col(Annotation.query_id).in_(query_ids))
        .group_by(col(Annotation.query_id))
    )
    for query_id, count, flags in session.connection().execute(annotations):
        counts[query_id] |= {"annotations": count, "flags": flags}
    return counts


def _references(session: Session, version_ids: set[str]) -> dict[str, str]:
    statement = select(ListVersion.id, ListVersion.name, ListVersion.version).where(
        col(ListVersion.id).in_(version_ids)
    )
    return {row[0]: f"{row[1]}@{row[2]}" for row in session.exec(statement)}
