"""Gaming probes: each by name, what it is held against, and what it earns under which weights."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.reward_judgement import ProbedRow, judge_probes
from schemas.reward_probes import PROBES, Asked, honest_attempts, probe_row, read_asked
from schemas.scoring.rewards import score, weighted_total
from schemas.scoring.wire import to_text
from schemas.sentences import LANGUAGES, sentence

WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
NAMES = ["数据分析专家", "诊断专家", "策略推荐专家", "知识问答专家", "活动报名专家", "客服专家"]
ENGLISH = ["Analyst", "Doctor", "Strategist", "Librarian", "Registrar", "Clerk"]
KEYS = ("expert", "sub_questions", "order")
Plain = dict[str, Any]


def a_plan(query: str, *steps: tuple[str, list[str], int]) -> Plain:
    return {"rewritten_query": query, "steps": [dict(zip(KEYS, s, strict=True)) for s in steps]}


CHINESE = a_plan(
    "分析海港店上周门店流量下降30%的原因",
    (NAMES[0], ["查询海港店上周的门店流量", "按渠道拆分"], 1),
    (NAMES[1], ["诊断海港店上周流量下降30%的原因"], 2),
)
ENGLISH_PLAN = a_plan(
    "Why did dine-in traffic of Harbor Cafe fall by 12% last week",
    (ENGLISH[0], ["show the traffic of Harbor Cafe last week"], 1),
    (ENGLISH[1], ["find why it fell by 12%"], 2),
)


def a_row(
    gold: Plain = CHINESE, query: str = "上周流量怎么掉了30%", names: list[str] = NAMES, **meta: Any
) -> Plain:
    known = {"dialect": "zh@1", "with_thinking": True, "think_min": 60, "think_max": 180} | meta
    return {
        "messages": [
            {"role": "system", "content": "专家：" + "、".join(names)},
            {"role": "user", "content": query},
        ],
        "solution": to_text(gold, known["dialect"]),
        "plan_experts": json.dumps(names),
        "plan_meta": json.dumps(known),
        "plan_id": "row",
    }


ROWS = {
    "chinese": a_row(),
    "english": a_row(ENGLISH_PLAN, "why did it drop", ENGLISH, dialect="en@1"),
    "one step": a_row(a_plan("查看周报", (NAMES[0], ["查看周报"], 1)), "查看周报"),
    "no step": a_row(a_plan("你好"), "你好"),
    "twice the same expert": a_row(
        a_plan("取消两张机票", (NAMES[0], ["取消第一张"], 1), (NAMES[0], ["取消第二张"], 2))
    ),
    "as many experts as needed": a_row(names=NAMES[:2]),
    "one expert more than needed": a_row(names=NAMES[:3]),
    "without thinking": a_row(with_thinking=False),
    "a long thinking": a_row(think_min=3_000, think_max=5_000),
    "a short thinking": a_row(think_min=1, think_max=8),
    "a continuous curve": a_row(think_curve="continuous", think_eps=20),
}


def asked_of(row: Plain) -> Asked:
    asked = read_asked(row)
    assert asked is not None
    return asked


def judged(row: Plain, weights: Mapping[str, float] = WEIGHTS) -> dict[str, Any]:
    asked = asked_of(row)
    probed = probe_row(asked)
    totals = [weighted_total(score(each.completion, asked.context), weights) for each in probed]
    return {each.name: each for each in judge_probes([ProbedRow("row", probed, totals)])}


@pytest.mark.parametrize("kind", ROWS)
def test_no_probe_reaches_its_ceiling_under_the_weights_that_ship(kind: str) -> None:
    found = judged(ROWS[kind])
    assert found
    for figure in found.values():
        assert figure.is_passed, f"{figure.name}: {figure.worst}"


@pytest.mark.parametrize("probe", [each.name for each in PROBES])
def test_each_probe_is_put_to_a_row_that_has_room_for_it(probe: str) -> None:
    figure = judged(ROWS["chinese"])[probe]
    assert figure.count >= 1
    assert figure.mean <= figure.ceiling


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_probe_and_each_fault_says_what_it_is(language: Any) -> None:
    for probe in PROBES:
        assert sentence(f"rewards.probe_{probe.name}", {}, language)


def test_the_honest_attempts_are_strict_and_the_right_one_earns_everything() -> None:
    for kind, row in ROWS.items():
        asked = asked_of(row)
        probed = [each for each in probe_row(asked) if each.probe is None]
        totals = [weighted_total(score(p.completion, asked.context), WEIGHTS) for p in probed]
        assert totals[0] == pytest.approx(1.0), kind
        assert probed[0].fault == "right"
        assert all(0.6 < total < 1 for total in totals[1:]), kind


def test_the_faults_are_a_step_a_question_and_a_shorter_rewrite() -> None:
    attempts = {each.fault: each.plan for each in honest_attempts(asked_of(ROWS["chinese"]))}
    assert list(attempts) == ["right", "step_forgotten", "question_forgotten", "rewrite_shortened"]
    assert len(attempts["step_forgotten"]["steps"]) == 1
    assert attempts["question_forgotten"]["steps"][0]["sub_questions"] == [
        "查询海港店上周的门店流量"
    ]
    assert CHINESE["rewritten_query"].startswith(attempts["rewrite_shortened"]["rewritten_query"])


def test_a_row_without_thinking_is_not_probed_for_thinking() -> None:
    names = set(judged(ROWS["without thinking"]))
    assert not {each for each in names if "thinking" in each or each == "repeated_sentence"}
    assert "every_expert" in names


def test_listing_everybody_proves_nothing_where_the_list_is_hardly_longer_than_the_plan() -> None:
    blind = "every_expert_blind"
    assert blind not in judged(ROWS["as many experts as needed"])
    assert blind not in judged(ROWS["one expert more than needed"])
    assert blind in judged(ROWS["chinese"])


def test_doubling_proves_nothing_where_it_brings_a_forgotten_step_back() -> None:
    asked = asked_of(ROWS["twice the same expert"])
    played = {each.fault for each in probe_row(asked) if each.probe == "doubled_expert"}
    assert "step_forgotten" not in played
    assert "right" in played


def test_the_query_as_rewrite_proves_nothing_where_it_is_the_right_one() -> None:
    assert "rewrite_is_query" not in judged(ROWS["one step"])
    assert "sub_question_is_query" not in judged(ROWS["one step"])


@pytest.mark.parametrize(
    ("reward", "winners"),
    [
        ("StrictFormatReward", {"every_expert", "every_expert_blind", "no_expert", "two_plans"}),
        ("ThinkLengthReward", {"every_expert", "doubled_expert", "unknown_expert"}),
        ("CorrectnessReward", {"every_expert", "doubled_expert", "unknown_expert"}),
    ],
)
def test_under_weights_that_let_a_trick_pay_its_ceiling_is_reached(
    reward: str, winners: set[str]
) -> None:
    found = judged(ROWS["chinese"], {reward: 1.0})
    assert winners <= {name for name, figure in found.items() if not figure.is_passed}


def test_a_copied_query_outscores_an_honest_plan_where_only_the_rewrite_counts() -> None:
    figure = judged(ROWS["one step"], {"CorrectnessReward": 1.0})["every_expert_blind"]
    assert figure.worst.total == 1.0
    assert figure.worst.ceiling < 0.9


def test_a_row_without_an_accepted_plan_is_not_probed() -> None:
    row = a_row()
    row["solution"] = ""
    assert read_asked(row) is None
    with pytest.raises(ValueError):
        read_asked({})
