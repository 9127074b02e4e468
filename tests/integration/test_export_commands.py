"""`export` and `bundles`, as a person types them; ms-swift reads what they wrote."""

import json
from pathlib import Path

import pytest

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.engine import Database
from exports.bundle import create_bundle, get_bundle
from exports.training.verify import verify_bundle
from labeling.accounts import command_line_actor
from schemas.errors import ExportRefused
from schemas.settings import Settings
from tests.exporting import a_full_project, a_pinned_query, a_plan, a_recipe, a_suggestion, bytes_of
from tests.factories import a_project

RECIPE = """
name: both
sft: {sources: [{kind: accepted}, {kind: history}, {kind: suggestions}]}
grpo: {sources: [{kind: accepted}, {kind: history}]}
val_share: 0.2
verification: {model: tiny}
"""


@pytest.fixture
def home(
    sqlite_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """A project that the command line finds."""
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")
    a_full_project(sqlite_database, a_project(sqlite_database))
    return sqlite_database


def test_a_preview_says_what_an_export_then_writes_and_writes_nothing(
    home: Database, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    assert main(["export", "--recipe", str(recipe), "--preview", "--json"]) == 0
    preview = json.loads(capsys.readouterr().out)
    assert main(["bundles", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["export", "--recipe", str(recipe), "--preview"]) == 0
    assert f"sft.jsonl: {preview['files']['sft.jsonl']} rows" in capsys.readouterr().out

    out = tmp_path / "out"
    assert main(["export", "--recipe", str(recipe), "--out", str(out)]) == 0
    written = {
        path.name: path.read_text("utf-8").splitlines(keepends=True) for path in out.glob("*.jsonl")
    }
    assert {name: len(lines) for name, lines in written.items()} == preview["files"]
    assert all(text in written[name] for name, text in preview["examples"].items())


def test_a_preview_needs_a_recipe(
    home: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--rebuild", str(tmp_path / "manifest.json"), "--preview"]) == 1
    assert "--recipe" in capsys.readouterr().err


def test_export_writes_verifies_lists_rebuilds_and_recalls(
    home: Database, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE)
    out = tmp_path / "out"
    assert main(["export", "--recipe", str(recipe), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "suggestions: 12 of 24" in said
    assert f"written to {out} (ready)" in said

    report = verify_bundle(out, settings)
    lines = {path.name: path.read_bytes().count(b"\n") for path in out.glob("*.jsonl")}
    assert {name: file.rows_read for name, file in report.files.items()} == lines
    assert {name: file.rows_tokenised for name, file in report.files.items()} == lines
    assert report.is_true

    again = tmp_path / "again"
    assert main(["export", "--rebuild", str(out / "manifest.json"), "--out", str(again)]) == 0
    assert "byte for byte" in capsys.readouterr().out
    assert bytes_of(again) == bytes_of(out)

    assert main(["bundles", "list", "--json"]) == 0
    (listed,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (listed["name"], listed["state"]) == ("both", "ready")
    assert sum(listed["rows"].values()) == sum(lines.values())

    query_id = json.loads((out / "grpo.jsonl").read_text("utf-8").splitlines()[0])["plan_id"]
    assert main(["bundles", "recall", query_id]) == 0
    assert "grpo.jsonl, line 1" in capsys.readouterr().out
    assert main(["bundles", "diff", "both", listed["bundle_id"]]) == 0
    assert "Both were made by the same recipe." in capsys.readouterr().out


def test_a_folder_in_use_is_refused_before_anything_is_done(
    home: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["export", "--recipe", "mixed", "--out", str(tmp_path)]) == 1
    assert "already holds something" in capsys.readouterr().err
    assert main(["bundles", "list"]) == 0
    assert "There is no bundle yet." in capsys.readouterr().out


def test_a_wrong_recipe_is_one_sentence(
    home: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("val_share: 0.2", "val_share: lots"))
    assert main(["export", "--recipe", str(recipe), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("val_share cannot be “lots”")
    assert "Traceback" not in said


def test_a_row_longer_than_the_model_takes_is_refused_by_name(
    home: Database, settings: Settings
) -> None:
    who = command_line_actor(home, "main")
    long = a_pinned_query(home, who, "很长的思考")
    a_suggestion(home, who, long, a_plan("很长的思考"), "思考很长。" * 900)
    recipe = a_recipe(
        formats=["sft"],
        sft={"sources": [{"kind": "suggestions"}]},
        verification={"model": "tiny", "max_length": 1024},
    )
    with pytest.raises(ExportRefused, match="finds 1 faults"):
        create_bundle(home, settings, who, recipe)
    bundle = get_bundle(home, who, "all")
    assert bundle.state == "refused"
    assert bundle.verification is not None
    (difference,) = bundle.verification["differences"]  # pyright: ignore[reportGeneralTypeIssues]
    assert difference["code"] == "training.row_too_long"


def test_without_a_model_the_lengths_stay_unknown_and_no_thinking_is_written(
    home: Database, settings: Settings
) -> None:
    who = command_line_actor(home, "main")
    bundle_id = create_bundle(home, settings, who, a_recipe(with_thinking=False))
    bundle = get_bundle(home, who, bundle_id)
    assert bundle.state == "ready_lengths_unknown"
    folder = settings.home / bundle.folder
    assert "<think>" not in (folder / "sft.jsonl").read_text("utf-8")
    assert "Think" not in (folder / "grpo.yaml").read_text("utf-8")
