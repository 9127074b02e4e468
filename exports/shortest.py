"""The short rows of each plan size: selected by quantile, so that big plans stay; pure."""

from collections import Counter
from collections.abc import Sequence
from math import ceil

from exports.candidates import Candidate


def keep_shortest(rows: Sequence[Candidate], share: float, quota: int | None) -> list[int]:
    """The places of the rows that stay: of each plan size the same share, shortest traces first.

    Where an expert would be left with fewer than `quota` rows, the shortest of its rows that were
    cut come back, as far as there are any.
    """
    by_size: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        by_size.setdefault(row.size, []).append(place)
    kept: list[int] = []
    cut: list[int] = []
    for of_size in by_size.values():
        of_size.sort(key=lambda place: (rows[place].trace_length, rows[place].rank))
        count = ceil(len(of_size) * share)
        kept += of_size[:count]
        cut += of_size[count:]
    return kept + _missed(rows, kept, cut, quota) if quota else kept


def _missed(rows: Sequence[Candidate], kept: list[int], cut: list[int], quota: int) -> list[int]:
    """What comes back for the sake of experts that have too few rows."""
    counts = Counter(name for place in kept for name in set(rows[place].experts))
    back: list[int] = []
    for place in sorted(cut, key=lambda place: (rows[place].trace_length, rows[place].rank)):
        names = set(rows[place].experts)
        if any(counts[name] < quota for name in names):
            back.append(place)
            counts.update(names)
    return back
