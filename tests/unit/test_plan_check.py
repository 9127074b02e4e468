"""What is wrong with a plan: every place, once, in reading order."""

import doctest
import json
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.dialects import canonical_schema, get_dialect
from schemas.scoring.check import Problem, is_form_problem, plan_problems
from schemas.scoring.wire import DIALECTS, form_problems, to_canonical, to_text, to_wire
from schemas.sentences import LANGUAGES, sentence

NAMES = {"数据分析专家", "诊断专家", "策略推荐专家"}
TEXTS = st.sampled_from(
    ["查看经营周报", "why?", "", " \n", "\u200b", "a\x00b", "a\tb", "\ud800", "x" * 201, "\x1c"]
) | st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 4) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
ORDERS = st.integers(-1, 4) | st.sampled_from([1.0, 1.5, True, "1", None])


def wire_plans(dialect: str) -> st.SearchStrategy[Any]:
    """Plans of a dialect: right, nearly right and wild."""
    keys = DIALECTS[dialect]
    questions = st.lists(TEXTS, max_size=3) | JSON
    step = st.fixed_dictionaries(
        {},
        optional={
            keys.expert: st.sampled_from(sorted(NAMES)) | TEXTS | JSON,
            keys.sub_questions: questions,
            keys.order: ORDERS,
            "order": ORDERS,
            "extra": JSON,
        },
    )
    good_step = st.fixed_dictionaries(
        {keys.expert: st.sampled_from(sorted(NAMES)), keys.sub_questions: st.just(["查看"])},
        optional={keys.order: st.integers(1, 3)},
    )
    return st.fixed_dictionaries(
        {},
        optional={
            keys.rewritten_query: TEXTS | JSON,
            keys.steps: st.lists(step | good_step | JSON, max_size=4) | JSON,
            "steps": st.lists(good_step, max_size=2),
        },
    )


def plan(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"rewritten_query": "查看经营周报", "steps": list(steps)}


def step(expert: str = "数据分析专家", order: Any = 1, *questions: Any) -> dict[str, Any]:
    return {"expert": expert, "sub_questions": list(questions) or ["查看"], "order": order}


def codes(value: object) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in plan_problems(value, NAMES)]


@given(wire_plans("en@1") | JSON)
def test_the_form_is_judged_as_by_the_json_schema(value: object) -> None:
    validator = Draft202012Validator(canonical_schema())
    ours = [each for each in plan_problems(value, NAMES) if is_form_problem(each)]
    assert (ours == []) == validator.is_valid(value)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@given(data=st.data())
def test_a_dialect_is_judged_as_by_its_json_schema(dialect: str, data: st.DataObject) -> None:
    value = data.draw(wire_plans(dialect) | JSON)
    validator = Draft202012Validator(get_dialect(dialect).schema)
    assert (form_problems(value, dialect) == []) == validator.is_valid(value)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@given(data=st.data())
def test_a_plan_comes_back_from_its_text_unchanged(dialect: str, data: st.DataObject) -> None:
    text = st.text(min_size=1, max_size=20)
    orders = sorted(data.draw(st.lists(st.integers(1, 3), max_size=5)))
    steps = [
        {"expert": data.draw(text), "sub_questions": data.draw(st.lists(text)), "order": order}
        for order in orders
    ]
    value = {"rewritten_query": data.draw(text), "steps": steps}
    written = to_text(value, dialect)
    assert "<" not in written
    assert to_canonical(json.loads(written), dialect) == value
    assert written == json.dumps(to_wire(value, dialect), ensure_ascii=False).replace(
        "<", "\\u003c"
    )


@given(
    st.lists(
        st.builds(
            step,
            st.sampled_from([*sorted(NAMES), "数据专家", " ", "x" * 201]),
            st.integers(0, 3) | st.sampled_from([True, 1.0]),
            TEXTS | st.just("长" * 4001),
        ),
        max_size=4,
    ),
    TEXTS | st.sampled_from([None, 7, "长" * 10_001]),
)
def test_the_plain_way_and_the_long_way_judge_alike(
    steps: list[dict[str, Any]], rewritten: object
) -> None:
    value = {"rewritten_query": rewritten, "steps": steps}
    the_long_way = {**value, "steps": tuple(steps)}
    assert codes(value) == codes(the_long_way)


def test_a_hundred_steps_are_judged_alike_both_ways() -> None:
    for count in (99, 100, 101):
        steps = [step(order=order) for order in range(1, count + 1)]
        assert codes(plan(*steps)) == codes({**plan(), "steps": tuple(steps)})


def test_a_good_plan_has_no_problem() -> None:
    assert codes(plan(step(), step("诊断专家", 1), step("数据分析专家", 2))) == []
    assert codes(plan()) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, [("$", "not_an_object")]),
        ({}, [("$.rewritten_query", "missing"), ("$.steps", "missing")]),
        ({**plan(), "a b": 1}, [("$['a b']", "unknown_key")]),
        (plan(step("数据专家")), [("$.steps[0].expert", "unknown_expert")]),
        (plan(step(), step()), [("$.steps[1].expert", "expert_twice")]),
        (plan(step(order=2)), [("$.steps[0].order", "order_start")]),
        (plan(step(order=0)), [("$.steps[0].order", "order_start")]),
        (plan(step(), step(order=3)), [("$.steps[1].order", "order_gap")]),
        (plan(step(order=True)), [("$.steps[0].order", "wrong_type")]),
        (plan({**step(), "sub_questions": []}), [("$.steps[0].sub_questions", "no_sub_questions")]),
        (plan(step("诊断专家", 1, "好", " ")), [("$.steps[0].sub_questions[1]", "blank")]),
        (plan(step("诊断专家", 1, "a\0")), [("$.steps[0].sub_questions[0]", "control_character")]),
        (plan({**step(), "expert": "\ud800"}), [("$.steps[0].expert", "control_character")]),
        (plan(step("诊断专家", 1, "长" * 4001)), [("$.steps[0].sub_questions[0]", "too_long")]),
        (plan(*[step()] * 101), [("$.steps", "too_many")]),
        ({"rewritten_query": 1, "steps": []}, [("$.rewritten_query", "wrong_type")]),
        ({"rewritten_query": "周报", "steps": {}}, [("$.steps", "wrong_type")]),
    ],
)  # fmt: skip
def test_each_fault_is_named_at_its_place(value: object, expected: list[tuple[str, str]]) -> None:
    assert codes(value) == expected


@given(wire_plans("en@1"))
def test_every_problem_has_its_sentence_in_both_languages(value: object) -> None:
    for problem in plan_problems(value, NAMES):
        assert isinstance(problem, Problem)
        for language in LANGUAGES:
            assert sentence(f"plan.{problem.code}", problem.values, language)


@pytest.mark.parametrize("module", ["check", "answer", "wire"])
def test_the_worked_examples_of_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(import_module(f"schemas.scoring.{module}"))
    assert result.failed == 0
    assert result.attempted > 0
