"""Files as rows, read as a stream in constant memory, whatever their format.

A row that cannot be read is a row with a refusal, so that the rows around it still count. What can
be refused only as a whole (no such file, empty, not decodable, no workbook) is an `InvalidInput`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import assert_never

import orjson

from labeling.intake.csv_rows import detect_encoding, is_readable, read_csv
from labeling.intake.json_rows import read_json_array, read_jsonl
from labeling.intake.source_row import SourceRow
from labeling.intake.table_rows import read_parquet, read_xlsx
from schemas.errors import InvalidInput, NotFound
from schemas.intake import FileFormat, Preview

_PREVIEW_ROWS = 20
_COLUMN_ROWS = 200
_SUFFIXES: dict[str, FileFormat] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file whose format and encoding are known."""

    path: Path
    format: FileFormat
    encoding: str | None

    def rows(self) -> Iterator[SourceRow]:
        """Its rows from the first."""
        encoding = self.encoding or "utf-8"
        match self.format:
            case "jsonl":
                return read_jsonl(self.path, encoding)
            case "json":
                return read_json_array(self.path, encoding)
            case "csv":
                return read_csv(self.path, encoding)
            case "xlsx":
                return read_xlsx(self.path)
            case "parquet":
                return read_parquet(self.path)
            case _ as never:
                assert_never(never)

    def columns(self) -> list[str]:
        """Names in the first 200 rows, in the order they are met."""
        names: dict[str, None] = {}
        for row in islice(self.rows(), _COLUMN_ROWS):
            names.update(dict.fromkeys(row.value or ()))
        return list(names)


def open_source(path: Path, encoding: str | None = None) -> Source:
    """Look at a file; the encoding of text is detected unless it is given.

    Raises:
        NotFound: `files.not_found`.
        InvalidInput: `files.empty`, `intake.format_unknown` or `intake.encoding_*`.
    """
    if not path.is_file():
        raise NotFound("files.not_found", name=path.name)
    if path.stat().st_size == 0:
        raise InvalidInput("files.empty")
    form = _detect_format(path)
    if form in ("xlsx", "parquet"):
        return Source(path, form, None)
    if encoding is not None:
        # Lines of JSON are refused one by one; a sheet in the wrong encoding has no lines.
        if not is_readable(path, encoding) and form == "csv":
            raise InvalidInput("intake.encoding_wrong", encoding=encoding)
        return Source(path, form, encoding)
    return Source(path, form, detect_encoding(path) if form == "csv" else "utf-8")


def preview(path: Path, *, encoding: str | None = None) -> Preview:
    """Columns and the first 20 rows of a file, with the encoding that was detected.

    Raises:
        NotFound: `files.not_found`.
        InvalidInput: the file cannot be read at all.
    """
    source = open_source(path, encoding)
    rows = [row.value or {} for row in islice(source.rows(), _PREVIEW_ROWS)]
    plain = [orjson.loads(orjson.dumps(row, default=str)) for row in rows]
    return Preview(
        columns=tuple(source.columns()),
        rows=tuple(plain),
        encoding=source.encoding,
        format=source.format,
    )


def _detect_format(path: Path) -> FileFormat:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return "json" if _first_character(path) == "[" else "jsonl"
    if suffix not in _SUFFIXES:
        known = ", ".join([".json", *_SUFFIXES])
        raise InvalidInput("intake.format_unknown", name=path.name, known=known)
    return _SUFFIXES[suffix]


def _first_character(path: Path) -> str:
    with path.open("r", encoding="utf-8-sig", errors="replace") as file:
        while chunk := file.read(4096):
            if chunk.strip():
                return chunk.strip()[0]
    raise InvalidInput("files.empty")
