"""One row of a file, before anybody has asked what it means."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_ROW = 8 * 1024 * 1024
"""Bytes of one row; a row is held in memory whole."""


class SourceRow(NamedTuple):
    """A row with its place, or why it could not be read.

    `line` is the 1-based line of a text file where the row begins, the row of a sheet, or the
    1-based position in a JSON array or a Parquet file. `shown` is what stood there, for the error
    file, when there is no value. `size` is about how many bytes the row takes.
    """

    line: int
    value: dict[str, Any] | None
    code: str | None = None
    values: Mapping[str, object] = {}
    shown: str | None = None
    size: int = 0


def unreadable(line: int, code: str, values: Mapping[str, object], shown: str) -> SourceRow:
    """A row that stays outside; at most 2,000 characters of it are shown."""
    return SourceRow(line, None, code, values, shown[:2_000], len(shown))
