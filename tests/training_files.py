"""Files of a run as ms-swift 4.6 and the reward plugin write them, with numbers of our choosing."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from db.engine import Database
from db.tables import Bundle, BundleRow, Chain, Gang, GangMember, Run
from labeling import annotate, review
from schemas.people import Actor
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.settings import Settings
from tests.factories import A_PLAN, a_label_query, a_person

METRICS = {
    "completions/mean_length": 180.0,
    "completions/min_length": 90.0,
    "completions/max_length": 260.0,
    "completions/clipped_ratio": 0.05,
    "reward": 0.5,
    "reward_std": 0.12,
    "frac_reward_zero_std": 0.1,
    "kl": 0.02,
    "clip_ratio/low_mean": 0.0,
    "entropy/mean": 1.2,
    **{f"rewards/{name}/{part}": 0.5 for name in REWARDS for part in ("mean", "std")},
}


def a_step(step: int, most: int, **values: float) -> str:
    """A line of `logging.jsonl` in GRPO."""
    draw = random.Random(step)
    said: dict[str, Any] = {
        "loss": 0.01,
        "grad_norm": 1.1,
        "learning_rate": 1e-6,
        **{name: round(level * draw.uniform(0.9, 1.1), 8) for name, level in METRICS.items()},
        "epoch": step / most,
        "global_step/max_steps": f"{step}/{most}",
        "elapsed_time": "2s",
        "train_speed(s/it)": 1.5,
    }
    return json.dumps(said | values)


def a_run_folder(folder: Path, steps: int = 0, most: int = 2_000, *, stage: str = "grpo") -> Path:
    """A run folder with its config and so many steps."""
    (folder / "output").mkdir(parents=True)
    config: dict[str, Any] = {"learning_rate": 1e-6, "beta": 0.04, "max_steps": most}
    if stage == "grpo":
        config |= {"reward_funcs": list(REWARDS), "reward_weights": list(DEFAULT_WEIGHTS)}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    log_steps(folder, range(1, steps + 1), most)
    return folder


def log_steps(folder: Path, steps: range, most: int = 2_000, **values: float) -> None:
    """More steps."""
    with (folder / "output" / "logging.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(f"{a_step(step, most, **values)}\n" for step in steps)


def a_completion(step: int, plan_id: str, completion: str, **scores: float) -> str:
    """A line of `rewards.jsonl`; rewards that are not given earn 0.5."""
    known = dict.fromkeys(REWARDS, 0.5) | scores
    said = {"step": step - 1, "plan_id": plan_id, "scores": known, "completion": completion}
    return json.dumps(said)


def write_completions(folder: Path, lines: list[str], *, end: str = "\n") -> None:
    """Append completions; `end` is what follows the last line."""
    with (folder / "rewards.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + end)


def write_advantages(folder: Path, step: int, known: dict[str, float]) -> None:
    """A line of ms-swift's own `completions.jsonl`: what each text of a step was worth."""
    said = {
        "step": [str(step)] * len(known),
        "prompt": ["?"] * len(known),
        "completion": list(known),
        "advantages": list(known.values()),
    }
    with (folder / "output" / "completions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(said, ensure_ascii=False) + "\n")


def an_attempt(database: Database, run_id: str, *, nodes: Sequence[str] = ()) -> tuple[str, Path]:
    """One more attempt of a run, begun on these nodes; its id, and its folder within the home."""
    with database.transaction() as session:
        before = session.get_one(Run, run_id)
        run = Run(
            project_id=before.project_id,
            chain_id=before.chain_id,
            bundle_id=before.bundle_id,
            stage=before.stage,
            attempt=before.attempt + 1,
            recipe=before.recipe,
            folder="",
            token="",
        )
        run.folder = f"runs/{run.id}"
        session.add(run)
        session.flush()
        if nodes:
            session.add(Gang(run_id=run.id, project_id=run.project_id, state="over"))
            session.flush()
        for rank, node in enumerate(nodes):
            folder = run.folder if rank == 0 else f"{run.folder}/members/{rank}-{node}"
            member = GangMember(
                run_id=run.id,
                rank=rank,
                project_id=run.project_id,
                node=node,
                folder=folder,
                state="failed",
            )
            session.add(member)
        return run.id, Path(run.folder)


def a_chain(
    database: Database,
    settings: Settings,
    who: Actor,
    bundle_id: str,
    *,
    steps: int = 0,
    **terms: Any,
) -> tuple[str, str]:
    """A chain whose GRPO has made so many steps, with its files; ids of chain and run."""
    with database.transaction() as session:
        chain = Chain(
            project_id=who.project_id,
            bundle_id=bundle_id,
            recipe="cpu-smoke",
            order={"stages": ["grpo"]},
            stage="grpo",
        )
        session.add(chain)
        session.flush()
        run = Run(
            project_id=who.project_id,
            chain_id=chain.id,
            bundle_id=bundle_id,
            stage="grpo",
            recipe="cpu-smoke",
            folder="",
            token="",
        )
        run.folder = f"runs/{run.id}"
        session.add(run)
        ids = chain.id, run.id
    folder = a_run_folder(settings.home / "runs" / ids[1], steps)
    config = yaml.safe_load((folder / "config.yaml").read_text("utf-8"))
    (folder / "config.yaml").write_text(yaml.safe_dump(config | terms), "utf-8")
    (folder / "log.txt").write_text("train_dataset: 32 rows\nTrain: 1%\rTrain: 50%\n", "utf-8")
    return ids


def plan_ids(bundle: Path) -> list[str]:
    """The ids of the questions of a bundle's GRPO file."""
    lines = (bundle / "grpo.jsonl").read_text("utf-8").splitlines()
    return [str(json.loads(line)["plan_id"]) for line in lines]


def a_decided_query(database: Database, who: Actor, text: str) -> str:
    """A query that went through both desks; its id."""
    annotator, reviewer = (
        a_person(database, who.project_id, role) for role in ("annotator", "reviewer")
    )
    query_id = a_label_query(database, who, text)
    item = annotate.open_item(database, annotator, query_id)
    plan = A_PLAN | {"rewritten_query": text}
    annotate.submit(
        database, annotator, item.annotation_id, number=item.draft_number, content=plan, seconds=5
    )
    taken = review.take_next(database, reviewer)
    assert taken
    review.accept(database, reviewer, taken.annotation_id, taken.revision_id)
    return query_id


def a_line_of(
    database: Database, settings: Settings, who: Actor, bundle_id: str, query_id: str
) -> None:
    """Let the first GRPO row of a bundle come from this query, in its file and in its ledger."""
    with database.transaction() as session:
        bundle = session.get_one(Bundle, bundle_id)
        path = settings.home / bundle.folder / "grpo.jsonl"
        first, *rest = path.read_text("utf-8").splitlines()
        row = json.loads(first) | {"plan_id": query_id}
        path.write_text("\n".join([json.dumps(row, ensure_ascii=False), *rest]) + "\n", "utf-8")
        line = BundleRow(
            bundle_id=bundle_id,
            file="grpo.jsonl",
            line=1,
            project_id=who.project_id,
            query_id=query_id,
            source_id=query_id,
            row_hash="0" * 64,
        )
        session.add(line)
