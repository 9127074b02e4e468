"""Where a task stands in the queue: one number, so that one index is the order; smaller first.

The higher priority comes first; at equal priority the nearer due date; then what models disagree
about most; the index itself adds "the oldest". `db.access.ranks` says the same in SQL.
"""

from datetime import date

HIGHEST_PRIORITY = 100
"""Priorities lie between minus this and this; 0 is what nobody has decided about."""
FLAGGED_FIRST = 1_000_000_000
"""Taken off the rank of a flagged review: before all others, whatever their priority."""
DISAGREEMENT_STEPS = 100
DUE_STEP = DISAGREEMENT_STEPS + 1
_LAST_DAY = date(2047, 5, 19)
_DAYS = 10_000
PRIORITY_STEP = (_DAYS + 1) * DUE_STEP


def rank_of(priority: int, due_on: date | None, disagreement: float | None) -> int:
    """The rank of a task.

    Args:
        priority: Of its query.
        due_on: Of its batch; due dates count to the day, between 2020 and 2047.
        disagreement: Of its query, 0 to 1 with two decimals; unknown counts as 0.

    >>> rank_of(0, None, None)
    0
    >>> from datetime import date
    >>> rank_of(1, None, 0.5) < rank_of(0, date(2026, 5, 4), 0.5) < rank_of(0, None, 0.5) < 0
    True
    """
    steps = round(DISAGREEMENT_STEPS * (disagreement or 0.0))
    return due_term(due_on) - priority * PRIORITY_STEP - steps


def due_term(due_on: date | None) -> int:
    """What a due date takes off a rank; nothing without one."""
    if due_on is None:
        return 0
    days_left = (_LAST_DAY - due_on).days
    return -DUE_STEP * max(1, min(days_left, _DAYS))
