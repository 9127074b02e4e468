"""A backup of everything that is remembered, in one file, for either database.

The file is a zip: `meta.json` (the migration it was made at), `tables/NAME.jsonl` for each table, a
row a line, `journal.db` where workflows are journalled in a file, and the bundles. It is read in
one snapshot, so work may go on meanwhile, and goes back into SQLite and PostgreSQL alike. Runs are
not in it: their checkpoints can be larger than the disk.
"""

import base64
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from db import tables
from db.engine import Backend, Database
from db.tables.base import UtcDateTime
from db.upgrade import current_revision, upgrade
from schemas.errors import InvalidInput
from schemas.settings import Settings

_FORMAT = 1
_CHUNK = 1_000
# Facts are derived: the triggers note every row that comes back, so they are made anew.
_DERIVED = {"query_change", "fact_profile", "row_fact"}
_TABLES = [each for each in tables.Query.metadata.sorted_tables if each.name not in _DERIVED]


def write_backup(database: Database, settings: Settings, path: Path) -> dict[str, int]:
    """Write a backup; the file appears whole or not at all. Returns rows by table."""
    part = path.with_name(path.name + ".part")
    counts: dict[str, int] = {}
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            meta = {"format": _FORMAT, "revision": current_revision(database)}
            archive.writestr("meta.json", orjson.dumps(meta))
            with database.snapshot() as connection:
                for table in _TABLES:
                    counts[table.name] = _write_table(archive, connection, table)
            _write_journal(archive, settings)
            for file in sorted((settings.home / "bundles").rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(settings.home))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return counts


def restore_backup(database: Database, settings: Settings, path: Path) -> dict[str, int]:
    """Restore into an empty database and home, then migrate up. Returns rows by table.

    Raises:
        InvalidInput: `backup.not_a_backup`, `backup.not_empty`, `backup.other_version`.
    """
    try:
        archive = zipfile.ZipFile(path)
        meta = orjson.loads(archive.read("meta.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InvalidInput("backup.not_a_backup", file=path.name) from error
    with archive:
        if meta.get("format") != _FORMAT or meta.get("revision") != current_revision(database):
            raise InvalidInput("backup.other_version", revision=str(meta.get("revision")))
        counts: dict[str, int] = {}
        with database.transaction() as session:
            connection = session.connection()
            if any(_has_rows(connection, table) for table in _TABLES):
                raise InvalidInput("backup.not_empty")
            for table in _TABLES:
                counts[table.name] = _read_table(archive, connection, table)
            _continue_counting(database, connection)
        _unpack_files(archive, settings.home)
    upgrade(database)
    return counts


def _write_table(archive: zipfile.ZipFile, connection: sa.Connection, table: sa.Table) -> int:
    count = 0
    rows = connection.execution_options(yield_per=_CHUNK).execute(
        sa.select(table).order_by(*table.primary_key.columns)
    )
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as file:
        for row in rows.mappings():
            file.write(orjson.dumps(dict(row), default=_to_plain) + b"\n")
            count += 1
    return count


def _to_plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    raise TypeError(type(value).__name__)


def _read_table(archive: zipfile.ZipFile, connection: sa.Connection, table: sa.Table) -> int:
    count = 0
    for chunk in _chunks(archive, table):
        connection.execute(sa.insert(table), chunk)
        count += len(chunk)
    return count


def _chunks(archive: zipfile.ZipFile, table: sa.Table) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    with archive.open(f"tables/{table.name}.jsonl") as file:
        for line in file:
            row = orjson.loads(line)
            chunk.append({name: _from_plain(table.c[name], row[name]) for name in row})
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
    if chunk:
        yield chunk


def _from_plain(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, sa.LargeBinary):
        return base64.b64decode(value["base64"])
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    return value


def _has_rows(connection: sa.Connection, table: sa.Table) -> bool:
    return (
        connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None
    )


def _continue_counting(database: Database, connection: sa.Connection) -> None:
    """PostgreSQL's own counters know nothing of ids that were inserted by hand."""
    if database.backend is not Backend.POSTGRESQL:
        return
    for table in _TABLES:
        key = table.autoincrement_column
        if key is not None:
            connection.execute(
                sa.select(
                    sa.func.setval(
                        sa.func.pg_get_serial_sequence(table.name, key.name),
                        sa.select(sa.func.coalesce(sa.func.max(key), 0) + 1).scalar_subquery(),
                        False,
                    )
                )
            )


def _write_journal(archive: zipfile.ZipFile, settings: Settings) -> None:
    journal = settings.home / "journal.db"
    if settings.journal_url is not None or not journal.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "journal.db"
        source, target = sqlite3.connect(journal), sqlite3.connect(copy)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()
        archive.write(copy, "journal.db")


def _unpack_files(archive: zipfile.ZipFile, home: Path) -> None:
    for name in archive.namelist():
        if name == "journal.db" or name.startswith("bundles/"):
            archive.extract(name, home)  # zipfile keeps what it extracts inside this folder
