"""Moving rows in real processes: killed again and again, and two at once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import select

from db.engine import Database
from db.tables import MigrationProposal, Query, Task
from labeling.experts import get_list, publish
from schemas.list_changes import ListChange
from tests.factories import EXPERTS, a_project
from tests.many_rows import add_decided

ROOT = Path(__file__).parents[2]
QA, ADVICE = EXPERTS[1], EXPERTS[2]
ROWS = 2_000
PATIENCE_S = 120


@pytest.fixture
def moved(database: Database) -> Database:
    """Decided rows under the first version of a list; in the second an expert is renamed."""
    admin = a_project(database)
    add_decided(database, admin, ROWS, (QA, "费率是多少"), (ADVICE, "圈选老客"))
    _, first = get_list(database, admin, "merchant")
    experts = [each.model_dump(mode="json") for each in first.experts]
    for each in experts:
        each["name"] = {QA: "答疑专家"}.get(each["name"], each["name"])
    rename = ListChange(kind="rename", before=(QA,), after=("答疑专家",))
    publish(database, admin, {"name": "merchant", "experts": experts}, changes=[rename])
    return database


def start(database: Database, home: Path) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PLANWRIGHT_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "PLANWRIGHT_HOME": str(home),
        "PLANWRIGHT_LANGUAGE": "en",
    }
    return subprocess.Popen(
        [sys.executable, "app.py", "experts", "migrate", "merchant@1", "merchant@2", "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def count_proposals(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(sa.func.count()).select_from(MigrationProposal)).one()


def outcome(process: subprocess.Popen[str]) -> dict[str, int]:
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return json.loads(out)


def assert_each_was_moved_once(database: Database) -> None:
    with database.reading() as session:
        proposals = session.exec(select(MigrationProposal)).all()
        parents = Counter(each.parent_query_id for each in proposals)
        made = {each.query_id for each in proposals}
        known = set(session.exec(select(Query.id)))
        tasks = Counter(session.exec(select(Task.query_id, Task.kind)))
    assert len(parents) == len(made) == ROWS // 2
    assert set(parents.values()) == {1}
    assert made <= known
    assert all(tasks[(each, "review")] == 1 for each in made if each)
    assert set(tasks.values()) == {1}


def test_a_migration_killed_twice_moves_each_row_once(moved: Database, tmp_path: Path) -> None:
    for _ in range(2):
        before = count_proposals(moved)
        process = start(moved, tmp_path / "home")
        deadline = time.monotonic() + PATIENCE_S
        while count_proposals(moved) == before:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert before < count_proposals(moved) < ROWS // 2
    outcome(start(moved, tmp_path / "home"))
    assert_each_was_moved_once(moved)


def test_two_migrations_at_once_move_each_row_once(moved: Database, tmp_path: Path) -> None:
    for process in [start(moved, tmp_path / f"home{number}") for number in range(2)]:
        outcome(process)
    assert_each_was_moved_once(moved)
