"""What suggestions and history bring along: plans, traces and old answers, as they came."""

import json
from pathlib import Path
from typing import Any

import pytest

from db.engine import Database
from labeling.experts import publish
from tests.factories import EXPERTS
from tests.importing import Importer, a_plan, figures

DATA, SHOPS = EXPERTS[0], EXPERTS[1]


@pytest.fixture
def importing(database: Database, tmp_path: Path) -> Importer:
    return Importer(database, tmp_path)


@pytest.fixture
def importing_here(sqlite_database: Database, tmp_path: Path) -> Importer:
    """For what does not depend on the database."""
    return Importer(sqlite_database, tmp_path)


def test_a_suggestion_brings_its_plan_and_trace(importing: Importer) -> None:
    row = {"query": "甲", "trace": "先看流量<b>", "plan": a_plan(), "experts": "merchant@1"}
    assert importing([row], "suggestions").added == 1
    (suggestion,), (query,) = importing.suggestions(), importing.queries()
    assert (suggestion.query_id, suggestion.origin) == (query.id, "import")
    assert (suggestion.plan, suggestion.partial_plan, suggestion.failure) == (a_plan(), None, None)
    assert (suggestion.trace, suggestion.trace_length) == ("先看流量<b>", 7)
    assert query.state == "ready"


def test_an_incomplete_plan_is_counted_and_never_filled_in(importing: Importer) -> None:
    steps = a_plan()["steps"]
    rows = [
        {"query": "1", "plan": {"rewritten_query": None, "steps": steps}},
        {"query": "2", "plan": {"rewritten_query": "改写", "steps": None}},
        {"query": "3", "plan": {"steps": steps}},
        {"query": "4", "plan": {"rewritten_query": "改写", "steps": []}},
        {"query": "5", "plan": None, "trace": "想"},
        {"query": "6"},
    ]
    assert figures(importing(rows, "suggestions")) == (6, 6, 0, 0, 3, 0)
    kept = [(each.plan, each.partial_plan, each.failure) for each in importing.suggestions()]
    assert kept == [
        (None, {"steps": steps}, "replies.incomplete"),
        (None, {"rewritten_query": "改写"}, "replies.incomplete"),
        (None, {"steps": steps}, "replies.incomplete"),
        ({"rewritten_query": "改写", "steps": []}, None, None),
        (None, None, "replies.no_plan"),
    ]
    states = [query.state for query in importing.queries()]
    assert states == ["ready"] * 5 + ["waiting"]
    assert len(importing.tasks()) == 6


def test_aliases_dialects_and_dependencies_become_the_canonical_plan(importing: Importer) -> None:
    experts = [{"name": "数据", "description": "看数", "aliases": ["报表"]}] + [
        {"name": name, "description": name} for name in ("策略", "诊断")
    ]
    publish(importing.database, importing.who, {"name": "desk", "experts": experts})
    depends = [
        {"expert": "报表", "sub_questions": ["看"], "depends_on": []},
        {"expert": "诊断", "sub_questions": ["诊"], "depends_on": []},
        {"expert": "策略", "sub_questions": ["做"], "depends_on": [0, 1]},
    ]
    chinese = {"补全后的问题": "看", "plan": [{"专家": "报表", "处理问题": ["看"]}]}
    rows = [
        {"query": "1", "plan": {"rewritten_query": "看", "steps": depends}},
        {"query": "2", "plan": chinese},
        {"query": "3", "plan": json.dumps(chinese)},
    ]
    assert importing(rows, "suggestions").added == 3
    first, *others = [each.plan for each in importing.suggestions()]
    assert first is not None
    steps: Any = first["steps"]
    assert [(step["expert"], step["order"]) for step in steps] == [
        ("数据", 1),
        ("诊断", 1),
        ("策略", 2),
    ]
    one = [{"expert": "数据", "sub_questions": ["看"], "order": 1}]
    assert others == [{"rewritten_query": "看", "steps": one}] * 2


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ("{not json", "$: "),
        ('{"steps": [], "steps": []}', "$: "),
        (["a"], "$: "),
        (a_plan("a", {"expert": "某某", "sub_questions": ["a"], "order": 1}), "某某"),
        (a_plan("a", {"expert": DATA, "sub_questions": ["a"], "order": 3}), "$.steps[0].order"),
        (a_plan(None, {"expert": "某某", "sub_questions": ["a"], "order": 1}), "某某"),
        (
            a_plan(
                "a",
                {"expert": DATA, "sub_questions": ["a"], "depends_on": [1]},
                {"expert": SHOPS, "sub_questions": ["a"], "depends_on": [0]},
            ),
            "$.steps[0].depends_on",
        ),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_with_its_place(
    importing_here: Importer, plan: Any, said: str
) -> None:
    counts = importing_here([{"query": "a", "plan": plan}], "suggestions")
    assert figures(counts) == (1, 0, 0, 0, 0, 1)
    (error,) = importing_here.errors(counts)
    assert error["code"] == "intake.plan_refused"
    assert any(said in problem for problem in error["problems"])
    assert importing_here.queries() == []


def test_a_trace_of_200_000_characters_is_kept_whole(importing: Importer) -> None:
    trace = "想<script>\u2028" * 20_000
    assert importing([{"query": "a", "trace": trace, "plan": a_plan()}], "suggestions").added == 1
    assert importing.suggestions()[0].trace == trace


def test_historical_messages_are_kept_byte_for_byte(importing: Importer) -> None:
    prompt = [
        {"role": "system", "content": "You plan.\n\t\u00a0<b>ﬁ\u3000"},
        {"role": "user", "content": "周报"},
        {"role": "assistant", "content": "好"},
        {"role": "user", "content": "流量 呢 "},
    ]
    answer = {"role": "assistant", "content": "<think>\n…</think><answer>{}</answer> \n"}
    counts = importing([{"id": "h", "messages": [*prompt, answer]}], "history")
    assert figures(counts) == (1, 1, 0, 0, 0, 0)
    (query,) = importing.queries()
    assert query.messages is not None
    assert json.loads(query.messages) == prompt
    assert query.answer == answer["content"]
    assert query.text == "流量 呢 "
    assert query.history == prompt[1:3]
    assert query.state == "decided"
    assert importing.tasks() == []
    assert importing([{"id": "h", "messages": [*prompt, answer]}], "history").known == 1


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "intake.no_answer"),
        ([{"role": "user", "content": "a"}], "intake.no_answer"),
        ([{"role": "assistant", "content": "a"}], "intake.no_answer"),
        ("[", "files.not_json"),
        ({}, "intake.messages_form"),
        ([{"role": "user", "content": ["a"]}], "intake.messages_form"),
        (
            [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "assistant", "content": "c"},
            ],
            "intake.no_question_before_answer",
        ),
    ],
)
def test_messages_that_are_no_question_with_an_answer_are_refused(
    importing_here: Importer, messages: Any, code: str
) -> None:
    counts = importing_here([{"messages": messages}], "history")
    assert counts.refused == 1
    assert importing_here.errors(counts)[0]["code"] == code


def test_an_accepted_plan_of_history_is_decided_and_an_incomplete_one_is_not(
    importing: Importer,
) -> None:
    rows = [
        {"query": "1", "plan": a_plan()},
        {"query": "2", "plan": a_plan(None)},
        {"query": "3"},
    ]
    counts = importing(rows, "history")
    assert figures(counts) == (3, 2, 0, 0, 1, 1)
    assert importing.errors(counts)[0]["code"] == "intake.plan_missing"
    assert [query.state for query in importing.queries()] == ["decided", "ready"]
    assert [each.origin for each in importing.suggestions()] == ["history", "history"]
    assert [task.query_id for task in importing.tasks()] == [importing.queries()[1].id]
