"""What the lines of a bundle are made of, on the disk until its manifest is written."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from exports.lines import Block

_BUFFER_BYTES = 1 << 20

OnLines = Callable[[str, int, bytes], None]
"""Told of each block of origins: the file, the number (from 1) of its first line, the origins."""


class _Place(NamedTuple):
    start: int
    bytes: int


class Ledger:
    """Origins of lines by file, a JSON array on each line, in an unnamed file beside the bundle."""

    def __init__(self, folder: Path, on_lines: OnLines | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=_BUFFER_BYTES)  # noqa: SIM115
        self._on_lines = on_lines
        self._end = 0
        self._places: dict[str, list[_Place]] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._file.close()

    def entered(self, name: str, blocks: Iterable[Block]) -> Iterator[bytes]:
        """The lines of a file, whose origins are entered as they go by."""
        for lines, origins, rows in blocks:
            if self._on_lines:
                self._on_lines(name, self.rows.get(name, 0) + 1, origins)
            self._file.write(origins)
            self._places.setdefault(name, []).append(_Place(self._end, len(origins)))
            self._end += len(origins)
            self.rows[name] = self.rows.get(name, 0) + rows
            yield lines

    def origins(self, name: str) -> Iterator[bytes]:
        """The origins of a file's lines, in blocks."""
        self._file.flush()
        for place in self._places.get(name, ()):
            yield os.pread(self._file.fileno(), place.bytes, place.start)
