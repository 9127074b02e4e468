"""EvalScope is started beside the app, asks the planner where it is, and its report is kept."""

import time
from pathlib import Path

import pytest

from db.engine import Database
from exports.evaluate import external_planner
from exports.lineage import lineage_of
from exports.training.general import list_general_checks, start_general_check
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.serving import GeneralCheckView, GeneralOrder
from schemas.settings import Settings
from tests.factories import a_project
from tests.fakes.endpoint_process import running_endpoint
from tests.fakes.evalscope import write_evalscope

QUESTIONS = """question,A,B,answer
流量怎么看,流量怎么看,月亮,A
退款怎么办,月亮,太阳,B
"""


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    path = tmp_path / "common.csv"
    path.write_text(QUESTIONS, "utf-8")
    return path


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)


@pytest.fixture
def with_tool(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"evalscope_python": write_evalscope(tmp_path)})


def once_over(database: Database, settings: Settings, who: Actor) -> GeneralCheckView:
    deadline = time.monotonic() + 60
    while (found := list_general_checks(database, settings, who)[0]).state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_check_stands_beside_the_planners_evaluations(
    database: Database, with_tool: Settings, who: Actor, benchmark: Path
) -> None:
    with running_endpoint() as endpoint:
        planner = external_planner(database, who, endpoint.url, "planner")
        order = GeneralOrder(planner=planner, benchmark=str(benchmark))
        check_id = start_general_check(database, with_tool, who, order)
        found = once_over(database, with_tool, who)
    assert (found.id, found.state, found.accuracy, found.questions) == (check_id, "done", 0.5, 2)
    assert found.benchmark == "common.csv"
    lineage = lineage_of(database, with_tool, who, planner)
    assert lineage.general_checks == (found,)


def test_a_tool_that_breaks_is_told_with_its_last_line(
    database: Database,
    with_tool: Settings,
    who: Actor,
    benchmark: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_KEY", "wrong")
    with running_endpoint() as endpoint:
        endpoint.configure(key="open sesame")
        planner = external_planner(database, who, endpoint.url, "planner", "A_KEY")
        order = GeneralOrder(planner=planner, benchmark=str(benchmark))
        start_general_check(database, with_tool, who, order)
        found = once_over(database, with_tool, who)
    assert (found.state, found.reason) == ("failed", "serving.check_failed")
    assert "401" in str(found.values["line"])
    folder = with_tool.home / "general" / found.id
    assert not [path for path in folder.rglob("*.json") if "wrong" in path.read_text("utf-8")]


def test_what_cannot_be_started_is_refused_at_once(
    database: Database, settings: Settings, with_tool: Settings, who: Actor, benchmark: Path
) -> None:
    planner = external_planner(database, who, "http://127.0.0.1:9/v1", "planner")
    order = GeneralOrder(planner=planner, benchmark=str(benchmark))
    with pytest.raises(InvalidInput) as refused:
        start_general_check(database, settings, who, order)
    assert refused.value.code == "serving.no_evalscope"
    benchmark.write_text("frage,antwort\n", "utf-8")
    with pytest.raises(InvalidInput) as refused:
        start_general_check(database, with_tool, who, order)
    assert refused.value.code == "serving.general_form"
    benchmark.unlink()
    with pytest.raises(NotFound):
        start_general_check(database, with_tool, who, order)
    assert list_general_checks(database, with_tool, who) == []
