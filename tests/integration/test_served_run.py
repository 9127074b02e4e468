"""What is served of a run: an adapter on the model that this very run began from."""

from pathlib import Path

import yaml

from db.engine import Database
from db.tables import Run
from exports.training.evaluation import served_run
from exports.training.recipes import get_recipe
from exports.training.stages import Job
from schemas.settings import Settings
from schemas.training import ChainOrder


def a_job(database: Database, settings: Settings, bundle: Path) -> Job:
    bundle.mkdir()
    (bundle / "manifest.json").write_text('{"recipe": {"with_thinking": true}}', "utf-8")
    return Job(
        database=database,
        settings=settings,
        chain_id="c",
        project_id="p",
        person_id=None,
        bundle_id="b",
        bundle=bundle,
        recipe=get_recipe("cpu-smoke"),
        order=ChainOrder(model="the-model-of-the-order"),
        pause=lambda _: None,
    )


def a_run(settings: Settings, **config: str) -> Run:
    run = Run(
        project_id="p",
        chain_id="c",
        bundle_id="b",
        stage="grpo",
        recipe="cpu-smoke",
        folder="runs/r",
        token="t",
        checkpoint="/runs/r/output/checkpoint-12",
    )
    folder = settings.home / run.folder
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return run


def test_an_adapter_goes_on_the_full_model_of_the_stage_before(
    sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    job = a_job(sqlite_database, settings, tmp_path / "bundle")
    run = a_run(settings, model="/runs/sft/output/checkpoint-150")
    assert served_run(job, run).base_model == "/runs/sft/output/checkpoint-150"


def test_without_it_the_model_of_the_order_is_the_base(
    sqlite_database: Database, settings: Settings, tmp_path: Path
) -> None:
    job = a_job(sqlite_database, settings, tmp_path / "bundle")
    assert served_run(job, a_run(settings)).base_model == "the-model-of-the-order"
