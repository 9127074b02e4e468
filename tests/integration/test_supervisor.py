"""A run outlives the app, is never started twice, and always ends with a verdict."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from exports.training import launch
from exports.training.process import (
    identify,
    is_alive,
    myself,
    processes_with,
    signal_all,
    trainers,
)
from schemas.training import RunOrder, RunStatus
from tests.fakes.trainer import write_trainer

ROOT = Path(__file__).parents[2]
TOKEN = "token-of-a-test"

Prepare = Callable[..., Path]


@pytest.fixture(autouse=True)
def token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor ends everything under its token, the next test's run too if they shared one."""
    monkeypatch.setattr(sys.modules[__name__], "TOKEN", f"token-of-a-test-{uuid.uuid4()}")


@pytest.fixture
def prepare(tmp_path: Path) -> Iterator[Prepare]:
    """Write the folder of a run whose trainer does an act; leftovers are killed at the end."""

    def write(act: str, **order: object) -> Path:
        folder = tmp_path / "run"
        given = {"token": TOKEN, "expected_rows": 3, "saving_s": 20, "leaving_s": 0.5, **order}
        command = write_trainer(folder, act)
        launch.prepare(folder, RunOrder.model_validate({"command": command, **given}))
        return folder

    yield write
    signal_all(processes_with(TOKEN), signal.SIGKILL)


def _wait(holds: Callable[[], bool], limit_s: float = 120.0) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _end(folder: Path) -> launch.Look:
    _wait(lambda: launch.look(folder).state in launch.OVER)
    return launch.look(folder)


def _start_and_wait(folder: Path) -> launch.Look:
    launch.ensure_started(folder)
    _wait((folder / "ready").exists)
    _wait(lambda: launch.look(folder).state == "running")
    return launch.look(folder)


def test_success_is_exit_0_a_checkpoint_and_every_row(prepare: Prepare) -> None:
    folder = prepare("succeed")
    launch.ensure_started(folder)
    seen = _end(folder)
    assert (seen.state, seen.reason) == ("succeeded", "training.succeeded")
    assert seen.status
    assert seen.status.exit_code == 0
    assert seen.status.rows_kept == 3
    assert str(seen.status.checkpoint).endswith("output/checkpoint-2")


@pytest.mark.parametrize(
    ("act", "order", "reason"),
    [
        ("leave nothing", {}, "training.no_checkpoint"),
        ("succeed", {"expected_rows": 4}, "training.rows_differ"),
        ("fail", {}, "training.exited"),
        ("succeed", {"command": ("/nowhere/swift", "sft")}, "training.exited"),
    ],
)
def test_anything_less_is_a_failure_with_its_reason(
    prepare: Prepare, act: str, order: dict[str, object], reason: str
) -> None:
    folder = prepare(act, **order)
    launch.ensure_started(folder)
    seen = _end(folder)
    assert (seen.state, seen.reason) == ("failed", reason)


def test_the_last_line_of_the_log_is_told(prepare: Prepare) -> None:
    folder = prepare("fail")
    launch.ensure_started(folder)
    assert _end(folder).values == {"exit_code": 3, "line": "ValueError: no such thing"}


def test_many_starts_are_one_start(prepare: Prepare) -> None:
    folder = prepare("go on")
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(launch.ensure_started, [folder] * 6))
    _wait((folder / "ready").exists)
    _wait(lambda: launch.look(folder).state == "running")
    launch.ensure_started(folder)
    time.sleep(0.5)
    assert len((folder / "starts").read_text().split()) == 1


def test_a_run_outlives_the_app_that_started_it_and_is_found_again(prepare: Prepare) -> None:
    folder = prepare("go on")
    app = (
        "import os, sys; from pathlib import Path; from exports.training import launch;"
        "launch.ensure_started(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", app, str(folder)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    _wait((folder / "ready").exists)
    _wait(lambda: launch.look(folder).state == "running")
    seen = launch.look(folder)
    assert seen.status
    beat = seen.status.heartbeat
    _wait(lambda: (launch.read_status(folder) or seen.status).heartbeat > beat)  # pyright: ignore
    assert len((folder / "starts").read_text().split()) == 1


def test_stop_lets_the_trainer_save_and_leave(prepare: Prepare) -> None:
    folder = prepare("go on")
    _start_and_wait(folder)
    launch.ask_to_stop(folder)
    seen = _end(folder)
    assert (seen.state, seen.reason) == ("stopped", "training.stopped_saved")
    assert seen.values == {"checkpoint": "checkpoint-1"}
    assert seen.status
    assert seen.status.exit_code == 0


def test_only_the_trainer_is_signalled_and_not_its_wrapper(prepare: Prepare) -> None:
    folder = prepare("go on")
    _start_and_wait(folder)
    started = [int(pid) for pid in (folder / "starts").read_text().split()]
    assert trainers(TOKEN) == started
    assert len(processes_with(TOKEN)) == 2


def test_a_trainer_that_does_not_leave_is_killed_after_its_deadlines(prepare: Prepare) -> None:
    folder = prepare("hang", saving_s=3)
    _start_and_wait(folder)
    launch.ask_to_stop(folder)
    _wait(lambda: launch.look(folder).state == "stopping")
    status = launch.look(folder).status
    assert status
    assert status.stop_deadline
    assert status.stop_deadline - time.time() <= 3
    seen = _end(folder)
    assert (seen.state, seen.reason) == ("stopped", "training.stopped")
    assert processes_with(TOKEN) == []


def test_a_killed_trainer_is_told_as_killed(prepare: Prepare) -> None:
    folder = prepare("go on")
    _start_and_wait(folder)
    os.kill(trainers(TOKEN)[0], signal.SIGKILL)
    seen = _end(folder)
    assert (seen.state, seen.reason) == ("failed", "training.killed_by_signal")
    assert seen.values == {"signal": "SIGKILL"}


def test_a_killed_supervisor_is_told_and_leaves_nothing_running(prepare: Prepare) -> None:
    folder = prepare("go on")
    status = _start_and_wait(folder).status
    assert status
    os.kill(status.supervisor.pid, signal.SIGKILL)
    _wait(lambda: not is_alive(status.supervisor))
    seen = launch.look(folder)
    assert (seen.state, seen.reason) == ("failed", "training.supervisor_lost")
    _wait(lambda: processes_with(TOKEN) == [])
    launch.ensure_started(folder)
    time.sleep(0.5)
    assert len((folder / "starts").read_text().split()) == 1


def test_what_a_trainer_leaves_behind_is_ended_with_it(prepare: Prepare) -> None:
    folder = prepare("leave a child")
    launch.ensure_started(folder)
    assert _end(folder).state == "succeeded"
    _wait(lambda: processes_with(TOKEN) == [])


def test_a_run_with_an_owner_ends_when_its_owner_is_gone(prepare: Prepare) -> None:
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    identity = identify(owner.pid)
    folder = prepare("go on", owner=identity.model_dump() if identity else None)
    _start_and_wait(folder)
    owner.kill()
    owner.wait()
    assert _end(folder).state == "stopped"


def test_secrets_of_a_run_stand_in_no_file(prepare: Prepare) -> None:
    folder = prepare("go on")
    launch.ensure_started(folder, secrets={"SERVING_KEY": "a-secret-key"})
    _wait((folder / "ready").exists)
    environment = Path(f"/proc/{trainers(TOKEN)[0]}/environ").read_bytes()
    assert b"SERVING_KEY=a-secret-key" in environment
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(b"a-secret-key" in content for content in written)


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    _wait(lambda: identify(child.pid) is None)
    child.wait()
    assert is_alive(myself())


def test_a_run_of_another_machine_is_judged_by_its_heartbeat(prepare: Prepare) -> None:
    folder = prepare("go on")
    _start_and_wait(folder)
    status = launch.read_status(folder)
    assert status
    elsewhere = {"machine": "another", "supervisor": {"pid": 2**22, "started": 1}}
    fresh = {**status.model_dump(), **elsewhere, "heartbeat": time.time()}
    afar = folder.with_name("afar")
    afar.mkdir()
    (afar / "status.json").write_text(RunStatus.model_validate(fresh).model_dump_json())
    assert launch.look(afar).state == "running"
    old = {**fresh, "heartbeat": time.time() - launch.LOST_S - 1}
    (afar / "status.json").write_text(RunStatus.model_validate(old).model_dump_json())
    seen = launch.look(afar)
    assert (seen.state, seen.reason) == ("failed", "training.machine_lost")
    assert seen.values == {"machine": "another"}
    assert len(processes_with(TOKEN)) == 2  # nothing here was killed for it
