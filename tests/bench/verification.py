"""Verification: ms-swift reads back and tokenises 40,000 rows of a bundle, each compared.

The floor tokenises the same texts with the `tokenizers` library alone, in one thread, without a
template, a loader or a comparison. The five seconds of ms-swift's imports are in the second figure.
The named checks, which need no ms-swift and run beside it, are measured apart, against a database
that the rows came from; their floor reads the lines as JSON.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import orjson

from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.bundle_commands import load_recipe
from exports.checks.examine import CHECKS, FILE_CHECKS, NEAR_CHECKS, dataset_files, examine
from exports.checks.sources import Ground
from exports.training.ask import tiny_model
from exports.training.verify import read_manifest, verify_bundle
from schemas.settings import Settings
from tests.bench.export_rows import add_queries
from tests.bench.figures import Figure, report
from tests.bundles import a_bundle_folder
from tests.exporting import written
from tests.factories import a_project

ROWS = 20_000
CHUNK = 5_000


def main() -> None:
    """Write a bundle, read it back, measure."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(home=Path(name) / "home")
        folder = a_bundle_folder(Path(name) / "bundle", ROWS)
        floor = _floor(tiny_model(settings, folder), folder)
        began = time.perf_counter()
        found = verify_bundle(folder, settings, model="tiny")
        seconds = time.perf_counter() - began
        checked = _checked(Settings(home=Path(name) / "other"))
    rows = sum(file.rows_tokenised or 0 for file in found.files.values())
    assert found.is_true
    assert rows == 2 * ROWS
    is_floor = "tokenizers alone, one thread"
    report(
        __name__,
        [
            Figure(
                f"{rows:,} rows read back and tokenised",
                rows / found.seconds,
                "rows/s",
                "≥ 1,200",
                floor,
                is_floor,
            ),
            Figure(
                "the same with the start of ms-swift",
                rows / seconds,
                "rows/s",
                "",
                floor,
                is_floor,
            ),
            checked,
        ],
    )


def _checked(settings: Settings) -> Figure:
    """The named checks alone, in one thread."""
    settings.home.mkdir()
    database = Database(sqlite_url(settings.home / "planwright.db"))
    upgrade(database)
    who = a_project(database)
    for start in range(0, ROWS, CHUNK):
        add_queries(database, who, start)
    _, folder = written(database, settings, who, load_recipe("mixed"))
    began, rows = time.perf_counter(), 0
    for path in dataset_files(folder):
        for line in path.read_bytes().splitlines():
            rows += bool(orjson.loads(line))
    floor = rows / (time.perf_counter() - began)
    began = time.perf_counter()
    found = examine(folder, read_manifest(folder), Ground(database, who.project_id))
    rate = rows / (time.perf_counter() - began)
    database.close()
    assert found.differences == []
    checks = len(CHECKS) + len(FILE_CHECKS) + len(NEAR_CHECKS)
    what = f"{rows:,} rows under {checks} checks of ours"
    return Figure(what, rate, "rows/s", "", floor, "the lines read as JSON")


def _floor(model: Path, folder: Path) -> float:
    """Rows a second."""
    from tokenizers import Tokenizer  # noqa: PLC0415  the trainer's library, for the floor only

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    began, rows = time.perf_counter(), 0
    for name in ("sft.jsonl", "grpo.jsonl"):
        with (folder / name).open(encoding="utf-8") as lines:
            for line in lines:
                tokenizer.encode("".join(each["content"] for each in json.loads(line)["messages"]))
                rows += 1
    return rows / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
