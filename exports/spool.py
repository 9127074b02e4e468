"""Lines that are made in one order and written in another, kept on the disk in between.

Rows are made in the order of their ids, which lie together in the database, and written in that of
a hash: read at random, a row costs four times as much. So memory does not grow with their length.
"""

import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from os import pread
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import orjson

from schemas.bundle import RowOrigin

_BUFFER_BYTES = 1 << 20
_AT_ONCE_BYTES = 1 << 16
_LINE = orjson.OPT_APPEND_NEWLINE


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


class Shut(NamedTuple):
    """Where the records of a spool lie that another process has filled."""

    ends: "array[int]"
    marks: "array[int]"
    known: list[Mark]


class Spool:
    """An unnamed file of lines beside the bundle; it goes with the process, however that ends.

    A record is what a line is made of (its origin, on a line of its own) and the line. The head of
    a line, which is most of it where the prompt is long, is kept once.
    """

    def __init__(self, folder: Path) -> None:
        self.file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER_BYTES)  # noqa: SIM115
        self._others: list[IO[bytes]] = []
        self._ends = array("q", [0])
        self._marks = array("l")
        self._numbers: dict[Mark, int] = {}
        self._begun = {b"": sha256()}  # the digests of heads, from which those of lines go on
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._own = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._marks)

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._ends[-1]

    def add(self, origin: RowOrigin, line: bytes, mark: Mark) -> int:
        """Append a line and its origin; its number.

        Raises:
            ValueError: the line does not begin with the head of its mark.
        """
        head = mark.head
        if not line.startswith(head):
            raise ValueError("a line that does not begin with the head of its mark")
        kind, query_id, source_id, trace_id, against_id, source_hash, _, variant = origin
        tail = line[len(head) :]
        begun = self._begun.get(head)
        if begun is None:
            begun = self._begun[head] = sha256(head)
        digest = begun.copy()
        digest.update(tail)
        row_hash = digest.hexdigest()[:16]
        hashed = (kind, query_id, source_id, trace_id, against_id, source_hash, row_hash, variant)
        made_of = orjson.dumps(hashed, option=_LINE)
        self._waiting += (made_of, tail)
        length = len(made_of) + len(tail)
        self._waiting_bytes += length
        if self._waiting_bytes > _AT_ONCE_BYTES:
            self._write()
        self._marks.append(self._number(mark))
        self._own += length
        self._ends.append(self._own)
        return len(self._marks) - 1

    def shut(self) -> Shut:
        """Where the records are in the `file`, which is complete: for another to `adopt`."""
        self._flush()
        return Shut(self._ends, self._marks, list(self._numbers))

    def adopt(self, file: IO[bytes], shut: Shut) -> int:
        """Take in the records of another spool, after which none is added; the first's number."""
        first, end = len(self), self._ends[-1]
        self._others.append(file)
        self._ends.extend([end + each for each in shut.ends[1:]])
        numbers = [self._number(mark) for mark in shut.known]
        self._marks.extend([numbers[each] for each in shut.marks])
        return first

    def records(self, numbers: Sequence[int]) -> tuple[list[bytes], list[bytes]]:
        """Origins (JSON arrays with the hash of the line) and lines, each with its line break."""
        self._flush()
        ends, marks, own = self._ends, self._marks, self._own
        heads = [mark.head for mark in self._numbers]
        here = self.file.fileno()
        there = self._others[0].fileno() if self._others else here
        origins: list[bytes] = []
        lines: list[bytes] = []
        for each in numbers:
            start = ends[each]
            length = ends[each + 1] - start
            is_here = start < own
            record = pread(here if is_here else there, length, start if is_here else start - own)
            cut = record.index(b"\n") + 1
            origins.append(record[:cut])
            lines.append(heads[marks[each]] + record[cut:])
        return origins, lines

    def tally(self, numbers: Iterable[int]) -> Tally:
        """What some lines add up to."""
        marks, tally = list(self._numbers), Tally()
        for mark, rows in Counter(map(self._marks.__getitem__, numbers)).items():
            tally.add(marks[mark], rows)
        return tally

    def close(self) -> None:
        """Let the files go, and with them what could not be written."""
        for file in (self.file, *self._others):
            with suppress(OSError):
                file.close()

    def _write(self) -> None:
        """Hand over what waits; a call of the file for each line is dearer than joining them."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self.file.write(b"".join(waiting))

    def _flush(self) -> None:
        self._write()
        self.file.flush()

    def _number(self, mark: Mark) -> int:
        number = self._numbers.get(mark)
        if number is None:
            number = self._numbers[mark] = len(self._numbers)
        return number
