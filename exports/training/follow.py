"""Following a run by its files: plain reads from an offset, for a page's timer or a terminal."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from exports.training.columns import columns_of
from exports.training.outcome import LOG
from schemas.training import Point


class LogPart(NamedTuple):
    """Text of the log since an offset, and where to go on reading."""

    text: str
    offset: int


def read_log(folder: Path, offset: int = 0, *, limit: int = 64 * 1024) -> LogPart:
    """The log since an offset, at most its last `limit` bytes."""
    path = folder / LOG
    if not path.exists():
        return LogPart("", offset)
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(offset, size - limit))
        read = file.read()
    return LogPart(read.decode("utf-8", "replace"), size)


def one_curve_each(
    attempts: Iterable[Mapping[str, tuple[Point, ...]]],
) -> dict[str, tuple[Point, ...]]:
    """The curves of several attempts as one: steps that a later one trained again are its own."""
    joined: dict[str, tuple[Point, ...]] = {}
    for curves in attempts:
        first = min((points[0].step for points in curves.values() if points), default=None)
        if first is not None:
            kept = {
                name: tuple(point for point in points if point.step < first)
                for name, points in joined.items()
            }
            joined = {
                name: kept.get(name, ()) + curves.get(name, ()) for name in {**kept, **curves}
            }
    return joined


def curves_of(folder: Path) -> dict[str, tuple[Point, ...]]:
    """One curve for each number that the trainer logs, under the trainer's own name for it.

    Rewards are `reward`, `reward_std` and `rewards/NAME/mean` and `/std`; values that are not
    finite have no point.
    """
    columns = columns_of(folder)
    return {
        name: tuple(
            Point(step=step, value=value)
            for step, value in zip(columns.steps, values, strict=False)
            if math.isfinite(value)
        )
        for name, values in columns.values.items()
    }
