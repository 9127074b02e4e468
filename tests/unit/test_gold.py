"""Gold items find who is careless soon, and leave the careful alone."""

import doctest
import math
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.judging import RIGHT, judge
from schemas import carelessness, gold
from schemas.carelessness import (
    FEWEST_OBSERVATIONS,
    Shared,
    WorkRecord,
    careless_annotators,
    judge_annotators,
)
from schemas.gold import FEWEST_ANSWERS, LIMIT, LOWEST, gold_score, gold_verdict, required_right
from schemas.scoring.context import ScoringContext
from schemas.scoring.wire import to_text

ANSWERS = st.lists(st.booleans(), max_size=40)
RATES = st.floats(0.001, 0.999)
PLAN = {
    "rewritten_query": "查看周报并诊断",
    "steps": [
        {"expert": "a", "sub_questions": ["查看周报"], "order": 1},
        {"expert": "b", "sub_questions": ["诊断原因"], "order": 2},
    ],
}


def found_by(rates: list[float]) -> list[float]:
    """How likely somebody with these error rates is found careless by each answer, exactly."""
    sums: dict[float, float] = {0.0: 1.0}
    found: list[float] = []
    accused = 0.0
    for count, rate in enumerate(rates, start=1):
        after: defaultdict[float, float] = defaultdict(float)
        for evidence, chance in sums.items():
            for weight, share in ((math.log(4), rate), (math.log(0.8 / 0.95), 1 - rate)):
                value = round(max(LOWEST, evidence + weight), 9)
                if count >= FEWEST_ANSWERS and value >= LIMIT:
                    accused += chance * share
                else:
                    after[value] += chance * share
        sums = after
        found.append(accused)
    return found


def first_at(found: list[float], share: float) -> int:
    return next(count for count, chance in enumerate(found, start=1) if chance >= share)


@pytest.mark.parametrize("module", [gold, carelessness], ids=lambda module: module.__name__)
def test_examples_in_the_docstrings_hold(module: Any) -> None:
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0


@pytest.mark.parametrize(
    ("steps", "is_right"),
    [
        ([("a", 1), ("b", 2)], True),
        ([("b", 1), ("a", 2)], False),
        ([("a", 1), ("b", 1)], False),
        ([("a", 1)], False),
        ([("a", 1), ("b", 2), ("b", 3)], False),
    ],
)
def test_a_gold_answer_is_right_as_a_planner_is_right(
    steps: list[tuple[str, int]], is_right: bool
) -> None:
    plan = {
        "rewritten_query": "别的说法",
        "steps": [{"expert": e, "sub_questions": ["问"], "order": order} for e, order in steps],
    }
    context = ScoringContext(False, "en@1", frozenset({"a", "b"}), PLAN)
    answer = f"<answer>\n{to_text(plan, 'en@1')}\n</answer>"
    assert gold_score(plan, PLAN).is_right == is_right
    assert judge(answer, context)[RIGHT] == is_right


def test_the_graded_score_falls_with_wording_where_the_judgement_does_not() -> None:
    worded = {**PLAN, "rewritten_query": "看一下周报"}
    found = gold_score(worded, PLAN)
    assert found.is_right
    assert 0.9 < found.score < 1
    assert gold_score(PLAN, PLAN).score == 1


def test_onboarding_is_decided_as_soon_as_it_cannot_change() -> None:
    def stands(*answers: bool) -> tuple[str, str]:
        return gold_verdict(answers, onboarding=5)[:2]

    assert required_right(5, 0.2) == 4
    assert stands() == ("open", "onboarding")
    assert stands(True, True, False) == ("open", "onboarding")
    assert stands(False, True, False) == ("careless", "onboarding")
    assert stands(True, False, True, True) == ("open", "onboarding")
    assert stands(True, False, True, True, True)[1] == "continuous"
    # What is decided at the entrance stays decided.
    assert stands(False, False, *[True] * 30) == ("careless", "onboarding")


def test_onboarding_passed_early_needs_no_more_answers() -> None:
    assert gold_verdict([True] * 4, onboarding=5).stage == "continuous"


@given(ANSWERS, st.integers(0, 10))
def test_who_was_found_careless_stays_so(answers: list[bool], onboarding: int) -> None:
    states = [
        gold_verdict(answers[:count], onboarding=onboarding).state
        for count in range(len(answers) + 1)
    ]
    if "careless" in states:
        assert set(states[states.index("careless") :]) == {"careless"}


@given(ANSWERS)
def test_evidence_stays_between_its_limits(answers: list[bool]) -> None:
    found = gold_verdict(answers)
    assert LOWEST <= found.evidence < LIMIT + math.log(4) * FEWEST_ANSWERS
    assert found.wrong == answers.count(False)
    assert found.answered == len(answers)
    assert 0 <= found.error_low <= found.error_high <= 1


@given(st.lists(st.booleans(), max_size=FEWEST_ANSWERS - 1))
def test_nobody_is_careless_by_a_handful_of_answers(answers: list[bool]) -> None:
    assert gold_verdict(answers).state == "open"


def test_the_walk_of_the_test_is_that_of_the_verdict() -> None:
    """What follows counts on `found_by`; here it is held to the product, path by path."""
    counted = [0.0] * 8
    for path in range(2**8):
        answers = [not path >> place & 1 for place in range(8)]
        chance = math.prod(0.3 if not right else 0.7 for right in answers)
        for count in range(1, 9):
            if gold_verdict(answers[:count]).state == "careless":
                counted[count - 1] += chance
    assert found_by([0.3] * 8) == pytest.approx(counted)


def test_the_careful_are_left_alone() -> None:
    assert found_by([0.05] * 60)[-1] < 0.02
    assert found_by([0.05] * 100)[-1] < 0.02
    assert found_by([0.02] * 100)[-1] < 0.001


def test_the_careless_are_found_by_few_items() -> None:
    assert first_at(found_by([0.2] * 100), 0.5) == 23
    assert first_at(found_by([0.3] * 100), 0.5) == 12
    assert first_at(found_by([0.4] * 100), 0.5) == 9
    assert first_at(found_by([0.4] * 100), 0.9) == 17


def test_a_long_good_record_excuses_no_later_carelessness() -> None:
    fresh = first_at(found_by([0.3] * 100), 0.5)
    late = first_at(found_by([0.02] * 200 + [0.3] * 100), 0.5) - 200
    assert late <= fresh + 12


def test_a_stricter_project_finds_smaller_error_rates() -> None:
    answers = ([True] * 9 + [False]) * 8
    assert gold_verdict(answers, tolerated_rate=0.2).state != "careless"
    assert gold_verdict(answers, tolerated_rate=0.1).state == "careless"


CARELESS = WorkRecord("dan", gold=[True] * 6 + [False] * 4, inspected=20, defects=6)
CAREFUL = WorkRecord("ann", gold=[True] * 10, inspected=30, defects=0)


def test_only_the_careless_are_named_the_surest_first() -> None:
    worse = CARELESS._replace(person_id="eve", defects=12)
    found = careless_annotators([CAREFUL, CARELESS, worse])
    assert [each.person_id for each in found] == ["eve", "dan"]
    assert found[0].evidence == pytest.approx(sum(found[0].by_witness.values()))


def test_nobody_is_careless_because_others_disagree() -> None:
    quarrels = [Shared(f"p{place}", 20, 15) for place in range(4)]
    team = [WorkRecord(f"p{place}", shared=[Shared("bob", 20, 15)]) for place in range(4)]
    calm = [WorkRecord(f"q{place}", shared=[Shared("r", 40, 1)]) for place in range(8)]
    bob = judge_annotators([WorkRecord("bob", shared=quarrels), *team, *calm])[0]
    assert bob.by_witness["agreement"] > bob.limit
    assert not bob.is_careless


def test_a_colleague_who_errs_weighs_less() -> None:
    def weight(colleague: WorkRecord) -> float:
        mine = WorkRecord("ann", shared=[Shared(colleague.person_id, 30, 6)])
        calm = [WorkRecord(f"q{place}", shared=[Shared("r", 40, 1)]) for place in range(5)]
        return judge_annotators([mine, colleague, *calm])[0].by_witness["agreement"]

    sound = WorkRecord("bob", inspected=200, defects=2)
    assert weight(sound) > weight(sound._replace(defects=80))


def test_what_everybody_differs_in_counts_against_nobody() -> None:
    people = [f"p{place}" for place in range(6)]
    team = [
        WorkRecord(
            person,
            inspected=60,
            defects=1,
            shared=[Shared(other, 10, 3) for other in people if other != person],
        )
        for person in people
    ]
    for each in judge_annotators(team):
        assert each.by_witness["agreement"] < 0
        assert not each.is_careless


def test_a_few_observations_are_not_enough() -> None:
    few = WorkRecord("dan", gold=[False] * (FEWEST_OBSERVATIONS - 1))
    enough = WorkRecord("dan", gold=[False] * FEWEST_OBSERVATIONS)
    assert careless_annotators([few]) == ()
    assert len(careless_annotators([enough])) == 1


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_defect_more_never_speaks_for_somebody(inspected: int, defects: int) -> None:
    if defects < inspected:
        [less] = judge_annotators([WorkRecord("a", inspected=inspected, defects=defects)])
        [more] = judge_annotators([WorkRecord("a", inspected=inspected, defects=defects + 1)])
        assert more.evidence > less.evidence


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), max_size=5), RATES)
def test_every_record_has_a_finite_weight(facts: list[tuple[bool, int, int]], rate: float) -> None:
    """On the first day all that two people share may differ."""
    names = [f"p{place}" for place in range(len(facts))]
    team = [
        WorkRecord(
            name,
            gold=[right],
            inspected=inspected,
            defects=min(inspected, found),
            shared=[Shared(other, max(1, found), found) for other in names if other != name],
        )
        for name, (right, inspected, found) in zip(names, facts, strict=True)
    ]
    for each in judge_annotators(team, tolerated_rate=rate):
        assert math.isfinite(each.evidence)
        assert 0 <= each.error_low <= each.error_high <= 1


def test_the_reasons_are_the_witnesses_against_the_loudest_first() -> None:
    [found] = judge_annotators([CARELESS])
    assert found.reasons == ("lots", "gold")
    [good] = judge_annotators([CAREFUL])
    assert good.reasons == ()
    assert judge_annotators([]) == ()
