"""A planner that is served has its devices: a training waits for them, and it for a training's."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from db.engine import Database
from db.executor_lock import take_executor_lock
from exports.training import launch
from exports.training.deployments import deploy, list_endpoints, stop_endpoint, wait_until
from exports.training.machine import this_machine
from exports.training.places import Wish, ask_for_places, find_place, give_back, hand_out
from exports.training.serving_devices import devices_to_serve_on
from labeling.ui.i18n import Words
from labeling.ui.planners import PlannerHandlers
from labeling.ui.session import Services, request_of
from schemas.errors import TransitionRefused
from schemas.people import Actor
from schemas.serving import DeployOrder, EndpointView
from schemas.settings import Settings
from schemas.training import Told
from tests.factories import a_project
from tests.fakes.server import write_server
from tests.served_planner import a_trained_planner


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)


@pytest.fixture
def machine(
    database: Database, settings: Settings, who: Actor, tmp_path: Path
) -> Iterator[Settings]:
    """A machine of two GPUs, whose app lives."""
    python = write_server(tmp_path / "server")
    machine = settings.model_copy(update={"devices": 2, "trainer_python": python})
    lock = take_executor_lock(database, machine.home, "serve")
    assert lock
    yield machine
    lock.close()
    for each in list_endpoints(database, machine, who):
        if each.is_live:
            stop_endpoint(database, machine, who, each.id)
            wait_until(database, machine, who, each.id, within_s=30)


def _serve(
    database: Database, machine: Settings, who: Actor, name: str, devices: str | None = None
) -> EndpointView:
    planner_id = a_trained_planner(database, machine, who, name)
    order = DeployOrder(devices=devices)
    started = deploy(database, machine, who, planner_id, order).endpoint
    return wait_until(database, machine, who, started.id, "ready", within_s=60)


def _train(database: Database, who: Actor, name: str, wanted: int) -> None:
    wish = Wish(f"runs/{name}", name, wanted, this_machine())
    ask_for_places(database, who.project_id, "serve", [wish])


def _place(database: Database, machine: Settings, who: Actor, name: str) -> object:
    hand_out(database, machine)
    return find_place(database, who.project_id, f"runs/{name}")


def test_a_training_waits_for_a_planner_that_is_served_and_is_told_which(
    database: Database, machine: Settings, who: Actor
) -> None:
    served = _serve(database, machine, who, "planner of spring", "0,1")
    assert served.state == "ready", served
    assert (Path(served.folder) / "starts").read_text().split() == ["0,1"]
    _train(database, who, "sft", 1)
    assert _place(database, machine, who, "sft") == (None, 1, "planner of spring · swift deploy")
    stop_endpoint(database, machine, who, served.id)
    wait_until(database, machine, who, served.id, within_s=30)
    assert _place(database, machine, who, "sft") == (("0",), 0, None)


def test_a_planner_is_served_on_what_is_free_and_refused_what_a_training_has(
    database: Database, machine: Settings, who: Actor
) -> None:
    _train(database, who, "sft", 1)
    assert _place(database, machine, who, "sft") == (("0",), 0, None)
    with pytest.raises(TransitionRefused) as refused:
        _serve(database, machine, who, "refused", "0")
    assert refused.value.code == "serving.devices_taken"
    assert refused.value.values == {"device": "0", "holder": "sft"}
    assert list_endpoints(database, machine, who) == []
    served = _serve(database, machine, who, "beside it")
    assert (Path(served.folder) / "starts").read_text().split() == ["1"]
    with pytest.raises(TransitionRefused) as refused:
        _serve(database, machine, who, "third")
    assert refused.value.values == {"device": "0", "holder": "sft"}
    give_back(database, ["runs/sft"])
    assert _serve(database, machine, who, "fourth").state == "ready"


def test_a_planner_takes_one_device_and_the_page_says_which_before(
    database: Database, machine: Settings, who: Actor
) -> None:
    def told(planner: str) -> Told | None:
        return devices_to_serve_on(database, machine, who, planner)

    names = ("first", "second", "third")
    first, second, third = (a_trained_planner(database, machine, who, name) for name in names)
    assert told(first) == Told(code="serving.takes_device", values={"device": "0"})
    served = deploy(database, machine, who, first).endpoint
    wait_until(database, machine, who, served.id, "ready", within_s=60)
    assert (Path(served.folder) / "starts").read_text().split() == ["0"]
    assert told(first) is None
    assert told(second) == Told(code="serving.takes_device", values={"device": "1"})
    durable: Any = None  # nothing is started here
    page = PlannerHandlers(Services(machine, database, durable), Words("en"))
    shown = page.on_pick(gr.EventData(None, {"id": second}), request_of(who))
    assert "It will take GPU 1" in str(shown.takes)
    _train(database, who, "sft", 1)
    assert _place(database, machine, who, "sft") == (("1",), 0, None)
    holder = {"device": "0", "holder": "first · swift deploy"}
    assert told(third) == Told(code="serving.takes_none", values={**holder})
    bare = machine.model_copy(update={"devices": 0})
    unknown = devices_to_serve_on(database, bare, who, third)
    assert unknown == Told(code="serving.takes_unknown")


@pytest.mark.parametrize("victim", ["trainer", "supervisor"])
def test_a_killed_server_is_told_with_its_last_line_and_its_devices_are_free(
    database: Database, machine: Settings, who: Actor, victim: str
) -> None:
    served = _serve(database, machine, who, "killed", "0,1")
    _train(database, who, "sft", 2)
    status = launch.read_status(Path(served.folder))
    assert status
    identity = status.trainer if victim == "trainer" else status.supervisor
    assert identity
    os.kill(identity.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not (place := find_place(database, who.project_id, "runs/sft")) or not place.devices:
        assert time.monotonic() < deadline
        hand_out(database, machine)  # as whoever waits does: nobody looks at the page
        time.sleep(0.1)
    over = wait_until(database, machine, who, served.id, "failed", within_s=30)
    assert over.state == "failed"
    assert "the planner is loaded" in over.log_tail
