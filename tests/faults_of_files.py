"""Faults of files: what the manifest names is not what is there."""

from pathlib import Path
from typing import Any

from db.tables.base import new_id
from exports.scoring_files import FOLDER
from tests.good_bundle import (
    QUERY,
    SOURCE,
    GoodBundle,
    read_manifest,
    seal,
    write_manifest,
)
from tests.planting import (
    Fault,
    Places,
    Plant,
    changed,
    origins_of,
    place_of,
    with_manifest,
)


def _another_source(manifest: dict[str, Any], _: Path) -> Places:
    manifest["rows"]["sft.jsonl"][0][SOURCE] = new_id()
    return {("sft.jsonl", 1)}


def _a_row_that_is_not_there(manifest: dict[str, Any], _: Path) -> Places:
    origins = manifest["rows"]["grpo.jsonl"]
    origins.append([*origins[0][:QUERY], new_id(), *origins[0][QUERY + 1 :]])
    return {("grpo.jsonl", len(origins))}


def _a_row_without_origin(manifest: dict[str, Any], _: Path) -> Places:
    origins = manifest["rows"]["grpo.jsonl"]
    origins.pop()
    return {("grpo.jsonl", len(origins) + 1)}


def _another_count(manifest: dict[str, Any], _: Path) -> Places:
    manifest["files"]["sft.jsonl"]["rows"] += 1
    return {("sft.jsonl", 0)}


def _a_row_edited_later(_: GoodBundle, folder: Path) -> Places:
    hashes = [list(origin) for origin in origins_of(folder, "sft.jsonl")]
    rows, place = place_of(folder, "sft.jsonl", lambda *_: True)
    rows[place]["channel"] = "history"
    places = changed(folder, "sft.jsonl", rows, place)
    manifest = read_manifest(folder)
    manifest["rows"]["sft.jsonl"][place] = hashes[place]
    write_manifest(folder, manifest)
    return places


def _touched(name: str, *, is_sealed: bool = False, shown: str | None = None) -> Plant:
    def plant(_: GoodBundle, folder: Path) -> Places:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("\n# changed\n")
        if is_sealed:
            seal(folder)
        return {(shown or name, 0)}

    return plant


def _gone(_: GoodBundle, folder: Path) -> Places:
    (folder / "CARD.md").unlink()
    return {("CARD.md", 0)}


FAULTS = (
    Fault("a file that is not the manifest's", "file_changed", _touched("CARD.md")),
    Fault("a file that is gone", "file_missing", _gone),
    Fault(
        "a row count that is not the manifest's", "file_miscounted", with_manifest(_another_count)
    ),
    Fault(
        "a row in the manifest that is not there",
        "file_rows_missing",
        with_manifest(_a_row_that_is_not_there),
    ),
    Fault(
        "a row of which the manifest says nothing",
        "file_rows_unnamed",
        with_manifest(_a_row_without_origin),
    ),
    Fault("a row edited after the export", "row_not_of_manifest", _a_row_edited_later),
    Fault("a row made of nothing here", "row_without_source", with_manifest(_another_source)),
    Fault("a reward plugin that was changed", "plugin_changed", _touched("reward_plugin.py")),
    Fault(
        "scoring that is not what measures",
        "plugin_changed",
        _touched(f"{FOLDER}/rewards.py", is_sealed=True, shown=FOLDER),
    ),
)
