"""The error file of an import: one JSON object for every row that did not find its way in."""

from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson

from labeling.intake.source_row import SourceRow
from schemas.errors import InvalidInput
from schemas.sentences import Language


class RefusedRows:
    """Writes `{"line", "code", "reason", "problems", "row"}` lines; no row, no file.

    `reason` is a sentence in the reader's language. Opened at a size, it forgets what stands behind
    it: rows of a chunk that was not committed.
    """

    def __init__(self, path: Path, language: Language, *, size: int = 0) -> None:
        self.path = path
        self._language: Language = language
        self._file: IO[bytes] | None = None
        if size:
            self._file = path.open("r+b")
            self._file.truncate(size)
            self._file.seek(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def is_empty(self) -> bool:
        """Whether every row found its way in."""
        return self._file is None

    def add(self, row: SourceRow, error: InvalidInput) -> None:
        """Write one row with the reason why it stays outside."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
        entry: dict[str, Any] = {
            "line": row.line,
            "code": error.code,
            "reason": error.sentence(self._language),
            "problems": error.problem_lines(self._language),
            "row": row.shown if row.value is None else row.value,
        }
        self._file.write(_line(entry))

    def flush(self) -> int:
        """Hand everything to the system; the size of the file."""
        if self._file is None:
            return 0
        self._file.flush()
        return self._file.tell()


def _line(entry: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(entry, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:  # text that is no Unicode, from a damaged sheet
        return orjson.dumps(entry | {"row": ascii(entry["row"])}, option=orjson.OPT_APPEND_NEWLINE)
