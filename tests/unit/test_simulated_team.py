"""In a team whose error rates are known, the careless are found and the careful left alone.

Six teams here; `python -m tests.bench simulated_team` judges fifty.
"""

import pytest

from tests.bench.simulated_team import CAREFUL, CARELESS, Outcome, share_judged, simulate


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [simulate(seed) for seed in range(6)]


def test_nine_of_ten_careless_annotators_are_found(outcomes: list[Outcome]) -> None:
    found, careless = share_judged(outcomes, CARELESS)
    assert careless >= 6 * 3
    assert found / careless >= 0.9


def test_no_more_than_one_in_twenty_careful_annotators_is_accused(
    outcomes: list[Outcome],
) -> None:
    accused, careful = share_judged(outcomes, CAREFUL)
    assert careful >= 6 * 14
    assert accused / careful <= 0.05


def test_a_team_of_careful_people_has_no_careless_one() -> None:
    assert simulate(7, [0.03] * 20).careless == frozenset()


def test_who_is_found_is_shown_with_the_witnesses(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        for person in outcome.careless:
            judged = outcome.judgements[person]
            assert judged.reasons
            assert judged.evidence >= judged.limit
            assert judged.record.lots_failed > 0 or judged.by_witness["gold"] > 0


def test_the_same_seed_is_the_same_team() -> None:
    assert simulate(3, items=300) == simulate(3, items=300)
