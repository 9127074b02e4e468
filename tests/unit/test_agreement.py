"""Plans are compared in substance, and α is Krippendorff's."""

import copy
import doctest
import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Indel

from schemas import agreement, alpha
from schemas.agreement import (
    LEAST_DIFFERENCE,
    WEIGHTS,
    order_similarity,
    plan_agreement,
    plan_distance,
    prepare_plan,
    prepared_distance,
)
from schemas.alpha import krippendorff_alpha, nominal_alpha, value_pairs
from schemas.colleagues import among_colleagues
from schemas.staleness import substance
from tests.simulated_plans import Plan, corrupted, random_plan, reworded

NAMES = ("数据分析专家", "诊断专家", "Marketing Expert")
TEXTS = st.sampled_from(
    ["查看周报", "查看经营周报", "增长3.5%", "增长35%", "Sales fall?", "sales fall", "？"]
)
MISSING = None

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: 4 observers, 12 units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, MISSING, MISSING, MISSING),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, MISSING, 3),
    (MISSING, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, MISSING),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, MISSING),
)
UNITS = [[value for value in unit if value is not MISSING] for unit in zip(*OBSERVERS, strict=True)]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans that are canonical: stages without a gap, steps in their order."""
    stages = draw(st.lists(st.sets(st.sampled_from(NAMES), min_size=1), max_size=3))
    return {
        "rewritten_query": draw(TEXTS),
        "steps": [
            {"expert": name, "sub_questions": draw(st.lists(TEXTS, max_size=3)), "order": order}
            for order, stage in enumerate(stages, start=1)
            for name in sorted(stage)
        ],
    }


def step(expert: str, order: int, *asked: str) -> dict[str, Any]:
    return {"expert": expert, "sub_questions": list(asked or ("查看",)), "order": order}


def plan(*steps: dict[str, Any], query: str = "查看经营周报") -> Plan:
    return {"rewritten_query": query, "steps": list(steps)}


@pytest.mark.parametrize("module", [agreement, alpha], ids=lambda module: module.__name__)
def test_examples_in_the_docstrings_hold(module: Any) -> None:
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0


@given(plans(), plans())
def test_a_difference_is_symmetric_and_between_0_and_1(a: Plan, b: Plan) -> None:
    assert plan_agreement(a, b) == plan_agreement(b, a)
    assert 0 <= plan_distance(a, b) <= 1
    for part in WEIGHTS:
        assert 0 <= getattr(plan_agreement(a, b), part) <= 1


@given(plans(), plans())
def test_a_difference_is_0_exactly_where_the_substance_is_equal(a: Plan, b: Plan) -> None:
    assert plan_distance(a, copy.deepcopy(a)) == 0
    is_same = substance(a) == substance(b)
    assert (plan_distance(a, b) == 0) == is_same
    if not is_same:
        assert plan_distance(a, b) >= LEAST_DIFFERENCE


def test_the_weights_make_a_whole() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)


def test_plans_that_share_nothing_are_1_apart() -> None:
    a = plan(step("数据分析专家", 1, "查看"), query="abc")
    b = plan(step("诊断专家", 1, "诊断"), query="xyz")
    assert plan_distance(a, b) == 1


def test_experts_of_one_stage_are_unordered_and_stages_are_not() -> None:
    one = plan(step("a", 1), step("b", 1), step("c", 2))
    turned = plan(step("b", 1), step("a", 1), step("c", 2))
    exchanged = plan(step("c", 1), step("a", 2), step("b", 2))
    assert plan_distance(one, turned) == 0
    found = plan_agreement(one, exchanged)
    assert found.experts == 1
    assert found.order == pytest.approx(2 / 3)
    assert not found.is_same_experts


def test_a_decimal_point_that_no_part_sees_is_a_difference_all_the_same() -> None:
    found = plan_agreement(plan(query="查看增长3.5的门店"), plan(query="查看增长35的门店"))
    assert found.rewrite == 1
    assert found.distance == pytest.approx(LEAST_DIFFERENCE)


def test_a_lost_sub_question_and_a_wrong_rewrite_are_seen_and_leave_the_experts_alone() -> None:
    whole = plan(step("a", 1, "查看周报", "诊断原因"))
    lost = plan(step("a", 1, "查看周报"), query="别的问题")
    found = plan_agreement(whole, lost)
    assert found.is_same_experts
    assert (found.experts, found.order, found.sub_questions) == (1, 1, 0.5)
    assert found.distance == pytest.approx(0.1 + 0.1 * (1 - found.rewrite))


@given(st.lists(st.sampled_from("abcd"), max_size=7), st.lists(st.sampled_from("abcd"), max_size=7))
def test_with_one_expert_a_stage_order_is_the_indel_similarity(a: list[str], b: list[str]) -> None:
    mine = order_similarity([Counter([each]) for each in a], [Counter([each]) for each in b])
    assert mine == pytest.approx(Indel.normalized_similarity(a, b))


@given(st.randoms(use_true_random=False))
def test_every_error_of_the_simulated_team_differs_from_the_right_plan(
    source: random.Random,
) -> None:
    right = random_plan(source)
    assert plan_distance(right, corrupted(right, source)) > 0
    assert plan_agreement(right, reworded(right, source)).is_same_experts


def test_nominal_alpha_is_that_of_the_published_example() -> None:
    found = nominal_alpha(UNITS)
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    assert (found.units, found.values) == (11, 40)


def test_interval_alpha_is_that_of_the_published_example() -> None:
    found = krippendorff_alpha(UNITS, lambda a, b: float((a - b) ** 2))
    assert found.alpha == pytest.approx(0.849, abs=5e-4)


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=8))
@settings(deadline=None)
def test_nominal_alpha_is_alpha_with_the_difference_of_names(units: list[list[int]]) -> None:
    by_counts = nominal_alpha(units, draws=20)
    by_pairs = krippendorff_alpha(units, lambda a, b: float(a != b), draws=20)
    if by_counts.alpha is None:
        assert by_pairs.alpha is None
    else:
        assert by_pairs.alpha == pytest.approx(by_counts.alpha)
        assert by_pairs.observed == pytest.approx(by_counts.observed)


@given(st.lists(st.lists(plans(), max_size=3), max_size=5))
@settings(deadline=None)
def test_alpha_is_its_definition_written_out(units: list[list[Plan]]) -> None:
    known = [unit for unit in units if len(unit) > 1]
    values = [each for unit in known for each in unit]
    found = krippendorff_alpha(units, plan_distance, draws=0)
    if not values:
        assert found.alpha is None
        return
    observed = sum(
        plan_distance(a, b) * 2 / (len(unit) - 1)
        for unit in known
        for a, b in combinations(unit, 2)
    ) / len(values)
    expected = np.mean([plan_distance(a, b) for a, b in combinations(values, 2)])
    if expected == 0:
        assert found.alpha is None
    else:
        assert found.alpha == pytest.approx(1 - observed / expected)


def a_team(seed: int, queries: int, people: int, error_rate: float = 0.0) -> list[list[Plan]]:
    source = random.Random(seed)
    units: list[list[Plan]] = []
    for _ in range(queries):
        right = random_plan(source)
        wrong = [source.random() < error_rate for _ in range(people)]
        units.append([corrupted(right, source) if each else right for each in wrong])
    return units


def alpha_of_plans(units: Sequence[Sequence[Plan]]) -> alpha.Alpha:
    prepared = [[prepare_plan(each) for each in unit] for unit in units]
    return krippendorff_alpha(prepared, prepared_distance, draws=200)


def test_perfect_agreement_is_1() -> None:
    found = alpha_of_plans(a_team(1, 60, 3))
    assert (found.alpha, found.low, found.high) == (1, 1, 1)


def test_shuffled_plans_agree_as_chance_would_have_it() -> None:
    values = [each for unit in a_team(2, 400, 2) for each in unit]
    random.Random(3).shuffle(values)
    found = alpha_of_plans([values[place : place + 2] for place in range(0, len(values), 2)])
    assert found.alpha == pytest.approx(0, abs=0.05)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high


def test_more_errors_lower_alpha() -> None:
    alphas = [alpha_of_plans(a_team(4, 200, 2, rate)).alpha or 0 for rate in (0.0, 0.1, 0.3, 0.6)]
    assert alphas == sorted(alphas, reverse=True)
    assert alphas[-1] < 0.8


def test_without_variation_alpha_is_absent_and_not_1() -> None:
    same = random_plan(random.Random(5))
    found = alpha_of_plans([[same, same]] * 10)
    assert (found.alpha, found.low, found.high, found.units) == (None, None, None, 10)
    assert nominal_alpha([(True, True)] * 10).alpha is None
    assert nominal_alpha([(True,), ()]).units == 0


def test_units_of_one_value_say_nothing() -> None:
    assert nominal_alpha([*UNITS, [9], []]) == nominal_alpha(UNITS)


def test_the_interval_is_the_same_each_time_and_holds_the_figure() -> None:
    units = a_team(6, 100, 2, 0.3)
    first, again = alpha_of_plans(units), alpha_of_plans(units)
    assert first == again
    assert first.low is not None
    assert first.alpha is not None
    assert first.high is not None
    assert first.low < first.alpha < first.high


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Truth: α over very many units of the same kind."""

    def teams(source: random.Random, count: int) -> list[tuple[int, int]]:
        units: list[tuple[int, int]] = []
        for _ in range(count):
            right = source.randrange(4)
            a, b = (right if source.random() < 0.8 else source.randrange(4) for _ in "ab")
            units.append((a, b))
        return units

    truth = nominal_alpha(teams(random.Random(7), 200_000), draws=2).alpha or 0
    covered = 0
    for seed in range(200):
        found = nominal_alpha(teams(random.Random(seed), 150), draws=200)
        covered += (found.low or 0) <= truth <= (found.high or 0)
    assert 180 <= covered <= 199


def test_too_few_units_have_no_interval() -> None:
    found = nominal_alpha(UNITS[:4])
    assert found.alpha is not None
    assert found.low is None
    assert found.high is None


def test_drawn_pairs_come_close_to_all_pairs() -> None:
    units = [[prepare_plan(each) for each in unit] for unit in a_team(8, 150, 2, 0.3)]
    every = krippendorff_alpha(units, prepared_distance, most_pairs=10**6, draws=0).alpha
    drawn = krippendorff_alpha(units, prepared_distance, most_pairs=10_000, draws=0).alpha
    assert drawn == pytest.approx(every, abs=0.01)


@given(st.integers(2, 80), st.integers(1, 500))
def test_pairs_are_of_different_values(count: int, most: int) -> None:
    first, second = value_pairs(count, most)
    assert (first != second).all()
    assert len(first) == min(most, count * (count - 1) // 2)
    assert max(first.max(), second.max()) < count


def test_two_thousand_queries_of_three_people_take_less_than_two_seconds() -> None:
    """CPU time, the least of three: the machine may be busy."""
    prepared = [[prepare_plan(each) for each in unit] for unit in a_team(9, 2_000, 3, 0.2)]
    spent: list[float] = []
    for _ in range(3):
        begun = time.process_time()
        krippendorff_alpha(prepared, prepared_distance)
        spent.append(time.process_time() - begun)
    assert min(spent) < 2


def test_somebody_careless_agrees_least_with_their_colleagues() -> None:
    source = random.Random(10)
    rates = {"ann": 0.02, "bob": 0.02, "cyd": 0.02, "dan": 0.5}
    queries = []
    for _ in range(150):
        right = random_plan(source)
        people = source.sample(sorted(rates), 2)
        queries.append(
            {
                each: prepare_plan(
                    corrupted(right, source) if source.random() < rates[each] else right
                )
                for each in people
            }
        )
    found = among_colleagues([*queries, {"ann": queries[0].popitem()[1]}])
    alphas = {person: each.alpha or 0 for person, each in found.items()}
    assert min(alphas, key=lambda each: alphas[each]) == "dan"
    assert (found["dan"].high or 1) < (found["ann"].low or 0)
    for person, each in found.items():
        assert each.queries == sum(shared.queries for shared in each.shared)
        for shared in each.shared:
            back = {other.colleague_id: other for other in found[shared.colleague_id].shared}
            assert back[person][1:] == shared[1:]
