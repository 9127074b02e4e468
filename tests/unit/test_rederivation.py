"""The tests of a re-derived trace: no hint, the plan's order at the end, blind agreement."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.committed import committed_experts, order_fault
from schemas.experts import Expert, ExpertList
from schemas.hints import find_hint_leak
from schemas.rederivation import (
    Rederive,
    decode_verdict,
    rederivation_prompts,
    same_experts,
    trace_fault,
)

DATA, DIAGNOSIS, ADVICE = "数据分析专家", "诊断专家", "策略推荐专家"
LIST = ExpertList(
    name="merchant",
    version=1,
    experts=(
        Expert(name=DATA, description="", aliases=("数据专家", "analyst")),
        Expert(name=DIAGNOSIS, description=""),
        Expert(name=ADVICE, description="", aliases=("Strategist",)),
        Expert(name="流量诊断专家", description=""),
    ),
)


def _plan(*stages: str | tuple[str, ...]) -> dict[str, Any]:
    """A plan with these experts in each stage."""
    return {
        "rewritten_query": "上周流量为什么下降",
        "steps": [
            {"expert": expert, "sub_questions": ["原因"], "order": order}
            for order, stage in enumerate(stages, start=1)
            for expert in ((stage,) if isinstance(stage, str) else stage)
        ],
    }


@pytest.mark.parametrize(
    "trace",
    [
        "根据给定的规划，先请数据分析专家。",
        "按照提示，需要两位专家。",
        "已知答案是先数据后诊断。",
        "標準答案要求先請數據專家。",
        "参 考 答 案里有两位专家。",
        "参\u200b考\u200b答\u200b案如此。",
        "人工验收的方案是先数据后诊断。",
        "现在从结果反推理由。",
        "提示中要求请两位专家。",
        "我已被告知最终规划。",
        "According to the reference, the analyst comes first.",
        "Based on the given plan we call two experts.",
        "As provided, the analyst goes first.",
        "The provided answer names two experts.",
        "I was told which experts to call.",
        "Ａｃｃｏｒｄｉｎｇ ｔｏ ｔｈｅ ｇｉｖｅｎ ｐｌａｎ, two experts.",
        "according to\nthe  expected\tplan",
        "先请数据专家，as given in the plan, 再请诊断专家。",
        "这与 the ground truth 一致。",
    ],
)
def test_a_trace_that_speaks_of_a_hint_is_known(trace: str) -> None:
    leak = find_hint_leak(trace)
    assert leak is not None
    assert leak.kind == "phrase"


@pytest.mark.parametrize(
    "trace",
    [
        '所以 {"补全后的问题": "流量", "plan": []}',
        "{“steps”：[]}",
        "the rewritten_query keeps the date",
        "{'expert' : '诊断专家'}",
        "先想一想。</think>",
        "<ａｎｓｗｅｒ>",
    ],
)
def test_a_trace_that_quotes_the_plan_is_known(trace: str) -> None:
    leak = find_hint_leak(trace)
    assert leak is not None
    assert leak.kind == "json"


@pytest.mark.parametrize(
    "trace",
    [
        "流量下降要先看数据，再诊断原因。最终规划：先请数据分析专家，再请诊断专家。",
        "诊断专家给出结果之后，策略推荐专家给出方案。",
        "用户没有给出时间，按上周处理。",
        "用户提供的数据只有一周。",
        "要在现有方案上优化，需要策略推荐专家。",
        "Given the drop last week, look at the data first, then at the reasons.",
        "The analyst provides the figures that the diagnosis is based on.",
        "The answer depends on last week's figures, so the analyst comes first.",
        "As specified by the user, only last week counts.",
    ],
)
def test_an_honest_trace_betrays_nothing(trace: str) -> None:
    assert find_hint_leak(trace) is None


def test_what_the_user_said_themselves_betrays_nothing() -> None:
    trace = "用户要这套题的参考答案，请数据分析专家。"
    assert find_hint_leak(trace) is not None
    assert find_hint_leak(trace, ["给我这套题的 参考答案！"]) is None
    assert find_hint_leak(trace + "按照提示，只请一位。", ["给我参考答案"]) is not None


@given(st.text(alphabet="流量上周店铺数据abc ,.，。\n", max_size=60))
def test_a_leak_is_found_wherever_it_stands(around: str) -> None:
    assert find_hint_leak(f"{around}。参考答案。{around}") is not None
    assert find_hint_leak(f'{around}\n{{"steps": []}}') is not None


@pytest.mark.parametrize(
    ("trace", "plan"),
    [
        ("先请数据分析专家看流量，再请诊断专家找原因。", _plan(DATA, DIAGNOSIS)),
        ("先由数据专家取数，然后诊断专家找原因。", _plan(DATA, DIAGNOSIS)),
        (
            "可能要策略推荐专家。用户没问怎么办，不需要策略推荐专家。先数据分析专家，再诊断专家。",
            _plan(DATA, DIAGNOSIS),
        ),
        ("候选有诊断专家、数据分析专家。最后先数据分析专家，再诊断专家。", _plan(DATA, DIAGNOSIS)),
        ("请数据分析专家。拿到数据分析专家的结果后，请诊断专家。", _plan(DATA, DIAGNOSIS)),
        ("诊断专家和数据分析专家互不依赖，同时进行。", _plan((DATA, DIAGNOSIS))),
        ("先数据分析专家，再诊断专家，最后再请数据分析专家复核。", _plan(DATA, DIAGNOSIS, DATA)),
        ("First the analyst, then the strategist; no need for 诊断专家.", _plan(DATA, ADVICE)),
        (
            "Call the strategist once the analyst is done: analyst first, strategist next.",
            _plan(DATA, ADVICE),
        ),
        ("只请流量诊断专家。", _plan("流量诊断专家")),
        ("用户只是问候，不需要任何专家。", _plan()),
        ("用户只是问候，数据分析专家用不到。", _plan()),
        ("不是诊断专家，而是数据分析专家。", _plan(DATA)),
    ],
)
def test_a_trace_that_ends_with_the_plans_experts_passes(trace: str, plan: dict[str, Any]) -> None:
    assert order_fault(trace, plan, LIST) is None


@pytest.mark.parametrize(
    ("trace", "plan", "fault"),
    [
        ("先请诊断专家，再请数据专家。", _plan(DATA, DIAGNOSIS), "order"),
        (
            "本想先数据分析专家再诊断专家。不对，应先诊断专家，再数据分析专家。",
            _plan(DATA, DIAGNOSIS),
            "order",
        ),
        ("数据分析专家和诊断专家，最后由数据分析专家汇总。", _plan(DATA, DIAGNOSIS), "order"),
        (
            "先数据分析专家，再诊断专家。还可以请策略推荐专家给建议。",
            _plan(DATA, DIAGNOSIS),
            "extra",
        ),
        ("先数据分析专家，再诊断专家。其实不需要诊断专家。", _plan(DATA, DIAGNOSIS), "missing"),
        ("只请数据分析专家。", _plan(DATA, DIAGNOSIS), "missing"),
        ("请流量诊断专家。", _plan(DIAGNOSIS), "missing"),
        ("先数据分析专家，再诊断专家。", _plan(DATA, DIAGNOSIS, DATA), "missing"),
        ("The analystical part needs nobody.", _plan(DATA), "missing"),
        ("Strategist first, then the analyst.", _plan(DATA, ADVICE), "order"),
        ("问候，交给数据分析专家。", _plan(), "extra"),
        ("", _plan(DATA), "missing"),
    ],
)
def test_a_trace_that_ends_elsewhere_is_refused(
    trace: str, plan: dict[str, Any], fault: str
) -> None:
    assert order_fault(trace, plan, LIST) == fault


NAMES = [DATA, DIAGNOSIS, ADVICE]


@given(st.lists(st.sets(st.sampled_from(NAMES), min_size=1), min_size=1, max_size=4), st.data())
def test_a_plan_told_stage_by_stage_passes_in_any_order_within_a_stage(
    stages: list[set[str]], data: st.DataObject
) -> None:
    plan = _plan(*(tuple(sorted(each)) for each in stages))
    told = [data.draw(st.permutations(sorted(each))) for each in stages]
    trace = "。".join("、".join(each) for each in told)
    assert order_fault(trace, plan, LIST) is None
    assert committed_experts(trace, LIST) == told


@given(st.permutations(NAMES), st.permutations(NAMES))
def test_only_the_last_sequence_counts(first: list[str], last: list[str]) -> None:
    trace = f"起初想{'，再'.join(first)}。重新想过，先{'，再'.join(last)}。"
    assert order_fault(trace, _plan(*last), LIST) is None
    if first != last:
        assert order_fault(trace, _plan(*first), LIST) is not None


@given(st.sampled_from(NAMES), st.permutations(NAMES))
def test_whoever_is_turned_down_at_last_is_missing(out: str, names: list[str]) -> None:
    trace = f"先{'，再'.join(names)}。不需要{out}。"
    assert order_fault(trace, _plan(*names), LIST) == "missing"
    kept = [each for each in names if each != out]
    assert order_fault(trace, _plan(*kept), LIST) is None


def test_the_free_tests_name_what_is_wrong() -> None:
    plan = _plan(DATA, DIAGNOSIS)
    assert trace_fault("先数据分析专家，再诊断专家。", plan, LIST, []) == (None, None)
    told = trace_fault("参考答案：先数据分析专家，再诊断专家。", plan, LIST, [])
    assert told == ("synthesis.rederived_hint_phrase", "参考答案")
    assert trace_fault("先诊断专家，再数据分析专家。", plan, LIST, []).failure == (
        "synthesis.rederived_order"
    )
    for nothing in (None, "", " \n", "\u200b"):
        assert trace_fault(nothing, plan, LIST, []).failure == "synthesis.rederived_no_trace"


def test_a_blind_plan_agrees_by_experts_and_stages_alone() -> None:
    plan = _plan((DATA, DIAGNOSIS), ADVICE)
    worded = _plan((DIAGNOSIS, DATA), ADVICE) | {"rewritten_query": "something else"}
    assert same_experts(plan, worded)
    assert not same_experts(plan, _plan(DATA, DIAGNOSIS, ADVICE))
    assert not same_experts(plan, _plan((DATA, DIAGNOSIS)))
    assert not same_experts(plan, None)
    assert same_experts(_plan(), _plan())


@given(st.lists(st.sampled_from([True, False, None]), max_size=8), st.integers(1, 8))
def test_a_verdict_stands_only_when_no_answer_can_change_it(
    agreed: list[bool | None], agree: int
) -> None:
    best = [each is not False for each in agreed].count(True)
    worst = agreed.count(True)
    verdict = decode_verdict(agreed, agree)
    assert verdict is (True if worst >= agree else False if best < agree else None)


def test_no_more_can_agree_than_are_asked() -> None:
    with pytest.raises(ValidationError):
        Rederive(tries=2, agree=3)


def test_the_prompts_of_both_languages_ask_for_what_is_read() -> None:
    zh, en = rederivation_prompts("zh"), rederivation_prompts("en")
    for each in (zh, en):
        assert "<trace>" in each.write
        assert "{experts}" in each.write
        for part in ("{experts}", "{example}", "<answer>"):
            assert part in each.decode
    assert zh.version != en.version
