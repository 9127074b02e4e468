"""A lot passes or fails at the risk that its plan states."""

import doctest
import itertools
import re
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import intervals, sampling
from schemas.intervals import bootstrap_interval, median
from schemas.sampling import (
    SamplingPlan,
    defect_bound,
    draw_sample,
    level_after,
    lot_verdict,
    operating_curve,
    pass_probability,
    sampling_plan,
)

LOTS = st.integers(1, 400)
RATES = st.integers(1, 60).map(lambda percent: percent / 100)
CONFIDENCES = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


def by_enumeration(lot: int, defects: int, size: int, acceptance: int) -> Fraction:
    """Every sample that can be drawn, counted."""
    samples = list(itertools.combinations(range(lot), size))
    passing = sum(sum(item < defects for item in sample) <= acceptance for sample in samples)
    return Fraction(passing, len(samples))


@pytest.mark.parametrize("module", [sampling, intervals], ids=lambda module: module.__name__)
def test_examples_in_the_docstrings_hold(module: object) -> None:
    found = doctest.testmod(module)  # pyright: ignore[reportArgumentType]
    assert found.failed == 0
    assert found.attempted > 0


def test_the_probability_of_passing_is_that_of_all_samples_counted() -> None:
    for lot, defects in itertools.product(range(1, 9), range(9)):
        for size, acceptance in itertools.product(range(1, lot + 1), range(4)):
            if defects <= lot:
                counted = by_enumeration(lot, defects, size, acceptance)
                assert pass_probability(lot, defects, size, acceptance) == counted


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.35])
@pytest.mark.parametrize("lot", range(3, 13))
def test_a_plan_is_the_smallest_that_keeps_its_risk(lot: int, rate: float) -> None:
    plan = sampling_plan(lot, rate, 0.8)
    bad = -(-lot * round(rate * 100) // 100)
    size, acceptance = plan.sample_size, plan.acceptance_number
    assert by_enumeration(lot, bad, size, acceptance) <= Fraction(1, 5)
    if size > acceptance + 1:
        assert by_enumeration(lot, bad, size - 1, acceptance) > Fraction(1, 5)


@given(LOTS, RATES, CONFIDENCES)
@settings(deadline=None)
def test_a_bad_lot_seldom_passes_and_a_good_one_nearly_always(
    lot: int, rate: float, confidence: float
) -> None:
    plan = sampling_plan(lot, rate, confidence)
    bad = next(count for count in range(lot + 1) if count >= lot * Fraction(str(rate)))
    good = int(lot * Fraction(str(rate)) / 4)
    risk = 1 - Fraction(str(confidence))
    size, acceptance = plan.sample_size, plan.acceptance_number
    for defects in range(bad, lot + 1, max(1, lot // 20)):
        assert pass_probability(lot, defects, size, acceptance) <= risk
    assert pass_probability(lot, good, size, acceptance) >= Fraction(95, 100)
    assert plan.consumer_risk <= float(risk)
    assert plan.producer_pass >= 0.95
    assert acceptance < size <= lot


@given(LOTS, RATES, CONFIDENCES)
@settings(deadline=None)
def test_more_confidence_or_a_tighter_level_looks_at_no_less(
    lot: int, rate: float, confidence: float
) -> None:
    normal = sampling_plan(lot, rate, confidence)
    surer = sampling_plan(lot, rate, (1 + confidence) / 2)
    tightened = sampling_plan(lot, rate, confidence, level="tightened")
    relaxed = sampling_plan(lot, rate, confidence, level="relaxed")
    assert normal.sample_size <= surer.sample_size
    assert relaxed.sample_size <= normal.sample_size <= tightened.sample_size
    assert relaxed.tolerated_rate > normal.tolerated_rate > tightened.tolerated_rate


@given(LOTS, RATES, CONFIDENCES)
@settings(deadline=None)
def test_the_more_defects_the_seldomer_a_lot_passes(
    lot: int, rate: float, confidence: float
) -> None:
    curve = operating_curve(sampling_plan(lot, rate, confidence))
    assert curve[0].defect_rate == 0
    assert curve[0].pass_probability == 1
    for earlier, later in itertools.pairwise(curve):
        assert earlier.defect_rate < later.defect_rate <= 1
        assert earlier.pass_probability >= later.pass_probability
    assert 2 <= len(curve) <= 41


@pytest.mark.parametrize(
    ("lot", "rate", "confidence"), [(0, 0.1, 0.9), (10, 0, 0.9), (10, 1, 0.9), (10, 0.1, 1)]
)
def test_a_lot_of_nothing_or_a_rate_that_is_none_is_refused(
    lot: int, rate: float, confidence: float
) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        sampling_plan(lot, rate, confidence)


def test_a_tenth_of_thirty_is_three_and_not_four() -> None:
    """0.1 · 30 is a little more than 3 in binary."""
    assert sampling_plan(30, 0.1, 0.9).consumer_risk == float(
        pass_probability(30, 3, *sampling_plan(30, 0.1, 0.9)[1:3])
    )


PLAN = SamplingPlan(50, 4, 1, 0.1, 0.9, 0.0, 1.0)


def test_a_lot_fails_as_soon_as_its_sample_has_a_defect_too_many() -> None:
    assert lot_verdict(PLAN, ["fixed", None, "accepted"]) == ("inspecting", 2, 1, 2)
    assert lot_verdict(PLAN, ["fixed", "discarded"]) == ("failed", 2, 2, 0)


def test_a_lot_passes_when_the_whole_sample_was_looked_at() -> None:
    assert lot_verdict(PLAN, ["accepted"] * 3 + ["returned"]) == ("passed", 4, 1, 0)
    assert lot_verdict(PLAN, ["accepted"] * 3).state == "inspecting"


@given(st.integers(1, 40), st.data(), st.sampled_from([0.8, 0.95]))
@settings(deadline=None)
def test_the_bound_of_defects_holds_as_often_as_it_says(
    lot: int, data: st.DataObject, confidence: float
) -> None:
    size, defects = data.draw(st.integers(1, lot)), data.draw(st.integers(0, lot))
    # Over all samples of this lot, the bound lies below the truth in 1 - confidence at most.
    missed = Fraction(0)
    for found in range(max(0, size - lot + defects), min(size, defects) + 1):
        if defect_bound(lot, size, found, confidence) < defects / lot:
            less = pass_probability(lot, defects, size, found - 1) if found else Fraction(0)
            missed += pass_probability(lot, defects, size, found) - less
    assert missed <= 1 - Fraction(str(confidence))


def test_a_look_at_everything_leaves_no_doubt() -> None:
    assert defect_bound(20, 20, 3) == 0.15


@given(st.lists(st.booleans(), max_size=40))
def test_a_level_follows_from_the_lots_since_the_last_switch(outcomes: list[bool]) -> None:
    level = level_after(outcomes)
    before = level_after(outcomes[:-1])
    if outcomes and level != before:
        switched = {
            ("normal", "tightened"): not outcomes[-1],
            ("tightened", "normal"): all(outcomes[-5:]) and len(outcomes) >= 5,
            ("normal", "relaxed"): all(outcomes[-10:]) and len(outcomes) >= 10,
            ("relaxed", "normal"): not outcomes[-1],
        }
        assert switched[before, level]


def test_two_failures_far_apart_do_not_tighten() -> None:
    assert level_after([False, True, True, True, False]) == "tightened"
    assert level_after([False, True, True, True, True, False]) == "normal"


def test_a_tightened_level_takes_five_in_a_row_to_leave() -> None:
    failed = [False, False]
    assert level_after([*failed, *[True] * 4]) == "tightened"
    assert level_after([*failed, *[True] * 4, False, *[True] * 4]) == "tightened"
    assert level_after([*failed, *[True] * 5]) == "normal"


def test_a_relaxed_level_ends_at_the_first_failure_and_starts_anew() -> None:
    assert level_after([True] * 12) == "relaxed"
    assert level_after([*[True] * 12, False]) == "normal"
    assert level_after([*[True] * 12, False, False]) == "normal"
    assert level_after([*[True] * 12, False, *[True] * 10]) == "relaxed"


@given(st.sets(st.text(min_size=1), min_size=1), st.text(), st.randoms())
def test_a_sample_can_be_drawn_again_by_anybody(ids: set[str], seed: str, source: object) -> None:
    shuffled = list(ids)
    source.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue]
    size = len(ids) // 2
    drawn = draw_sample(shuffled, size, seed)
    assert drawn == draw_sample(sorted(ids), size, seed)
    assert len(set(drawn)) == size
    assert set(drawn) <= ids


def test_samples_of_many_seeds_take_every_item_alike() -> None:
    ids = [f"a{place}" for place in range(10)]
    counts = dict.fromkeys(ids, 0)
    for seed in range(2_000):
        for each in draw_sample(ids, 3, str(seed)):
            counts[each] += 1
    assert all(540 < count < 660 for count in counts.values())


def test_the_table_for_leads_says_what_the_plans_say() -> None:
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\d,]+) \| (\d+ / \d+ \|.*) \|$", page, re.MULTILINE)
    assert len(rows) >= 5
    for lot, cells in rows:
        plans = [
            sampling_plan(int(lot.replace(",", "")), rate, confidence)
            for rate in (0.05, 0.1, 0.2)
            for confidence in (0.8, 0.9, 0.95)
        ]
        told = [f"{plan.sample_size} / {plan.acceptance_number}" for plan in plans]
        assert cells.split(" | ") == told


def test_a_bootstrap_interval_covers_the_mean_and_is_the_same_each_time() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]
    low, high = bootstrap_interval(values) or (1.0, 0.0)
    assert low < 0.625 < high
    assert (low, high) == bootstrap_interval(values)
    assert bootstrap_interval([]) is None
    assert median([]) is None
