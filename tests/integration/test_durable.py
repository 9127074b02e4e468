"""Long work survives its process, is never done by two, and is kept as JSON."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db.durable import Durable, command_executor_id, enqueue, resources, step, workflow
from db.engine import Database
from db.executor_lock import take_executor_lock
from db.journal_values import JournalValues
from schemas.errors import NotFound, TransitionRefused
from schemas.settings import Settings
from tests.durable_work import write_lines

ROOT = Path(__file__).parents[2]

Launch = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def launch(settings: Settings) -> Iterator[Launch]:
    """Start a process of `tests.durable_work`; returns once its executor is launched."""
    started: list[subprocess.Popen[str]] = []

    def start(
        executor: str, file: Path, act: str, database: Database | None = None
    ) -> "subprocess.Popen[str]":
        url = None if database is None else database.url.render_as_string(hide_password=False)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.durable_work", str(settings.home), executor, file, act],
            cwd=ROOT,
            env=os.environ | ({} if url is None else {"PLANWRIGHT_DATABASE_URL": url}),
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        if act != "enqueue":
            assert process.stdout.readline() == "launched\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _wait_for(file: Path, line: str, limit_s: float = 120.0) -> list[str]:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        lines = file.read_text().splitlines() if file.exists() else []
        if line in lines:
            return lines
        time.sleep(0.02)
    raise AssertionError(f"{line!r} never came: {file.read_text() if file.exists() else None}")


def _hold(file: Path, number: int) -> Path:
    """A step that does not end until this is unlinked, so that a test is never too late for it."""
    hold = Path(f"{file}.hold")
    hold.write_text(str(number))
    return hold


def test_work_killed_in_the_middle_is_finished_by_the_next_process(
    launch: Launch, tmp_path: Path
) -> None:
    file = tmp_path / "lines"
    hold = _hold(file, 2)
    first = launch("serve", file, "start")
    _wait_for(file, "begin 2")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    hold.unlink()
    again = launch("serve", file, "wait")
    lines = _wait_for(file, "end 5")
    assert [line for line in lines if line.startswith("end")] == [f"end {n}" for n in range(6)]
    assert lines.count("begin 1") == 1
    assert lines.count("begin 2") == 2  # the step that was killed, and no other
    assert again.wait(timeout=120) == 0
    assert again.stdout
    assert again.stdout.read() == "15\n"


def test_a_command_line_never_runs_the_live_steps_of_serve(launch: Launch, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    hold = _hold(file, 1)
    launch("serve", file, "start")
    _wait_for(file, "begin 1")
    for _ in range(2):
        launch(command_executor_id(), tmp_path / "other", "idle")
    hold.unlink()
    lines = _wait_for(file, "end 5")
    assert sorted(lines) == sorted([f"{word} {n}" for word in ("begin", "end") for n in range(6)])


def test_a_command_line_does_not_take_what_waits_for_serve(launch: Launch, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    hold = _hold(file, 1)
    first = launch("serve", file, "start")
    _wait_for(file, "begin 1")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    hold.unlink()
    launch(command_executor_id(), file, "idle")
    before = file.read_text()
    time.sleep(1.5)
    assert file.read_text() == before
    launch("serve", file, "idle")
    _wait_for(file, "end 5")


def test_work_handed_over_by_a_command_line_is_done_by_serve(
    launch: Launch, tmp_path: Path
) -> None:
    file = tmp_path / "lines"
    for _ in range(2):
        assert launch("command-1", file, "enqueue").wait(timeout=120) == 0
    assert not file.exists()
    launch("serve", file, "idle")
    lines = _wait_for(file, "end 5")
    assert len(lines) == 12


def test_work_of_a_dead_command_line_is_taken_over_when_started_again(
    launch: Launch, tmp_path: Path
) -> None:
    file = tmp_path / "lines"
    hold = _hold(file, 1)
    first = launch("command-1", file, "start")
    _wait_for(file, "begin 1")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    hold.unlink()
    launch("serve", file, "start")
    lines = _wait_for(file, "end 5")
    assert lines.count("begin 0") == 1


def test_work_of_a_live_command_line_is_not_taken_over(launch: Launch, tmp_path: Path) -> None:
    file = tmp_path / "lines"
    hold = _hold(file, 1)
    launch("command-1", file, "start")
    _wait_for(file, "begin 1")
    launch("serve", file, "start")
    hold.unlink()
    lines = _wait_for(file, "end 5")
    assert len(lines) == 12


def test_on_postgresql_a_killed_worker_is_resumed_and_a_second_one_takes_its_share(
    launch: Launch, tmp_path: Path, postgresql_database: Database
) -> None:
    file = tmp_path / "lines"
    hold = _hold(file, 2)
    assert launch("command-1", file, "enqueue", postgresql_database).wait(timeout=120) == 0
    first = launch("worker-a", file, "idle", postgresql_database)
    _wait_for(file, "begin 2")
    launch("worker-b", file, "idle", postgresql_database)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    hold.unlink()
    launch("worker-a", file, "idle", postgresql_database)
    lines = _wait_for(file, "end 5")
    assert [line for line in lines if line.startswith("end")] == [f"end {n}" for n in range(6)]
    assert lines.count("begin 1") == 1


def test_a_second_process_under_the_same_id_is_refused(
    launch: Launch, tmp_path: Path, settings: Settings, sqlite_database: Database
) -> None:
    launch("serve", tmp_path / "lines", "idle")
    with pytest.raises(TransitionRefused, match="already running as serve"):
        Durable(settings, sqlite_database, "serve").launch()


def test_an_executor_id_is_held_by_one_living_process(
    database: Database, settings: Settings
) -> None:
    lock = take_executor_lock(database, settings.home, "worker-a")
    assert lock is not None
    assert take_executor_lock(database, settings.home, "worker-a") is None
    other = take_executor_lock(database, settings.home, "worker-b")
    assert other is not None
    lock.close()
    again = take_executor_lock(database, settings.home, "worker-a")
    assert again is not None
    again.close()
    other.close()


@workflow("tests.who")
def _who(word: str) -> dict[str, Any]:
    return {"word": word, "by": _executor()}


@step("tests.executor")
def _executor() -> str:
    return resources().executor_id


@workflow("tests.refused")
def _refused() -> None:
    _refuse()


@step("tests.refuse")
def _refuse() -> None:
    raise NotFound("durable.unknown_work", work="nothing")


@workflow("tests.slow")
def _slow() -> int:
    return sum(_pause(number) for number in range(60))


@step("tests.pause")
def _pause(number: int) -> int:
    resources().closing.wait(0.05)
    return number


@pytest.fixture
def durable(database: Database, settings: Settings) -> Iterator[Durable]:
    """An executor on either engine."""
    executor = Durable(settings, database, "serve")
    executor.launch()
    yield executor
    executor.close()


def test_the_same_id_started_twice_is_one_piece_of_work(durable: Durable) -> None:
    durable.start(_who, "one", "a")
    durable.start("tests.who", "one", "b")
    assert durable.wait("one") == {"word": "a", "by": "serve"}
    durable.start(_who, "one", "c")
    assert durable.wait("one") == {"word": "a", "by": "serve"}
    assert durable.status("one") == "done"
    assert durable.status("two") is None


def test_an_expected_failure_comes_out_as_itself(durable: Durable) -> None:
    durable.start(_refused, "refused")
    with pytest.raises(NotFound, match="known as nothing"):
        durable.wait("refused")
    assert durable.status("refused") == "failed"


def test_cancelled_work_stops_at_its_next_step(durable: Durable) -> None:
    durable.start(_slow, "slow")
    while durable.status("slow") != "running":
        time.sleep(0.02)
    durable.cancel("slow")
    assert durable.status("slow") == "cancelled"


def test_closing_leaves_work_to_the_next_launch(database: Database, settings: Settings) -> None:
    first = Durable(settings, database, "serve")
    first.launch()
    first.start(_slow, "slow")
    while first.status("slow") != "running":
        time.sleep(0.02)
    begun = time.monotonic()
    first.close()
    assert time.monotonic() - begun < 60
    second = Durable(settings, database, "serve")
    second.launch()
    assert second.wait("slow") == sum(range(60))
    second.close()


def test_work_can_be_handed_over_on_either_engine(database: Database, settings: Settings) -> None:
    enqueue(settings, database, "tests.who", "handed", "x")
    executor = Durable(settings, database, "worker-a")
    executor.launch()
    assert executor.wait("handed") == {"word": "x", "by": "worker-a"}
    executor.close()


def test_unknown_work_is_refused(settings: Settings, sqlite_database: Database) -> None:
    with pytest.raises(NotFound):
        enqueue(settings, sqlite_database, "tests.no_such_work", "id")


def test_outside_a_workflow_they_are_ordinary_calls(tmp_path: Path) -> None:
    assert write_lines(str(tmp_path / "lines"), 1) == 0


def test_the_journal_holds_json_and_no_pickle(durable: Durable, settings: Settings) -> None:
    durable.start(_who, "one", "汉字")
    durable.wait("one")
    path = settings.home / "journal.db"
    if path.exists():
        with sqlite3.connect(path) as connection:
            rows = connection.execute(
                "SELECT workflow_input.inputs, serialization FROM workflow_input "
                "JOIN workflow_status USING (workflow_uuid)"
            ).fetchall()
        assert rows == [('{"args":["汉字"],"kwargs":{}}', "planwright_json")]
    values = JournalValues()
    restored = values.deserialize(values.serialize(ValueError("no")))
    assert repr(restored) == "RuntimeError('ValueError: no')"
    with pytest.raises(TypeError):
        values.serialize({"set": {1}})
