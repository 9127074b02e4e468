"""Scoring a file of completions on the command line."""

import json
from pathlib import Path

import pytest

from exports.reward_commands import score_file
from schemas.errors import NotFound
from schemas.project import REWARDS
from tests.bundles import a_bundle_folder


def test_each_line_is_scored_or_says_why_not(tmp_path: Path) -> None:
    rows = (a_bundle_folder(tmp_path / "bundle", rows=2) / "grpo.jsonl").read_text("utf-8")
    first, second = (json.loads(line) for line in rows.splitlines())
    first["completion"] = f"<think>\n想\n</think>\n\n<answer>\n{first['solution']}\n</answer>"
    lines = [first, second, {"completion": "x"}, [], first]
    file = tmp_path / "scored.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n\n{", "utf-8")
    scored = list(score_file(file))
    assert [each.line for each in scored] == [1, 2, 3, 4, 5, 7]
    assert [each.refused for each in scored] == [
        None,
        "rewards.no_completion",
        "rewards.not_a_row",
        "rewards.not_json",
        None,
        "rewards.not_json",
    ]
    assert tuple(scored[0].scores) == REWARDS
    assert scored[0].scores["CorrectnessReward"] == 1.0
    assert 0.9 < scored[0].total < 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.jsonl"):
        list(score_file(tmp_path / "nowhere.jsonl"))
