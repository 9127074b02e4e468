"""What was trained, as the trainer wrote it down, beside what the training page shows of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page

from schemas.project import REWARDS
from tests.serving import ServedApp

CURVES = {
    "损失": "loss",
    "奖励加权总分": "reward",
    "奖励离散度": "reward_std",
    "KL": "kl",
    "Token 准确率": "token_acc",
    "回答长度": "completions/mean_length",
    "梯度范数": "grad_norm",
    "格式": "rewards/StrictFormatReward/mean",
    "JSON": "rewards/JSONValidReward/mean",
    "长度": "rewards/ThinkLengthReward/mean",
    "思考": "rewards/ThinkQualityReward/mean",
    "改写": "rewards/CorrectnessReward/mean",
    "专家": "rewards/ExpertValidationReward/mean",
    "拆解": "rewards/ProcessingQualityReward/mean",
}
STEP = "global_step/max_steps"
Row = dict[str, Any]
Points = list[tuple[int, float]]
Curves = dict[str, dict[str, Points]]


def runs_of(app: ServedApp) -> dict[str, Path]:
    """The folder of the only run of each trained stage."""
    logs = list((app.home / "runs").glob("*/output/logging.jsonl"))
    assert len(logs) == 2
    return {"GRPO" if "rewards/" in each.read_text() else "SFT": each.parents[1] for each in logs}


def rows_logged(run: Path) -> list[Row]:
    """The steps that the trainer wrote down."""
    lines = (run / "output" / "logging.jsonl").read_text("utf-8").splitlines()
    return [row for row in map(json.loads, lines) if "loss" in row and STEP in row]


def assert_trained_on_the_bundle(runs: dict[str, Path], bundle: Path) -> None:
    """GRPO begins at SFT's checkpoint; each trained on the file that the manifest names."""
    files = json.loads((bundle / "manifest.json").read_text("utf-8"))["files"]
    for stage, name in (("SFT", "sft.jsonl"), ("GRPO", "grpo.jsonl")):
        config = yaml.safe_load((runs[stage] / "config.yaml").read_text("utf-8"))
        (trained,) = config["dataset"]
        assert hashlib.sha256(Path(trained).read_bytes()).hexdigest() == files[name]["sha256"]
        assert (bundle / name).read_bytes() == Path(trained).read_bytes()
    checkpoint = Path(config["model"])
    assert checkpoint.parent.is_relative_to(runs["SFT"] / "output")
    assert checkpoint.name.startswith("checkpoint-")


def assert_rewards_move(steps: list[Row], weights: dict[str, int]) -> None:
    """Ten steps and more, five rewards and more that differ; the weights are those of the order."""
    assert len(steps) >= 10
    moving = [name for name in REWARDS if any(row[f"rewards/{name}/std"] > 0 for row in steps)]
    assert len(moving) >= 5, moving
    for row in steps:
        means = {name: row[f"rewards/{name}/mean"] for name in REWARDS}
        weighted = sum(weights[name] * mean for name, mean in means.items())
        assert row["reward"] == pytest.approx(weighted, abs=1e-5)
        assert means["ThinkLengthReward"] == 0 or row["reward"] > sum(means.values())


def curves_on(page: Page) -> Curves:
    """Every point of every curve of the page, by stage and name."""
    told = page.locator("#training-run .pw-card:has(.pw-charts)").evaluate_all(
        """cards => Object.fromEntries(cards.map(card => [
            card.querySelector("h3").textContent,
            Object.fromEntries([...card.querySelectorAll(".pw-chart svg")].map(svg => [
                svg.getAttribute("aria-label"),
                [...svg.querySelectorAll("title")].map(title => title.textContent)]))]))"""
    )
    return {
        stage: {name: [a_point(each) for each in points] for name, points in curves.items()}
        for stage, curves in told.items()
    }


def a_point(told: str) -> tuple[int, float]:
    step, _, value = told.partition(": ")
    return int(step), float(value)


def assert_points_are_the_trainers(drawn: Curves, runs: dict[str, Path]) -> None:
    """The page shows what the trainer wrote, point by point."""
    assert drawn.keys() == {"SFT", "GRPO"}
    assert len(drawn["GRPO"].keys() & set(list(CURVES)[7:])) == len(REWARDS)
    for stage, curves in drawn.items():
        rows = rows_logged(runs[stage])
        for name, points in curves.items():
            metric = CURVES[name]
            written = [(step_of(row), row[metric]) for row in rows if metric in row]
            assert points == written, (stage, name)


def step_of(row: Row) -> int:
    return int(row[STEP].split("/")[0])
