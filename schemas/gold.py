"""Gold items: how somebody answers queries whose right plan is known, and what follows from it."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from schemas.agreement import PlanAgreement, plan_agreement
from schemas.intervals import wilson
from schemas.staleness import PlainPlan

GoldState = Literal["open", "good", "careless"]

GOOD_SHARE = 0.25
"""A careful person errs at this share of the tolerated rate: 5 % where 20 % are tolerated."""
FALSE_ALARM, MISSED = 0.02, 0.1
"""Wald's α and β: how often a decision accuses the careful, and clears the careless."""
LIMIT, LOWEST = math.log((1 - MISSED) / FALSE_ALARM), math.log(MISSED / (1 - FALSE_ALARM))
"""The evidence at which somebody is careless, and at which they are good."""
FEWEST_ANSWERS = 6
"""Nobody is found careless by fewer answers."""


class GoldScore(NamedTuple):
    """How an annotation stands beside the right plan of a gold item.

    `is_right` is the judgement of benchmarks: the right experts in each stage, as multisets.
    `score` in [0, 1] is graded, 1 - `plan_distance`, so that wording counts in it.
    """

    is_right: bool
    score: float
    agreement: PlanAgreement


class GoldVerdict(NamedTuple):
    """What somebody's answers on gold items come to.

    `evidence` is the logarithm of how many times likelier a careless person gives these answers
    than a careful one; `limit` is where it accuses. `error_low` and `error_high` are Wilson's
    interval of the error rate.
    """

    state: GoldState
    stage: Literal["onboarding", "continuous"]
    answered: int
    wrong: int
    evidence: float
    limit: float
    error_low: float
    error_high: float


def gold_score(plan: PlainPlan, right: PlainPlan) -> GoldScore:
    """Judge an annotation by the right plan (both canonical plain values, valid under the list)."""
    agreement = plan_agreement(plan, right)
    return GoldScore(agreement.is_same_experts, 1 - agreement.distance, agreement)


def required_right(onboarding: int, tolerated_rate: float) -> int:
    """How many of the first answers must be right: no more wrong than the tolerated rate allows.

    >>> required_right(10, 0.2), required_right(3, 0.2)
    (8, 3)
    """
    return math.ceil(round(onboarding * (1 - tolerated_rate), 9))


def gold_verdict(
    answers: Sequence[bool], *, onboarding: int = 0, tolerated_rate: float = 0.2
) -> GoldVerdict:
    """Whether somebody works carefully, by their answers on gold items (right or not, in time).

    Onboarding: of the first `onboarding` answers `required_right` must be right; it is decided as
    soon as the answers still to come cannot change it; until it is passed, the verdict's stage is
    `onboarding`.

    After that, and from the first answer on where there is no onboarding, a sequential test runs
    over all answers: Wald's likelihood ratio (Sequential Analysis, 1947) between an error rate of
    `tolerated_rate` and a quarter of it. Each wrong answer weighs about 1.4 against, each right one
    0.17 for. At `limit` somebody is careless, and stays so; at the lower limit they are good and
    the evidence sinks no further (Page's rule, 1954), so that a long good record excuses later
    carelessness for no more than a few items. Somebody who errs at 5 % is accused within 60 items
    in 1.4 of 100 cases; half of those who err at 20 % are found by 23 items, at 40 % by 9. After a
    pause is lifted, hand in the answers since.

    >>> gold_verdict([True] * 4 + [False] * 5).state
    'careless'
    >>> gold_verdict([True] * 20).state, gold_verdict([True] * 3).state
    ('good', 'open')
    """
    wrong = sum(not right for right in answers)
    low, high = wilson(wrong, len(answers))
    evidence, state = _sequential(answers, tolerated_rate)
    entry = _onboarding(answers[:onboarding], onboarding, tolerated_rate)
    is_entering = entry != "good"
    return GoldVerdict(
        state=entry if is_entering else state,
        stage="onboarding" if is_entering else "continuous",
        answered=len(answers),
        wrong=wrong,
        evidence=evidence,
        limit=LIMIT,
        error_low=low,
        error_high=high,
    )


def _onboarding(first: Sequence[bool], onboarding: int, tolerated_rate: float) -> GoldState:
    allowed = onboarding - required_right(onboarding, tolerated_rate)
    if sum(not right for right in first) > allowed:
        return "careless"
    return "good" if sum(first) >= onboarding - allowed else "open"


def error_evidence(*, wrong: bool, careful_rate: float, careless_rate: float) -> float:
    """The log-likelihood ratio of one answer: how much likelier the careless give it."""
    if wrong:
        return math.log(careless_rate / careful_rate)
    return math.log((1 - careless_rate) / (1 - careful_rate))


def _sequential(answers: Sequence[bool], tolerated_rate: float) -> tuple[float, GoldState]:
    """The evidence after the last answer, and what it says; who was found careless stays so."""
    careful = tolerated_rate * GOOD_SHARE
    weights = {
        right: error_evidence(wrong=not right, careful_rate=careful, careless_rate=tolerated_rate)
        for right in (True, False)
    }
    evidence = 0.0
    for count, right in enumerate(answers, start=1):
        evidence = max(LOWEST, evidence + weights[right])
        if count >= FEWEST_ANSWERS and evidence >= LIMIT:
            return evidence, "careless"
    return evidence, "good" if evidence == LOWEST else "open"
