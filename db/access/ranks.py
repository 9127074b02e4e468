"""Ranks in the queue, made anew from what they follow from; `schemas.ranks` says how."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from db.access.queries import QueryFilter, chosen_ids
from db.access.starts import order_changed
from db.engine import take_turns
from db.tables import Query, Suggestion, Task, WorkBatch
from schemas.ranks import DISAGREEMENT_STEPS, FLAGGED_FIRST, PRIORITY_STEP, due_term

_QUERY, _TASK, _ANNOTATION, _SUGGESTION = (
    Query.metadata.tables[name] for name in ("query", "task", "annotation", "suggestion")
)


Which = sa.Select[str] | Sequence[str]
"""Ids of queries, or the statement that finds them."""


def set_priority(session: Session, project_id: str, chosen: QueryFilter, priority: int) -> int:
    """Give queries another priority; returns how many had another one before."""
    statement = (
        sa.update(_QUERY)
        .where(_QUERY.c.id.in_(chosen_ids(project_id, chosen)), _QUERY.c.priority != priority)
        .values(priority=priority)
    )
    return session.connection().execute(statement).rowcount


def count_chosen(session: Session, project_id: str, chosen: QueryFilter) -> int:
    """How many queries a filter leaves."""
    some = chosen_ids(project_id, chosen).subquery()
    return session.connection().execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def rank_labels(session: Session, project_id: str, queries: Which) -> None:
    """Bring the ranks of these queries' labels in step.

    Of those that are handed in too: what comes back to be reviewed takes its rank from them.
    """
    rank = _label_rank(session, project_id)
    _rank(session, project_id, queries, rank, _TASK.c.kind == "label")


def rank_reviews(session: Session, project_id: str, queries: Which) -> None:
    """Bring the ranks of these queries' reviews in step with their labels."""
    is_open = _TASK.c.status != "done"
    _rank(session, project_id, queries, _review_rank(), _TASK.c.kind == "review", is_open)


def list_plans(session: Session, query_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """By query, the plans that models gave."""
    statement = (
        sa.select(col(Suggestion.query_id), col(Suggestion.plan))
        .where(col(Suggestion.query_id).in_(query_ids), col(Suggestion.plan).is_not(None))
        .order_by(col(Suggestion.query_id), col(Suggestion.id))
    )
    plans: dict[str, list[dict[str, Any]]] = {each: [] for each in query_ids}
    for query_id, plan in session.connection().execute(statement):
        if plan is not None:
            plans[query_id].append(plan)
    return plans


def list_suggested(session: Session, project_id: str, after: str, limit: int) -> list[str]:
    """Queries that models have answered, after an id, by id."""
    is_answered = sa.exists().where(
        _SUGGESTION.c.query_id == _QUERY.c.id, _SUGGESTION.c.plan.is_not(None)
    )
    statement = (
        sa.select(_QUERY.c.id)
        .where(_QUERY.c.project_id == project_id, _QUERY.c.id > after, is_answered)
        .order_by(_QUERY.c.id)
        .limit(limit)
    )
    return list(session.connection().execute(statement).scalars())


def set_disagreement(session: Session, found: Mapping[str, float | None]) -> list[str]:
    """Keep how far the suggestions of queries differ; the queries for which that is news."""
    connection = session.connection()
    before = sa.select(_QUERY.c.id, _QUERY.c.disagreement).where(_QUERY.c.id.in_(sorted(found)))
    changed: list[str] = [
        query_id for query_id, known in connection.execute(before) if known != found[query_id]
    ]
    if changed:
        statement = sa.update(_QUERY).where(_QUERY.c.id == sa.bindparam("query_id"))
        values = [{"query_id": each, "found": found[each]} for each in changed]
        connection.execute(statement.values(disagreement=sa.bindparam("found")), values)
    return changed


def _rank(
    session: Session,
    project_id: str,
    queries: Which,
    rank: sa.ColumnElement[int],
    *where: sa.ColumnElement[bool],
) -> None:
    statement = (
        sa.update(_TASK)
        .where(
            _TASK.c.project_id == project_id,
            _TASK.c.query_id.in_(queries),
            *where,
            _TASK.c.rank != rank,
        )
        .values(rank=rank)
    )
    take_turns(session, f"ranks of {project_id}")
    if session.connection().execute(statement).rowcount:
        order_changed(session, project_id)


def _label_rank(session: Session, project_id: str) -> sa.ColumnElement[int]:
    # Two decimals are stored, and engines cast in two ways (one rounds, one cuts off).
    steps = sa.cast(
        DISAGREEMENT_STEPS * sa.func.coalesce(_QUERY.c.disagreement, 0.0) + 0.1, sa.Integer()
    )
    of_query = (
        sa.select(-PRIORITY_STEP * _QUERY.c.priority - steps)
        .where(_QUERY.c.id == _TASK.c.query_id)
        .scalar_subquery()
    )
    due = sa.select(col(WorkBatch.id), col(WorkBatch.due_on)).where(
        col(WorkBatch.project_id) == project_id, col(WorkBatch.due_on).is_not(None)
    )
    terms = {row[0]: due_term(row[1]) for row in session.connection().execute(due)}
    if not terms:
        return of_query
    return of_query + sa.case(terms, value=_TASK.c.work_batch_id, else_=0)


def _review_rank() -> sa.ColumnElement[int]:
    label = Task.metadata.tables["task"].alias("label")
    of_label = (
        sa.select(label.c.rank)
        .where(
            label.c.kind == "label",
            label.c.query_id == _TASK.c.query_id,
            label.c.slot == _TASK.c.slot,
        )
        .scalar_subquery()
    )
    is_flagged = sa.exists().where(
        _ANNOTATION.c.id == _TASK.c.annotation_id, _ANNOTATION.c.flag.is_not(None)
    )
    return sa.func.coalesce(of_label, 0) - sa.case((is_flagged, FLAGGED_FIRST), else_=0)
