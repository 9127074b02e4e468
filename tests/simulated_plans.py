"""Plans made at random, the same in somebody's own words, and with the errors that people make."""

import random
from collections.abc import Callable
from typing import Any

EXPERTS = (
    "数据分析专家",
    "诊断专家",
    "策略推荐专家",
    "知识问答专家",
    "活动报名专家",
    "商品管理专家",
    "评价管理专家",
    "流量运营专家",
)
WORDS = ("查看上周的", "对比上月的", "诊断", "分析新客的", "找出", "推荐提升", "说明", "统计")
MATTERS = ("门店流量", "转化率", "客单价", "退款原因", "差评", "优惠券", "外卖订单", "复购率")

Plan = dict[str, Any]


def random_plan(source: random.Random) -> Plan:
    """A plan of one to four experts, now and then two of them at once."""
    steps: list[Plan] = []
    order = 0
    for expert in source.sample(EXPERTS, source.choices((1, 2, 3, 4), (35, 35, 20, 10))[0]):
        order += not steps or source.random() < 0.8
        count = source.choices((1, 2, 3), (60, 30, 10))[0]
        asked = [source.choice(WORDS) + matter for matter in source.sample(MATTERS, count)]
        steps.append({"expert": expert, "sub_questions": asked, "order": order})
    rewrite = "，".join(question for step in steps for question in step["sub_questions"])
    return {"rewritten_query": rewrite, "steps": steps}


def reworded(plan: Plan, source: random.Random) -> Plan:
    """The same plan in somebody's own words."""

    def said(text: str) -> str:
        if source.random() < 0.6:
            return text
        return (
            source.choice(("请", "帮我", "")) + text.replace("的", "") + source.choice(("情况", ""))
        )

    return {
        "rewritten_query": said(plan["rewritten_query"]),
        "steps": [
            {**step, "sub_questions": [said(each) for each in step["sub_questions"]]}
            for step in plan["steps"]
        ],
    }


def corrupted(plan: Plan, source: random.Random) -> Plan:
    """The plan with one of the errors that people make, of those that it has room for."""
    kinds: list[tuple[Callable[[Plan, random.Random], Plan], int]] = [
        (another_expert, 35),
        (_wrong_rewrite, 15),
    ]
    if len(plan["steps"]) > 1:
        kinds.append((_missing_expert, 25))
    if plan["steps"][-1]["order"] > 1:
        kinds.append((_wrong_order, 15))
    if any(len(step["sub_questions"]) > 1 for step in plan["steps"]):
        kinds.append((_lost_sub_question, 15))
    functions, weights = zip(*kinds, strict=True)
    return source.choices(functions, weights)[0](plan, source)


def another_expert(plan: Plan, source: random.Random) -> Plan:
    """Another expert in one step."""
    used = {step["expert"] for step in plan["steps"]}
    place = source.randrange(len(plan["steps"]))
    expert = source.choice([each for each in EXPERTS if each not in used])
    steps = [{**s, "expert": expert} if i == place else s for i, s in enumerate(plan["steps"])]
    return {**plan, "steps": steps}


def _missing_expert(plan: Plan, source: random.Random) -> Plan:
    place = source.randrange(len(plan["steps"]))
    left = [step for i, step in enumerate(plan["steps"]) if i != place]
    stages = sorted({step["order"] for step in left})
    return {**plan, "steps": [{**s, "order": stages.index(s["order"]) + 1} for s in left]}


def _wrong_order(plan: Plan, source: random.Random) -> Plan:
    """Two stages that follow each other, exchanged."""
    first = source.randrange(1, plan["steps"][-1]["order"])
    exchanged = {first: first + 1, first + 1: first}
    steps = [{**s, "order": exchanged.get(s["order"], s["order"])} for s in plan["steps"]]
    return {**plan, "steps": sorted(steps, key=lambda step: step["order"])}


def _lost_sub_question(plan: Plan, source: random.Random) -> Plan:
    rich = [i for i, step in enumerate(plan["steps"]) if len(step["sub_questions"]) > 1]
    place = source.choice(rich)
    steps = [
        {**s, "sub_questions": s["sub_questions"][1:]} if i == place else s
        for i, s in enumerate(plan["steps"])
    ]
    return {**plan, "steps": steps}


def _wrong_rewrite(plan: Plan, source: random.Random) -> Plan:
    said = source.choice(WORDS) + source.choice(MATTERS)
    is_right = said == plan["rewritten_query"]  # by chance, where a plan asks one thing only
    return {**plan, "rewritten_query": f"{said}明细" if is_right else said}
