"""Benchmarks are frozen as a whole: one file, one version."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from db.engine import Database
from db.tables import Benchmark, BenchmarkQuestion
from labeling.duplicates import load_guard
from labeling.experts import publish
from schemas.errors import InvalidInput
from tests.factories import a_project
from tests.importing import Importer, a_plan, figures


@pytest.fixture
def importing(database: Database, tmp_path: Path) -> Importer:
    return Importer(database, tmp_path)


def benchmarks(importing: Importer) -> list[tuple[str, int, int]]:
    """(name, version, questions), oldest first."""
    with importing.database.reading() as session:
        return [
            (
                row.name,
                row.version,
                len(
                    session.exec(
                        select(BenchmarkQuestion).where(BenchmarkQuestion.benchmark_id == row.id)
                    ).all()
                ),
            )
            for row in session.exec(select(Benchmark).order_by(col(Benchmark.id)))
        ]


ROWS: list[dict[str, Any]] = [
    {"id": "1", "query": "上周的流量怎么掉了这么多？", "plan": a_plan()},
    {"id": "2", "query": "那退款呢", "plan": a_plan("上周的退款原因是什么")},
]


def test_other_content_is_the_next_version_and_the_same_is_known(importing: Importer) -> None:
    assert figures(importing(ROWS, "benchmark")) == (2, 2, 0, 0, 0, 0)
    assert figures(importing(ROWS, "benchmark")) == (2, 0, 2, 0, 0, 0)
    assert figures(importing(list(reversed(ROWS)), "benchmark")) == (2, 0, 2, 0, 0, 0)
    assert importing(ROWS[:1], "benchmark").added == 1
    assert importing(ROWS, "benchmark", name="other").added == 2
    assert benchmarks(importing) == [("rows", 1, 2), ("rows", 2, 1), ("other", 1, 2)]
    assert importing.queries() == []
    assert importing.tasks() == []


def test_only_whole_plans_under_one_list_are_questions(importing: Importer) -> None:
    other = {"name": "other", "experts": [{"name": "甲", "description": "甲"}]}
    publish(importing.database, importing.who, other)
    rows = [
        {**ROWS[0], "experts": "merchant"},
        {"id": "2", "query": "b", "plan": a_plan(None), "experts": "merchant"},
        {"id": "3", "query": "c", "experts": "merchant"},
        {"id": "4", "query": "d", "plan": {"rewritten_query": "d", "steps": []}},
        {**ROWS[0], "experts": "merchant", "query": "changed"},
    ]
    counts = importing(rows, "benchmark")
    assert figures(counts) == (5, 1, 0, 1, 0, 3)
    assert [each["code"] for each in importing.errors(counts)] == [
        "intake.plan_refused",
        "intake.plan_missing",
        "intake.benchmark_other_list",
        "intake.changed",
    ]


def test_a_file_without_a_usable_question_makes_no_benchmark(importing: Importer) -> None:
    assert figures(importing([{"query": "a"}], "benchmark")) == (1, 0, 0, 0, 0, 1)
    assert benchmarks(importing) == []


@pytest.mark.parametrize("name", ["a@1", " ", "a/b"])
def test_a_name_that_would_mislead_is_refused(importing: Importer, name: str) -> None:
    with pytest.raises(InvalidInput):
        importing(ROWS, "benchmark", name=name)


def test_every_question_of_a_project_is_guarded(importing: Importer) -> None:
    importing(ROWS, "benchmark")
    guard = load_guard(importing.database, importing.who)
    leak = guard.find_leak("上周的流量怎么掉了这么多")
    assert leak is not None
    assert (leak.kind, leak.question.reference) == ("normalised", "rows@1")
    rewritten = guard.find_leak("换个说法", "上周的退款原因是什么？")
    assert rewritten is not None
    assert rewritten.kind == "rewrite"
    stranger = a_project(importing.database, "other")
    assert load_guard(importing.database, stranger).find_leak(ROWS[0]["query"]) is None
