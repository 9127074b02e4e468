"""A served planner outlives a killed app, and its own death is told on the page."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exports.training import launch
from labeling import accounts
from tests.browser.conftest import ServedApp
from tests.factories import a_project
from tests.fakes.server import write_server
from tests.postgresql import free_port
from tests.served_planner import a_trained_planner

PASSWORD = "a long password"


@pytest.fixture
def served_app(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ServedApp]:
    """A server of its own with one GPU and a stand-in for ms-swift's."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "planwright.db")
    python = str(write_server(tmp_path / "server"))
    environment = {"PLANWRIGHT_TRAINER_PYTHON": python, "PLANWRIGHT_DEVICES": "1"}
    app = ServedApp(home=home, port=free_port(), environment=environment)
    app.start()
    yield app
    app.stop()


def _trainer_of(folder: Path) -> int:
    status = launch.read_status(folder)
    assert status
    assert status.trainer
    return status.trainer.pid


def test_an_endpoint_outlives_a_killed_app_and_a_killed_server_is_told_as_dead(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    database = served_app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    first, second = (
        a_trained_planner(database, served_app.settings, admin, name) for name in ("one", "two")
    )
    database.close()
    page = open_as("Li", PASSWORD, f"/en/planners?planner={first}", width=1280)
    page.click("#planners-serve")
    state = page.locator("#planners-one .pw-card", has_text="Endpoint").first.locator("h3 .pw-pill")
    expect(state).to_have_text("ready")
    (folder,) = (served_app.home / "endpoints").iterdir()
    trainer = _trainer_of(folder)

    served_app.kill()
    assert launch.look(folder).state == "running"
    served_app.start()
    page.reload()
    expect(state).to_have_text("ready")
    page.click("#planners-serve")
    expect(page.locator(".pw-notice-card")).to_contain_text("already")
    assert list((served_app.home / "endpoints").iterdir()) == [folder]
    assert (folder / "starts").read_text().split() == ["0"]

    page.goto(f"{served_app.url}/en/planners?planner={second}")
    page.locator("#planners-serve").click()
    held = "GPU 0 is held by one · swift deploy"
    expect(page.locator(".pw-notice-card")).to_contain_text(held)
    shot(page, "planner-device-held")

    os.kill(trainer, signal.SIGKILL)
    page.goto(f"{served_app.url}/en/planners?planner={first}")
    expect(state).to_have_text("failed")
    expect(page.locator("#planners-one")).to_contain_text("SIGKILL")
    expect(page.locator("#planners-one")).to_contain_text("the planner is loaded")
    shot(page, "planner-killed")
    page.goto(f"{served_app.url}/en/planners?planner={second}")
    page.locator("#planners-serve").click()
    expect(state).to_have_text("ready")
    page.click("#planners-stop")
    expect(state).to_have_text("stopped")
