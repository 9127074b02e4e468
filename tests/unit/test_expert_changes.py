"""What people made of a model's experts: pairs, in words of both plans."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.expert_changes import ExpertChange, expert_changes


def plan(*steps: tuple[str, str]) -> dict[str, Any]:
    return {
        "rewritten_query": "查看经营周报",
        "steps": [
            {"expert": expert, "sub_questions": [asked], "order": order}
            for order, (expert, asked) in enumerate(steps, start=1)
        ],
    }


plans = st.lists(
    st.tuples(st.sampled_from(["数据分析专家", "诊断专家", "Strategy"]), st.text("问a", max_size=3))
).map(lambda steps: plan(*steps))


def test_an_expert_that_stayed_is_a_pair_with_itself() -> None:
    assert expert_changes(plan(("诊断专家", "为什么")), plan(("诊断专家", "另一个问题"))) == [
        ExpertChange("诊断专家", "诊断专家")
    ]


def test_the_same_question_to_another_expert_is_a_replacement() -> None:
    before = plan(("策略推荐专家", "圈选近九十天的老客"), ("策略推荐专家", "推荐关键词"))
    after = plan(("人群运营专家", "圈选近90天的老客"), ("策略推荐专家", "推荐关键词"))
    assert sorted(expert_changes(before, after)) == [
        ExpertChange("策略推荐专家", "人群运营专家"),
        ExpertChange("策略推荐专家", "策略推荐专家"),
    ]


def test_what_was_taken_out_or_put_in_has_no_other_side() -> None:
    both, one = plan(("A", "x"), ("B", "y")), plan(("A", "x"))
    assert expert_changes(both, one) == [ExpertChange("A", "A"), ExpertChange("B", None)]
    assert expert_changes(one, both) == [ExpertChange("A", "A"), ExpertChange(None, "B")]
    assert expert_changes(plan(), plan()) == []


@given(plans, plans)
def test_every_expert_of_both_plans_is_counted_once(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    changes = expert_changes(before, after)
    assert sorted(c.model for c in changes if c.model is not None) == sorted(
        step["expert"] for step in before["steps"]
    )
    assert sorted(c.human for c in changes if c.human is not None) == sorted(
        step["expert"] for step in after["steps"]
    )
