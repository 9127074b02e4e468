"""The error file of an import: one JSON object for every row that did not find its way in."""

from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson

from labeling.intake.source_row import SourceRow
from schemas.errors import InvalidInput, PlanwrightError
from schemas.sentences import Language


class RefusedRows:
    """Writes `{"line", "code", "reason", "problems", "row"}` lines; no row, no file.

    `reason` is a sentence in the reader's language. Opened at a size, it forgets what stands behind
    it: rows of a chunk that was not committed. What ended the whole import stands as line 0.
    """

    def __init__(self, path: Path, language: Language, *, size: int = 0) -> None:
        self.path = path
        self._language: Language = language
        self._size = size
        self._file: IO[bytes] | None = None
        self._waiting: list[tuple[int, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def is_empty(self) -> bool:
        """Whether every row found its way in."""
        return self._size == 0

    def add(self, row: SourceRow, error: InvalidInput) -> None:
        """Take in one row with the reason why it stays outside; `flush` writes."""
        entry: dict[str, Any] = {
            "line": row.line,
            "code": error.code,
            "reason": error.sentence(self._language),
            "problems": error.problem_lines(self._language),
            "row": row.shown if row.value is None else row.value,
        }
        self._waiting.append((row.line, _line(entry)))

    def add_failure(self, error: PlanwrightError) -> None:
        """Take in why the import could not go on."""
        entry = {"line": 0, "code": error.code, "reason": error.sentence(self._language)}
        self._waiting.append((0, _line(entry)))

    def flush(self) -> int:
        """Write what was taken in, in the order of its lines; the size of the file."""
        if self._waiting:
            file = self._file = self._file or self._open()
            file.writelines(line for _, line in sorted(self._waiting))
            file.flush()
            self._waiting.clear()
            self._size = file.tell()
        return self._size

    def _open(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("r+b" if self._size else "wb")
        file.truncate(self._size)
        file.seek(self._size)
        return file


def _line(entry: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # text that is no Unicode, from a damaged sheet
        return orjson.dumps(entry | {"row": ascii(entry["row"])}, option=orjson.OPT_APPEND_NEWLINE)
