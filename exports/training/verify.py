"""Reading a bundle back through ms-swift: exported = trained.

Nothing is assumed of the loader: every row that was written must come back with the same columns,
have an answer to learn, and fit the length, for the template that will train it. While ms-swift
starts and reads, what shows without it is looked at here (`exports.checks`).
"""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from exports.checks.examine import Findings, dataset_files, examine
from exports.checks.sources import Ground
from exports.training.ask import TINY_MODEL, ask_trainer, tiny_model_words
from exports.training.recipes import NAMES, get_recipe
from schemas.errors import TrainingError
from schemas.settings import Settings
from schemas.training import FileReport, RowDifference, VerifyReport

__all__ = ["dataset_files", "read_back", "read_manifest", "rows_request", "verify_bundle"]

TINY = "tiny"
ROWS_A_PROCESS = 2000
TRAINER_CHECKS = (
    "row_lost",
    "row_changed",
    "row_cast",
    "row_no_answer",
    "row_not_tokenised",
    "row_too_long",
)
"""What only ms-swift can tell of a row; `training.{name}` is the sentence."""


def verify_bundle(
    folder: Path,
    settings: Settings,
    *,
    model: str | Path | None = None,
    model_type: str | None = None,
    template: str | None = None,
    max_length: int | None = None,
    with_thinking: bool | None = None,
    ground: Ground | None = None,
) -> VerifyReport:
    """What ms-swift reads back of the dataset files in a folder, and what is wrong with them.

    What is not given is the manifest's (`recipe.verification`), else the training recipe's.
    `model` is a folder with a tokenizer, or `tiny` for the one built here; without one the rows are
    read but not tokenised, and their lengths stay unknown. With the project that the bundle was
    made from (`ground`) its rows are held against the database too.

    Raises:
        TrainingError: the folder holds no dataset file, or the trainer cannot be asked.
    """
    request = rows_request(
        folder,
        settings,
        model=model,
        model_type=model_type,
        template=template,
        max_length=max_length,
        with_thinking=with_thinking,
    )
    said, found = read_back(folder, settings, ground, rows=request)
    return to_report(request, said["rows"], found)


def read_back(
    folder: Path, settings: Settings, ground: Ground | None = None, **parts: Any
) -> tuple[dict[str, Any], Findings]:
    """What the trainer says to the parts of a request, and what is wrong with the bundle anyway.

    Raises:
        TrainingError: the trainer cannot be asked.
    """
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(ask_trainer, settings, **parts)
        found = examine(folder, read_manifest(folder), ground)
        return asked.result(), found


def rows_request(
    folder: Path,
    settings: Settings,
    *,
    model: str | Path | None = None,
    model_type: str | None = None,
    template: str | None = None,
    max_length: int | None = None,
    with_thinking: bool | None = None,
) -> dict[str, Any]:
    """The part `rows` of a request to the trainer."""
    files = dataset_files(folder)
    if not files:
        raise TrainingError("training.no_dataset", folder=str(folder))
    recipe = read_manifest(folder).get("recipe", {})
    wanted: dict[str, Any] = recipe.get("verification") or {}
    training = get_recipe(str(recipe.get("training", NAMES[0]))).sft
    if with_thinking is None:
        with_thinking = bool(recipe.get("with_thinking", True))
    model = model or cast(str | None, wanted.get("model"))
    build: list[str] = []
    if model == TINY:
        build = [str(TINY_MODEL), *tiny_model_words(settings, folder)]
        model, model_type = build[1], "qwen3"
    template = template or str(wanted.get("template") or training["template"])
    rows = sum(path.read_bytes().count(b"\n") for path in files)
    return {
        "files": [
            {"file": path.name, "kind": path.stem.removesuffix("_val"), "path": str(path.resolve())}
            for path in files
        ],
        "build": build,
        "model": str(Path(model).resolve()) if model else None,
        "model_type": model_type or wanted.get("model_type") or training["model_type"],
        "template": template,
        "with_thinking": with_thinking,
        "loss_scale": training.get("loss_scale", "default"),
        "max_length": max_length or wanted.get("max_length") or 8192,
        "checks": [name.removeprefix("row_") for name in TRAINER_CHECKS],
        "processes": max(1, min(os.cpu_count() or 1, rows // ROWS_A_PROCESS)),
    }


def to_report(request: dict[str, Any], said: Mapping[str, Any], found: Findings) -> VerifyReport:
    """The report of what the trainer said about the rows, and of what was found without it."""
    files: dict[str, FileReport] = {}
    differences = list(found.differences)
    for name, file in said["files"].items():
        files[name] = FileReport(
            rows_in=file["rows_in"],
            rows_read=file["rows_read"],
            rows_tokenised=file["rows_tokenised"],
            differences=file["count"] + found.by_file[name],
            lengths=file["lengths"],
        )
        differences += [_difference(name, each, request) for each in file["differences"]]
    return VerifyReport(
        is_true=not differences,
        lengths_known=request["model"] is not None,
        model=Path(request["model"]).name if request["model"] else None,
        template=request["template"],
        max_length=request["max_length"],
        files=files,
        differences=tuple(differences),
        seconds=said["seconds"],
        prompt_end=said["prompt_end"],
        near_split=found.near_split,
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle; empty for a folder that has none."""
    path = folder / "manifest.json"
    return cast(dict[str, Any], json.loads(path.read_bytes())) if path.exists() else {}


def _difference(file: str, each: dict[str, Any], request: dict[str, Any]) -> RowDifference:
    values: dict[str, Any] = {"file": file, "line": each["line"], "detail": each["detail"]}
    if "column" in each:
        values["column"] = each["column"]
    if "tokens" in each:
        values |= {"tokens": each["tokens"], "max_length": request["max_length"]}
    return RowDifference(
        file=file, line=each["line"], code=f"training.row_{each['what']}", values=values
    )
