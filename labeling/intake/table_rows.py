"""Rows of XLSX sheets and of Parquet files, read in batches."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain, repeat
from pathlib import Path
from typing import Any, cast

from labeling.intake.source_row import SourceRow
from schemas.errors import InvalidInput

_BATCH = 500
_MAX_UNPACKED = 4 * 1024**3


def read_xlsx(path: Path) -> Iterator[SourceRow]:
    """Rows of the first sheet under a header; values as text, empty cells absent.

    Raises:
        InvalidInput: `intake.file_unreadable`, `intake.header_unusable` or
            `intake.unpacks_too_large`.
    """
    # Only workbooks should pay for it.
    from openpyxl import load_workbook  # noqa: PLC0415

    _check_archive(path)
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # any damage to the archive surfaces as another type
        raise InvalidInput("intake.file_unreadable", format="XLSX") from error
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some writers store a wrong size, which would cut the rows
        rows = sheet.iter_rows(values_only=True)
        columns = [(_cell(value) or "").strip() for value in next(rows, ())]
        while columns and not columns[-1]:
            columns.pop()
        named = [name for name in columns if name]
        if not named or len(set(named)) != len(named):
            raise InvalidInput("intake.header_unusable", columns=", ".join(columns)[:500])
        for number, cells in enumerate(rows, 2):
            known = zip(columns, chain(cells, repeat(None)), strict=False)  # rows may end early
            row = {name: _cell(each) for name, each in known if name}
            size = sum(len(each) for each in row.values() if each is not None)
            if size:
                yield SourceRow(number, row, size=size)
    finally:
        book.close()


def read_parquet(path: Path) -> Iterator[SourceRow]:
    """Rows of a Parquet file; nested columns become lists and objects.

    Raises:
        InvalidInput: `intake.file_unreadable`.
    """
    # Only Parquet files should pay for it.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    try:
        file = parquet.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("intake.file_unreadable", format="Parquet") from error
    number = 0
    with file:
        batches = file.iter_batches(batch_size=_BATCH)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise InvalidInput("intake.file_unreadable", format="Parquet") from error
            if batch is None:
                return
            size = batch.nbytes // max(1, batch.num_rows)
            for row in batch.to_pylist():
                number += 1
                yield SourceRow(number, cast(dict[str, Any], row), size=size)


def _check_archive(path: Path) -> None:
    """Refuse what is no archive, or one that would fill the memory when unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise InvalidInput("intake.file_unreadable", format="XLSX") from error
    if size > _MAX_UNPACKED:
        raise InvalidInput("intake.unpacks_too_large", most_mb=_MAX_UNPACKED >> 20)


def _cell(value: object) -> str | None:
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
