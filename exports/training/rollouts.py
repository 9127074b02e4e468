"""The completions of GRPO, found by offset: a page of them costs a page, of however many.

The reward plugin writes each completion once to a `rewards.jsonl`, with its `plan_id` and its seven
scores; `rollout_sources` says which files a chain has. An index in columns beside each knows where
a completion begins and what it earned; it is read on from where it left off and kept on the disk,
so that only what is new is ever read. A line half written waits for its rest; one that cannot be
read, or is too long to be held, is counted and passed over.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from exports.training.log_lines import lines_from, to_object
from exports.training.run_config import weights_of
from schemas.project import REWARDS

SOURCE, INDEX = "rewards.jsonl", "rollouts.npy"
PAGE = 20
WORTH_KEEPING = 2_000
MOST_KEPT = 24
_ENTRY = np.dtype(
    [("at", "<u8"), ("size", "<u4"), ("step", "<u4"), ("length", "<u4"), ("scores", "<f4", (7,))]
)
Entries = NDArray[Any]


class RolloutChoice(BaseModel):
    """Which completions, and in which order; limits include their ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str = "total"
    """`total`, `step`, `length`, or the name of a reward."""
    is_descending: bool = False
    reward: str = "total"
    low: float | None = None
    high: float | None = None
    first_step: int | None = None
    last_step: int | None = None
    shortest: int | None = None
    longest: int | None = None
    page: int = Field(default=0, ge=0)


class Rollout(NamedTuple):
    """One completion. `line` counts from 0 within its index and names it there for good."""

    line: int
    step: int
    plan_id: str
    completion: str
    scores: dict[str, float]
    total: float
    source: int = 0
    """Which of the indexes of a page it comes from."""


class RolloutPage(NamedTuple):
    """A page of completions, how many the choice leaves, and how many there are."""

    rows: tuple[Rollout, ...]
    found: int
    written: int
    unreadable: int


class Rollouts:
    """The index of one file; the run's folder has the weights, if it is another."""

    def __init__(self, folder: Path, run_folder: Path | None = None) -> None:
        self.folder = folder
        self.run_folder = run_folder or folder
        self.source = folder / SOURCE
        self.offset = 0
        self.unreadable = 0
        self.kept = 0
        self.entries: Entries = np.zeros(0, _ENTRY)
        self._load()

    def read_on(self) -> None:
        """Take in what has been written since."""
        try:
            size = self.source.stat().st_size
        except OSError:
            size = 0
        if size < self.offset:
            self.offset, self.unreadable, self.entries = 0, 0, np.zeros(0, _ENTRY)
        if size == self.offset:
            return
        taken = [entry for entry in self._new_entries() if entry]
        if taken:
            self.entries = np.concatenate([self.entries, np.array(taken, _ENTRY)])
        if len(self.entries) - self.kept >= max(WORTH_KEEPING, self.kept // 10):
            self._keep()

    def page(self, choice: RolloutChoice, *, size: int = PAGE) -> RolloutPage:
        """A page of the completions that a choice leaves."""
        return page_of([self], choice, size=size)

    def one(self, line: int) -> Rollout | None:
        """One completion by its line; None where there is none."""
        if not 0 <= line < len(self.entries):
            return None
        with self.source.open("rb") as file:
            return self._rollout(line, float(self.totals(self.entries[line : line + 1])[0]), file)

    def totals(self, entries: Entries) -> NDArray[np.float64]:
        """The weighted sum of each completion, as the trainer adds it up."""
        weights = weights_of(self.run_folder)
        scores = np.nan_to_num(entries["scores"].astype(np.float64))
        return scores @ np.array([weights.get(name, 0.0) for name in REWARDS])

    def some(self, lines: range) -> list[Rollout]:
        """Completions by their lines; of those that are not there, none."""
        entries = self.entries
        there = [line for line in lines if 0 <= line < len(entries)]
        totals = self.totals(entries)
        with self.source.open("rb") if there else nullcontext() as file:
            return [self._rollout(line, float(totals[line]), file) for line in there]

    def _rollout(self, line: int, total: float, file: Any) -> Rollout:
        entry = self.entries[line]
        file.seek(int(entry["at"]))
        said = to_object(file.read(int(entry["size"]))) or {}
        return Rollout(
            line=line,
            step=int(entry["step"]),
            plan_id=str(said.get("plan_id", "")),
            completion=str(said.get("completion", "")),
            scores=_scores(said),
            total=total,
        )

    def _new_entries(self) -> Iterator[tuple[Any, ...] | None]:
        for at, line in lines_from(self.source, self.offset):
            self.offset = at + line.size + 1
            entry = _entry(at, line.text) if line.text is not None else None
            if entry is None and line.size:
                self.unreadable += 1
            yield entry

    def _load(self) -> None:
        with suppress(OSError, ValueError, KeyError):
            with (self.folder / INDEX).open("rb") as file:
                head = np.load(file, allow_pickle=False)
                entries = np.load(file, allow_pickle=False)
            if entries.dtype == _ENTRY and head.shape == (2,):
                self.offset, self.unreadable = map(int, head)
                self.entries, self.kept = entries, len(entries)

    def _keep(self) -> None:
        """Write the index beside the run; whoever reads sees the old one or the new one."""
        part = self.folder / f".{INDEX}.{os.getpid()}"
        with suppress(OSError):  # a folder that cannot be written is only slower
            with part.open("wb") as file:
                np.save(file, np.array([self.offset, self.unreadable], np.int64))
                np.save(file, self.entries)
            part.replace(self.folder / INDEX)
            self.kept = len(self.entries)


def page_of(written: Sequence[Rollouts], choice: RolloutChoice, *, size: int = PAGE) -> RolloutPage:
    """A page of the completions of several files that a choice leaves, in one order."""
    lines: list[NDArray[np.intp]] = []
    values: list[NDArray[np.float64]] = []
    known = [each.entries for each in written]
    for each, entries in zip(written, known, strict=True):
        totals = each.totals(entries)
        lines.append(np.flatnonzero(_is_chosen(entries, totals, choice)))
        values.append(_values(entries, totals, choice.by)[lines[-1]])
    left = np.concatenate([np.zeros(0, np.intp), *lines])
    origin = np.repeat(np.arange(len(lines)), [len(each) for each in lines])
    sorted_by = np.concatenate([np.zeros(0), *values])
    order = np.argsort(-sorted_by if choice.is_descending else sorted_by, kind="stable")
    rows = [
        rollout._replace(source=source)
        for at in order[choice.page * size : (choice.page + 1) * size]
        for source in (int(origin[at]),)
        if (rollout := written[source].one(int(left[at])))
    ]
    unreadable = sum(each.unreadable for each in written)
    return RolloutPage(tuple(rows), len(left), sum(map(len, known)), unreadable)


def _entry(at: int, text: bytes) -> tuple[Any, ...] | None:
    said = to_object(text)
    if said is None or not isinstance(said.get("completion"), str):
        return None
    scores = _scores(said)
    step = said.get("step")
    return (
        at,
        len(text),
        (step if isinstance(step, int) and step >= 0 else 0) + 1,
        len(said["completion"]),
        [scores.get(name, np.nan) for name in REWARDS],
    )


def _scores(said: dict[str, Any]) -> dict[str, float]:
    given = said.get("scores")
    known = cast(dict[str, Any], given) if isinstance(given, dict) else {}
    return {name: float(v) for name in REWARDS if isinstance(v := known.get(name), int | float)}


def _values(entries: Entries, totals: NDArray[np.float64], by: str) -> NDArray[np.float64]:
    if by in REWARDS:
        return np.nan_to_num(entries["scores"][:, REWARDS.index(by)].astype(np.float64), nan=-1.0)
    if by in ("step", "length"):
        return entries[by].astype(np.float64)
    return totals


def _is_chosen(
    entries: Entries, totals: NDArray[np.float64], choice: RolloutChoice
) -> NDArray[np.bool_]:
    limits: tuple[tuple[str, float | None, float | None], ...] = (
        (choice.reward, choice.low, choice.high),
        ("step", choice.first_step, choice.last_step),
        ("length", choice.shortest, choice.longest),
    )
    kept = np.ones(len(entries), bool)
    for name, low, high in limits:
        if low is not None or high is not None:
            values = np.round(_values(entries, totals, name), 6)
            kept &= (values >= (-np.inf if low is None else low)) & (
                values <= (np.inf if high is None else high)
            )
    return kept


_kept: dict[Path, tuple[Rollouts, Lock]] = {}
_keeping = Lock()


def rollouts_of(folder: Path, run_folder: Path | None = None) -> Rollouts:
    """The completions of a file as far as they are written; the last files stay at hand."""
    with _keeping:
        found = _kept.pop(folder, None) or (Rollouts(folder, run_folder), Lock())
        _kept[folder] = found
        while len(_kept) > MOST_KEPT:
            del _kept[next(iter(_kept))]
    rollouts, turn = found
    with turn:
        rollouts.read_on()
    return rollouts
