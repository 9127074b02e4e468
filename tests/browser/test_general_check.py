"""The regression check of the Planners page in a browser: from the click to the figure it shows.

EvalScope has an environment of its own; what stands in for it asks and reports as the tool does.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from exports.evaluate import external_planner
from labeling import accounts
from tests.factories import a_project
from tests.fakes.endpoint_process import running_endpoint
from tests.fakes.evalscope import write_evalscope
from tests.postgresql import free_port
from tests.serving import ServedApp

PASSWORD = "a long password"
QUESTIONS = """question,A,B,answer
流量怎么看,流量怎么看,月亮,A
客单价是什么,客单价是什么,太阳,A
退款怎么办,月亮,太阳,B
"""
OTHERS = """frage,antwort
流量怎么看,A
"""


@pytest.fixture
def served_app(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ServedApp]:
    """An installation that knows where EvalScope is."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "planwright.db")
    tool = {"PLANWRIGHT_EVALSCOPE_PYTHON": str(write_evalscope(tmp_path))}
    app = ServedApp(home=home, port=free_port(), environment=tool)
    app.start()
    yield app
    app.stop()


def test_a_click_asks_the_planner_and_its_figure_comes_without_another(
    served_app: ServedApp,
    open_as: Callable[..., Page],
    tmp_path: Path,
    shot: Callable[[Page, str], None],
) -> None:
    good, bad = tmp_path / "common.csv", tmp_path / "others.csv"
    good.write_text(QUESTIONS, "utf-8")
    bad.write_text(OTHERS, "utf-8")
    database = served_app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    with running_endpoint(hold_after=0) as endpoint:
        planner_id = external_planner(database, admin, endpoint.url, "planner")
        database.close()
        page = open_as("Li", PASSWORD, f"/en/planners?planner={planner_id}", width=1280)
        told, planner = page.locator(".pw-notice-card"), page.locator("#planners-one")
        ask(page, bad)
        expect(told.first).to_contain_text("others.csv")
        expect(planner).to_contain_text("Not evaluated")

        ask(page, good)
        expect(told.last).to_contain_text("EvalScope asks the planner")
        expect(planner).to_contain_text("is asked EvalScope")
        assert endpoint.counts()["answered"] == {}
        endpoint.configure(hold_after=None)
        expect(planner).to_contain_text("66.7% · EvalScope · 3 · ")
        expect(planner).to_contain_text("common.csv")
        assert set(endpoint.counts()["answered"].values()) == {1}
        shot(page, "planners-general-done")

        endpoint.configure(key="changed meanwhile")
        ask(page, good)
        expect(planner).to_contain_text("401")
    page.reload()
    expect(planner).to_contain_text("66.7% · EvalScope · 3 · ")
    expect(planner).to_contain_text("401")


def ask(page: Page, benchmark: Path) -> None:
    """Name a file on the server, and press the button."""
    page.locator("#planners-general-file :is(input, textarea)").fill(str(benchmark))
    page.click("#planners-general")
