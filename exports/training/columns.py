"""What the trainer logged, in columns: read on from where one left off, never all of it again."""

import json
import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, cast

from exports.training.outcome import OUTPUT

STEPS = ("global_step/max_steps", "iteration")
"""Where a line says its step; Megatron calls it an iteration."""
NO_CURVE = frozenset({"epoch", "total_flos", "train_speed(s/it)"})
MOST_KEPT = 32
READ_AT_ONCE = 8 << 20


@dataclass
class Columns:
    """The steps of `logging.jsonl`, and by the trainer's names a value for each of them.

    A value is `nan` where a step logged none or one that is not finite; `broken` names the first
    step of each metric that logged one that is not finite. Lines that are about the run and not
    about a step, or that cannot be read, are left out.
    """

    path: Path
    steps: list[int] = field(default_factory=list[int])
    values: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    broken: dict[str, int] = field(default_factory=dict[str, int])
    offset: int = 0
    file_id: tuple[int, int] = (0, 0)

    def read_on(self) -> None:
        """Take in what has been written since; a line half written waits for its rest."""
        try:
            known = self.path.stat()
        except OSError:
            return
        if (known.st_dev, known.st_ino) != self.file_id or known.st_size < self.offset:
            self.steps, self.values, self.broken, self.offset = [], {}, {}, 0
            self.file_id = (known.st_dev, known.st_ino)
        if known.st_size == self.offset:
            return
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while True:
                whole, _, _ = file.read(READ_AT_ONCE).rpartition(b"\n")
                if not whole:
                    return
                for line in whole.split(b"\n"):
                    self._take(line)
                self.offset += len(whole) + 1
                file.seek(self.offset)

    def _take(self, line: bytes) -> None:
        said = _read(line)
        name = next((each for each in STEPS if said and each in said), None)
        if said is None or name is None or "train_runtime" in said:
            return
        step = int(str(said[name]).partition("/")[0])
        if self.steps and step <= self.steps[-1] and any(n.startswith("eval_") for n in said):
            place = len(self.steps) - 1  # an evaluation tells of the step that was just logged
        else:
            place = len(self.steps)
            self.steps.append(step)
        for name, value in said.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or name in NO_CURVE:
                continue
            if not math.isfinite(value):
                self.broken.setdefault(name, step)
                continue
            column = self.values.setdefault(name, [])
            column.extend([math.nan] * (place - len(column)))
            del column[place:]
            column.append(float(value))

    def column(self, name: str) -> list[float]:
        """A value for each step."""
        found = self.values.get(name, [])
        return found + [math.nan] * (len(self.steps) - len(found))


def joined(attempts: Iterable[Columns]) -> Columns:
    """Several attempts as one: steps that a later one trained again are its own."""
    whole = Columns(Path())
    for each in attempts:
        if not each.steps:
            continue
        kept, first = bisect_left(whole.steps, each.steps[0]), each.steps[0]
        whole.values = {
            name: whole.column(name)[:kept] + each.column(name)
            for name in {**whole.values, **each.values}
        }
        whole.steps = whole.steps[:kept] + each.steps
        whole.broken = each.broken | {n: step for n, step in whole.broken.items() if step < first}
    return whole


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return cast(dict[str, Any], said) if isinstance(said, dict) else None


_kept: OrderedDict[Path, tuple[Columns, Lock]] = OrderedDict()
_keeping = Lock()


def columns_of(folder: Path) -> Columns:
    """The columns of a run as far as they are written; those of the last runs are kept."""
    with _keeping:
        found = _kept.pop(folder, None) or (
            Columns(folder / OUTPUT / "logging.jsonl"),
            Lock(),
        )
        _kept[folder] = found
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    columns, turn = found
    with turn:
        columns.read_on()
    return columns
