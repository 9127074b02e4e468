"""Accuracy is strict, and figures say what they are of."""

import pytest

from exports.figures import compare, figures, judge
from schemas.intervals import wilson
from schemas.scoring.context import ScoringContext
from schemas.scoring.wire import to_text

NAMES = frozenset({"a", "b", "c"})


def plan(*steps: tuple[str, int], query: str = "查看经营周报") -> dict[str, object]:
    return {
        "rewritten_query": query,
        "steps": [
            {"expert": expert, "sub_questions": ["查看"], "order": order} for expert, order in steps
        ],
    }


def completion(value: dict[str, object], thinking: str = "先看数据。") -> str:
    return f"<think>\n{thinking}\n</think>\n\n<answer>\n{to_text(value, 'zh@1')}\n</answer>"


def context(gold: dict[str, object]) -> ScoringContext:
    return ScoringContext(with_thinking=True, dialect="zh@1", expert_names=NAMES, gold=gold)


def test_an_answer_is_right_when_each_stage_has_the_accepted_experts() -> None:
    gold = plan(("a", 1), ("b", 1), ("c", 2))
    swapped = plan(("b", 1), ("a", 1), ("c", 2), query="别的问法")
    assert judge(completion(swapped), context(gold))["right"] == 1.0


@pytest.mark.parametrize(
    "said",
    [
        plan(("a", 1), ("b", 2)),
        plan(("a", 1)),
        plan(("a", 1), ("b", 1), ("c", 1)),
        plan(("a", 1), ("陌生", 1)),
        plan(),
    ],
)
def test_other_experts_or_stages_are_wrong(said: dict[str, object]) -> None:
    assert judge(completion(said), context(plan(("a", 1), ("b", 1))))["right"] == 0.0


def test_the_right_plan_in_the_wrong_form_is_wrong() -> None:
    gold = plan(("a", 1))
    assert judge(completion(gold) + "\n", context(gold))["right"] == 0.0
    assert judge(completion(gold), context(gold))["right"] == 1.0


def test_no_experts_where_none_is_needed_is_right() -> None:
    scores = judge(completion(plan()), context(plan()))
    assert scores["right"] == scores["expert_f1"] == 1.0


def test_the_order_is_measured_over_pairs_that_both_plans_have() -> None:
    gold = plan(("a", 1), ("b", 2), ("c", 3))
    assert judge(completion(plan(("b", 1), ("a", 2), ("c", 3))), context(gold))[
        "order"
    ] == pytest.approx(2 / 3)
    assert "order" not in judge(completion(plan(("a", 1))), context(gold))


@pytest.mark.parametrize("text", ["", "<answer>", "[]", "<answer>\n[1]\n</answer>", "\ud800"])
def test_whatever_a_model_writes_is_judged(text: str) -> None:
    assert judge(text, context(plan(("a", 1))))["right"] == 0.0


def test_a_question_without_answer_counts_as_wrong() -> None:
    found = figures([{"right": 1.0, "StrictFormatReward": 1.0}, {"failed": 1.0}], 4)
    assert (found.questions, found.right, found.accuracy, found.failed) == (4, 1, 0.25, 3)
    assert found.strict_form == 0.25


def test_a_figure_of_nothing_is_absent() -> None:
    found = figures([], 0)
    assert (found.accuracy, found.accuracy_low, found.accuracy_high) == (0.0, 0.0, 1.0)
    assert found.expert_f1 is None
    assert found.think_length_mean is None


def test_the_interval_is_wilsons() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_comparison_counts_what_was_mended_and_broken() -> None:
    before = {"1": {"right": 0.0}, "2": {"right": 1.0}, "3": {"right": 1.0}}
    after = {"1": {"right": 1.0}, "2": {"right": 0.0}, "4": {"right": 1.0}}
    compared = compare(before, after)
    assert (compared.mended, compared.broken) == (1, 1)
    assert compared.before.questions == compared.after.questions == 2
