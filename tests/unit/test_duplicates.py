"""The leak guard knows a benchmark's question again, and nothing else."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clusters import cluster_key, normalised
from schemas.leaks import NEAR, BenchmarkGuard, GuardedQuestion

WEEKLY = GuardedQuestion(
    "q1", "desk@1", "查看上周的经营周报，并分析流量", "查看上周的经营周报并分析流量"
)
RAIN = GuardedQuestion("q2", "desk@1", "Will it rain in Paris tomorrow?", "Will it rain in Paris?")
GUARD = BenchmarkGuard([WEEKLY, RAIN])


class Query(NamedTuple):
    text: str


@pytest.mark.parametrize(
    ("text", "rewrite", "kind"),
    [
        ("查看上周的经营周报，并分析流量", None, "exact"),
        (" 查看上周的经营周报，并分析流量\n", None, "exact"),
        ("查看上周的经营周报并分析流量！", None, "normalised"),
        ("ＷＩＬＬ it rain — in paris, tomorrow", None, "normalised"),
        ("请查看上周的经营周报，并分析流量吧", None, "near"),
        ("Will it rain in Paris tomorrow evening?", None, "near"),
        ("那流量呢？", "查看上周的经营周报，并分析流量。", "rewrite"),
        ("And there?", "will it rain in paris", "rewrite"),
        ("Will it rain in Paris", None, "rewrite"),
    ],
)
def test_a_question_in_other_clothes_is_known(text: str, rewrite: str | None, kind: str) -> None:
    leak = GUARD.find_leak(text, rewrite)
    assert leak is not None
    assert leak.kind == kind
    assert GUARD.is_leak(Query(text), rewrite)


@pytest.mark.parametrize(
    "text",
    ["查看本月的退款原因", "分析流量", "Will the parcel arrive tomorrow?", "？！", "", "好的"],
)
def test_another_question_is_let_through(text: str) -> None:
    assert GUARD.find_leak(text, text or None) is None


def test_one_query_may_leak_by_one_suggestion_and_not_by_another() -> None:
    query = Query("那流量呢？")
    assert not GUARD.is_leak(query, "查看昨天的退款")
    assert GUARD.is_leak(query, WEEKLY.rewrite)
    assert not GUARD.is_leak(query)


def test_without_benchmarks_nothing_leaks() -> None:
    assert not BenchmarkGuard([]).is_leak(Query("anything"), "anything")


def likeness(one: str, other: str, length: int) -> float:
    """Dice over character grams, the plain way."""
    left, right = (
        {text[start : start + length] for start in range(len(text) - length + 1)}
        for text in (normalised(one), normalised(other))
    )
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


@given(st.data())
@pytest.mark.parametrize(("letters", "length"), [("甲乙丙", 2), ("abc", 5)])
def test_the_index_finds_a_near_duplicate_whenever_there_is_one(
    letters: str, length: int, data: st.DataObject
) -> None:
    texts = st.text(letters, min_size=1, max_size=30)
    questions = data.draw(st.lists(texts, min_size=1, max_size=12))
    begun = data.draw(st.sampled_from(questions))
    text = data.draw(texts) + begun[data.draw(st.integers(0, 3)) :]
    guard = BenchmarkGuard(GuardedQuestion(each, "b@1", each) for each in questions)
    leak = guard.find_leak(text)
    best = max(likeness(text, each, length) for each in questions)
    if text in questions:
        assert leak is not None
        assert leak.kind in ("exact", "normalised")
    else:
        assert (leak is not None) == (best >= NEAR)
        if leak is not None:
            assert leak.likeness == likeness(text, leak.question.text, length) >= NEAR


def test_many_questions_of_one_mould_are_told_apart() -> None:
    questions = [
        GuardedQuestion(str(shop), "b@1", f"上周{shop}号店的流量怎么掉了这么多，先看哪几个指标")
        for shop in range(600)
    ]
    guard = BenchmarkGuard(questions)
    leak = guard.find_leak("上周88888号店的流量怎么掉了这么多，先看哪几个指标呢")
    assert leak is not None
    assert leak.kind == "near"
    assert guard.find_leak("帮我看看上周88号店的退款原因和差评都有哪些") is None


@given(st.text())
def test_normalising_twice_changes_nothing_that_matters(text: str) -> None:
    assert cluster_key(normalised(text)) == cluster_key(text) or not normalised(text)


def test_a_cluster_holds_one_question_after_one_dialogue() -> None:
    history = [{"role": "user", "content": "看看周报"}]
    assert cluster_key("流量 呢？") == cluster_key("流量呢")
    assert cluster_key("流量呢", history) != cluster_key("流量呢")
    assert cluster_key("流量呢", history) == cluster_key(
        "流量呢？", [{"role": "user", "content": "看看，周报"}]
    )
    assert cluster_key("？") != cluster_key("！")
