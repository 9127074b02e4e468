"""A training that was killed goes on from its last checkpoint, by ms-swift itself."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from db.durable import Durable, command_executor_id
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.training.chain import resume_chain
from exports.training.chain_view import list_runs, run_view
from exports.training.live import Seen, live
from exports.training.process import processes_with
from schemas.sentences import LANGUAGES, sentence
from schemas.settings import Settings
from schemas.training import ChainOrder
from tests.bundles import a_bundle
from tests.chain_site import LIMIT_S, Site, is_over, stage
from tests.factories import a_project

pytestmark = pytest.mark.timeout(LIMIT_S)

LORA = {
    "tuner_type": "lora",
    "lora_rank": 8,
    "target_modules": ["all-linear"],
    "max_steps": 60,
    "save_steps": 20,
}
FULL = {
    "max_steps": 6,
    "save_steps": 3,
    "lr_scheduler_type": "cosine",
    "max_completion_length": 32,
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    database = Database(sqlite_url(settings.home / "planwright.db"))
    upgrade(database)
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    durable = Durable(settings, database, command_executor_id())
    durable.launch()
    yield Site(settings, database, durable, who, bundle_id)
    durable.close()
    database.close()
    shutil.rmtree(settings.home)


def _logged(folder: str) -> dict[int, dict[str, Any]]:
    """What the trainer wrote at each step."""
    lines = (Path(folder) / "output" / "logging.jsonl").read_text("utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    return {
        int(each["global_step/max_steps"].split("/")[0]): each
        for each in said
        if "loss" in each and "global_step/max_steps" in each
    }


@pytest.mark.parametrize(("name", "arguments"), [("sft", LORA), ("grpo", FULL)])
def test_a_killed_training_goes_on_as_if_it_had_not_been(
    site: Site, name: Literal["sft", "grpo"], arguments: dict[str, Any]
) -> None:
    """Step, learning rate and loss are those that the killed attempt had, step for step."""
    order = ChainOrder.model_validate({"stages": (name,), "overrides": {name: arguments}})
    every, steps = arguments["save_steps"], arguments["max_steps"]
    chain_id = site.start(order)
    site.wait(chain_id, lambda view: len(view.series.get(name, {}).get("loss", ())) > every)
    run = run_view(site.database, site.settings, site.who, stage(site.view(chain_id), name).run_id)
    token = json.loads((Path(run.folder) / "order.json").read_text("utf-8"))["token"]
    for pid in processes_with(token):
        if "supervisor" not in Path(f"/proc/{pid}/cmdline").read_text("utf-8"):
            os.kill(pid, signal.SIGKILL)
    view = site.wait(chain_id, is_over)
    assert stage(view, name).reason == "training.killed_by_signal"
    assert view.resume
    assert view.resume.code == "training.resume_from_step"
    saved = int(str(view.resume.values["step"]))
    assert view.resume.values == {"stage": name.upper(), "step": saved, "steps": steps}
    assert every <= saved < steps
    assert all(sentence(view.resume.code, view.resume.values, lang) for lang in LANGUAGES)

    resume_chain(site.database, site.durable, site.settings, site.who, chain_id)
    view = site.wait(chain_id, is_over)
    assert (view.state, view.resume) == ("succeeded", None)
    second, first = list_runs(site.database, site.settings, site.who)
    assert (first.attempt, second.attempt) == (1, 2)
    before, after = _logged(first.folder), _logged(second.folder)
    assert list(after) == list(range(saved + 1, steps + 1))
    for step in before.keys() & after.keys():
        for metric in ("loss", "learning_rate"):
            assert after[step][metric] == pytest.approx(before[step][metric], rel=1e-3)
    assert after[steps]["learning_rate"] == 0
    assert [point.step for point in view.series[name]["loss"]] == list(range(1, steps + 1))
    news = live(site.database, site.settings, site.who, [chain_id], Seen())
    assert news.chains[0].stages[name] == (first.id, second.id)
