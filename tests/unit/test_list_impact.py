"""What a new version of an expert list means for a plan made under an older one."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.experts import Expert, ExpertList
from schemas.list_impact import ListImpact
from schemas.plan import plan_problems

DATA = Expert(name="数据分析专家", description="查询、对比经营数据：流量、订单、营业额")
ADVICE = Expert(
    name="策略推荐专家", description="推荐菜品、定价、投放的办法；也负责圈选老客、发放优惠券和召回"
)
ADVICE_NOW = Expert(name="策略推荐专家", description="推荐菜品、定价、投放的办法")
CROWD = Expert(name="人群运营专家", description="圈选老客、新客、会员，发放优惠券，提升复购")


def a_list(*experts: Expert, version: int = 1) -> ExpertList:
    return ExpertList(name="merchant", version=version, experts=experts)


def plan(*steps: tuple[str, str]) -> dict[str, Any]:
    return {
        "rewritten_query": "改写",
        "steps": [
            {"expert": expert, "sub_questions": [asked], "order": order}
            for order, (expert, asked) in enumerate(steps, start=1)
        ],
    }


SPLIT = ListImpact(a_list(DATA, ADVICE), a_list(DATA, ADVICE_NOW, CROWD, version=2))


def test_a_plan_whose_experts_mean_the_same_is_untouched() -> None:
    mine = plan(("数据分析专家", "查询上周的营业额"), ("策略推荐专家", "推荐新的定价"))
    found = SPLIT.fate_of(mine)
    assert (found.fate, found.plan) == ("untouched", mine)


def test_a_step_that_an_expert_split_off_does_better_goes_to_people_with_candidates() -> None:
    found = SPLIT.fate_of(plan(("策略推荐专家", "圈选近九十天的老客并发放优惠券")))
    assert found.fate == "people"
    assert found.steps[0].candidates == ("人群运营专家", "策略推荐专家")
    assert found.plan is None


def test_what_an_expert_no_longer_says_of_itself_goes_to_people() -> None:
    found = SPLIT.fate_of(plan(("策略推荐专家", "给出召回的方案")))
    assert found.fate == "people"
    assert found.steps[0].candidates[-1] == "策略推荐专家"


def test_a_renamed_expert_is_rewritten_by_rules() -> None:
    renamed = Expert(name="经营数据专家", description=DATA.description, aliases=("数据分析专家",))
    found = ListImpact(a_list(DATA), a_list(renamed, version=2)).fate_of(
        plan(("数据分析专家", "查询营业额"))
    )
    assert found.fate == "automatic"
    assert found.plan == plan(("经营数据专家", "查询营业额"))


def test_experts_merged_into_one_stand_once_in_a_stage_with_the_questions_of_both() -> None:
    both = Expert(name="经营专家", description="经营", aliases=(DATA.name, ADVICE.name))
    mine = plan((DATA.name, "查询营业额"), (ADVICE.name, "推荐定价"))
    mine["steps"][1]["order"] = 1
    after = a_list(both, version=2)
    found = ListImpact(a_list(DATA, ADVICE), after).fate_of(mine)
    assert found.fate == "automatic"
    assert found.plan
    assert found.plan["steps"] == [
        {"expert": "经营专家", "sub_questions": ["查询营业额", "推荐定价"], "order": 1}
    ]
    assert plan_problems(found.plan, after) == []


def test_a_step_that_nobody_does_any_more_is_lost_and_so_is_the_plan() -> None:
    gone = Expert(name="Weather", description="tells the weather of a city")
    impact = ListImpact(a_list(DATA, gone), a_list(DATA, version=2))
    found = impact.fate_of(plan(("数据分析专家", "查询订单"), ("Weather", "storms in Oslo?")))
    assert found.fate == "lost"
    assert [each.fate for each in found.steps] == ["untouched", "lost"]


def test_a_retired_expert_with_a_likely_heir_is_for_people() -> None:
    impact = ListImpact(a_list(DATA, ADVICE), a_list(DATA, CROWD, version=2))
    found = impact.fate_of(plan(("策略推荐专家", "圈选老客")))
    assert found.fate == "people"
    assert found.steps[0].candidates == ("人群运营专家",)


@given(st.lists(st.tuples(st.sampled_from((DATA.name, ADVICE.name)), st.text(max_size=8))))
def test_the_same_list_changes_no_plan(steps: list[tuple[str, str]]) -> None:
    same = a_list(DATA, ADVICE)
    mine = plan(*steps)
    assert ListImpact(same, same).fate_of(mine) == ListImpact(same, same).fate_of(mine)
    assert ListImpact(same, same).fate_of(mine).fate == "untouched"
