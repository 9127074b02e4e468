"""From a planner back to people and lists and forward to later runs; a query is followed too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from sqlmodel import select

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.engine import Database
from db.tables import BundleRow, Planner, Review, Revision, Run
from exports.lineage import holders_of, lineage_of
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import a_full_project, a_recipe, rows_of, written
from tests.factories import a_person, a_project

ARGUMENTS = {"template": "qwen3", "torch_dtype": "float32"}


class Trained(NamedTuple):
    """A project whose bundle was trained on: SFT, and GRPO from its checkpoint."""

    database: Database
    settings: Settings
    who: Actor
    bundle: Path
    sft: str
    grpo: str


@pytest.fixture
def trained(
    sqlite_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Trained]:
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")
    who = a_project(sqlite_database)
    a_full_project(sqlite_database, who)
    recipe = a_recipe(name="both", pools="apart", grpo={"sources": [{"kind": "accepted"}]})
    bundle_id, bundle = written(sqlite_database, settings, who, recipe)
    two_reviews(sqlite_database, who)
    sft = a_run(sqlite_database, settings, who, bundle_id, "sft", "/models/base")
    grpo = a_run(sqlite_database, settings, who, bundle_id, "grpo", "/checkpoints/sft")
    yield Trained(sqlite_database, settings, who, bundle, sft, grpo)


def two_reviews(database: Database, who: Actor) -> None:
    """Chen accepted two of the plans that GRPO learns from."""
    chen = a_person(database, who.project_id, "reviewer", name="Chen")
    with database.transaction() as session:
        lines = select(BundleRow.source_id).where(BundleRow.file == "grpo.jsonl").limit(2)
        for revision_id in session.exec(lines).all():
            revision = session.get_one(Revision, revision_id)
            review = Review(
                project_id=who.project_id,
                annotation_id=revision.annotation_id,
                revision_id=revision.id,
                reviewer_id=chen.person_id,
                author_id=revision.author_id,
                verdict="accepted",
            )
            session.add(review)


def a_run(
    database: Database, settings: Settings, who: Actor, bundle_id: str, stage: str, model: str
) -> str:
    """A finished run as the chain leaves it: row, arguments, planner; the planner's id."""
    with database.transaction() as session:
        run = Run(
            project_id=who.project_id,
            bundle_id=bundle_id,
            stage=stage,
            recipe="cpu-smoke",
            folder="",
            token="0",
            state="succeeded",
            checkpoint=f"/checkpoints/{stage}",
        )
        run.folder = f"runs/{run.id}"
        session.add(run)
        session.flush()
        planner = Planner(
            project_id=who.project_id,
            name=stage,
            run_id=run.id,
            checkpoint=run.checkpoint,
            checkpoint_hash="0" * 64,
        )
        session.add(planner)
        folder = settings.home / run.folder
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(yaml.safe_dump({**ARGUMENTS, "model": model}))
        return planner.id


def test_a_planner_is_followed_back_to_rows_people_lists_and_base_model(trained: Trained) -> None:
    found = lineage_of(trained.database, trained.settings, trained.who, "grpo")
    rows = rows_of(trained.bundle, "grpo.jsonl")
    assert found.file == "grpo.jsonl"
    assert sum(each.rows for each in found.rows) == len(rows)
    assert [each.kind for each in found.rows] == ["accepted"]
    assert sum(found.lists.values()) == len(rows)
    assert sum(each.labelled for each in found.contributors) == len(rows)
    assert [(each.name, each.reviewed) for each in found.contributors if each.reviewed] == [
        ("Chen", 2)
    ]
    assert [each.stage for each in found.begun_from] == ["sft"]
    assert found.base_model == "/models/base"
    assert found.bundle
    assert found.bundle.name == "both"


def test_labels_are_followed_back_to_whose_plans_they_were_held_against(trained: Trained) -> None:
    database, settings, who, *_ = trained
    recipe = a_recipe(name="rated", formats=["kto"], grpo={"sources": [{"kind": "accepted"}]})
    bundle_id, bundle = written(database, settings, who, recipe)
    a_run(database, settings, who, bundle_id, "kto", "/models/base")
    found = lineage_of(database, settings, who, "kto")
    asked = {each["messages"][-2]["content"] for each in rows_of(bundle, "kto.jsonl")}
    assert sum(each.labelled for each in found.contributors) == len(asked)
    assert "Chen" in {each.name for each in found.contributors if each.reviewed}


def test_a_planner_is_followed_forward_to_the_runs_that_began_from_it(trained: Trained) -> None:
    found = lineage_of(trained.database, trained.settings, trained.who, trained.sft)
    assert [(each.stage, each.planner) for each in found.later_runs] == [("grpo", "grpo")]
    assert found.begun_from == ()


def test_a_query_names_the_runs_and_planners_that_hold_it(trained: Trained) -> None:
    query_id = rows_of(trained.bundle, "grpo.jsonl")[0]["plan_id"]
    held = holders_of(trained.database, trained.settings, trained.who, query_id)
    assert [(each.run.planner, each.is_inherited) for each in held] == [("grpo", False)]


def test_what_sft_was_taught_is_inherited_by_grpo(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    with trained.database.reading() as session:
        taught = select(BundleRow.query_id).where(BundleRow.file == "sft.jsonl")
        query_id = sorted(session.exec(taught))[0]
    held = holders_of(trained.database, trained.settings, trained.who, query_id)
    assert [(each.run.planner, each.is_inherited) for each in held] == [
        ("grpo", True),
        ("sft", False),
    ]
    assert main(["bundles", "recall", query_id]) == 0
    said = capsys.readouterr().out
    assert "was trained on it; planner: sft." in said
    assert "began from one that was trained on it; planner: grpo." in said
    assert main(["bundles", "recall", query_id, "--json"]) == 0
    line = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [each["run"]["planner"] for each in line["held_by"]] == ["grpo", "sft"]


def test_planners_are_listed_shown_and_promoted_by_command(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["planners", "promote", "sft"]) == 0
    assert main(["planners", "promote", "grpo"]) == 0
    capsys.readouterr()
    assert main(["planners", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.endswith("promoted") for line in lines] == [True, False]
    assert main(["planners", "show", "grpo"]) == 0
    said = capsys.readouterr().out
    assert "Bundle both" in said
    assert "base model /models/base" in said
    assert "Begun from: " in said
    assert main(["planners", "show", "sft", "--json"]) == 0
    assert [each["stage"] for each in json.loads(capsys.readouterr().out)["later_runs"]] == ["grpo"]
    assert main(["planners", "contract", "grpo", "--json"]) == 0
    contract = json.loads(capsys.readouterr().out)
    assert (contract["template"], contract["with_thinking"]) == ("qwen3", True)
    assert all(name in contract["system"] for name in contract["experts"])
