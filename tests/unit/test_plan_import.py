"""Plans from other people's files become canonical, or say what they lack."""

from typing import Any

import pytest

from schemas.experts import Expert, ExpertList
from schemas.plan_import import plan_from_import

LIST = ExpertList(
    name="merchant",
    version=1,
    experts=(
        Expert(name="数据分析专家", description="查数据", aliases=("数据专家",)),
        Expert(name="诊断专家", description="找原因"),
        Expert(name="策略推荐专家", description="给建议"),
    ),
)
A, B, C = (expert.name for expert in LIST.experts)


def imported(*steps: dict[str, Any], query: str | None = "查看周报并诊断") -> Any:
    return plan_from_import({"rewritten_query": query, "steps": list(steps)}, LIST)


def step(expert: str, **more: Any) -> dict[str, Any]:
    return {"expert": expert, "sub_questions": [f"问{expert}"], **more}


def stages(result: Any) -> list[tuple[str, int]]:
    return [(each.expert, each.order) for each in result.plan.steps]


def test_dependencies_become_stages() -> None:
    result = imported(
        step(C, depends_on=[1, 2]), step(B, depends_on=[2]), step(A, depends_on=[]), query="q"
    )
    assert stages(result) == [(A, 1), (B, 2), (C, 3)]
    apart = imported(step(A, depends_on=[]), step(B, depends_on=[]), step(C, depends_on=[0]))
    assert stages(apart) == [(A, 1), (B, 1), (C, 2)]


def test_steps_that_say_no_stage_stand_one_after_the_other() -> None:
    assert stages(imported(step(B), step(A))) == [(B, 1), (A, 2)]


def test_a_plan_of_any_dialect_is_understood() -> None:
    chinese = {"补全后的问题": "查看周报", "plan": [{"专家": A, "处理问题": ["查看周报"]}]}
    english = {"rewritten_query": "查看周报", "steps": [step(A, order=1)]}
    assert plan_from_import(chinese, LIST).plan is not None
    assert plan_from_import(english, LIST).plan is not None
    assert plan_from_import('{"补全后的问题": "查看周报", "plan": []}', LIST).plan is not None


def test_aliases_become_names() -> None:
    assert stages(imported(step(" 数据专家 ", order=1))) == [(A, 1)]


def test_what_is_missing_is_not_filled_in() -> None:
    result = imported(step(A), query=None)
    assert result.plan is None
    assert result.is_incomplete
    assert result.partial == {"steps": [step(A, order=1)]}
    no_steps = plan_from_import({"rewritten_query": "查看周报", "steps": None}, LIST)
    assert no_steps.is_incomplete
    assert no_steps.partial == {"rewritten_query": "查看周报"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "not_an_object"),
        ("{", "not_json"),
        ('{"steps": [], "steps": []}', "doubled_key"),
        ("[" * 100_000, "not_json"),
        ({"rewritten_query": "q", "steps": [step(A, depends_on=[0])]}, "cycle"),
        ({"rewritten_query": "q", "steps": [step(A, depends_on=[5])]}, "unknown_dependency"),
        ({"rewritten_query": "q", "steps": [step("陌生专家", order=1)]}, "unknown_expert"),
        ({"rewritten_query": "q\0", "steps": []}, "control_character"),
    ],
)
def test_what_cannot_be_used_says_why(value: object, code: str) -> None:
    result = plan_from_import(value, LIST)
    assert result.plan is None
    assert not result.is_incomplete
    assert [problem.code for problem in result.problems] == [code]
