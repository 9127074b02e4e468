"""Batches whose processes are killed, doubled and interrupted: what was paid for is paid once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.engine import Database
from labeling.rederived import batch_outcome
from labeling.synthesis.batch import batch_progress, list_batches
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import a_pinned_query, a_plan, an_acceptance
from tests.factories import EXPERTS, a_project, a_query
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint

ROOT = Path(__file__).parents[3]
CONCURRENCY = 8


@pytest.fixture
def endpoint() -> Iterator[RunningEndpoint]:
    with running_endpoint() as running:
        yield running


@pytest.fixture
def who(sqlite_database: Database) -> Actor:
    actor = a_project(sqlite_database)
    for number in range(200):
        a_query(sqlite_database, actor, f"第{number}家店上周流量如何？")
    return actor


class _Processes:
    """Processes of this test, killed at its end."""

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | {
            "PLANWRIGHT_HOME": str(settings.home),
            "PLANWRIGHT_LANGUAGE": "en",
        }
        self._settings = settings
        self.started: list[subprocess.Popen[str]] = []

    def serve(self, order: dict[str, Any] | None = None) -> "subprocess.Popen[str]":
        command = ["-m", "tests.synthesis_serve", str(self._settings.home)]
        process = self._start([*command, *([json.dumps(order)] if order else [])])
        assert process.stdout
        assert process.stdout.readline() == "launched\n"
        return process

    def app(self, *arguments: str) -> "subprocess.Popen[str]":
        return self._start(["app.py", *arguments])

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        # A shell starts what runs in the background deaf to Ctrl+C, and its children inherit that.
        before = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self.started.append(process)
        return process


@pytest.fixture
def processes(settings: Settings) -> Iterator[_Processes]:
    running = _Processes(settings)
    yield running
    for process in running.started:
        process.kill()
        process.communicate()


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int | str | None
    out: str
    err: str


@pytest.fixture
def command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """`app.py` in this process; only what is killed or runs beside others needs one of its own."""
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        try:
            code: int | str | None = main(arguments)
        except SystemExit as left:
            code = left.code
        return Said(code, *capsys.readouterr())

    return run


def _order(endpoint: RunningEndpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint.url,
        "model": "fake",
        "concurrency": CONCURRENCY,
        "backoff_s": 0.05,
    }


def _synthesize(endpoint: RunningEndpoint, *more: str) -> list[str]:
    asked = ["--endpoint", endpoint.url, "--model", "fake", "--concurrency", str(CONCURRENCY)]
    return ["synthesize", *asked, *more]


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("the batch does not get on")


def _wait_until_done(database: Database, who: Actor, count: int) -> None:
    _wait_until(lambda: sum(each.done for each in list_batches(database, who)) >= count)


def _serve_killed_at(
    moments: tuple[int, ...],
    processes: _Processes,
    endpoint: RunningEndpoint,
    looked_at: tuple[Database, Actor],
    order: dict[str, Any] | None,
) -> None:
    """Serve an order, killed after so many answers each time, until it is done."""
    for stop_at in moments:
        # Answers that were on their way to a killed process count at the endpoint too.
        endpoint.configure(hold_after=stop_at + len(moments) * CONCURRENCY)
        process = processes.serve(order)
        order = None
        _wait_until_done(*looked_at, stop_at)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    endpoint.configure(hold_after=None)
    again = processes.serve()
    assert again.stdout
    assert again.stdout.readline() == "done\n"


def test_a_batch_whose_process_is_killed_is_finished_and_pays_twice_for_what_was_under_way_only(
    processes: _Processes, endpoint: RunningEndpoint, sqlite_database: Database, who: Actor
) -> None:
    endpoint.configure(hold_after=40)
    process = processes.serve(_order(endpoint))
    _wait_until_done(sqlite_database, who, 40)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert list_batches(sqlite_database, who)[0].done == 40
    endpoint.configure(hold_after=None)
    again = processes.serve()
    assert again.stdout
    assert again.stdout.readline() == "done\n"
    progress = list_batches(sqlite_database, who)[0]
    assert (progress.state, progress.done, progress.failed) == ("done", 200, 0)
    asked = endpoint.counts()["asked"]
    assert len(asked) == 200
    assert max(asked.values()) <= 2
    assert sum(asked.values()) - 200 <= CONCURRENCY


def test_killed_thrice_nothing_is_lost(
    processes: _Processes, endpoint: RunningEndpoint, sqlite_database: Database, who: Actor
) -> None:
    _serve_killed_at((30, 80, 130), processes, endpoint, (sqlite_database, who), _order(endpoint))
    assert list_batches(sqlite_database, who)[0].done == 200
    asked = endpoint.counts()["asked"]
    assert len(asked) == 200
    assert sum(asked.values()) - 200 <= 3 * CONCURRENCY


def test_commands_beside_a_running_batch_repeat_not_one_request(
    processes: _Processes,
    endpoint: RunningEndpoint,
    sqlite_database: Database,
    who: Actor,
    tmp_path: Path,
) -> None:
    rows = tmp_path / "more.jsonl"
    lines = [json.dumps({"id": f"m{n}", "query": f"More question {n}?"}) for n in range(50)]
    rows.write_text("\n".join(lines))
    endpoint.configure(hold_after=10)
    process = processes.serve(_order(endpoint))
    _wait_until_done(sqlite_database, who, 10)
    imported = processes.app("import", str(rows), "--experts", "merchant", "--json")
    preview = processes.app(*_synthesize(endpoint, "--preview", "--json"))
    out, err = imported.communicate(timeout=120)
    assert imported.returncode == 0, err
    assert json.loads(out)["added"] == 50
    preview.communicate(timeout=120)
    assert list_batches(sqlite_database, who)[0].state == "running"
    endpoint.configure(hold_after=None)
    assert process.stdout
    assert process.stdout.readline() == "done\n"
    asked = endpoint.counts()["asked"]
    assert len(asked) == 200
    assert set(asked.values()) == {1}


def test_the_command_joins_the_batch_of_serve_and_repeats_not_one_request(
    processes: _Processes, endpoint: RunningEndpoint, sqlite_database: Database, who: Actor
) -> None:
    endpoint.configure(hold_after=10)
    process = processes.serve(_order(endpoint) | {"backoff_s": 1.0})
    _wait_until_done(sqlite_database, who, 10)
    command = processes.app(*_synthesize(endpoint, "--json"))
    _wait_until(lambda: endpoint.counts()["most_in_flight"] > CONCURRENCY)
    endpoint.configure(hold_after=None)
    out, err = command.communicate(timeout=120)
    assert command.returncode == 0, err
    assert json.loads(out)["done"] == 200
    assert process.stdout
    assert process.stdout.readline() == "done\n"
    assert len(list_batches(sqlite_database, who)) == 1
    assert set(endpoint.counts()["asked"].values()) == {1}


def test_the_command_killed_goes_on_when_given_again(
    processes: _Processes, endpoint: RunningEndpoint, sqlite_database: Database, who: Actor
) -> None:
    endpoint.configure(hold_after=10)
    command = processes.app(*_synthesize(endpoint, "--limit", "60"))
    _wait_until_done(sqlite_database, who, 10)
    os.kill(command.pid, signal.SIGINT)
    _wait_until(lambda: list_batches(sqlite_database, who)[0].state == "cancelled")
    endpoint.configure(hold_after=None, latency_s=1.0)
    out, err = command.communicate(timeout=120)
    assert command.returncode == 1, err
    assert "Run the same command again" in out
    assert list_batches(sqlite_database, who)[0].state == "cancelled"
    endpoint.configure(latency_s=0.0)
    command = processes.app(*_synthesize(endpoint, "--limit", "60"))
    out, err = command.communicate(timeout=120)
    assert command.returncode == 0, err
    assert out == "60 answers with a plan, 0 without.\n"
    (progress,) = list_batches(sqlite_database, who)
    assert (progress.done, progress.state) == (60, "done")
    assert set(endpoint.counts()["asked"].values()) == {1}
    assert batch_progress(sqlite_database, who, progress.id).total == 60


def test_the_command_speaks_by_its_exit_code(
    command: Callable[..., Said], endpoint: RunningEndpoint, who: Actor
) -> None:
    endpoint.configure(bad_plan=0.3)
    some_failed = command(*_synthesize(endpoint, "--limit", "30", "--json"))
    assert some_failed.code == 3
    batch_id = json.loads(some_failed.out)["id"]
    endpoint.configure(bad_plan=0.0)
    assert command("synthesize", "--again", batch_id).code == 0
    nothing = command("synthesize", "--again", batch_id)
    assert nothing.code == 1
    assert "No request of this batch has failed" in nothing.err


def test_the_command_says_why_it_did_not_begin(
    command: Callable[..., Said], endpoint: RunningEndpoint, who: Actor
) -> None:
    down = command("synthesize", "--endpoint", "http://127.0.0.1:9/v1", "--model", "m")
    assert down.code == 1
    assert "could not be reached" in down.err
    no_key = command(*_synthesize(endpoint, "--key-env", "NOT_SET_API_KEY"))
    assert no_key.code == 1
    assert "NOT_SET_API_KEY is not set" in no_key.err
    assert command("synthesize", "--model", "m").code == 2
    reread = command("synthesize", "--reread", "--json")
    assert json.loads(reread.out)["mended"] == 0


def test_a_rederivation_killed_twice_asks_for_nothing_that_was_stored(
    processes: _Processes, endpoint: RunningEndpoint, sqlite_database: Database
) -> None:
    actor = a_project(sqlite_database)
    for number in range(40):
        query_id = a_pinned_query(sqlite_database, actor, f"第{number}家店流量为什么下降？")
        an_acceptance(sqlite_database, actor, query_id, a_plan("流量", EXPERTS[0], EXPERTS[3]))
    order = _order(endpoint) | {"rederive": {"tries": 3, "agree": 2}}
    _serve_killed_at((30, 90), processes, endpoint, (sqlite_database, actor), order)
    (progress,) = list_batches(sqlite_database, actor)
    assert (progress.state, progress.done, progress.failed) == ("done", 160, 0)
    assert batch_outcome(sqlite_database, actor, progress.id)["waiting"] == 40
    asked = endpoint.counts()["reply_keys"]
    assert len(asked) == 160
    assert max(asked.values()) <= 3
    assert sum(asked.values()) - 160 <= 2 * CONCURRENCY
    listed = processes.app("synthesize", "--rederived", "--json")
    out, _ = listed.communicate(timeout=120)
    assert len(json.loads(out)) == 40


def test_the_command_tells_what_a_rederivation_would_ask_and_why_traces_failed(
    command: Callable[..., Said], endpoint: RunningEndpoint, sqlite_database: Database
) -> None:
    actor = a_project(sqlite_database)
    nothing = command(*_synthesize(endpoint, "--rederive"))
    assert nothing.code == 1
    assert "There is nothing to ask: every accepted plan" in nothing.err
    query_id = a_pinned_query(sqlite_database, actor, "上周流量为什么下降？")
    an_acceptance(sqlite_database, actor, query_id, a_plan("流量", EXPERTS[0]))
    preview = command(*_synthesize(endpoint, "--rederive", "--preview"))
    assert preview.out.startswith("1 new traces would be asked for 1 accepted plans")
    endpoint.configure(hint_leak=1.0)
    asked = command(*_synthesize(endpoint, "--rederive"))
    assert asked.code == 3, asked.err
    assert asked.out == (
        "0 new traces wait for a reviewer, 1 failed a test, 0 are still being tested.\n"
        "  1  The new trace speaks of a given plan or hint.\n"
    )
    wrong = command(*_synthesize(endpoint, "--rederive", "--tries", "1", "--agree", "2"))
    assert wrong.code == 1
    assert "no more can agree than are asked" in wrong.err
