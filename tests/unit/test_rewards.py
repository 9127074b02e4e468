"""The seven rewards: their examples, bounds, equals elsewhere, and what gaming them brings."""

import doctest
import itertools
import json
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rapidfuzz.distance import Indel, LCSseq

from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.scoring import rewards
from schemas.scoring.context import ScoringContext, context_from_row
from schemas.scoring.facts import key_facts
from schemas.scoring.matching import best_total
from schemas.scoring.reply import THINK_PREFIX, Reply, to_completion
from schemas.scoring.rewards import REWARD_FUNCTIONS, score, weighted_total
from schemas.scoring.text import lcs_length, quoted_share, repeated_share, similarity
from schemas.scoring.wire import to_text

WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
NAMES = ("数据分析专家", "诊断专家", "策略推荐专家", "知识问答专家", "Marketing Strategy Expert")
SYSTEM = "你是一个多专家协作系统的规划器。" + "\n".join(
    f"- {name}：负责{name}的事" for name in NAMES
)
THINKING = (
    "用户想知道上周流量下降的原因，先由数据分析专家查数据，再由诊断专家找原因，最后给出改进的建议。"
)


def plan(query: str, *steps: tuple[str, list[str], int]) -> dict[str, Any]:
    keys = ("expert", "sub_questions", "order")
    return {"rewritten_query": query, "steps": [dict(zip(keys, s, strict=True)) for s in steps]}


GOLD = plan(
    "分析上周（5月6日至12日）门店流量下降30%的原因，不看外卖",
    ("数据分析专家", ["查询上周门店流量的变化", "按渠道拆分上周的流量"], 1),
    ("知识问答专家", ["流量是怎么统计的"], 1),
    ("诊断专家", ["诊断上周门店流量下降30%的原因"], 2),
)
ENGLISH_GOLD = plan(
    "Why did dine-in traffic of Harbor Cafe fall by 12% last week, without delivery orders?",
    ("Marketing Strategy Expert", ["suggest three ways to win back dine-in guests"], 1),
)


def context(gold: dict[str, Any] | None = GOLD, **options: Any) -> ScoringContext:
    wanted = {"dialect": "zh@1", "system_prompt": SYSTEM, "think_min": 30, "think_max": 90}
    return ScoringContext(
        with_thinking=True, expert_names=frozenset(NAMES), gold=gold, **wanted | options
    )


def text(answer: dict[str, Any], thinking: str | None = THINKING, dialect: str = "zh@1") -> str:
    body = f"<answer>\n{to_text(answer, dialect)}\n</answer>"
    return body if thinking is None else f"<think>\n{thinking}\n</think>\n\n{body}"


def total(completion: str, where: ScoringContext | None = None) -> float:
    return weighted_total(score(completion, where or context()), WEIGHTS)


@pytest.mark.parametrize("module", ["text", "facts", "matching", "reply", "rewards"])
def test_the_worked_examples_of_the_docstrings_hold(module: str) -> None:
    tested = import_module(f"schemas.scoring.{module}")
    shared: dict[str, Any] = dict(vars(tested))
    for example in doctest.DocTestParser().get_examples(tested.__doc__ or ""):
        exec(example.source, shared)
    result = doctest.testmod(tested, extraglobs=shared)
    assert result.failed == 0
    assert result.attempted > 0


def test_the_seven_stand_in_their_order_and_score_the_accepted_answer_with_one() -> None:
    assert tuple(REWARD_FUNCTIONS) == REWARDS
    assert score(text(GOLD), context()) == dict.fromkeys(REWARDS, 1.0)
    english = context(ENGLISH_GOLD, dialect="en@1")
    assert total(text(ENGLISH_GOLD, dialect="en@1"), english) == 1.0


@given(st.text("ab中文 "), st.text("ab中文 "))
def test_lcs_and_similarity_equal_those_of_rapidfuzz(a: str, b: str) -> None:
    assert lcs_length(a, b) == LCSseq.similarity(a, b)
    plain_a, plain_b = "中" + a.replace(" ", ""), "中" + b.replace(" ", "")
    expected = Indel.normalized_similarity(plain_a, plain_b)
    assert similarity(plain_a, plain_b) == pytest.approx(expected)


@given(st.lists(st.sampled_from(["the", "weekly", "report", "of"])))
def test_english_is_compared_by_words(words: list[str]) -> None:
    reference = ["show", "the", "weekly", "report"]
    expected = Indel.normalized_similarity(words, reference)
    assert similarity(" ".join(words), "Show the weekly report!") == pytest.approx(expected)


@given(arrays(float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.floats(0, 1)))
def test_the_best_pairing_equals_trying_all(gains: np.ndarray) -> None:
    matrix = gains if gains.shape[0] <= gains.shape[1] else gains.T
    rows, columns = matrix.shape
    tried = itertools.permutations(range(columns), rows)
    expected = max(sum(matrix[row, col] for row, col in enumerate(cols)) for cols in tried)
    assert best_total(gains.tolist()) == pytest.approx(expected)


PIECES = st.sampled_from(
    ["<think>\n", "\n</think>\n\n", "<answer>\n", "\n</answer>", text(GOLD), to_text(GOLD, "zh@1"),
     '{"补全后的问题": "a", "plan": [1, {"专家": []}]}', '{"plan": {}}', "微信", "\0", "\ud800"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=8).map("".join), st.booleans(), st.sampled_from(["zh@1", "en@1"]))
def test_every_score_is_finite_and_between_0_and_1(
    completion: str, with_thinking: bool, dialect: str
) -> None:
    where = ScoringContext(with_thinking, dialect, frozenset(NAMES), GOLD, banned_words=("微信",))
    scores = score(completion, where)
    assert all(0 <= value <= 1 for value in scores.values())
    assert ("ThinkLengthReward" in scores) == with_thinking


def test_the_dialect_does_not_change_a_score() -> None:
    near = plan("分析上周流量下降的原因", ("诊断专家", ["诊断流量下降的原因"], 1))
    chinese = score(text(near), context())
    assert score(text(near, dialect="en@1"), context(dialect="en@1")) == chinese


def steps(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return answer["steps"]


def without_a_step(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"steps": steps(answer)[:2]}


def without_a_question(answer: dict[str, Any]) -> dict[str, Any]:
    first = steps(answer)[0]
    return answer | {
        "steps": [first | {"sub_questions": first["sub_questions"][:1]}, *steps(answer)[1:]]
    }


def reordered(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"steps": [step | {"order": 3 - step["order"]} for step in steps(answer)]}


def shorter_rewrite(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"rewritten_query": "分析上周门店流量下降的原因"}


def same(answer: dict[str, Any]) -> dict[str, Any]:
    return answer


HONEST = [same, without_a_step, without_a_question, reordered, shorter_rewrite]


def doubled_steps(answer: dict[str, Any]) -> dict[str, Any]:
    later = [step | {"order": step["order"] + 2} for step in steps(answer)]
    return answer | {"steps": steps(answer) + later}


def doubled_questions(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {
        "steps": [s | {"sub_questions": s["sub_questions"] * 2} for s in steps(answer)]
    }


def doubled_rewrite(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"rewritten_query": answer["rewritten_query"] * 2}


def padded_rewrite(answer: dict[str, Any]) -> dict[str, Any]:
    padding = "，请尽可能全面详细地分析所有相关的数据、原因、知识和策略，并给出完整的报告"
    return answer | {"rewritten_query": answer["rewritten_query"] + padding}


def every_expert(answer: dict[str, Any]) -> dict[str, Any]:
    here = {step["expert"] for step in steps(answer)}
    more = [name for name in NAMES if name not in here]
    added = [{"expert": n, "sub_questions": [answer["rewritten_query"]], "order": 1} for n in more]
    return answer | {"steps": steps(answer) + added}


def every_question(answer: dict[str, Any]) -> dict[str, Any]:
    asked = [question for step in steps(answer) for question in step["sub_questions"]]
    return answer | {"steps": [step | {"sub_questions": asked} for step in steps(answer)]}


TRICKS = [
    doubled_steps, doubled_questions, doubled_rewrite, padded_rewrite, every_expert, every_question
]  # fmt: skip


@pytest.mark.parametrize("honest", HONEST)
@pytest.mark.parametrize("trick", TRICKS)
def test_a_padded_or_doubled_answer_never_outscores_the_honest_one(honest: Any, trick: Any) -> None:
    answer = honest(GOLD)
    assert total(text(trick(answer))) < total(text(answer))


def test_an_answer_that_lists_everything_never_outscores_a_wrong_but_honest_one() -> None:
    everything = plan(
        GOLD["rewritten_query"],
        *((name, [step["sub_questions"][0] for step in steps(GOLD)], 1) for name in NAMES),
    )
    for honest in HONEST:
        assert total(text(everything)) < total(text(honest(GOLD)))


@pytest.mark.parametrize(
    "thinking",
    [THINKING * 2, THINKING + "好" * 40, THINKING + SYSTEM, "", "。" * 60, f"{THINKING}加微信。"],
)
def test_a_rambling_thinking_never_outscores_a_plain_one(thinking: str) -> None:
    where = context(banned_words=("微信",), think_max=400)
    assert total(text(GOLD, thinking), where) < total(text(GOLD), where)


@given(st.integers(0, 400))
def test_a_thinking_outside_its_length_never_outscores_one_inside(length: int) -> None:
    for curve in ("article", "continuous"):
        where = context(think_curve=curve)
        value = REWARD_FUNCTIONS["ThinkLengthReward"](text(GOLD, "好" * length), where)
        assert value is not None
        assert (value == 1) == (30 <= length <= 90)
        assert (value == 0) == (length == 0)


def test_a_length_in_tokens_is_counted_by_whoever_can() -> None:
    where = context(think_unit="tokens")
    assert "ThinkLengthReward" not in score(text(GOLD), where)
    counted = context(think_unit="tokens", count_tokens=lambda _, part: len(part) // 2)
    assert score(text(GOLD, "好" * 100), counted)["ThinkLengthReward"] == 1.0


def test_no_plan_is_not_an_empty_plan() -> None:
    empty = plan("你好")
    where = context(empty)
    assert total(text(empty), where) == 1.0
    for name in ("ExpertValidationReward", "ProcessingQualityReward"):
        assert score(text(GOLD), where)[name] == 0.0
        assert score(text(empty), context())[name] == 0.0
        assert score("<answer>\n{}\n</answer>", where)[name] == 0.0


def test_an_empty_thinking_of_the_template_is_not_the_models() -> None:
    where = ScoringContext(False, "zh@1", frozenset(NAMES), GOLD)
    bare = text(GOLD, thinking=None)
    assert score(f"<think>\n\n</think>\n\n{bare}", where) == score(bare, where)
    assert score(bare, where)["StrictFormatReward"] == 1.0
    assert score(text(GOLD), where)["StrictFormatReward"] == 0.0


def test_naming_experts_is_neither_repetition_nor_quotation() -> None:
    name = "Marketing Strategy Expert"
    thinking = f"Ask the {name} first, since the {name} knows the plans of {name}."
    assert repeated_share(thinking, 10, NAMES) == 0
    assert quoted_share(thinking, SYSTEM, 20, NAMES) == 0
    assert repeated_share(thinking, 10) > 0


@pytest.mark.parametrize(
    ("a", "b"),
    [("近七天的订单", "近7天的订单"), ("没有下单的顾客", "未下单的顾客"), ("看gmv", "看GMV")],
)
def test_the_same_fact_written_otherwise_is_the_same(a: str, b: str) -> None:
    assert key_facts(a) == key_facts(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("查看昨天的订单", "查看今天的订单"),
        ("降价5%", "降价15%"),
        ("不包括外卖", "包括外卖"),
        ("sales without delivery", "sales of delivery"),
        ("Harbor Cafe last week", "Harbor Cafe last month"),
        ("分析“爆款套餐”", "分析“双人套餐”"),
    ],
)
def test_another_fact_is_another(a: str, b: str) -> None:
    assert key_facts(a) != key_facts(b)


def test_a_row_of_a_bundle_gives_its_context() -> None:
    meta = {"dialect": "zh@1", "with_thinking": True, "think_min": 30, "think_max": 90,
            "banned_words": ["微信"], "list_version": "merchant@1"}  # fmt: skip
    row = {
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "问"}],
        "solution": to_text(GOLD, "zh@1"),
        "plan_experts": json.dumps(NAMES),
        "plan_meta": json.dumps(meta),
    }
    read = context_from_row(row)
    assert read == context(query="问", banned_words=("微信",))
    assert score(text(GOLD), read) == dict.fromkeys(REWARDS, 1.0)
    for broken in ({}, row | {"plan_meta": "{"}, row | {"plan_experts": None}):
        with pytest.raises(ValueError):
            context_from_row(broken)


@pytest.mark.parametrize("template", ["qwen3", "qwen3_thinking", "qwq", "deepseek_r1"])
def test_every_way_of_a_server_gives_the_completion_that_the_model_wrote(template: str) -> None:
    whole = text(GOLD)
    answer = whole.partition("</think>")[2]
    ways = [
        Reply(answer, reasoning=f"\n{THINKING}\n"),
        Reply(answer.lstrip(), reasoning=THINKING),
        Reply(whole),
        Reply(whole.removeprefix("<think>\n")),
        Reply(whole, reasoning=THINKING),
    ]
    for way in ways:
        assert to_completion(way, template) == whole
    cut = to_completion(Reply("还在想"), template)
    assert cut == THINK_PREFIX[template] + "还在想"


def test_a_completion_of_200_000_characters_is_scored() -> None:
    long = plan("长" * 9_000, ("诊断专家", ["原因" * 1_000] * 50, 1))
    assert 0 <= total(text(long, "先看周报再诊断。" * 25_000)) <= 1
    assert rewards.read_completion.cache_info().maxsize == 512


def test_a_banned_word_of_latin_letters_stands_as_a_word() -> None:
    where = context(banned_words=("ad", "WeChat"))
    quality = REWARD_FUNCTIONS["ThinkQualityReward"]
    assert quality(text(GOLD, "we add what the guest asked for"), where) == 1.0
    assert quality(text(GOLD, "ask for their ＷｅＣｈａｔ first"), where) == 0.0
    assert quality(text(GOLD, "run an ad for this guest"), where) == 0.0


def test_a_step_that_cannot_be_understood_counts_against_the_answer() -> None:
    broken = to_text(GOLD, "zh@1").replace('"plan": [', '"plan": [7, ')
    scores = score(f"<answer>\n{broken}\n</answer>", context())
    assert scores["JSONValidReward"] == 0.5
    assert scores["CorrectnessReward"] == 1.0
    assert scores["ExpertValidationReward"] == pytest.approx(2 * 3 / 7)
