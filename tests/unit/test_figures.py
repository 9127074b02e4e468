"""Accuracy is strict, and figures say what they are of."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.figures import compare, figures
from exports.judging import judge
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


def thinking(*lengths: float, **more: float) -> list[dict[str, float]]:
    return [{"right": 1.0, "think_length": each, **more} for each in lengths]


def test_lengths_are_of_answers_that_were_not_cut_off() -> None:
    answers = thinking(*range(1, 101)) + thinking(9_000, cut_off=1.0)
    found = figures(answers, 101)
    assert (found.thinking, found.cut_off) == (100, 1)
    assert (found.think_length_mean, found.think_length_median) == (50.5, 50.5)
    assert found.think_length_std == pytest.approx(28.866, abs=5e-4)  # sqrt((100² - 1) / 12)
    assert found.think_length_p95 == 95.0


def test_lengths_are_counted_in_the_one_unit_that_is_named() -> None:
    answers = thinking(100, think_tokens=60.0) + thinking(50)
    assert figures(answers, 2).think_length_mean == 75.0
    in_tokens = figures(answers, 2, "qwen")
    assert (in_tokens.length_unit, in_tokens.thinking) == ("qwen", 1)
    assert in_tokens.think_length_mean == 60.0


def test_the_distance_of_a_plan_is_what_people_would_have_to_change() -> None:
    gold = plan(("a", 1), ("b", 2))
    assert judge(completion(gold), context(gold))["plan_distance"] == 0.0
    # Half the experts (0.4·½), a third of the order (0.3·⅓), half the sub-questions (0.2·½).
    one = judge(completion(plan(("a", 1))), context(gold))["plan_distance"]
    assert one == pytest.approx(0.4 / 2 + 0.3 / 3 + 0.2 / 2)
    assert judge("no plan", context(gold))["plan_distance"] == 1.0


def test_accuracy_is_told_by_the_steps_of_the_accepted_plan() -> None:
    before = {each: {"right": 0.0} for each in "1234"}
    after = before | {"1": {"right": 1.0}, "4": {"right": 1.0}}
    found = compare(before, after, {"1": 1, "2": 1, "3": 5, "4": 9}).by_steps
    assert [(each.steps, each.questions, each.right_after) for each in found] == [
        (1, 2, 1),
        (5, 2, 1),
    ]
    assert [each.is_or_more for each in found] == [False, True]


def test_a_histogram_holds_every_question_whose_thinking_both_end() -> None:
    before = {str(at): each for at, each in enumerate(thinking(*range(100, 400)))}
    after = {str(at): each for at, each in enumerate(thinking(*range(40, 340)))}
    after["7"] = after["7"] | {"cut_off": 1.0}
    after["8"] = {"right": 0.0}
    found = compare(before, after).lengths
    assert found
    assert found.width == 20.0
    assert sum(found.before) == sum(found.after) == 298
    assert found.before[:6] == (0, 0, 0, 0, 0, 18)


SCORES = st.fixed_dictionaries(
    {"right": st.sampled_from([0.0, 1.0])},
    optional={
        "StrictFormatReward": st.sampled_from([0.0, 1.0]),
        "expert_f1": st.floats(0, 1),
        "order": st.floats(0, 1),
        "think_length": st.integers(1, 900).map(float),
        "cut_off": st.just(1.0),
    },
)
BOTH = st.dictionaries(st.text("abcdef", min_size=1), st.tuples(SCORES, SCORES), min_size=1)


@given(BOTH)
@settings(max_examples=30, deadline=None)
def test_swapping_the_sides_of_a_comparison_mirrors_it(
    answers: dict[str, tuple[Mapping[str, float], Mapping[str, float]]],
) -> None:
    old, new = ({key: each[side] for key, each in answers.items()} for side in (0, 1))
    there, back = compare(old, new), compare(new, old)
    assert (there.before, there.after) == (back.after, back.before)
    assert (there.mended, there.broken) == (back.broken, back.mended)
    assert there.p_value == back.p_value
    for each in there.differences:
        other = back.find_difference(each.name)
        if each.name == "deviation_ratio":  # a ratio turns over, and needs a deviation below it
            continue
        assert other
        assert other.change == -each.change
        assert (other.low, other.high) == pytest.approx((-each.high, -each.low))


@given(BOTH)
@settings(max_examples=30, deadline=None)
def test_a_planner_compared_with_itself_does_not_differ(
    answers: dict[str, tuple[Mapping[str, float], Mapping[str, float]]],
) -> None:
    same = {key: each[0] for key, each in answers.items()}
    found = compare(same, same)
    assert (found.mended, found.broken, found.p_value) == (0, 0, 1.0)
    for each in found.differences:
        neutral = 1.0 if each.name == "deviation_ratio" else 0.0
        assert each.change == neutral
        assert each.low == pytest.approx(neutral)
        assert each.high == pytest.approx(neutral)
