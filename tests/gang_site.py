"""An installation on PostgreSQL with workers as processes, for tests of runs on several nodes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from db.durable import Durable, command_executor_id
from db.engine import Database
from exports.training import launch
from exports.training.process import is_alive, processes_with
from schemas.settings import Settings
from schemas.training import ChainOrder, ChainView
from tests.bundles import a_bundle
from tests.chain_site import Site, is_over, stage
from tests.factories import a_project

ROOT = Path(__file__).parents[1]
FOREVER = 100_000
PATIENCE_S = 120


class Workers:
    """Workers of this test by the name of their node; all are killed at its end."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url
        self.environment = os.environ | {
            "PLANWRIGHT_HOME": str(settings.home),
            "PLANWRIGHT_DATABASE_URL": settings.database_url.get_secret_value(),
            "PLANWRIGHT_CPU_RUNS": "2",
        }
        if settings.trainer_python is not None:
            self.environment["PLANWRIGHT_TRAINER_PYTHON"] = str(settings.trainer_python)
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, node: str) -> None:
        command = [sys.executable, "app.py", "worker", "--node", node]
        self.running[node] = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL
        )

    def kill(self, node: str) -> None:
        worker = self.running.pop(node)
        worker.kill()
        worker.wait()


class Gang(NamedTuple):
    """An installation on PostgreSQL with workers."""

    site: Site
    workers: Workers

    def start(self, steps: int = FOREVER, model: Path | None = None) -> str:
        return self.site.start(
            ChainOrder(
                stages=("sft",),
                nodes=("a", "b"),
                overrides={"sft": {"max_steps": steps, "save_steps": 5}},
                model=str(model) if model else None,
            )
        )

    def folders(self, chain_id: str) -> tuple[Path, Path]:
        run_id = stage(self.site.view(chain_id), "sft").run_id
        folder = self.site.settings.home / "runs" / str(run_id)
        return folder, folder / "members" / "1-b"


@contextmanager
def a_gang(database: Database, home: Path, trainer_python: Path | None = None) -> Generator[Gang]:
    """An installation of two nodes, no worker of which runs yet."""
    url = database.url.render_as_string(hide_password=False)
    settings = Settings.model_validate(
        {"home": home, "database_url": url, "trainer_python": trainer_python}
    )
    settings.home.mkdir()
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    durable = Durable(settings, database, command_executor_id())
    durable.launch()
    workers = Workers(settings)
    try:
        yield Gang(Site(settings, database, durable, who, bundle_id), workers)
    finally:
        durable.close()
        for node in list(workers.running):
            workers.kill(node)


def wait(holds: Callable[[], bool]) -> None:
    """Until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def token_of(folder: Path) -> str:
    """The token of a run folder."""
    return str(json.loads((folder / "order.json").read_text("utf-8"))["token"])


def ended(gang: Gang, chain_id: str) -> ChainView:
    """A chain that is over, of which no process is left on either node."""
    view = gang.site.wait(chain_id, is_over)
    for folder in gang.folders(chain_id):
        wait(lambda folder=folder: processes_with(token_of(folder)) == [])
        status = launch.read_status(folder)
        assert status
        wait(lambda status=status: not is_alive(status.supervisor))
    return view
