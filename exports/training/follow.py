"""Following a run by its files: plain reads from an offset, for a page's timer or a terminal."""

import json
import math
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from exports.training.outcome import LOG, OUTPUT
from schemas.training import Point

STEP = "global_step/max_steps"
NO_CURVE = frozenset({"epoch", "total_flos", "train_speed(s/it)"})


class Metrics(NamedTuple):
    """Steps logged since an offset, as the trainer wrote them, and where to go on reading."""

    steps: tuple[dict[str, Any], ...]
    offset: int


class LogPart(NamedTuple):
    """Text of the log since an offset, and where to go on reading."""

    text: str
    offset: int


def read_metrics(folder: Path, offset: int = 0) -> Metrics:
    """The lines of `logging.jsonl` since an offset; a line half written is left for the next time.

    Lines that are about the run and not about a step are left out.
    """
    path = folder / OUTPUT / "logging.jsonl"
    if not path.exists():
        return Metrics((), offset)
    with path.open("rb") as file:
        file.seek(offset)
        whole, _, _ = file.read().rpartition(b"\n")
    lines = [json.loads(line) for line in whole.split(b"\n") if line.strip()]
    steps = tuple(line for line in lines if STEP in line and "train_runtime" not in line)
    return Metrics(steps, offset + len(whole) + (1 if whole else 0))


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


def curves_of(folder: Path) -> dict[str, tuple[Point, ...]]:
    """All curves of a run; read again only when the trainer has written since."""
    path = folder / OUTPUT / "logging.jsonl"
    return _curves(folder, path.stat().st_size) if path.exists() else {}


@lru_cache(maxsize=16)
def _curves(folder: Path, _size: int) -> dict[str, tuple[Point, ...]]:
    return series(read_metrics(folder).steps)


def series(steps: Iterable[dict[str, Any]]) -> dict[str, tuple[Point, ...]]:
    """One curve for each number that the trainer logs, under the trainer's own name for it.

    Rewards are `reward`, `reward_std` and `rewards/NAME/mean` and `/std`; values that are not
    finite have no point.
    """
    curves: dict[str, list[Point]] = {}
    for line in steps:
        step = int(str(line[STEP]).partition("/")[0])
        for name, value in line.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and name not in NO_CURVE and math.isfinite(value):
                curves.setdefault(name, []).append(Point(step=step, value=value))
    return {name: tuple(points) for name, points in curves.items()}
