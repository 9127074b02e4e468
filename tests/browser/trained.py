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
    """Every point of every curve of one line, by stage and metric, as it is read by key."""
    told = page.locator("#training-curves .pw-card[data-stage]").evaluate_all(
        """cards => Object.fromEntries(cards.map(card => [
            card.dataset.stage.toUpperCase(),
            Object.fromEntries([...card.querySelectorAll(".pw-curve:not([hidden])")]
                .filter(chart => chart.querySelector(".pw-legend").hidden)
                .map(chart => {
                    const plot = chart.querySelector(".pw-plot-area"), read = [];
                    const press = key => plot.dispatchEvent(new KeyboardEvent("keydown", { key }));
                    press("Home");
                    while (read.at(-1) !== plot.getAttribute("aria-valuetext")) {
                        read.push(plot.getAttribute("aria-valuetext"));
                        press("ArrowRight");
                    }
                    press("Escape");
                    return [chart.dataset.chart, read];
                }))]))"""
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
    assert {f"rewards/{name}/mean" for name in REWARDS} <= drawn["GRPO"].keys()
    assert {"loss", "learning_rate"} <= drawn["SFT"].keys()
    for stage, curves in drawn.items():
        rows = rows_logged(runs[stage])
        for metric, points in curves.items():
            written = [(step_of(row), row[metric]) for row in rows if metric in row]
            assert points == written, (stage, metric)


def step_of(row: Row) -> int:
    return int(row[STEP].split("/")[0])
