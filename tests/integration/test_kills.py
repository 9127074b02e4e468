"""`kill -9` of app, supervisor and trainer at several moments; the trainer is a stand-in.

Each time the run goes on or is told as dead; there is one start, and in the end no process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from db.engine import Database
from exports.training import launch
from exports.training.chain import stop_chain
from exports.training.chain_view import chain_view, list_chains, list_runs
from exports.training.process import is_alive, processes_with, signal_all, trainers
from exports.training.sweep import sweep
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import ChainView, RunOrder, RunView
from tests.bundles import a_bundle
from tests.chain_site import stage
from tests.factories import a_project
from tests.fakes.trainer import write_swift, write_trainer

ROOT = Path(__file__).parents[2]


class Place(NamedTuple):
    """An installation whose app is a process that is killed now and then."""

    settings: Settings
    database: Database
    who: Actor
    apps: "list[subprocess.Popen[bytes]]"

    def start_app(self, *bundles: str) -> None:
        environment = os.environ | {
            "PLANWRIGHT_TRAINER_PYTHON": str(self.settings.trainer_python),
            "MODEL": str(self.settings.home),
        }
        command = ["-m", "tests.chain_work", str(self.settings.home), "serve", *bundles]
        self.apps.append(subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment))

    def kill_app(self) -> None:
        self.apps[-1].kill()
        self.apps[-1].wait()

    def runs(self) -> list[RunView]:
        """Oldest first."""
        return list_runs(self.database, self.settings, self.who)[::-1]

    def chains(self) -> list[ChainView]:
        """Oldest first."""
        return [
            chain_view(self.database, self.settings, self.who, each.id)
            for each in list_chains(self.database, self.who)[::-1]
        ]

    def stop(self, chain_id: str) -> ChainView:
        stop_chain(self.database, self.settings, self.who, chain_id)
        wait(lambda: self._view(chain_id).finished_at is not None)
        return self._view(chain_id)

    def _view(self, chain_id: str) -> ChainView:
        return next(each for each in self.chains() if each.id == chain_id)


@pytest.fixture
def place(sqlite_database: Database, settings: Settings, tmp_path: Path) -> Iterator[Place]:
    python = write_swift(tmp_path / "swift", "go on")
    its_own = settings.model_copy(update={"trainer_python": python})
    place = Place(its_own, sqlite_database, a_project(sqlite_database), [])
    yield place
    for app in place.apps:
        app.kill()
        app.wait()
    for token in _tokens(its_own):
        signal_all(processes_with(token), signal.SIGKILL)


def _tokens(settings: Settings) -> list[str]:
    found = settings.home.glob("runs/*/order.json")
    return [RunOrder.model_validate_json(path.read_bytes()).token for path in found]


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_ready(run: RunView) -> bool:
    return (Path(run.folder) / "ready").exists() and run.state == "running"


def _starts(run: RunView) -> int:
    return len((Path(run.folder) / "starts").read_text().split())


def _nothing_is_left(place: Place) -> None:
    for token in _tokens(place.settings):
        wait(lambda token=token: processes_with(token) == [])


@pytest.mark.parametrize("moment", ["clicked", "row", "folder", "running"])
def test_an_app_that_is_killed_goes_on_with_one_start(place: Place, moment: str) -> None:
    """Just after the click, once there is a row, once there is a folder, and while it trains."""
    bundle_id = a_bundle(place.database, place.settings, place.who)
    place.start_app(bundle_id)
    match moment:
        case "clicked":
            wait(lambda: bool(place.chains()))
        case "row":
            wait(lambda: bool(place.runs()))
        case "folder":
            wait(lambda: bool(place.runs()) and Path(place.runs()[0].folder).exists())
        case _:
            wait(lambda: bool(place.runs()) and _is_ready(place.runs()[0]))
    place.kill_app()
    if moment == "running":
        assert place.runs()[0].state == "running"
    place.start_app()
    wait(lambda: bool(place.runs()) and _is_ready(place.runs()[0]))
    time.sleep(1)  # two looks of the new app, in which it must not start another
    view = place.stop(place.chains()[0].id)
    assert stage(view, "sft").reason == "training.stopped_saved"
    (run,) = place.runs()
    assert _starts(run) == 1
    _nothing_is_left(place)


def _queue(place: Place) -> dict[object, str]:
    """Chains by their number in the queue; 0 has the device."""
    return {stage(each, "sft").values.get("number", 0): each.id for each in place.chains()}


def test_an_app_that_is_killed_while_runs_wait_keeps_their_order(place: Place) -> None:
    names = ("first", "second", "third")
    bundles = [a_bundle(place.database, place.settings, place.who, name=name) for name in names]
    place.start_app(*bundles)
    wait(lambda: _queue(place).keys() == {0, 1, 2} and any(map(_is_ready, place.runs())))
    place.kill_app()
    before = _queue(place)
    place.start_app()
    for number in (0, 1, 2):
        chain_id = before[number]
        wait(lambda: any(map(_is_ready, place.runs())))
        (run,) = filter(_is_ready, place.runs())
        assert run.chain_id == chain_id
        place.stop(chain_id)
    assert [_starts(run) for run in place.runs()] == [1, 1, 1]
    _nothing_is_left(place)


def test_an_app_that_is_killed_while_its_run_stops_finds_how_it_stopped(place: Place) -> None:
    place.start_app(a_bundle(place.database, place.settings, place.who))
    wait(lambda: bool(place.runs()) and _is_ready(place.runs()[0]))
    place.kill_app()
    chain_id = place.chains()[0].id
    stop_chain(place.database, place.settings, place.who, chain_id)
    wait(lambda: place.runs()[0].state == "stopped")
    place.start_app()
    wait(lambda: place.chains()[0].finished_at is not None)
    (view,) = place.chains()
    assert (view.state, stage(view, "sft").reason) == ("stopped", "training.stopped_saved")
    _nothing_is_left(place)


def test_a_supervisor_that_is_killed_with_the_app_is_swept_at_the_next_start(place: Place) -> None:
    place.start_app(a_bundle(place.database, place.settings, place.who))
    wait(lambda: bool(place.runs()) and _is_ready(place.runs()[0]))
    place.kill_app()
    folder = Path(place.runs()[0].folder)
    status = launch.read_status(folder)
    assert status
    os.kill(status.supervisor.pid, signal.SIGKILL)
    wait(lambda: not is_alive(status.supervisor))
    assert len(trainers(status.token)) == 1
    assert sweep(place.settings) == [folder]
    _nothing_is_left(place)
    assert sweep(place.settings) == [folder]
    place.start_app()
    wait(lambda: place.chains()[0].finished_at is not None)
    (view,) = place.chains()
    assert stage(view, "sft").reason == "training.supervisor_lost"
    assert [_starts(run) for run in place.runs()] == [1]
    assert sweep(place.settings) == [folder]


@pytest.mark.parametrize("act", ["go on", "hang"])
def test_a_trainer_that_is_killed_while_it_saves_is_told_and_leaves_nothing(
    tmp_path: Path, act: str
) -> None:
    folder, token = tmp_path / "run", f"saving-{time.monotonic_ns()}"
    command = write_trainer(folder, act)
    launch.prepare(folder, RunOrder(command=command, token=token, saving_s=60, leaving_s=1))
    launch.ensure_started(folder)
    wait(lambda: (folder / "ready").exists() and launch.look(folder).state == "running")
    victim = trainers(token)[0]
    launch.ask_to_stop(folder)
    if act == "hang":
        wait(lambda: launch.look(folder).state == "stopping")
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        assert act == "go on"
    wait(lambda: launch.look(folder).state in launch.OVER)
    seen = launch.look(folder)
    assert seen.state in ("stopped", "failed")
    assert seen.reason in (
        "training.stopped",
        "training.stopped_saved",
        "training.killed_by_signal",
    )
    wait(lambda: processes_with(token) == [])


def test_a_supervisor_that_is_killed_while_the_trainer_saves_is_told(tmp_path: Path) -> None:
    folder, token = tmp_path / "run", f"saving-{time.monotonic_ns()}"
    command = write_trainer(folder, "hang")
    launch.prepare(folder, RunOrder(command=command, token=token, saving_s=60))
    launch.ensure_started(folder)
    wait((folder / "ready").exists)
    launch.ask_to_stop(folder)
    wait(lambda: launch.look(folder).state == "stopping")
    status = launch.read_status(folder)
    assert status
    os.kill(status.supervisor.pid, signal.SIGKILL)
    wait(lambda: launch.look(folder).state == "failed")
    assert launch.look(folder).reason == "training.supervisor_lost"
    wait(lambda: processes_with(token) == [])
    launch.ensure_started(folder)
    assert len((folder / "starts").read_text().split()) == 1


def test_a_supervisor_that_died_before_the_trainer_began_has_had_its_turn(tmp_path: Path) -> None:
    folder, token = tmp_path / "run", f"early-{time.monotonic_ns()}"
    command = write_trainer(folder, "go on")
    launch.prepare(folder, RunOrder(command=command, token=token))
    launch.ensure_started(folder)
    wait(lambda: launch.read_status(folder) is not None)
    status = launch.read_status(folder)
    assert status
    os.kill(status.supervisor.pid, signal.SIGKILL)
    wait(lambda: not is_alive(status.supervisor))
    begun = len(trainers(token))
    assert launch.look(folder).reason == "training.supervisor_lost"
    wait(lambda: processes_with(token) == [])
    launch.ensure_started(folder)
    time.sleep(0.5)
    starts = folder / "starts"
    assert len(starts.read_text().split() if starts.exists() else []) <= max(1, begun)
    assert processes_with(token) == []
