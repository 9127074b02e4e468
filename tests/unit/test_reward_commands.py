"""Scoring a file of completions on the command line."""

import argparse
import json
from pathlib import Path

import pytest

from db.engine import Database
from exports.reward_commands import add_commands, score_file
from labeling.command_line import SOME_REFUSED, CommandContext
from schemas.errors import NotFound
from schemas.project import REWARDS
from schemas.settings import Settings
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


def test_the_command_says_the_scores_and_that_rows_were_refused(
    sqlite_database: Database,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = (a_bundle_folder(tmp_path / "bundle", rows=1) / "grpo.jsonl").read_text("utf-8")
    row = json.loads(rows) | {"completion": "…"}
    file = tmp_path / "scored.jsonl"
    file.write_text(f"{json.dumps(row)}\n{{}}\n", "utf-8")
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    args = parser.parse_args(["rewards", str(file)])
    for as_json in (True, False):
        context = CommandContext(settings, sqlite_database, "main", "en", as_json)
        assert args.run(context, args) == SOME_REFUSED
        said = capsys.readouterr().out.splitlines()
        if as_json:
            assert [json.loads(line)["refused"] for line in said] == [None, "rewards.no_completion"]
            assert tuple(json.loads(said[0])["scores"]) == REWARDS
        else:
            assert said[1].split() == ["0.000"] * 8 + ["case-0"]
            assert said[2].startswith("Line 2 has no text")
            assert said[3].endswith("mean of 1")
