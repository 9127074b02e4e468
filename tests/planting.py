"""How a fault is planted in a good bundle, and where a check must find it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.good_bundle import (
    KIND,
    QUERY,
    VARIANT,
    GoodBundle,
    Rows,
    read_manifest,
    read_rows,
    seal,
    write_manifest,
    write_rows,
)

Places = set[tuple[str, int]]
"""File and line of each finding; line 0 is the whole file."""


Plant = Callable[[GoodBundle, Path], Places]


@dataclass(frozen=True)
class Fault:
    """A fault by name; `plant` damages the bundle with thinking (or the plain one) and says where.

    `check` is the name of the check, and `training.{check}` the sentence that tells of it.
    """

    name: str
    check: str
    plant: Plant
    is_plain: bool = False

    def folder(self, good: GoodBundle) -> Path:
        return good.plain if self.is_plain else good.with_thinking


def origins_of(folder: Path, file: str) -> list[list[Any]]:
    return read_manifest(folder)["rows"][file]


def answer(row: dict[str, Any]) -> str:
    return row["messages"][-1]["content"]


def thinks(row: dict[str, Any]) -> bool:
    return "<think>" in answer(row)


def place_of(
    folder: Path, file: str, fits: Callable[[dict[str, Any], list[Any]], bool]
) -> tuple[Rows, int]:
    """The rows of a file, and where the first is that fits: no twin, and asked by our prompt."""
    rows, origins = read_rows(folder, file), origins_of(folder, file)
    for place, (row, origin) in enumerate(zip(rows, origins, strict=True)):
        if origin[VARIANT] == "" and origin[KIND] != "history" and fits(row, origin):
            return rows, place
    raise LookupError(file)


def changed(folder: Path, file: str, rows: Rows, place: int) -> Places:
    """The rows are written as if the export had made them; the one that is wrong."""
    write_rows(folder, file, rows)
    seal(folder)
    return {(file, place + 1)}


def with_answer(change: Callable[[str], str]) -> Plant:
    """A fault of the text of one answer that thinks."""

    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, place = place_of(folder, "sft.jsonl", lambda row, _: thinks(row))
        rows[place]["messages"][-1]["content"] = change(answer(rows[place]))
        return changed(folder, "sft.jsonl", rows, place)

    return plant


def with_grpo(
    change: Callable[[dict[str, Any]], None],
) -> Plant:
    """A fault of the columns of one GRPO row."""

    def plant(_: GoodBundle, folder: Path) -> Places:
        rows, place = place_of(folder, "grpo.jsonl", lambda *_: True)
        change(rows[place])
        return changed(folder, "grpo.jsonl", rows, place)

    return plant


def with_meta(**values: Any) -> Plant:
    """A GRPO row that tells its rewards something else."""

    def change(row: dict[str, Any]) -> None:
        row["plan_meta"] = json.dumps(json.loads(row["plan_meta"]) | values, ensure_ascii=False)

    return with_grpo(change)


def with_manifest(
    change: Callable[[dict[str, Any], Path], Places],
) -> Plant:
    """A manifest that says something else."""

    def plant(_: GoodBundle, folder: Path) -> Places:
        manifest = read_manifest(folder)
        places = change(manifest, folder)
        write_manifest(folder, manifest)
        return places

    return plant


def lines_of(folder: Path, query_id: str) -> Places:
    """Every line that was made of a query."""
    return {
        (file, line)
        for file, origins in read_manifest(folder)["rows"].items()
        for line, origin in enumerate(origins, start=1)
        if origin[QUERY] == query_id
    }


def the_prompt_under(folder: Path, reference: str) -> str:
    """The system message of a row with thinking that stands under a list."""
    rows, origins = read_rows(folder, "grpo.jsonl"), origins_of(folder, "grpo.jsonl")
    return next(
        row["messages"][0]["content"]
        for row, origin in zip(rows, origins, strict=True)
        if origin[VARIANT] == "" and origin[KIND] != "history" and meta(row)["with_thinking"]
        if meta(row)["list_version"] == reference
    )


def meta(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(row["plan_meta"])
