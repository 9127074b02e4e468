"""A backup holds everything and goes back into either database."""

import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from db.backup import restore_backup, write_backup
from db.engine import Database
from db.tables import Suggestion
from labeling import annotate
from schemas.errors import InvalidInput
from schemas.settings import Settings
from tests.factories import a_label_query, a_person, a_project


def _rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.snapshot() as connection:
        return {
            table.name: [
                tuple(map(str, row))
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for table in SQLModel.metadata.sorted_tables
        }


def _fill(database: Database) -> None:
    who = a_project(database)
    query_id = a_label_query(database, who)
    with database.transaction() as session:
        session.add(
            Suggestion(
                project_id=who.project_id,
                query_id=query_id,
                origin="model",
                raw_reply=b"\x00\xff<think>",
                plan={"rewritten_query": "问", "steps": []},
            )
        )
    item = annotate.open_next(database, a_person(database, who.project_id, "annotator"))
    assert item is not None


@pytest.mark.parametrize("target", ["sqlite_database", "postgresql_database"])
def test_a_backup_goes_back_row_for_row_and_tasks_are_counted_on(
    target: str, request: pytest.FixtureRequest, tmp_path: Path, migrated_sqlite: Path
) -> None:
    source = _a_filled_copy(migrated_sqlite, tmp_path)
    file = tmp_path / "all.zip"
    settings = Settings(home=tmp_path / "elsewhere")
    write_backup(source, settings, file)
    restored: Database = request.getfixturevalue(target)
    restore_backup(restored, settings, file)
    assert _rows(restored) == _rows(source)
    a_label_query(restored, a_project(restored, name="afterwards"))
    assert len(_rows(restored)["task"]) == 2
    source.close()


def test_bundles_are_in_a_backup_and_runs_are_not(
    sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    for name in ("bundles/b1/sft.jsonl", "runs/r1/log"):
        (settings.home / name).parent.mkdir(parents=True)
        (settings.home / name).write_text("x")
    write_backup(sqlite_database, settings, tmp_path / "all.zip")
    names = zipfile.ZipFile(tmp_path / "all.zip").namelist()
    assert "bundles/b1/sft.jsonl" in names
    assert not [name for name in names if name.startswith("runs")]


def test_a_restore_refuses_to_mix_with_data(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    _fill(database)
    before = _rows(database)
    write_backup(database, settings, tmp_path / "all.zip")
    with pytest.raises(InvalidInput) as refused:
        restore_backup(database, settings, tmp_path / "all.zip")
    assert refused.value.code == "backup.not_empty"
    assert _rows(database) == before


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_what_is_no_backup_is_refused_in_a_sentence(
    content: bytes | None, sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "all.zip"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        restore_backup(sqlite_database, settings, file)
    assert refused.value.code == "backup.not_a_backup"


def _a_filled_copy(empty: Path, folder: Path) -> Database:
    path = folder / "source.db"
    path.write_bytes(empty.read_bytes())
    database = Database(f"sqlite:///{path}")
    _fill(database)
    return database
