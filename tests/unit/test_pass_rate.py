"""What GRPO can still learn from its prompts, and the gates before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.pass_rate import Completion, pass_rate
from schemas.training_gates import (
    ACCURACY,
    FLAT,
    Gates,
    missed_accuracy_gate,
    missed_flat_gate,
)

GROUPS = st.dictionaries(
    st.text(max_size=4),
    st.lists(st.builds(Completion, st.booleans(), st.floats(0, 1), st.booleans()), max_size=6),
    max_size=6,
)


def test_prompts_that_are_always_or_never_right_are_told_apart_from_flat_ones() -> None:
    right, wrong, worse = (
        Completion(True, 1.0, False),
        Completion(False, 0.3, False),
        Completion(False, 0.1, True),
    )
    found = pass_rate({"a": [right, right], "b": [wrong, worse], "c": [right, wrong], "d": []})
    assert (found.prompts, found.completions) == (3, 6)
    assert found.right == pytest.approx(0.5)
    assert found.always == found.never == found.flat == pytest.approx(1 / 3)
    assert found.cut_off == pytest.approx(1 / 6)


@given(GROUPS)
def test_shares_stay_shares_whatever_comes(groups: dict[str, list[Completion]]) -> None:
    found = pass_rate(groups)
    shares = (found.right, found.always, found.never, found.flat, found.cut_off, found.reward)
    assert all(0 <= share <= 1 for share in shares)
    assert found.always + found.never <= 1
    assert found.completions == sum(map(len, groups.values()))


def test_without_a_gate_nothing_is_missed() -> None:
    assert missed_accuracy_gate(Gates(), 0.0) is None
    assert missed_flat_gate(Gates(), 1.0) is None


def test_a_gate_is_missed_beyond_its_share_and_only_there() -> None:
    gates = Gates(accuracy_at_least=0.4, flat_at_most=0.5)
    assert missed_accuracy_gate(gates, 0.4) is None
    assert missed_flat_gate(gates, 0.5) is None
    missed = missed_accuracy_gate(gates, 0.39)
    assert missed is not None
    assert missed.code == ACCURACY
    missed = missed_flat_gate(gates, 0.51)
    assert missed is not None
    assert missed.code == FLAT


def test_who_passes_one_gate_does_not_pass_the_other() -> None:
    gates = Gates(accuracy_at_least=0.4, flat_at_most=0.5)
    assert gates.without(FLAT) == Gates(accuracy_at_least=0.4)
    assert gates.without(ACCURACY) == Gates(flat_at_most=0.5)
    assert gates.without("training.stopped") == gates
