"""What hangs on a version of an expert list: decided plans, benchmark questions, planners."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.tables import Query

_ANNOTATION, _BENCHMARK, _QUESTION, _PLANNER, _QUERY, _REVISION, _ROW, _RUN, _SUGGESTION = (
    Query.metadata.tables[name]
    for name in (
        "annotation",
        "benchmark",
        "benchmark_question",
        "planner",
        "query",
        "revision",
        "bundle_row",
        "run",
        "suggestion",
    )
)
_EXCERPT = sa.func.substr(_QUERY.c.text, 1, 200)


class DecidedPlan(NamedTuple):
    """A decided plan (JSON text) of a query, whose text is cut."""

    query_id: str
    text: str
    plan: str


def list_plans(
    session: Session, project_id: str, version_id: str, after: str, limit: int
) -> list[DecidedPlan]:
    """Decided plans of queries pinned to a version, after a query, by its id.

    The chosen plan; of history that nobody has worked on, the plan of its old answer.
    """
    chosen = (
        sa.select(_QUERY.c.id, _EXCERPT, sa.cast(_REVISION.c.content, sa.Text))
        .join(_ANNOTATION, _ANNOTATION.c.id == _QUERY.c.chosen_annotation_id)
        .join(_REVISION, _REVISION.c.id == _ANNOTATION.c.revision_id)
    )
    of_history = (
        sa.select(_QUERY.c.id, _EXCERPT, sa.cast(_SUGGESTION.c.plan, sa.Text))
        .join(_SUGGESTION, _SUGGESTION.c.query_id == _QUERY.c.id)
        .where(
            _QUERY.c.kind == "history",
            _QUERY.c.chosen_annotation_id.is_(None),
            _SUGGESTION.c.plan.is_not(None),
        )
    )
    found: list[DecidedPlan] = []
    for statement in (chosen, of_history):
        page = (
            statement.where(
                _QUERY.c.project_id == project_id,
                _QUERY.c.list_version_id == version_id,
                _QUERY.c.id > after,
            )
            .order_by(_QUERY.c.id)
            .limit(limit)
        )
        found += [DecidedPlan(*row) for row in session.connection().execute(page)]
    return sorted(found)[:limit]


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
