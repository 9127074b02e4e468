"""Acceptance sampling: how many of a lot to look at, and when the lot passes, at a stated risk.

A lot is some annotations of one person. A plan says how many of them a reviewer looks at and how
many defects among those still let the whole lot pass. The promise is the consumer's risk: a lot
whose share of defects is the tolerated rate or more passes with a probability of at most
1 - confidence. It is exact: drawing without replacement is hypergeometric, reckoned in whole
numbers.
"""

import hashlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import ceil, comb, floor
from typing import Literal, NamedTuple

Level = Literal["normal", "tightened", "relaxed"]
LotState = Literal["inspecting", "passed", "failed"]

GOOD_SHARE = Fraction(1, 4)
"""A lot is good where its rate is this share of the tolerated one, or less."""
PRODUCER_PASS = Fraction(95, 100)
"""A good lot passes at least this often."""
LEVEL_FACTORS: dict[Level, Fraction] = {
    "normal": Fraction(1),
    "tightened": Fraction(5, 8),
    "relaxed": Fraction(8, 5),
}
"""What a level makes of the tolerated rate: about one step of ISO 2859-1's quality levels."""
FAILED_TO_TIGHTEN, WITHIN_LOTS = 2, 5
PASSED_TO_RELAX = 10
PASSED_TO_NORMAL = 5


class SamplingPlan(NamedTuple):
    """Look at `sample_size` of `lot_size`; up to `acceptance_number` defects let the lot pass.

    `consumer_risk` is the probability that a lot just at the tolerated rate passes all the same,
    `producer_pass` that a good lot (a quarter of the tolerated rate, or less) passes.
    """

    lot_size: int
    sample_size: int
    acceptance_number: int
    tolerated_rate: float
    confidence: float
    consumer_risk: float
    producer_pass: float


class CurvePoint(NamedTuple):
    """A lot with this share of defects passes with this probability."""

    defect_rate: float
    pass_probability: float


class LotVerdict(NamedTuple):
    """Where a lot stands after the verdicts so far."""

    state: LotState
    inspected: int
    defects: int
    left: int
    """How many of the sample still have to be looked at; none once it is decided."""


def sampling_plan(
    lot_size: int, tolerated_rate: float, confidence: float, *, level: Level = "normal"
) -> SamplingPlan:
    """The smallest sample that keeps the consumer's risk and lets good lots pass.

    For every acceptance number from 0 the smallest sample with a consumer's risk of at most
    1 - confidence is found; the first with which a good lot passes in 95 of 100 cases is taken.
    It always exists: a look at the whole lot errs in neither way. A level multiplies the tolerated
    rate (tightened by 5/8, relaxed by 8/5) and leaves alone what a good lot is: a tightened plan
    looks at more, a relaxed one at less and promises less, as its `tolerated_rate` says.

    >>> sampling_plan(50, 0.1, 0.9)[:3]
    (50, 29, 1)

    Raises:
        ValueError: an empty lot, or a rate or confidence outside (0, 1).
    """
    if lot_size < 1 or not 0 < tolerated_rate < 1 or not 0 < confidence < 1:
        raise ValueError("a lot has items, and its rate and confidence lie between 0 and 1")
    asked = _exact(tolerated_rate)
    rate = min(asked * LEVEL_FACTORS[level], (1 + asked) / 2)
    return _sampling_plan(lot_size, rate, floor(lot_size * asked * GOOD_SHARE), _exact(confidence))


@lru_cache(maxsize=1024)
def _sampling_plan(lot_size: int, rate: Fraction, good: int, confidence: Fraction) -> SamplingPlan:
    bad, size = ceil(lot_size * rate), 1
    for acceptance in range(bad):
        size = _smallest_sample(lot_size, bad, acceptance, 1 - confidence, size)
        passing = pass_probability(lot_size, good, size, acceptance)
        if passing >= PRODUCER_PASS:
            break
    else:
        raise AssertionError("a look at the whole lot always separates good from bad")
    return SamplingPlan(
        lot_size=lot_size,
        sample_size=size,
        acceptance_number=acceptance,
        tolerated_rate=float(rate),
        confidence=float(confidence),
        consumer_risk=float(pass_probability(lot_size, bad, size, acceptance)),
        producer_pass=float(passing),
    )


def _smallest_sample(
    lot_size: int, bad: int, acceptance: int, risk: Fraction, at_least: int
) -> int:
    """By halving: the larger the sample, the rarer a bad lot passes."""
    low, high = max(at_least, acceptance + 1), lot_size
    while low < high:
        middle = (low + high) // 2
        if pass_probability(lot_size, bad, middle, acceptance) <= risk:
            high = middle
        else:
            low = middle + 1
    return low


@lru_cache(maxsize=8192)
def pass_probability(
    lot_size: int, defects: int, sample_size: int, acceptance_number: int
) -> Fraction:
    """How likely a sample has no more than so many of the lot's defects, exactly.

    >>> pass_probability(10, 2, 5, 0)
    Fraction(2, 9)
    """
    sound = lot_size - defects
    most = min(acceptance_number, defects, sample_size)
    ways = sum(comb(defects, found) * comb(sound, sample_size - found) for found in range(most + 1))
    return Fraction(ways, comb(lot_size, sample_size))


def operating_curve(plan: SamplingPlan, points: int = 41) -> tuple[CurvePoint, ...]:
    """How often lots pass by their share of defects, for a plot: from none up to where none pass.

    The shares are those that a lot of this size can have; so many points at most.
    """
    counts: list[int] = []
    for defects in range(plan.lot_size + 1):
        counts.append(defects)
        if _passing(plan, defects) < 0.001:
            break
    step = max(1, ceil((len(counts) - 1) / (points - 1))) if points > 1 else len(counts)
    return tuple(
        CurvePoint(defects / plan.lot_size, _passing(plan, defects)) for defects in counts[::step]
    )


def _passing(plan: SamplingPlan, defects: int) -> float:
    return float(pass_probability(plan.lot_size, defects, plan.sample_size, plan.acceptance_number))


def defect_bound(lot_size: int, inspected: int, defects: int, confidence: float = 0.95) -> float:
    """The share of defects that a lot does not exceed, at a confidence, after what was seen.

    The largest count of defects in the lot under which so few would still be seen with a
    probability above 1 - confidence, over the lot's size: exact, one-sided.

    >>> defect_bound(50, 50, 2)
    0.04
    >>> defect_bound(100, 30, 0)
    0.08
    """
    risk = 1 - _exact(confidence)
    low, high = defects, lot_size - (inspected - defects)
    while low < high:
        middle = (low + high + 1) // 2
        if pass_probability(lot_size, middle, inspected, defects) > risk:
            low = middle
        else:
            high = middle - 1
    return low / lot_size if lot_size else 1.0


def is_defect(verdict: str) -> bool:
    """Whether a reviewer's verdict counts as a defect: all but `accepted` do."""
    return verdict != "accepted"


def lot_verdict(plan: SamplingPlan, verdicts: Iterable[str | None]) -> LotVerdict:
    """Passed, failed, or still to be inspected, by the verdicts on the sample so far.

    A lot fails as soon as there are more defects than its plan allows, whatever is left of the
    sample; it passes when the whole sample has been looked at. `None` is not yet looked at.

    >>> plan = sampling_plan(50, 0.1, 0.9)
    >>> lot_verdict(plan, ["accepted", "fixed", "returned"]).state
    'failed'
    """
    known = [verdict for verdict in verdicts if verdict is not None]
    defects = sum(map(is_defect, known))
    left = max(0, plan.sample_size - len(known))
    if defects > plan.acceptance_number:
        return LotVerdict("failed", len(known), defects, 0)
    return LotVerdict("inspecting" if left else "passed", len(known), defects, left)


def level_after(outcomes: Iterable[bool]) -> Level:
    """The level of a person's next lot, from all lots before it (passed or not, oldest first).

    In the spirit of the switching rules of ISO 2859-1, simplified: normal becomes tightened when
    2 of 5 lots in a row or fewer failed, tightened becomes normal after 5 passed in a row, normal
    becomes relaxed after 10 passed in a row, relaxed becomes normal at the first failure. What
    came before a switch does not count after it.

    >>> level_after([True, False, True, False])
    'tightened'
    >>> level_after([True] * 10), level_after([True] * 10 + [False])
    ('relaxed', 'normal')
    """
    level: Level = "normal"
    since: list[bool] = []
    for passed in outcomes:
        since.append(passed)
        after = _level(level, since)
        if after != level:
            level, since = after, []
    return level


def _level(level: Level, since: Sequence[bool]) -> Level:
    if level == "relaxed":
        return "relaxed" if since[-1] else "normal"
    if level == "tightened":
        return "normal" if _all_passed(since, PASSED_TO_NORMAL) else "tightened"
    if since[-WITHIN_LOTS:].count(False) >= FAILED_TO_TIGHTEN:
        return "tightened"
    return "relaxed" if _all_passed(since, PASSED_TO_RELAX) else "normal"


def _all_passed(since: Sequence[bool], count: int) -> bool:
    return len(since) >= count and all(since[-count:])


def draw_sample(ids: Iterable[str], size: int, seed: str) -> tuple[str, ...]:
    """So many of the ids, in the order to look at them; the same for the same ids and seed.

    Each id's place is the hash of the seed and the id, so the order of the ids does not matter and
    anybody can draw the sample again.

    >>> draw_sample(["a", "b", "c"], 2, "7") == draw_sample(["c", "a", "b"], 2, "7")
    True
    """
    return tuple(sorted(set(ids), key=lambda each: _place(seed, each))[:size])


def _place(seed: str, item: str) -> str:
    return hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest()


def _exact(number: float) -> Fraction:
    """A decimal number as it is written: 0.1 is a tenth."""
    return Fraction(str(number))
