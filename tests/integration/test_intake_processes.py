"""Imports of real processes: killed in the middle, and two at once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from db.engine import Database
from db.tables import ImportFile, Query, Task
from tests.factories import a_project

ROOT = Path(__file__).parents[2]
ROWS = 16_000


@pytest.fixture
def rows_file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    with path.open("w") as file:
        for number in range(ROWS):
            identity = {"id": f"q{number}"} if number % 2 else {}
            file.write(json.dumps({**identity, "query": f"question {number}"}) + "\n")
    return path


def start_import(database: Database, home: Path, path: Path) -> subprocess.Popen[str]:
    url = database.url.render_as_string(hide_password=False)
    environment = os.environ | {
        "PLANWRIGHT_DATABASE_URL": url,
        "PLANWRIGHT_HOME": str(home),
        "PLANWRIGHT_LANGUAGE": "en",
    }
    return subprocess.Popen(
        [sys.executable, "app.py", "import", str(path), "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process: subprocess.Popen[str]) -> dict[str, int]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def count(database: Database, table: type[Query] | type[Task]) -> int:
    with database.reading() as session:
        return session.exec(select(sa.func.count()).select_from(table)).one()


def test_an_import_killed_in_the_middle_ends_in_the_same_rows_when_repeated(
    database: Database, tmp_path: Path, rows_file: Path
) -> None:
    a_project(database)
    process = start_import(database, tmp_path / "home", rows_file)
    deadline = time.monotonic() + 120
    while not count(database, Query):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = count(database, Query)
    assert 0 < before < ROWS
    assert count(database, Task) == before
    again = outcome(start_import(database, tmp_path / "home", rows_file))
    assert (again["read"], again["added"], again["known"]) == (ROWS, ROWS - before, before)
    with database.reading() as session:
        texts = session.exec(select(Query.text)).all()
        labelled = session.exec(select(Task.query_id)).all()
        states = sorted(session.exec(select(ImportFile.state)))
    assert sorted(texts) == sorted(f"question {number}" for number in range(ROWS))
    assert len(labelled) == len(set(labelled)) == ROWS
    assert states == ["done", "running"]


def test_one_file_imported_by_two_processes_at_once_is_there_once(
    database: Database, tmp_path: Path, rows_file: Path
) -> None:
    a_project(database)
    processes = [start_import(database, tmp_path / f"home{n}", rows_file) for n in range(2)]
    outcomes = [outcome(process) for process in processes]
    assert sum(each["added"] for each in outcomes) == ROWS
    assert sum(each["known"] for each in outcomes) == ROWS
    assert count(database, Query) == count(database, Task) == ROWS
    with database.reading() as session:
        orphans = (
            sa.select(sa.func.count())
            .select_from(Task)
            .where(col(Task.query_id).not_in(sa.select(col(Query.id))))
        )
        assert session.execute(orphans).scalar_one() == 0
