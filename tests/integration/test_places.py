"""One run on a device, and a queue behind it that outlives whoever stands in it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.durable import command_executor_id
from db.engine import Database
from db.executor_lock import ExecutorLock, take_executor_lock
from exports.training import launch
from exports.training.machine import this_machine
from exports.training.places import (
    Wish,
    ask_for_places,
    check_wanted,
    find_place,
    give_back,
    hand_out,
)
from exports.training.process import processes_with, signal_all
from schemas.errors import TrainingError
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import RunOrder
from tests.factories import a_project
from tests.fakes.trainer import write_trainer

TWO = 2


@pytest.fixture
def machine(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "machine", devices=TWO)


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)


@pytest.fixture(autouse=True)
def serve(database: Database, machine: Settings) -> Iterator[ExecutorLock]:
    """Whoever asks as `serve` lives."""
    lock = take_executor_lock(database, machine.home, "serve")
    assert lock
    yield lock
    lock.close()


@pytest.fixture
def tokens() -> Iterator[list[str]]:
    """Tokens of runs that a test starts; what is left of them is killed."""
    started: list[str] = []
    yield started
    for token in started:
        signal_all(processes_with(token), signal.SIGKILL)


def _ask(database: Database, who: Actor, name: str, wanted: int, executor: str = "serve") -> None:
    wish = Wish(f"runs/{name}", name, wanted, this_machine())
    ask_for_places(database, who.project_id, executor, [wish])


def _devices(database: Database, machine: Settings, who: Actor, name: str) -> object:
    hand_out(database, machine)
    place = find_place(database, who.project_id, f"runs/{name}")
    return place.devices if place else "none"


def _start(settings: Settings, name: str, tokens: list[str]) -> Path:
    folder = settings.home / "runs" / name
    tokens.append(f"{name}-{time.monotonic_ns()}")
    command = write_trainer(folder, "go on")
    launch.prepare(folder, RunOrder(command=command, token=tokens[-1], saving_s=1, leaving_s=0.5))
    launch.ensure_started(folder)
    return folder


def _wait(folder: Path, *states: str) -> None:
    deadline = time.monotonic() + 60
    while launch.look(folder).state not in states:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_devices_go_to_the_first_who_came_and_nobody_overtakes(
    database: Database, machine: Settings, who: Actor
) -> None:
    _ask(database, who, "one", 1)
    _ask(database, who, "both", 2)
    _ask(database, who, "late", 1)
    assert _devices(database, machine, who, "one") == ("0",)
    assert _devices(database, machine, who, "late") is None
    place = find_place(database, who.project_id, "runs/late")
    assert place
    assert (place.number_in_queue, place.behind) == (2, "both")
    give_back(database, ["runs/one"])
    assert _devices(database, machine, who, "both") == ("0", "1")
    assert _devices(database, machine, who, "late") is None
    give_back(database, ["runs/both"])
    assert _devices(database, machine, who, "late") == ("0",)


def test_the_cpu_is_one_device_beside_the_others(
    database: Database, machine: Settings, who: Actor
) -> None:
    for name, wanted in (("gpus", 2), ("cpu", 0), ("second", 0)):
        _ask(database, who, name, wanted)
    assert _devices(database, machine, who, "gpus") == ("0", "1")
    assert _devices(database, machine, who, "cpu") == ()
    assert _devices(database, machine, who, "second") is None


def test_asking_again_keeps_the_place(database: Database, machine: Settings, who: Actor) -> None:
    for name in ("first", "second", "third", "first", "second"):
        _ask(database, who, name, 2)
    assert _devices(database, machine, who, "first") == ("0", "1")
    numbers = {
        name: place.number_in_queue
        for name in ("second", "third")
        if (place := find_place(database, who.project_id, f"runs/{name}"))
    }
    assert numbers == {"second": 1, "third": 2}


def test_more_than_the_machine_has_is_refused_and_not_waited_for(machine: Settings) -> None:
    with pytest.raises(TrainingError):
        check_wanted(machine, TWO + 1)


def test_a_killed_holder_frees_its_device(
    database: Database, machine: Settings, who: Actor, tokens: list[str]
) -> None:
    _ask(database, who, "holder", 2)
    _ask(database, who, "next", 2)
    assert _devices(database, machine, who, "holder") == ("0", "1")
    folder = _start(machine, "holder", tokens)
    _wait(folder, "running")
    assert _devices(database, machine, who, "next") is None
    status = launch.read_status(folder)
    assert status
    os.kill(status.supervisor.pid, signal.SIGKILL)
    _wait(folder, "failed")
    assert _devices(database, machine, who, "next") == ("0", "1")
    assert _devices(database, machine, who, "holder") == "none"


def test_who_is_away_is_passed_over_and_finds_the_old_place_on_return(
    database: Database, machine: Settings, who: Actor
) -> None:
    away = command_executor_id()
    _ask(database, who, "running", 2)
    assert _devices(database, machine, who, "running") == ("0", "1")
    _ask(database, who, "of one away", 1, away)
    _ask(database, who, "second", 1)
    _ask(database, who, "last", 2)
    give_back(database, ["runs/running"])
    assert _devices(database, machine, who, "second") == ("0",)
    assert _devices(database, machine, who, "of one away") is None
    lock = take_executor_lock(database, machine.home, away)
    assert lock
    assert _devices(database, machine, who, "of one away") == ("1",)
    assert _devices(database, machine, who, "last") is None
    lock.close()


def test_devices_that_were_given_and_never_used_go_to_the_next(
    database: Database, machine: Settings, who: Actor
) -> None:
    executor = command_executor_id()
    lock = take_executor_lock(database, machine.home, executor)
    assert lock
    _ask(database, who, "given", 2, executor)
    _ask(database, who, "next", 2)
    _ask(database, who, "last", 2)
    assert _devices(database, machine, who, "given") == ("0", "1")
    assert _devices(database, machine, who, "next") is None
    lock.close()
    assert _devices(database, machine, who, "next") == ("0", "1")
    _ask(database, who, "given", 2, "serve")  # somebody else goes on with it, at its old place
    give_back(database, ["runs/next"])
    assert _devices(database, machine, who, "given") == ("0", "1")
    assert _devices(database, machine, who, "last") is None


def test_another_project_is_not_named_in_the_queue(
    database: Database, machine: Settings, who: Actor
) -> None:
    _ask(database, who, "ours", 2)
    assert _devices(database, machine, who, "ours") == ("0", "1")
    stranger = a_project(database, name="other")
    _ask(database, stranger, "theirs", 1)
    place = find_place(database, stranger.project_id, "runs/theirs")
    assert place
    assert (place.number_in_queue, place.behind) == (1, None)
