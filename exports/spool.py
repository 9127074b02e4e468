"""Lines that are made in one order and written in another, kept on the disk in between.

Rows are made in the order of their ids, which lie together in the database, and written in that of
a hash: read at random, a row costs four times as much. So memory does not grow with their length.
"""

import os
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

_BUFFER_BYTES = 1 << 20


class Mark(NamedTuple):
    """What many rows share: how their lines begin, and what the card and the manifest count.

    `head` is empty and `prompt_id` absent where the row's own messages stand; `misses_form` is of
    verbatim answers.
    """

    head: bytes
    experts: tuple[str, ...]
    prompt_id: str | None
    misses_form: bool


class Tally:
    """What rows add up to: steps by expert, prompts used, verbatim answers without the form."""

    def __init__(self) -> None:
        self.steps_by_expert: Counter[str] = Counter()
        self.prompt_ids: set[str] = set()
        self.form_missed = 0

    def add(self, mark: Mark, rows: int) -> None:
        """Count so many rows of one mark."""
        for expert in mark.experts:
            self.steps_by_expert[expert] += rows
        if mark.prompt_id is not None:
            self.prompt_ids.add(mark.prompt_id)
        self.form_missed += rows * mark.misses_form

    @classmethod
    def of_all(cls, others: Iterable["Tally"]) -> "Tally":
        """What several have counted."""
        tally = cls()
        for each in others:
            tally.steps_by_expert += each.steps_by_expert
            tally.prompt_ids |= each.prompt_ids
            tally.form_missed += each.form_missed
        return tally


class Spool:
    """An unnamed file of lines beside the bundle; it goes with the process, however that ends.

    The head of a line, which is most of it where the prompt is long, is kept once.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER_BYTES)  # noqa: SIM115
        self._ends = array("q", [0])
        self._marks = array("l")
        self._numbers: dict[Mark, int] = {}
        self._heads: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._ends[-1]

    def add(self, line: bytes, mark: Mark) -> int:
        """Append a line, which begins with the head of its mark; its number."""
        number = self._numbers.get(mark)
        if number is None:
            number = self._numbers[mark] = len(self._heads)
            self._heads.append(mark.head)
        head = len(mark.head)
        self._file.write(line[head:])
        self._ends.append(self._ends[-1] + len(line) - head)
        self._marks.append(number)
        return len(self._marks) - 1

    def lines(self, numbers: Sequence[int]) -> list[bytes]:
        """Lines by their numbers."""
        self._file.flush()
        ends, descriptor = self._ends, self._file.fileno()
        heads, marks = self._heads, self._marks
        return [
            heads[marks[each]] + os.pread(descriptor, ends[each + 1] - ends[each], ends[each])
            for each in numbers
        ]

    def tally(self, numbers: Iterable[int]) -> Tally:
        """What some lines add up to."""
        marks, tally = list(self._numbers), Tally()
        for mark, rows in Counter(map(self._marks.__getitem__, numbers)).items():
            tally.add(marks[mark], rows)
        return tally

    def close(self) -> None:
        """Let the file go, and with it what could not be written."""
        with suppress(OSError):
            self._file.close()
