"""Importing rows: counted, known again, refused with a reason, never filled in."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from db.access.events import list_events
from db.engine import Database
from db.tables import ImportFile, ListVersion
from labeling.experts import publish
from labeling.projects import change_settings
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.intake import ImportCounts
from schemas.people import Actor
from tests.factories import a_person, a_project
from tests.importing import Importer, a_plan, figures


@pytest.fixture
def importing(database: Database, tmp_path: Path) -> Importer:
    return Importer(database, tmp_path)


@pytest.fixture
def importing_here(sqlite_database: Database, tmp_path: Path) -> Importer:
    """For what does not depend on the database."""
    return Importer(sqlite_database, tmp_path)


def test_queries_wait_pinned_with_a_task_for_each_wanted_annotation(importing: Importer) -> None:
    change_settings(importing.database, importing.who, overlap=2)
    turns = [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "您好"}]
    counts = importing([{"id": 7, "query": "流量呢？", "history": turns}, {"query": "退款呢？"}])
    assert figures(counts) == (2, 2, 0, 0, 0, 0)
    assert counts.errors_file is None
    first, second = importing.queries()
    assert (first.external_id, first.text, first.history) == ("7", "流量呢？", turns)
    assert (first.state, first.dialect, first.window) == ("waiting", "zh@1", 6)
    assert second.external_id is None
    slots = [(task.query_id, task.slot, task.status) for task in importing.tasks()]
    assert sorted(slots) == sorted(
        (query.id, slot, "open") for query in (first, second) for slot in (1, 2)
    )
    assert importing.suggestions() == []


def test_a_share_of_imported_queries_is_labelled_by_more_than_one(importing: Importer) -> None:
    change_settings(importing.database, importing.who, overlap=3, overlap_share=0.25)
    importing([{"query": f"问题 {number}"} for number in range(80)])
    slots = Counter(task.query_id for task in importing.tasks())
    assert set(slots.values()) == {1, 3}
    assert 5 <= sum(count == 3 for count in slots.values()) <= 40


def test_importing_a_file_twice_adds_nothing(importing: Importer) -> None:
    rows = [{"id": "a", "query": "甲"}, {"query": "乙"}, {"id": "b", "query": "丙", "trace": "想"}]
    assert importing(rows).added == 3
    assert figures(importing(rows)) == (3, 0, 3, 0, 0, 0)
    assert len(importing.queries()) == len(importing.tasks()) == 3


def test_the_same_id_with_other_content_is_refused_and_the_old_row_stands(
    importing: Importer,
) -> None:
    importing([{"id": "a", "query": "甲"}])
    counts = importing([{"id": "a", "query": "甲甲"}])
    assert figures(counts) == (1, 0, 0, 1, 0, 0)
    assert counts.has_refused
    assert [query.text for query in importing.queries()] == ["甲"]
    (error,) = importing.errors(counts)
    assert (error["line"], error["code"]) == (1, "intake.changed")
    assert error["row"] == {"id": "a", "query": "甲甲"}


def test_a_row_that_stands_twice_in_a_file_meets_itself(importing: Importer) -> None:
    rows = [{"id": "a", "query": "甲"}, {"id": "a", "query": "甲"}, {"id": "a", "query": "乙"}]
    assert figures(importing([*rows, {"query": "丁"}, {"query": "丁"}])) == (5, 2, 2, 1, 0, 0)


def test_the_kinds_are_apart(importing: Importer) -> None:
    row = {"id": "a", "query": "甲", "plan": a_plan()}
    assert importing([row]).added == 1
    assert importing([row], "suggestions").added == 1
    assert importing([row], "history").added == 1
    assert [query.kind for query in importing.queries()] == ["queries", "suggestions", "history"]


def test_a_list_published_since_does_not_make_a_known_row_another(importing: Importer) -> None:
    database, who = importing.database, importing.who
    lists = {
        name: {"name": "desk", "experts": [{"name": name, "description": name}]} for name in "ab"
    }
    publish(database, who, lists["a"])
    rows = [{"id": "1", "query": "甲"}, {"id": "2", "query": "乙", "experts": "desk"}]
    assert importing(rows).added == 2
    publish(database, who, lists["b"])
    assert figures(importing(rows)) == (2, 0, 2, 0, 0, 0)
    said = [{"id": "1", "query": "甲", "experts": "desk@2"}, {"query": "丙", "experts": "desk@1"}]
    assert figures(importing(said)) == (2, 1, 0, 1, 0, 0)
    with database.reading() as session:
        pinned = {row.id: row.version for row in session.exec(select(ListVersion))}
    assert [pinned[query.list_version_id] for query in importing.queries()] == [1, 1, 1]


def test_a_bad_row_stops_no_file(importing: Importer) -> None:
    rows: list[dict[str, Any] | str] = [
        {"id": "good", "query": "甲"},
        "{not json",
        "",
        '{"query": "a", "query": "b"}',
        '["query"]',
        {"query": "a\0b"},
        {"query": " "},
        {"query": 7},
        {},
        {"query": "a", "experts": "never published"},
        {"query": "a", "history": "no"},
        {"query": "a", "history": [{"role": "system", "content": "x"}]},
        {"query": "a" * 20_001},
        {"id": "x" * 201, "query": "a"},
        {"id": "last", "query": "<script>alert(1)</script>"},
    ]
    counts = importing(rows)
    assert figures(counts) == (14, 2, 0, 0, 0, 12)
    assert [query.external_id for query in importing.queries()] == ["good", "last"]
    assert [(each["line"], each["code"]) for each in importing.errors(counts)] == [
        (2, "files.not_json"),
        (4, "files.doubled_key"),
        (5, "intake.not_an_object"),
        (6, "files.nul"),
        (7, "intake.blank"),
        (8, "intake.not_text"),
        (9, "intake.query_missing"),
        (10, "experts.list_not_found"),
        (11, "files.not_json"),
        (12, "intake.history_form"),
        (13, "intake.text_too_long"),
        (14, "intake.text_too_long"),
    ]


def test_the_reason_is_in_the_readers_language(importing_here: Importer) -> None:
    who = importing_here.who
    chinese = Actor(who.person_id, who.name, who.project_id, who.project, "admin", "zh")
    (error,) = importing_here.errors(importing_here([{}], who=chinese))
    assert error["reason"].startswith("该行没有用户问题")


def test_other_peoples_columns_are_mapped(importing: Importer) -> None:
    row = {"nr": 1, "text": "甲", "out": {"answers": [{"plan": a_plan()}], "why": "想"}, "plan": 7}
    mapping = {"id": "nr", "query": "text", "plan": "out.answers.0.plan", "trace": "out.why"}
    assert importing([row], "suggestions", mapping=mapping).added == 1
    (suggestion,), (query,) = importing.suggestions(), importing.queries()
    assert (query.external_id, query.text) == ("1", "甲")
    assert (suggestion.plan, suggestion.trace) == (a_plan(), "想")


@pytest.mark.parametrize(
    ("options", "failure"),
    [
        ({"mapping": {"plan": "gold"}}, InvalidInput),
        ({"mapping": {"gold": "plan"}}, InvalidInput),
        ({"experts": "never published"}, NotFound),
        ({"encoding": "klingon"}, InvalidInput),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_first_row(
    importing_here: Importer, options: dict[str, Any], failure: type[Exception]
) -> None:
    with pytest.raises(failure) as refusal:
        importing_here([{"query": "a"}], **options)
    assert str(refusal.value)
    assert importing_here.queries() == []


def test_rows_without_a_list_need_one_somewhere(importing_here: Importer) -> None:
    change_settings(importing_here.database, importing_here.who, current_list_version_id=None)
    counts = importing_here([{"query": "a"}, {"query": "b", "experts": "merchant"}])
    assert figures(counts) == (2, 1, 0, 0, 0, 1)
    assert importing_here.errors(counts)[0]["code"] == "intake.no_list"
    assert importing_here([{"query": "a"}], experts="merchant@1").added == 1


def test_only_an_admin_imports(importing_here: Importer) -> None:
    reviewer = a_person(importing_here.database, importing_here.who.project_id, "reviewer")
    with pytest.raises(NotAllowed):
        importing_here([{"query": "a"}], who=reviewer)


def test_an_import_leaves_one_record_and_one_event(importing: Importer) -> None:
    importing([{"query": "a"}, {}])
    with importing.database.reading() as session:
        record = session.exec(select(ImportFile)).one()
        events = list_events(session, importing.who.project_id, "import", record.id)
    assert (record.state, record.file_name) == ("done", "rows.jsonl")
    assert (record.counts["added"], record.counts["refused"]) == (1, 1)
    assert record.errors_file is not None
    assert [(event.action, event.after) for event in events] == [("imported", "done")]


def test_an_interrupted_import_goes_on_where_it_stood(importing: Importer) -> None:
    rows: list[dict[str, Any] | str] = [{"id": str(number), "query": "a"} for number in range(9000)]
    rows[3000] = rows[7000] = "broken"
    rows[8000] = rows[2]

    class PowerCut(Exception):
        pass

    def stop(counts: ImportCounts) -> None:
        raise PowerCut

    with pytest.raises(PowerCut):
        importing(rows, import_id="one", on_progress=stop)
    assert 0 < len(importing.queries()) < 8000
    counts = importing(rows, import_id="one")
    assert figures(counts) == (9000, 8997, 1, 0, 0, 2)
    assert [error["line"] for error in importing.errors(counts)] == [3001, 7001]
    assert importing(rows, import_id="one") == counts
    assert len(importing.queries()) == len(importing.tasks()) == 8997


def test_two_projects_share_no_rows(importing_here: Importer) -> None:
    other = a_project(importing_here.database, "other")
    assert importing_here([{"id": "a", "query": "甲"}]).added == 1
    assert importing_here([{"id": "a", "query": "乙"}], who=other).added == 1
    owners = sorted(query.project_id for query in importing_here.queries())
    assert owners == sorted([importing_here.who.project_id, other.project_id])
