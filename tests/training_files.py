"""Files of a run as ms-swift 4.6 and the reward plugin write them, with numbers of our choosing."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

from schemas.project import DEFAULT_WEIGHTS, REWARDS

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
