"""Where a training can go on: the newest checkpoint of its attempts that is whole.

A trainer that is killed while it saves leaves a checkpoint without the state of its optimizer, or
without `trainer_state.json`, which is written last. From such a one a training would begin its
learning rate anew, so it goes on from the one before.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

OUTPUT = "output"
_OPTIMIZERS = ("optimizer.pt", "optimizer.bin", "optimizer_*", "global_step*", "iter_*")
"""Names by which torch, FSDP, DeepSpeed and Megatron keep the state of an optimizer."""


class ResumePoint(NamedTuple):
    """A checkpoint to go on from: after `step` of `steps`."""

    checkpoint: str
    step: int
    steps: int


def find_resume_point(folders: Iterable[Path]) -> ResumePoint | None:
    """The furthest whole checkpoint in the run folders of a stage's attempts."""
    found = [
        point
        for folder in folders
        for path in (folder / OUTPUT).glob("checkpoint-*[0-9]")
        if (point := to_resume_point(path))
    ]
    return max(found, key=lambda point: point.step, default=None)


def to_resume_point(checkpoint: Path) -> ResumePoint | None:
    """What a checkpoint says of itself; None if a training cannot go on from it."""
    try:
        state = json.loads((checkpoint / "trainer_state.json").read_bytes())
        step, steps = int(state["global_step"]), int(state["max_steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not any(any(checkpoint.glob(name)) for name in _OPTIMIZERS):
        return None
    return ResumePoint(str(checkpoint.resolve()), step, steps)
