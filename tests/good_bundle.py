"""A good bundle with the project that it was made from, copied for whoever wants to damage it."""

import fcntl
import json
import pickle
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from db.engine import Database, sqlite_url
from exports.bundle import bundle_folder, create_bundle, get_bundle
from exports.checks.sources import Ground
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import a_recipe
from tests.mixed_lists import Mixed, a_mixed_project

Rows = list[dict[str, Any]]
Made = tuple[Mixed, str, str]
"""The project, and the folders' names of its bundles with thinking and without."""
FORMATS = ("sft", "agent", "grpo", "dpo", "kto")
TWINS = {"share": 0.5, "shuffle": True, "drop_unused": 0.4, "decoys": 1}
KIND, QUERY, SOURCE, TRACE, AGAINST, _, ROW_HASH, VARIANT = range(8)
"""Places in an origin, as a manifest holds it."""


@dataclass(frozen=True)
class GoodBundle:
    """The folder of a bundle and its project; `with_thinking` and `plain` are two bundles of it."""

    settings: Settings
    database: Database
    mixed: Mixed
    with_thinking: Path
    plain: Path

    @property
    def who(self) -> Actor:
        return self.mixed.who

    @property
    def ground(self) -> Ground:
        return Ground(self.database, self.who.project_id)


def good_bundles(shared: Path, empty: Path) -> tuple[Made, Path]:
    """The good bundles and their home, made by whichever of the workers needs them first."""
    home, told = shared / "good", shared / "good.pickle"
    with (shared / "good.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            made = _make_good_bundles(home, empty)
            told.write_bytes(pickle.dumps(made))
    return pickle.loads(told.read_bytes()), home


def _make_good_bundles(home: Path, empty: Path) -> Made:
    """A project in a home, and two bundles that ms-swift has read back."""
    settings = Settings(home=home)
    home.mkdir(parents=True)
    shutil.copy(empty, home / "planwright.db")
    database = Database(sqlite_url(home / "planwright.db"), is_synced=False)
    mixed = a_mixed_project(database, rows=10)
    shared: dict[str, Any] = {
        "formats": FORMATS,
        "augmentation": TWINS,
        "dpo_pairs": ("corrected", "siblings"),
        "val_share": 0.3,
        "verification": {"model": "tiny"},
    }
    recipes = (a_recipe(plain_share=0.3, **shared), a_recipe(with_thinking=False, **shared))
    made = [create_bundle(database, settings, mixed.who, recipe) for recipe in recipes]
    folders = [bundle_folder(settings, get_bundle(database, mixed.who, each)) for each in made]
    database.close()
    return mixed, folders[0].name, folders[1].name


@contextmanager
def a_copy(made: Made, home: Path, target: Path) -> Generator[GoodBundle]:
    """A copy of a home that may be spoilt."""
    shutil.copytree(home, target)
    mixed, thinking, plain = made
    database = Database(sqlite_url(target / "planwright.db"), is_synced=False)
    bundles = target / "bundles"
    try:
        yield GoodBundle(
            Settings(home=target), database, mixed, bundles / thinking, bundles / plain
        )
    finally:
        database.close()


def read_rows(folder: Path, file: str) -> Rows:
    """The rows of a dataset file."""
    return [json.loads(line) for line in (folder / file).read_bytes().splitlines()]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder."""
    return json.loads((folder / "manifest.json").read_bytes())


def write_rows(folder: Path, file: str, rows: Rows) -> None:
    """The rows of a dataset file, written anew."""
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
    (folder / file).write_text("".join(lines), "utf-8")


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """A manifest as it is given, true or not."""
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False), "utf-8")


def seal(folder: Path, manifest: dict[str, Any] | None = None) -> None:
    """Let the manifest name the files and rows as they are now.

    So a fault looks as if the export itself had made it, and not as if somebody had tampered.
    """
    manifest = manifest or read_manifest(folder)
    for name, fact in manifest["files"].items():
        content = (folder / name).read_bytes()
        fact["sha256"], fact["bytes"] = sha256(content).hexdigest(), len(content)
        if fact.get("rows") is not None:
            fact["rows"] = content.count(b"\n")
    for name, origins in manifest["rows"].items():
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        for origin, line in zip(origins, lines, strict=False):
            origin[ROW_HASH] = sha256(line).hexdigest()[:16]
    write_manifest(folder, manifest)
