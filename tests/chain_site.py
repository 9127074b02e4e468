"""An installation on which chains are started and watched, for tests of training."""

import json
import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from db.durable import Durable, command_executor_id
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.training.chain import start_chain
from exports.training.chain_view import chain_view, run_view
from schemas.people import Actor
from schemas.settings import Settings
from schemas.training import ChainOrder, ChainView
from tests.bundles import a_benchmark, a_bundle
from tests.factories import a_project

LIMIT_S = 1200


class Site(NamedTuple):
    """An installation in use."""

    settings: Settings
    database: Database
    durable: Durable
    who: Actor
    bundle_id: str

    def start(self, order: ChainOrder, recipe: str = "cpu-smoke") -> str:
        return start_chain(
            self.database, self.durable, self.settings, self.who, self.bundle_id, recipe, order
        )

    def view(self, chain_id: str) -> ChainView:
        return chain_view(self.database, self.settings, self.who, chain_id)

    def wait(self, chain_id: str, holds: Callable[[ChainView], bool]) -> ChainView:
        deadline = time.monotonic() + LIMIT_S
        while not holds(view := self.view(chain_id)):
            assert time.monotonic() < deadline, view
            time.sleep(0.3)
        return view


@contextmanager
def a_site(home: Path) -> Generator[Site]:
    """A site with a bundle and a benchmark; it is gone at the end of the block."""
    settings = Settings(home=home)
    settings.home.mkdir()
    database = Database(sqlite_url(home / "planwright.db"))
    upgrade(database)
    who = a_project(database)
    bundle_id = a_bundle(database, settings, who)
    a_benchmark(database, who)
    durable = Durable(settings, database, command_executor_id())
    durable.launch()
    yield Site(settings, database, durable, who, bundle_id)
    durable.close()
    database.close()
    shutil.rmtree(home)


def is_over(view: ChainView) -> bool:
    return view.finished_at is not None


def stage(view: ChainView, name: str) -> Any:
    return next(each for each in view.stages if each.name == name)


def logged(site: Site, view: ChainView, name: str) -> list[dict[str, Any]]:
    """The steps of a stage, read from the trainer's own file."""
    run = run_view(site.database, site.settings, site.who, stage(view, name).run_id)
    path = Path(run.folder) / "output" / "logging.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if "loss" in line and "global_step/max_steps" in line]
