"""Trainings that were started together train one after another, and say so while they wait."""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.durable import Durable
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.training import launch
from exports.training.chain import start_chain, stop_chain
from exports.training.chain_view import list_chains, list_runs
from exports.training.commands import add_commands
from labeling.command_line import CommandContext
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from schemas.training import ChainOrder, ChainView
from tests.bundles import a_bundle
from tests.chain_site import LIMIT_S, Site, is_over, stage
from tests.factories import a_project

pytestmark = pytest.mark.timeout(LIMIT_S)
FOREVER = 100_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    database = Database(sqlite_url(settings.home / "planwright.db"))
    upgrade(database)
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    durable = Durable(settings, database, "serve")
    durable.launch()
    yield Site(settings, database, durable, who, bundle_id)
    durable.close()
    database.close()
    shutil.rmtree(settings.home)


def _order(steps: int) -> ChainOrder:
    return ChainOrder(stages=("sft",), overrides={"sft": {"max_steps": steps}})


def _waits(view: ChainView) -> bool:
    return stage(view, "sft").reason == "training.in_queue"


def test_a_second_training_waits_for_the_first_through_a_restart_and_can_be_cancelled(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    first = site.start(_order(FOREVER))
    site.wait(first, lambda view: stage(view, "sft").heartbeat is not None)
    second = site.start(_order(2))
    site.wait(second, _waits)
    third = site.start(_order(3))
    site.wait(third, _waits)

    site.durable.close()
    site.durable.launch()
    view = site.wait(third, _waits)
    assert (view.state, stage(view, "sft").state) == ("waiting", "waiting")
    assert stage(view, "sft").values == {"number": 2, "behind": "first · cpu-smoke · SFT"}
    for language in LANGUAGES:
        assert "2" in sentence("training.in_queue", stage(view, "sft").values, language)
    assert [each.state for each in list_chains(site.database, site.who)] == [
        "waiting",
        "waiting",
        "running",
    ]
    _list(site)
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("Number 2 in the queue for a device, behind first · cpu-smoke · SFT.")
    assert said[1].endswith("Number 1 in the queue for a device, behind first · cpu-smoke · SFT.")
    assert said[2].endswith("running")

    stop_chain(site.database, site.settings, site.who, third)
    view = site.wait(third, is_over)
    assert (view.state, stage(view, "sft").reason) == ("stopped", "training.stopped_waiting")
    assert _waits(site.view(second))
    stop_chain(site.database, site.settings, site.who, first, at_once=True)
    view = site.wait(second, is_over)
    assert view.state == "succeeded"
    runs = list_runs(site.database, site.settings, site.who)
    assert [run.state for run in runs] == ["stopped", "succeeded", "stopped"]
    began = {run.id: Path(run.folder) / "log.txt" for run in runs[1:]}
    assert all(path.exists() for path in began.values())
    assert not Path(runs[0].folder).exists()
    assert launch.look(Path(runs[2].folder)).state == "stopped"


def test_a_training_that_wants_more_devices_than_there_are_is_refused_at_once(site: Site) -> None:
    chain_id = start_chain(
        site.database,
        site.durable,
        site.settings,
        site.who,
        site.bundle_id,
        "single-gpu",
        ChainOrder(stages=("sft",), model=str(site.settings.home)),
    )
    view = site.wait(chain_id, is_over)
    assert (view.state, stage(view, "sft").reason) == ("failed", "training.too_few_devices")
    (run,) = list_runs(site.database, site.settings, site.who)
    assert (run.state, run.reason) == ("failed", "training.too_few_devices")
    assert run.values == {"wanted": "1", "found": "0"}


def _list(site: Site) -> None:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    args = parser.parse_args(["runs", "list"])
    context = CommandContext(
        settings=site.settings,
        database=site.database,
        project="main",
        language="en",
        as_json=False,
    )
    assert args.run(context, args) == 0
