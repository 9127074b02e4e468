"""Paired statistics are those of scipy and of cases by hand, and keep what must always hold."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from schemas.paired import Change, Resampling, mcnemar

values = st.one_of(st.just(math.nan), st.floats(-1e3, 1e3, allow_nan=False))
pairs = st.lists(st.tuples(values, values), min_size=1, max_size=40)


def mean_change(
    draws: Resampling, before: Sequence[float], after: Sequence[float]
) -> Change | None:
    return draws.mean_changes({"it": (before, after)}).get("it")


@pytest.mark.parametrize(
    ("mended", "broken"), [(0, 0), (1, 0), (5, 5), (3, 12), (40, 71), (330, 92), (700, 702)]
)
def test_mcnemar_is_the_exact_binomial_test_of_scipy(mended: int, broken: int) -> None:
    changed = mended + broken
    wanted = binomtest(mended, changed).pvalue if changed else 1.0
    assert mcnemar(mended, broken) == pytest.approx(wanted, rel=1e-9)


def test_mcnemar_by_hand() -> None:
    # 1 of 6: 2·(C(6,0) + C(6,1))/2^6 = 14/64.
    assert mcnemar(1, 5) == mcnemar(5, 1) == 14 / 64


def test_the_means_of_all_possible_draws_are_found_by_drawing() -> None:
    before, after = [0.0, 1.0, 5.0], [4.0, 1.0, 2.0]
    drawn = [
        sum(after[each] - before[each] for each in places) / 3
        for places in product(range(3), repeat=3)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")
    found = mean_change(Resampling(3, draws=20_000), before, after)
    assert found
    assert (found.change, found.low, found.high) == pytest.approx((1 / 3, low, high))


def test_the_interval_of_a_paired_difference_is_that_of_scipy() -> None:
    source = np.random.default_rng(7)
    before = source.normal(240, 77, 500)
    after = before * 0.3 + source.normal(20, 15, 500)
    found = mean_change(Resampling(500, draws=4_000), before.tolist(), after.tolist())
    wanted = bootstrap(
        (after - before,), np.mean, n_resamples=4_000, method="percentile", rng=source
    ).confidence_interval
    assert found
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=0.6)
    assert found.change == pytest.approx(float((after - before).mean()))


def test_the_ratio_of_deviations_has_the_interval_of_scipy() -> None:
    def ratio(a: Any, b: Any, axis: int) -> Any:
        return a.std(axis=axis) / b.std(axis=axis)

    source = np.random.default_rng(8)
    before, after = source.normal(240, 77, 400), source.normal(93, 26, 400)
    found = Resampling(400, draws=4_000).deviation_ratio(before.tolist(), after.tolist())
    wanted = bootstrap(
        (after, before),
        ratio,
        paired=True,
        n_resamples=4_000,
        method="percentile",
        rng=source,
    ).confidence_interval
    assert found
    assert found.change == pytest.approx(after.std() / before.std())
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=0.006)


@given(pairs)
@settings(max_examples=60)
def test_swapping_before_and_after_mirrors_the_interval(found: list[tuple[float, float]]) -> None:
    before, after = [each[0] for each in found], [each[1] for each in found]
    draws = Resampling(len(found), draws=200)
    there, back = mean_change(draws, before, after), mean_change(draws, after, before)
    if there is None or back is None:
        assert there is back is None
        return
    assert (back.before, back.after) == (there.after, there.before)
    assert back.change == -there.change
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low), rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
@settings(max_examples=40)
def test_a_figure_beside_itself_does_not_differ(values: list[float]) -> None:
    found = mean_change(Resampling(len(values), draws=100), values, values)
    assert found
    assert (found.change, found.low, found.high) == (0.0, 0.0, 0.0)


def test_what_applies_to_no_question_has_no_change() -> None:
    draws = Resampling(2)
    assert mean_change(draws, [math.nan, 1.0], [1.0, math.nan]) is None
    assert draws.deviation_ratio([1.0, 1.0], [1.0, 2.0]) is None


def test_only_questions_that_both_answer_count() -> None:
    found = mean_change(Resampling(3), [1.0, math.nan, 3.0], [2.0, 9.0, math.nan])
    assert found
    assert (found.questions, found.before, found.after) == (1, 1.0, 2.0)
    assert (found.low, found.high) == (1.0, 1.0)


def test_figures_that_are_drawn_together_are_drawn_alike() -> None:
    source = np.random.default_rng(3)
    sides = {name: tuple(source.random((2, 50)).tolist()) for name in "abc"}
    draws = Resampling(50, draws=300)
    together = draws.mean_changes({name: (each[0], each[1]) for name, each in sides.items()})
    for name, (before, after) in sides.items():
        assert together[name] == pytest.approx(mean_change(draws, before, after))
