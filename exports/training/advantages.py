"""The advantages of completions, from ms-swift's own `completions.jsonl`.

With `log_completions` the main process (Megatron: the last) gathers the completions of all
processes after each logged step and appends one object of lists: `step` (Megatron: `gen_step`,
from 0), `completion`, `advantages`, a list for each reward (`swift/rlhf_trainers/grpo_trainer.py`,
`GRPOTrainer.log`; `swift/megatron/trainers/rollout_mixin.py`, `_flush_log_completions`). All nodes
have the `output_dir` of the run's config, so there is one file for each attempt, beside its
checkpoints. Its lines have no id, so an advantage is found by the step and the whole text; a text
whose equals have other advantages in the same step is given none. Megatron under Ray logs no
advantages (`swift/ray/megatron/base_trainer.py`).
"""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple, cast

from exports.training.log_lines import lines_from, to_object
from exports.training.outcome import OUTPUT

SOURCE = "completions.jsonl"
LONGEST = 64 << 20
"""Bytes of a step; of a longer one no advantage is shown."""
MOST_KEPT = 32
_HEAD = re.compile(rb'\{"(step|gen_step)": \[\s*"?(\d+)')


class Wanted(NamedTuple):
    """A completion by its step, counted from 1, and its text."""

    step: int
    completion: str


class Advantages:
    """Where the steps of one attempt begin in its file; a step is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / OUTPUT / SOURCE
        self.offset = 0
        self.places: dict[int, tuple[int, int]] = {}

    def read_on(self) -> None:
        """Take in what has been written since; a line half written waits for its rest."""
        with suppress(OSError):
            if self.source.stat().st_size < self.offset:
                self.offset, self.places = 0, {}
            for at, line in lines_from(self.source, self.offset, longest=LONGEST):
                self.offset = at + line.size + 1
                head = _HEAD.match(line.text[:200]) if line.text else None
                if head:
                    step = int(head[2]) + (head[1] == b"gen_step")
                    self.places.setdefault(step, (at, line.size))

    def of(self, wanted: Sequence[Wanted]) -> list[float | None]:
        """The advantage of each, None where it is not known; one step is held at a time."""
        found: dict[Wanted, float | None] = {}
        for step in {each.step for each in wanted} & self.places.keys():
            known = self._step(step)
            texts = {each.completion for each in wanted if each.step == step}
            found |= {Wanted(step, text): known[text] for text in texts & known.keys()}
        return [found.get(each) for each in wanted]

    def _step(self, step: int) -> dict[str, float | None]:
        at, size = self.places[step]
        try:
            with self.source.open("rb") as file:
                file.seek(at)
                said = to_object(file.read(size)) or {}
        except OSError:
            return {}
        texts, values = said.get("completion"), said.get("advantages")
        if not isinstance(texts, list) or not isinstance(values, list):
            return {}
        known: dict[str, float | None] = {}
        for text, value in zip(cast(list[object], texts), cast(list[object], values), strict=False):
            if isinstance(text, str):
                number = _number(value)
                known[text] = number if known.get(text, number) == number else None
        return known


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(cast(float, value)) if is_number else None


_kept: dict[Path, tuple[Advantages, Lock]] = {}
_keeping = Lock()


def advantages_of(folder: Path, wanted: Sequence[Wanted]) -> list[float | None]:
    """The advantages of completions of a run; where its steps begin stays at hand."""
    with _keeping:
        found = _kept.pop(folder, None) or (Advantages(folder), Lock())
        _kept[folder] = found
        while len(_kept) > MOST_KEPT:
            del _kept[next(iter(_kept))]
    advantages, turn = found
    with turn:
        advantages.read_on()
        return advantages.of(wanted)
