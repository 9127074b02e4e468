"""How far a cut moves the experts of a pool, and whether that deserves an alarm; pure."""

from collections.abc import Mapping

from schemas.bundle import ExpertShift, Shift

_NAMED = 5


def shift_between(
    before: Mapping[str, int], after: Mapping[str, int], *, alarm: float
) -> Shift | None:
    """The distance between two distributions of experts; none where either is empty.

    The distance is the total variation, half the sum of what each expert's share moved: the share
    of steps that would have to be given to another expert to make the one into the other.

    >>> shift_between({"a": 5, "b": 5}, {"a": 8, "b": 2}, alarm=0.1).distance
    0.3
    """
    total_before, total_after = sum(before.values()), sum(after.values())
    if not total_before or not total_after:
        return None
    moved = [
        ExpertShift(
            expert=name,
            before=round(before.get(name, 0) / total_before, 4),
            after=round(after.get(name, 0) / total_after, 4),
        )
        for name in sorted({*before, *after})
    ]
    exact = sum(
        abs(before.get(name, 0) / total_before - after.get(name, 0) / total_after)
        for name in {*before, *after}
    )
    most = sorted(moved, key=lambda each: (-round(abs(each.after - each.before), 4), each.expert))
    distance = round(exact / 2, 4)
    return Shift(
        distance=distance,
        threshold=alarm,
        is_alarm=distance >= alarm,
        experts=tuple(each for each in most if each.after != each.before)[:_NAMED],
    )
