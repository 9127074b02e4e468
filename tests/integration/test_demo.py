"""The demo project: whole, diverse, true to what it says of itself, and loaded once."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from db.access import lists
from db.engine import Database
from db.tables import Event, ImportFile, Project, Query, Suggestion, Task
from labeling import demo, experts, projects, prompts
from labeling.accounts import command_line_actor
from labeling.demo import load_demo
from schemas.clusters import cluster_key
from schemas.plan_import import plan_from_import
from schemas.scoring.text import similarity
from schemas.settings import Settings

FOLDER = Path(demo.__file__).parent


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def counts(database: Database) -> dict[str, int]:
    with database.reading() as session:
        tables = (Project, Query, Suggestion, Task, Event, ImportFile)
        return {
            table.__name__: session.connection().scalar(
                sa.select(sa.func.count()).select_from(table)
            )
            or 0
            for table in tables
        }


def test_loading_it_again_adds_nothing(database: Database, settings: Settings) -> None:
    first = load_demo(database, settings)
    before = counts(database)
    second = load_demo(database, settings)
    assert first.is_new
    assert not second.is_new
    assert counts(database) == before
    assert asdict(first) | {"is_new": False} == asdict(second)
    assert (first.queries, first.history, first.questions) == (62, 14, 12)


def test_a_loading_that_was_interrupted_goes_on(
    sqlite_database: Database, settings: Settings
) -> None:
    whole = load_demo(sqlite_database, settings)
    with sqlite_database.transaction() as session:
        last = session.exec(select(Suggestion.id).order_by(Suggestion.id)).all()[30:]
        session.connection().execute(sa.delete(Suggestion).where(Suggestion.id.in_(last)))
    assert load_demo(sqlite_database, settings) == whole


def test_it_is_a_project_of_its_own_under_the_newest_lists(
    sqlite_database: Database, settings: Settings
) -> None:
    load_demo(sqlite_database, settings)
    who = command_line_actor(sqlite_database, "demo")
    with sqlite_database.reading() as session:
        project = session.get_one(Project, who.project_id)
        assert project.is_demo
        pinned = {
            query.external_id: (query.list_version_id, query.dialect)
            for query in session.exec(select(Query).where(Query.project_id == who.project_id))
        }
        references = {
            query: (found.reference, dialect)
            for query, (version, dialect) in pinned.items()
            if (found := lists.find_list(session, who.project_id, version))
        }
    assert references["zh-001"] == ("merchant@2", "zh@1")
    assert references["old-001"] == references["hist-01"] == ("merchant@1", "zh@1")
    assert references["en-001"] == ("merchant-en@1", "en@1")
    current = projects.get_settings(sqlite_database, who)
    assert (current.dialect, current.banned_words) == ("zh@1", ("微信",))
    assert (
        current.current_list_version_id == experts.get_list(sqlite_database, who, "merchant@2")[0]
    )
    guideline = prompts.find_guideline(sqlite_database, who)
    assert guideline is not None
    assert guideline.version == 1
    change = experts.compare(sqlite_database, who, "merchant@1", "merchant@2")
    assert [expert.name for expert in change.added] == ["人群运营专家"]


def test_its_replies_are_good_and_bad(sqlite_database: Database, settings: Settings) -> None:
    load_demo(sqlite_database, settings)
    with sqlite_database.reading() as session:
        suggestions = list(session.exec(select(Suggestion).where(Suggestion.origin == "import")))
        states = Counter(session.exec(select(Query.state).where(Query.kind == "queries")))
    failures = Counter(each.failure for each in suggestions if each.failure)
    assert failures == {
        "replies.invalid_plan": 3,
        "replies.cut_off": 1,
        "replies.incomplete": 1,
        "replies.doubled_keys": 1,
        "replies.no_plan": 1,
    }
    assert sum(each.is_repaired for each in suggestions) == 1
    assert sum(each.plan is not None for each in suggestions) >= 70
    assert len({each.reply_shape for each in suggestions}) >= 5
    assert states == {"ready": 57, "waiting": 5}
    by_query = Counter(each.query_id for each in suggestions)
    assert sum(count >= 2 for count in by_query.values()) >= 15
    assert max(by_query.values()) == 3
    assert sum("微信" in (each.trace or "") for each in suggestions) == 1
    lengths = sorted(each.trace_length for each in suggestions)
    assert lengths[0] < 20
    assert lengths[-1] > 300
    sizes = Counter(len(each.plan["steps"]) for each in suggestions if each.plan)  # type: ignore[arg-type]
    assert set(sizes) >= {0, 1, 2, 3, 4}


def test_the_benchmark_is_not_what_is_trained_on(
    sqlite_database: Database, settings: Settings
) -> None:
    load_demo(sqlite_database, settings)
    who = command_line_actor(sqlite_database, "demo")
    _, newest = experts.get_list(sqlite_database, who, "merchant@2")
    trained = [*rows("queries.zh.jsonl"), *rows("queries.en.jsonl")]
    texts = [row["query"] for row in trained]
    texts += [row["messages"][-2]["content"] for row in rows("history.jsonl")]
    clusters = {cluster_key(row["query"], row.get("history", [])) for row in trained}
    assert len(clusters) == len(trained)
    for question in rows("benchmark.jsonl"):
        read = plan_from_import(question["plan"], newest)
        assert read.plan is not None
        closest = max(similarity(text, question["query"]) for text in texts)
        assert closest < 0.7, question["query"]
