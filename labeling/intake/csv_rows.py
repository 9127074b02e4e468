"""Rows of CSV files: encoding detected, quotes and line breaks within cells, ragged rows refused.

The standard reader is used and not that of pandas, because it knows on which line of the file a row
begins and hands over a row of the wrong width instead of dropping it.
"""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from labeling.intake.source_row import MAX_ROW, SourceRow, unreadable
from schemas.errors import InvalidInput

_CHUNK = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = ",\t;"


def detect_encoding(path: Path) -> str:
    """`utf-8-sig`, `utf-16`, `utf-8` or `gb18030`: the first in which the whole file can be read.

    Raises:
        InvalidInput: `intake.encoding_unknown`.
    """
    with path.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        if is_readable(path, encoding):
            return encoding
    raise InvalidInput("intake.encoding_unknown")


def is_readable(path: Path, encoding: str) -> bool:
    """Whether every byte of a file means something in an encoding.

    Raises:
        InvalidInput: `intake.encoding_unusable` for a name that Python does not know.
    """
    try:
        b"".decode(encoding)  # refuses codecs that are no encodings of text (zip, base64)
        decoder = codecs.getincrementaldecoder(encoding)()
    except (LookupError, TypeError, ValueError) as error:
        raise InvalidInput("intake.encoding_unusable", encoding=encoding) from error
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def read_csv(path: Path, encoding: str) -> Iterator[SourceRow]:
    """Rows under a header; empty cells are absent values, rows of empty cells no rows.

    Raises:
        InvalidInput: `intake.header_unusable`.
    """
    csv.field_size_limit(MAX_ROW)
    with path.open("r", encoding=encoding, newline="") as file:
        first = file.readline(MAX_ROW)
        delimiter = max(_DELIMITERS, key=first.count)
        file.seek(0)
        reader = csv.reader(file, delimiter=delimiter, strict=False)
        columns = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
        if not any(columns) or len(set(columns)) != len(columns):
            raise InvalidInput("intake.header_unusable", columns=", ".join(columns)[:500])
        line = reader.line_num + 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield unreadable(line, "intake.csv_broken", {"detail": str(error)}, "")
            else:
                if any(cells):
                    yield _to_row(line, columns, cells)
            line = reader.line_num + 1


def _to_row(line: int, columns: list[str], cells: list[str]) -> SourceRow:
    if len(cells) != len(columns):
        values = {"count": len(cells), "columns": len(columns)}
        return unreadable(line, "intake.wrong_width", values, ",".join(cells))
    row = {name: cell or None for name, cell in zip(columns, cells, strict=True)}
    return SourceRow(line, row, size=sum(map(len, cells)))
