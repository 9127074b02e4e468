"""Agreement with people, figures and the forecast, against other reckonings of the same."""

import doctest
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from schemas import reward_judgement
from schemas.reward_judgement import (
    Corrected,
    Judged,
    agreement_of,
    agreement_within,
    auroc,
    figure_of,
    forecast,
)

TENTHS = st.integers(0, 5).map(lambda number: number / 5)
SCORES = st.lists(TENTHS, min_size=1, max_size=30)


def test_the_worked_example_holds() -> None:
    assert doctest.testmod(reward_judgement).failed == 0


@given(SCORES, SCORES)
def test_the_auroc_is_mann_and_whitneys_statistic_over_all_pairs(
    good: list[float], bad: list[float]
) -> None:
    statistic = mannwhitneyu(good, bad, method="asymptotic").statistic
    assert auroc(good, bad) == pytest.approx(statistic / (len(good) * len(bad)))


def test_an_auroc_by_hand_with_ties() -> None:
    # of 3 × 2 pairs: .9 wins two, .5 ties one and wins one, .2 loses one and wins one
    assert auroc([0.9, 0.5, 0.2], [0.5, 0.1]) == pytest.approx((2 + 1.5 + 1) / 6)
    assert auroc([], [0.1]) is None
    assert auroc([0.1], []) is None


def test_a_reward_that_never_differs_has_no_figure() -> None:
    same = [Judged(f"q{number}", number % 2 == 0, 1.0) for number in range(20)]
    assert agreement_of(same).figure is None
    assert agreement_within([Corrected("q", 0.5, 0.5)]).figure is None
    assert agreement_of([]).figure is None
    assert agreement_within([]).figure is None


def test_cases_of_one_query_are_drawn_together() -> None:
    source = random.Random(3)
    alone = [
        Judged(f"q{number}", is_good, source.gauss(0.5 + 0.1 * is_good, 0.2))
        for number in range(60)
        for is_good in [number % 2 == 0]
    ]
    repeated = [each for each in alone for _ in range(5)]
    narrow = agreement_of([each._replace(query_id=str(n)) for n, each in enumerate(repeated)])
    fair, wide = agreement_of(alone), agreement_of(repeated)
    for each in (narrow, fair, wide):
        assert each.figure == pytest.approx(fair.figure)
        assert each.low is not None
        assert each.high is not None
        assert each.low <= (each.figure or 0) <= each.high
    assert (narrow.high or 0) - (narrow.low or 0) < ((wide.high or 0) - (wide.low or 0)) / 1.5


def test_one_query_has_a_figure_and_no_interval() -> None:
    found = agreement_of([Judged("q", True, 0.9), Judged("q", False, 0.1)])
    assert found == (1.0, None, None)


def test_a_correction_is_compared_with_its_own_plan_only() -> None:
    pairs = [Corrected("a", 0.9, 0.8), Corrected("b", 0.3, 0.2), Corrected("c", 0.5, 0.5)]
    assert agreement_within(pairs).figure == pytest.approx(2.5 / 3)


def test_figures_tell_mean_spread_and_edges() -> None:
    figure = figure_of("JSONValidReward", [0.0, 1.0, 1.0, 0.5], 100.0)
    assert (figure.mean, figure.zeros, figure.ones) == (0.625, 0.25, 0.5)
    assert figure.spread == pytest.approx(np.std([0.0, 1.0, 1.0, 0.5]))


def answers(*totals: float) -> list[dict[str, float]]:
    return [{"StrictFormatReward": total} for total in totals]


def test_groups_whose_totals_are_equal_are_silent() -> None:
    found = forecast([answers(1, 1, 1, 0), answers(1, 1, 1, 1)], {"StrictFormatReward": 1.0}, 2)
    assert found is not None
    # of the first query's six pairs three are equal, of the second's six all
    assert found.groups == 12
    for each in found.scalings:
        assert each.silent == pytest.approx(9 / 12)


def test_too_few_answers_make_smaller_groups_or_no_forecast() -> None:
    found = forecast([answers(1, 0, 1), answers(1)], {"StrictFormatReward": 1.0}, 8)
    assert found is not None
    assert (found.wanted, found.size, found.queries, found.without) == (8, 3, 1, 1)
    assert forecast([answers(1), answers(0)], {"StrictFormatReward": 1.0}, 8) is None
    assert forecast([], {"StrictFormatReward": 1.0}, 8) is None


def test_rewards_that_offset_each_other_are_silent_unless_each_is_scaled_alone() -> None:
    offset = [{"JSONValidReward": 1.0, "CorrectnessReward": 0.0},
              {"JSONValidReward": 0.0, "CorrectnessReward": 1.0}]  # fmt: skip
    found = forecast([offset], {"JSONValidReward": 0.5, "CorrectnessReward": 0.5}, 2)
    assert found is not None
    silent = {each.scaling: each.silent for each in found.scalings}
    assert silent == {"group": 1.0, "batch": 1.0, "none": 1.0, "gdpo": 0.0}


def test_a_faint_difference_is_blown_up_by_group_scaling_alone() -> None:
    found = forecast([answers(0.5, 0.504)] * 3, {"StrictFormatReward": 1.0}, 2)
    assert found is not None
    held = {each.scaling: each for each in found.scalings}
    assert held["group"].faint == 1.0
    assert held["group"].strength > 0.5
    assert held["none"].strength < 0.01


def test_a_forecast_is_the_same_each_time() -> None:
    source = random.Random(1)
    many = [answers(*(source.choice((0.0, 0.5, 1.0)) for _ in range(12))) for _ in range(5)]
    first = forecast(many, {"StrictFormatReward": 1.0}, 4)
    assert first == forecast(many, {"StrictFormatReward": 1.0}, 4)
    assert first is not None
    assert first.groups == 5 * reward_judgement.GROUPS_A_QUERY
