"""Public data of others, read where it lies: `make test-data DATA=folder`.

The folder holds `*.jsonl` rows and `experts/*.json(l)` lists, as its own README describes them.
None of it is part of this repository.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from db.engine import Database
from db.tables import Query, Suggestion, Task
from labeling.experts import list_versions, publish_file
from labeling.intake import import_file
from schemas.intake import ImportKind
from schemas.people import Actor
from tests.factories import a_project
from tests.importing import figures

pytestmark = pytest.mark.outside_data


@pytest.fixture
def who(sqlite_database: Database, folder: Path) -> Actor:
    """An admin of a project in which every list of the folder is published."""
    admin = a_project(sqlite_database)
    for path in sorted((folder / "experts").iterdir()):
        publish_file(sqlite_database, admin, path.read_bytes())
    return admin


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file)


def test_every_expert_list_is_published_once(
    sqlite_database: Database, who: Actor, folder: Path
) -> None:
    published = {each.name: each for each in list_versions(sqlite_database, who)}
    files = sorted((folder / "experts").iterdir())
    lists = [
        value
        for path in files
        for value in (rows_of(path) if path.suffix == ".jsonl" else [json.loads(path.read_text())])
    ]
    assert len(lists) == 164
    for each in lists:
        assert published[each["name"]].experts == len(each["experts"])
        assert published[each["name"]].tools == len(each["tools"])
    again = [p for path in files for p in publish_file(sqlite_database, who, path.read_bytes())]
    assert not any(each.is_new for each in again)


@pytest.mark.parametrize(
    ("name", "rows", "incomplete", "experts"),
    [
        ("plans_zh_ultratool", 240, 240, None),
        ("plans_en_ultratool", 240, 240, None),
        ("plans_en_bfcl", 90, 90, None),
        ("dialogues_zh_crosswoz", 200, 200, None),
        ("traces_en_toolrl", 150, 146, None),
        ("rewrite_en", 300, 300, "bfcl_multi_turn@1"),
    ],
)
def test_plans_are_imported_with_their_gaps_counted_and_left_open(
    sqlite_database: Database,
    who: Actor,
    folder: Path,
    tmp_path: Path,
    name: str,
    rows: int,
    incomplete: int,
    experts: str | None,
) -> None:
    path = folder / f"{name}.jsonl"
    counts = [
        import_file(
            sqlite_database,
            who,
            path,
            kind="suggestions",
            errors_dir=tmp_path,
            experts=experts,
            mapping={"plan": "gold_plan"},
        )
        for _ in range(2)
    ]
    assert [figures(each) for each in counts] == [
        (rows, rows, 0, 0, incomplete, 0),
        (rows, 0, rows, 0, 0, 0),
    ]
    theirs = {row["id"]: row for row in rows_of(path)}
    with sqlite_database.reading() as session:
        statement = select(Query, Suggestion).join(Suggestion, col(Suggestion.query_id) == Query.id)
        ours = {query.external_id: (query, kept) for query, kept in session.exec(statement)}
        assert len(session.exec(select(Task)).all()) == rows
    assert ours.keys() == theirs.keys()
    for identity, (query, kept) in ours.items():
        row = theirs[identity]
        assert (query.text, query.history) == (row["query"], row["history"])
        assert kept.trace == row["trace"]
        gold = row["gold_plan"]
        if gold is None:
            assert (kept.plan, kept.partial_plan, kept.failure) == (None, None, "replies.no_plan")
            continue
        partial = kept.plan or kept.partial_plan
        assert partial is not None
        assert partial.get("rewritten_query") == gold["rewritten_query"]
        assert _questions(partial) == _questions(gold)


def test_a_queue_of_bare_queries_waits_for_labels(
    sqlite_database: Database, who: Actor, folder: Path, tmp_path: Path
) -> None:
    path = folder / "queue_en_taskbench.jsonl"
    counts = import_file(sqlite_database, who, path, kind="queries", errors_dir=tmp_path)
    assert figures(counts) == (200, 200, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "kind", "mapping", "expected"),
    [
        # One row shows a model's output without the prompt, so there is no query.
        ("traces_zh_samples", "suggestions", {}, (12, 11, 0, 0, 0, 1)),
        # Drafts of a model: unknown experts and circles are refused, the rest lacks its rewrite.
        ("drafts_en_taskbench", "suggestions", {"plan": "drafts.0.plan"}, (120, 78, 0, 0, 78, 42)),
        # Texts to try parsers with, no queries at all.
        ("malformed_samples", "queries", {}, (120, 0, 0, 0, 0, 120)),
    ],
)
def test_rows_that_cannot_be_used_are_refused_with_a_reason(
    sqlite_database: Database,
    who: Actor,
    folder: Path,
    tmp_path: Path,
    name: str,
    kind: ImportKind,
    mapping: dict[str, str],
    expected: tuple[int, ...],
) -> None:
    counts = import_file(
        sqlite_database,
        who,
        folder / f"{name}.jsonl",
        kind=kind,
        errors_dir=tmp_path,
        experts="crosswoz_zh",
        mapping=mapping,
    )
    assert figures(counts) == expected
    assert counts.errors_file is not None
    errors = list(rows_of(Path(counts.errors_file)))
    assert len(errors) == counts.refused
    assert all(error["reason"] and error["row"] for error in errors)


def _questions(plan: dict[str, Any]) -> list[str]:
    steps: list[dict[str, Any]] = plan.get("steps") or []
    return sorted(question for step in steps for question in step["sub_questions"])
