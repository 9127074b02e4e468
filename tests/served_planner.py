"""A planner that was trained for a GPU, as rows and files say, without anybody training it."""

from pathlib import Path

import yaml

from db.engine import Database
from db.tables import Planner, Run
from schemas.people import Actor
from schemas.settings import Settings
from tests.bundles import a_bundle
from tests.training_files import a_chain


def a_trained_planner(database: Database, settings: Settings, who: Actor, name: str) -> str:
    """A planner whose checkpoint can be served; its id."""
    bundle_id = a_bundle(database, settings, who, name=f"bundle of {name}")
    _, run_id = a_chain(database, settings, who, bundle_id)
    folder: Path = settings.home / "runs" / run_id
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    config |= {"model": "Qwen/Qwen3-8B", "template": "qwen3", "torch_dtype": "bfloat16"}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    checkpoint = folder / "output" / "checkpoint-2"
    checkpoint.mkdir()
    with database.transaction() as session:
        run = session.get_one(Run, run_id)
        run.state, run.checkpoint = "succeeded", str(checkpoint)
        session.add(run)
        row = Planner(
            project_id=who.project_id,
            name=name,
            run_id=run_id,
            checkpoint=str(checkpoint),
            checkpoint_hash="0" * 64,
        )
        session.add(row)
        return row.id
