"""Experts confused with each other: rows are whose a step was, columns whose it became."""

from collections.abc import Mapping

from labeling.ui.view import Node, node, table

_SHADES = 5
_MOST_EXPERTS = 12

Confused = Mapping[tuple[str | None, str | None], int]


def confusion_matrix(counts: Confused, *, corner: str, none: str) -> Node:
    """The counts of (row, column) for the experts named most; the diagonal is what stayed.

    `None` stands for no expert; `corner` says what rows and columns are.
    """
    names = _most_named(counts)
    most = max((n for (row, column), n in counts.items() if row != column), default=1)
    rows: list[tuple[str | None, list[Node]]] = []
    for row in [*names, None]:
        cells: list[Node] = [row or none]
        for column in [*names, None]:
            count = counts.get((row, column), 0)
            cells.append(_cell(count, most, is_same=row == column))
        rows.append((None, cells))
    return node("div", table([corner, *names, none], rows, empty=""), cls="pw-matrix")


def _most_named(counts: Confused) -> list[str]:
    totals: dict[str, int] = {}
    for pair, count in counts.items():
        for name in {*pair} - {None}:
            totals[str(name)] = totals.get(str(name), 0) + count
    return sorted(totals, key=lambda name: (-totals[name], name))[:_MOST_EXPERTS]


def _cell(count: int, most: int, *, is_same: bool) -> Node:
    if not count:
        return node("span", "·", cls="pw-cell pw-none")
    if is_same:
        return node("span", f"{count:,}", cls="pw-cell pw-same")
    shade = 1 + round((_SHADES - 1) * count / most)
    return node("span", f"{count:,}", cls=f"pw-cell pw-heat{min(shade, _SHADES)}")
