"""A real training in a browser: its curve comes, it is stopped, goes on from there and ends."""

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exports.training.process import processes_with, trainers
from labeling import accounts
from tests.browser.trained import curves_on, rows_logged, step_of
from tests.bundles import a_bundle
from tests.factories import a_project
from tests.postgresql import free_port
from tests.serving import ServedApp

PASSWORD = "a long password"
STEPS = 300
PATIENCE_MS = 120_000
Shot = Callable[[Page, str], None]


@pytest.fixture
def served_app(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ServedApp]:
    """An installation of its own, on which a bundle is ready."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "planwright.db")
    app = ServedApp(home=home, port=free_port())
    app.start()
    database = app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    a_bundle(database, app.settings, admin, name="merchants")
    database.close()
    yield app
    app.stop()


@pytest.mark.timeout(600)
def test_a_training_is_stopped_in_the_middle_and_goes_on_from_what_it_saved(
    open_as: Callable[..., Page], served_app: ServedApp, shot: Shot
) -> None:
    page = open_as("Li", PASSWORD, "/en/training", width=1280)
    train_sft_alone(page)
    (first,) = wait_for_runs(served_app, 1)
    see_the_curve_begin(page)
    pids = trainers(token_of(first))
    signal_each(pids, signal.SIGSTOP)  # held in the middle, however fast it is
    page.click("#training-stop")
    assert_told_until_when_it_saves(page)
    shot(page, "training-saving")
    assert_found_again(page)
    assert_told_until_when_it_saves(page)
    signal_each(pids, signal.SIGCONT)
    state = page.locator("#training-run .pw-card h3").first
    expect(state).to_contain_text("stopped", timeout=PATIENCE_MS)
    saved = step_of(rows_logged(first)[-1])
    expect(page.locator("#training-run")).to_contain_text(f"from step {saved} of {STEPS}")
    assert 0 < saved < STEPS
    assert not processes_with(token_of(first))
    expect(page.locator("#training-stop-at-once")).to_be_disabled()
    shot(page, "training-saved")

    page.click("#training-resume")
    page.click("#training-resume")
    _, second = wait_for_runs(served_app, 2)
    expect(state).to_contain_text("succeeded", timeout=PATIENCE_MS)
    expect(page.locator("#training-resume")).to_be_disabled()
    expect(page.locator("#training-runs tr.pw-pick")).to_contain_text("SFT")
    wait_for_runs(served_app, 2)
    assert not processes_with(token_of(second))
    before, after = rows_logged(first), rows_logged(second)
    assert [step_of(row) for row in before] == list(range(1, saved + 1))
    assert [step_of(row) for row in after] == list(range(saved + 1, STEPS + 1))
    assert after[0]["learning_rate"] == pytest.approx(before[-1]["learning_rate"], abs=0.001)
    joined = [(step_of(row), row["loss"]) for row in before + after]
    assert curves_on(page)["SFT"]["loss"] == joined
    assert_found_again(page)
    assert curves_on(page)["SFT"]["loss"] == joined
    shot(page, "training-gone-on")


def assert_told_until_when_it_saves(page: Page) -> None:
    """A stopping stage says so, with its deadline, and is not stopped once more."""
    stage = page.locator("#training-run .pw-stage", has_text="saving and leaving")
    told = re.compile(r"saving and leaving, by \d\d:\d\d:\d\d at the latest")
    expect(stage).to_contain_text(told)
    expect(stage.locator(".pw-pill")).to_have_text("stopping")
    expect(page.locator("#training-stop")).to_be_disabled()


def train_sft_alone(page: Page) -> None:
    """The recipe `cpu-smoke`, of which only SFT is left on, with steps enough to stop among."""
    expect(page.locator("#training-weight-StrictFormatReward input")).not_to_have_value("")
    expect(page.locator("#training-about p")).to_be_visible()
    for box in page.locator("#training-stages label").all():
        box.locator("input").set_checked(box.inner_text().strip() == "SFT")
    page.locator("#training-sft-max-steps input").fill(str(STEPS))
    page.click("#training-train")


def see_the_curve_begin(page: Page) -> None:
    """The loss is drawn, past the steps in which the learning rate rises; the log is there."""
    loss = page.locator("#training-curves [data-stage=sft] [data-chart=loss]")
    expect(loss.locator(".pw-curve-line").first).to_be_visible(timeout=PATIENCE_MS)
    last = re.compile(r"^([2-9]\d|\d{3})$")
    expect(loss.locator(".pw-plot-area")).to_have_attribute("aria-valuemax", last)
    expect(page.locator("#training-log pre")).to_contain_text("swift")


def assert_found_again(page: Page) -> None:
    """The page is loaded anew in the middle: run, curve and log stand there within two seconds."""
    page.reload(wait_until="commit")
    page.locator("#training-runs tr.pw-pick").first.wait_for()
    began = time.monotonic()  # Gradio stands, which takes as long on every page
    page.locator("#training-curves [data-chart=loss] .pw-curve-line").first.wait_for()
    page.locator("#training-run .pw-stage").first.wait_for()
    page.locator("#training-log pre").wait_for()
    seconds = time.monotonic() - began
    assert seconds < 2, f"{seconds:.2f} s"


def wait_for_runs(app: ServedApp, count: int) -> list[Path]:
    """The folders of all runs, oldest first, once there are so many; more there are not."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(found := sorted(app.home.glob("runs/*/order.json"))) < count:
        assert time.monotonic() < deadline, app.log()
        time.sleep(0.1)
    assert len(found) == count
    return [each.parent for each in found]


def token_of(run: Path) -> str:
    return json.loads((run / "order.json").read_text("utf-8"))["token"]


def signal_each(pids: list[int], number: signal.Signals) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, number)
