"""A twin's list: what changes, and what never may."""

import pytest

from exports.augment import augmented_list, decoys_for, is_augmented
from schemas.experts import Expert, ExpertList
from schemas.recipe import Augmentation
from tests.exporting import a_plan

OWN = ExpertList(
    name="merchant",
    version=2,
    experts=tuple(
        Expert(name=name, description=text, aliases=aliases)
        for name, text, aliases in (
            ("数据分析专家", "查询经营数据，制作日报、周报和月报", ("报表专家",)),
            ("诊断专家", "诊断流量、转化、退款异常的原因", ()),
            ("策略推荐专家", "推荐营销、定价和投放的策略", ()),
            ("活动报名专家", "查询可以报名的活动，协助商家报名", ()),
        )
    ),
)
TRAVEL = ExpertList(
    name="travel",
    version=1,
    experts=(
        Expert(name="酒店专家", description="预订城市里的酒店房间"),
        Expert(name="报表专家", description="同名于别人的别名"),
        Expert(name="经营专家", description="查询经营数据，制作日报、周报和月报"),
        Expert(name="航班专家", description="查找并改签机票"),
    ),
)
OLDER = OWN.model_copy(
    update={"version": 1, "experts": (Expert(name="旧专家", description="养马"),)}
)
EVERYTHING = Augmentation(share=1, shuffle=True, drop_unused=0.9, decoys=2)
PLAN = a_plan("上周流量为什么下降", "诊断专家", "策略推荐专家")


def _twin(number: int, wanted: Augmentation = EVERYTHING) -> list[str]:
    decoys = decoys_for(OWN, [TRAVEL, OLDER, OWN])
    twin = augmented_list(7, wanted, f"q-{number}", own=OWN, plan=PLAN, decoys=decoys)
    assert (twin.name, twin.version, twin.tools) == (OWN.name, OWN.version, OWN.tools)
    return [each.name for each in twin.experts]


def test_decoys_come_from_other_lists_and_could_do_nobody_s_work() -> None:
    assert [each.name for each in decoys_for(OWN, [TRAVEL, OLDER, OWN])] == ["酒店专家", "航班专家"]


@pytest.mark.parametrize("number", range(50))
def test_every_expert_that_the_plan_calls_stays(number: int) -> None:
    names = _twin(number)
    assert {"诊断专家", "策略推荐专家", "酒店专家", "航班专家"} <= set(names)
    assert len(names) == len(set(names))


def test_unused_experts_are_dropped_now_and_then_and_the_order_changes() -> None:
    twins = [_twin(number) for number in range(60)]
    assert any("活动报名专家" in each for each in twins)
    assert sum("活动报名专家" in each for each in twins) < 30
    assert len({tuple(each) for each in twins}) > 20


def test_a_twin_is_the_same_every_time() -> None:
    assert _twin(3) == _twin(3)


def test_each_change_can_stand_alone() -> None:
    names = [each.name for each in OWN.experts]
    decoys = Augmentation(share=1, shuffle=False, decoys=1)
    assert _twin(1, decoys)[:4] == names
    assert len(_twin(1, decoys)) == 5
    assert sorted(_twin(1, Augmentation(share=1))) == sorted(names)


def test_the_share_of_twins_is_that_of_the_recipe_and_off_by_default() -> None:
    wanted = Augmentation(share=0.25)
    chosen = sum(is_augmented(1, wanted, f"q-{number}") for number in range(2000))
    assert 420 < chosen < 580
    assert not any(is_augmented(1, Augmentation(), f"q-{number}") for number in range(100))
