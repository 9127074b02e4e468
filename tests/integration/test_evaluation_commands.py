"""`evaluate`, `evaluations` and `compare`, as a person types them."""

import json
from pathlib import Path

import pytest

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.engine import Database
from schemas.settings import Settings
from tests.bundles import a_benchmark
from tests.evaluating import made_up
from tests.factories import a_project
from tests.fakes.endpoint_process import running_endpoint


@pytest.fixture
def home(
    sqlite_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """A project that the command line finds."""
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")
    return sqlite_database


def test_the_same_order_twice_is_one_evaluation_that_is_asked_once(
    home: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    a_benchmark(home, a_project(home), 6)
    with running_endpoint() as endpoint:
        order = ["evaluate", "--endpoint", endpoint.url, "--model", "planner"]
        told: list[str] = []
        for _ in range(2):
            assert main([*order, "--json"]) == 0
            told.append(capsys.readouterr().out)
        assert told[0] == told[1]
        assert sum(endpoint.counts()["asked"].values()) == 6
        assert main([*order, "--anew"]) == 0
        assert (
            f"evaluation_id: {json.loads(told[0])['evaluation_id']}" not in capsys.readouterr().out
        )
        assert sum(endpoint.counts()["asked"].values()) == 12


def test_planners_are_listed_and_compared_by_name_and_by_the_end_of_an_id(
    home: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = made_up(home, a_project(home), 60)
    assert main(["evaluations", "list"]) == 0
    listed = capsys.readouterr().out
    assert "standard@1" in listed
    assert "| qwq-32b-sft | " in listed
    assert f"{after}  done  60/60  qwq-32b-grpo" in listed

    assert main(["compare", "qwq-32b-sft", after[-8:]]) == 0
    report = capsys.readouterr().out
    assert report.startswith("# qwq-32b-sft → qwq-32b-grpo")
    assert main(["compare", before, after, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["broken"] == len(found["regressions"])
    assert f"{found['mended']} questions mended, {found['broken']} broken" in report

    for form in ("md", "csv"):
        path = tmp_path / f"compared.{form}"
        assert main(["compare", before, after, "--out", str(path)]) == 0
        assert path.read_text("utf-8")
    assert main(["compare", before, after, "--out", str(tmp_path / "compared.txt")]) == 1
    assert "md and csv" in capsys.readouterr().err
    assert main(["compare", before, "nobody"]) == 1
