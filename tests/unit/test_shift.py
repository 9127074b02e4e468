"""How far a cut moves the experts of a pool."""

from exports.shift import shift_between


def test_the_distance_is_the_share_of_steps_that_changed_hands() -> None:
    shift = shift_between({"a": 50, "b": 50}, {"a": 45, "b": 5}, alarm=0.1)
    assert shift is not None
    assert (shift.distance, shift.is_alarm) == (0.4, True)
    assert [(each.expert, each.before, each.after) for each in shift.experts] == [
        ("a", 0.5, 0.9),
        ("b", 0.5, 0.1),
    ]


def test_an_even_cut_is_no_shift() -> None:
    shift = shift_between({"a": 50, "b": 30}, {"a": 25, "b": 15}, alarm=0.1)
    assert shift is not None
    assert (shift.distance, shift.is_alarm, shift.experts) == (0.0, False, ())


def test_an_expert_that_a_cut_took_away_is_named() -> None:
    shift = shift_between({"a": 90, "rare": 10}, {"a": 90}, alarm=0.1)
    assert shift is not None
    assert shift.is_alarm
    assert [each.expert for each in shift.experts] == ["a", "rare"]


def test_nothing_to_compare_is_no_figure() -> None:
    assert shift_between({}, {"a": 1}, alarm=0.1) is None
    assert shift_between({"a": 1}, {}, alarm=0.1) is None
