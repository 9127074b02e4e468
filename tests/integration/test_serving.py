"""A trained planner is served for real: found again, asked, killed, stopped."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import openai
import pytest

from db.durable import Durable, command_executor_id
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.contract import contract_of
from exports.evaluations import list_planners
from exports.lineage import lineage_of
from exports.training import launch
from exports.training.deployments import (
    deploy,
    find_standing,
    get_endpoint,
    list_endpoints,
    stop_endpoint,
    wait_until,
)
from exports.training.examine import evaluate_now
from exports.training.planners import promote_planner
from exports.training.process import processes_with
from schemas.errors import InvalidInput, NotAllowed, TransitionRefused
from schemas.evaluation import EvaluationOrder
from schemas.people import Actor
from schemas.serving import Contract, Deployed, DeployOrder, EndpointView
from schemas.settings import Settings
from schemas.training import ChainOrder
from tests.bundles import a_benchmark, a_bundle
from tests.chain_site import LIMIT_S, Site, is_over, stage
from tests.factories import a_person, a_project

pytestmark = pytest.mark.timeout(LIMIT_S)
ORDER = ChainOrder(stages=("sft",), overrides={"sft": {"max_steps": 2, "save_steps": 2}})
WITHIN_S = 120


class Home(NamedTuple):
    """An installation with one trained run, its server off."""

    settings: Settings
    database: Database
    who: Actor
    run_id: str

    def deploy(self, **order: object) -> Deployed:
        wanted = DeployOrder.model_validate(order)
        return deploy(self.database, self.settings, self.who, self.run_id, wanted)

    def wait(self, endpoint_id: str, *states: str) -> EndpointView:
        return wait_until(
            self.database,
            self.settings,
            self.who,
            endpoint_id,
            *states,  # pyright: ignore[reportArgumentType]
            within_s=WITHIN_S,
        )

    def ready(self, **order: object) -> tuple[EndpointView, str]:
        started = self.deploy(**order)
        view = self.wait(started.endpoint.id, "ready")
        assert view.state == "ready", view.log_tail
        assert started.key
        return view, started.key

    def stop(self, endpoint_id: str) -> EndpointView:
        stop_endpoint(self.database, self.settings, self.who, endpoint_id)
        return self.wait(endpoint_id)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    settings = Settings(home=tmp_path_factory.mktemp("served") / "home")
    settings.home.mkdir()
    database = Database(sqlite_url(settings.home / "planwright.db"))
    upgrade(database)
    who = a_project(database)
    site = Site(
        settings,
        database,
        Durable(settings, database, command_executor_id()),
        who,
        a_bundle(database, settings, who),
    )
    a_benchmark(database, who, 2)
    site.durable.launch()
    view = site.wait(site.start(ORDER), is_over)
    site.durable.close()
    assert view.state == "succeeded", view
    yield Home(settings, database, who, stage(view, "sft").run_id)
    database.close()
    shutil.rmtree(settings.home)


@pytest.fixture
def home(trained: Home) -> Iterator[Home]:
    """No server is left over by a test, whatever became of it."""
    yield trained
    for each in list_endpoints(trained.database, trained.settings, trained.who):
        if each.is_live:
            trained.stop(each.id)


def test_two_clicks_are_one_endpoint_that_is_found_again_asked_and_stopped(home: Home) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: home.deploy(), range(2))
    assert first.endpoint.id == second.endpoint.id
    endpoint_id, key = first.endpoint.id, first.key or second.key
    view = home.wait(endpoint_id, "ready")
    assert view.state == "ready", view.log_tail
    folder = Path(view.folder)
    token = launch.read_status(folder).token  # pyright: ignore[reportOptionalMemberAccess]
    assert len(processes_with(token)) == 1
    # Somebody who opens the page later, in whatever process, finds it and is told no key.
    assert home.deploy().key is None
    live = [each for each in list_endpoints(home.database, home.settings, home.who) if each.is_live]
    assert [(each.id, each.state) for each in live] == [(endpoint_id, "ready")]
    assert find_standing(home.database, home.settings, view.planner_id)

    contract = contract_of(home.database, home.settings, home.who, view.planner)
    assert contract.url == view.url
    with openai.OpenAI(base_url=view.url, api_key=key, max_retries=0) as client:
        reply = client.chat.completions.create(
            model=contract.model,
            messages=[
                {"role": "system", "content": contract.system},
                {"role": "user", "content": "查看上周的流量"},
            ],
            max_tokens=16,
        )
    assert reply.choices[0].message.content is not None
    with (
        openai.OpenAI(base_url=view.url, api_key="guessed", max_retries=0) as client,
        pytest.raises(openai.BadRequestError),
    ):
        client.completions.create(model=contract.model, prompt="?", max_tokens=1)

    assert key
    an_agent_executor_asks_it(contract, key, folder)
    its_key_stands_in_one_file_alone(folder, key)
    assert view.key_end == key[-4:]

    over = home.stop(endpoint_id)
    assert (over.state, over.reason) == ("stopped", "serving.stopped")
    assert not processes_with(token)
    assert not (folder / "key").exists()
    with pytest.raises(TransitionRefused):
        stop_endpoint(home.database, home.settings, home.who, endpoint_id)


def its_key_stands_in_one_file_alone(folder: Path, key: str) -> None:
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    told = [path for path in folder.rglob("*") if path.is_file() and path.name != "key"]
    assert not [path for path in told if key.encode() in path.read_bytes()]


def an_agent_executor_asks_it(contract: Contract, key: str, folder: Path) -> None:
    """The example plans with the served model, whose plan is none: it says so and runs nothing."""
    file = folder / "contract.json"
    file.write_text(contract.model_dump_json(), "utf-8")
    done = subprocess.run(
        [sys.executable, "docs/examples/agent_executor.py", str(file), "查看上周的流量", "48"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PLANNER_KEY": key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("The planner's answer cannot be run:\n- ")
    assert done.stdout == ""


def test_a_command_leaves_an_endpoint_that_renders_prompts_as_the_bundle_thinks(home: Home) -> None:
    # The process that starts it is a command, which is over once it answers.
    done = subprocess.run(
        [sys.executable, "app.py", "deploy", home.run_id, "--json"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PLANWRIGHT_HOME": str(home.settings.home)},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    view = get_endpoint(home.database, home.settings, home.who, told["id"])
    assert (view.state, view.url) == ("ready", told["url"])
    assert view.key_end == told["key"][-4:]
    order = launch.log_path(Path(view.folder)).with_name("order.json").read_text("utf-8")
    assert '"--enable_thinking",\n  "true"' in order
    assert '"--host",\n  "127.0.0.1"' in order


@pytest.mark.parametrize("victim", ["trainer", "supervisor"])
def test_a_killed_server_is_told_as_such_and_can_be_started_anew(home: Home, victim: str) -> None:
    view, _ = home.ready()
    status = launch.read_status(Path(view.folder))
    assert status
    identity = status.trainer if victim == "trainer" else status.supervisor
    assert identity
    os.kill(identity.pid, signal.SIGKILL)
    over = home.wait(view.id, "failed")
    reason = {"trainer": "killed_by_signal", "supervisor": "supervisor_lost"}[victim]
    assert (over.state, over.reason) == ("failed", f"serving.{reason}")
    deadline = time.monotonic() + 20
    while processes_with(status.token):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    again = home.deploy()
    assert again.endpoint.id != view.id
    assert again.key


def test_a_taken_port_is_refused_before_anything_is_started(home: Home) -> None:
    view, _ = home.ready()
    port = int(str(view.url).rpartition(":")[2].partition("/")[0])
    home.stop(view.id)
    again, _ = home.ready(port=port)
    assert again.url == view.url
    before = len(list_endpoints(home.database, home.settings, home.who))
    home.stop(again.id)

    with socket.create_server(("127.0.0.1", port)), pytest.raises(InvalidInput) as refused:
        home.deploy(port=port)
    assert refused.value.code == "serving.port_taken"
    assert len(list_endpoints(home.database, home.settings, home.who)) == before


def test_an_evaluation_asks_the_endpoint_that_stands_already(home: Home) -> None:
    view, _ = home.ready()
    order = EvaluationOrder(planner=view.planner, max_tokens=8)
    evaluation_id, found = evaluate_now(home.database, home.settings, home.who, order)
    assert (found.questions, found.failed) == (2, 0)
    assert not list((home.settings.home / "runs").glob("serving-*"))
    lineage = lineage_of(home.database, home.settings, home.who, view.planner)
    assert [each.evaluation_id for each in lineage.evaluations] == [evaluation_id]
    assert [each.state for each in lineage.endpoints][:1] == ["ready"]
    assert lineage.run
    assert lineage.run.run_id == home.run_id
    assert lineage.bundle
    assert lineage.file == "sft.jsonl"
    assert "tiny-" in str(lineage.base_model)


def test_one_planner_is_promoted_and_only_admins_serve(home: Home) -> None:
    chen = a_person(home.database, home.who.project_id, "reviewer", name="Chen")
    with pytest.raises(NotAllowed):
        deploy(home.database, home.settings, chen, home.run_id)
    with pytest.raises(NotAllowed):
        promote_planner(home.database, chen, "any")
    view = home.deploy().endpoint
    promote_planner(home.database, home.who, view.planner_id)
    promote_planner(home.database, home.who, view.planner_id)
    assert [each.is_promoted for each in list_planners(home.database, home.who)] == [True]
    assert get_endpoint(home.database, home.settings, chen, view.planner).id == view.id
