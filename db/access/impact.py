"""What hangs on a version of an expert list: decided plans, benchmark questions, planners."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.tables import Query

_ANNOTATION, _BENCHMARK, _GOLD, _QUESTION, _PLANNER, _QUERY, _REVISION, _ROW, _RUN = (
    Query.metadata.tables[name]
    for name in (
        "annotation",
        "benchmark",
        "gold_item",
        "benchmark_question",
        "planner",
        "query",
        "revision",
        "bundle_row",
        "run",
    )
)
EXCERPT = 200


class DecidedPlan(NamedTuple):
    """A query, its text cut, with its decided plan (JSON text) or, of history, its old answer."""

    query_id: str
    text: str
    dialect: str
    plan: str | None
    answer: str | None


def list_plans(
    session: Session, project_id: str, version_id: str, after: str, limit: int
) -> list[DecidedPlan]:
    """Decided queries pinned to a version, after a query, by their ids; gold items aside.

    With the chosen plan; history that nobody has worked on with its old answer.
    """
    statement = (
        sa.select(
            _QUERY.c.id,
            sa.func.substr(_QUERY.c.text, 1, EXCERPT),
            _QUERY.c.dialect,
            sa.cast(_REVISION.c.content, sa.Text),
            _QUERY.c.answer,
        )
        .outerjoin(_ANNOTATION, _ANNOTATION.c.id == _QUERY.c.chosen_annotation_id)
        .outerjoin(_REVISION, _REVISION.c.id == _ANNOTATION.c.revision_id)
        .where(
            *_decided(project_id, version_id),
            sa.or_(_REVISION.c.id.is_not(None), _QUERY.c.answer.is_not(None)),
            _QUERY.c.id > after,
        )
        .order_by(_QUERY.c.id)
        .limit(limit)
    )
    return [DecidedPlan(*row) for row in session.connection().execute(statement)]


def count_plans(session: Session, project_id: str, version_id: str) -> int:
    """How many rows `list_plans` gives over all."""
    statement = sa.select(sa.func.count()).where(
        *_decided(project_id, version_id),
        sa.or_(_QUERY.c.chosen_annotation_id.is_not(None), _QUERY.c.answer.is_not(None)),
    )
    return session.scalar(statement) or 0


def _decided(project_id: str, version_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _QUERY.c.project_id == project_id,
        _QUERY.c.list_version_id == version_id,
        ~sa.exists().where(_GOLD.c.query_id == _QUERY.c.id),
    )


def list_questions(session: Session, project_id: str, version_id: str) -> list[tuple[str, str]]:
    """Benchmark questions under a version: the benchmark as NAME@N, and the plan as JSON text."""
    statement = (
        sa.select(_BENCHMARK.c.name, _BENCHMARK.c.version, sa.cast(_QUESTION.c.plan, sa.Text))
        .join(_QUESTION, _QUESTION.c.benchmark_id == _BENCHMARK.c.id)
        .where(_BENCHMARK.c.project_id == project_id, _BENCHMARK.c.list_version_id == version_id)
    )
    rows = session.connection().execute(statement)
    return [(f"{name}@{version}", plan) for name, version, plan in rows]


def list_planners(session: Session, project_id: str, version_id: str) -> list[str]:
    """Names of the planners that were trained on rows of a version."""
    trained_on = (
        sa.exists()
        .where(
            _ROW.c.bundle_id == _RUN.c.bundle_id,
            _ROW.c.query_id == _QUERY.c.id,
            _QUERY.c.list_version_id == version_id,
        )
        .correlate(_RUN)
    )
    statement = (
        sa.select(_PLANNER.c.name)
        .join(_RUN, _RUN.c.id == _PLANNER.c.run_id)
        .where(_PLANNER.c.project_id == project_id, trained_on)
        .order_by(_PLANNER.c.id)
    )
    return list(session.connection().execute(statement).scalars())
