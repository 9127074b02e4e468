"""Checks of a bundle's files: they are those that its manifest names, rows and plugin included."""

from collections.abc import Callable, Iterator
from hashlib import file_digest, sha256
from typing import NamedTuple

from exports.checks.lines import Held
from exports.scoring_files import FOLDER


class Wrong(NamedTuple):
    """A file that is not right, and the line where that begins; 0 where it is the whole file."""

    file: str
    line: int = 0


class FileCheck(NamedTuple):
    """One kind of fault of files; `training.{name}` is its sentence."""

    name: str
    find: Callable[[Held], Iterator[Wrong]]


def _missing(held: Held) -> Iterator[Wrong]:
    for name in held.manifest.get("files", {}):
        if not (held.folder / name).exists():
            yield Wrong(name)


def _changed(held: Held) -> Iterator[Wrong]:
    yield from (Wrong(name) for name in _with_other_bytes(held) if not _is_plugin(name))


def _plugin_changed(held: Held) -> Iterator[Wrong]:
    """What rewards is what measures: the scoring has the hash that stands on runs."""
    wrong = next((name for name in _with_other_bytes(held) if _is_plugin(name)), None)
    if wrong is not None:
        yield Wrong(wrong)
        return
    wanted = held.manifest.get("scoring")
    if wanted is not None and _scoring_hash(held) != wanted:
        yield Wrong(FOLDER)


def _miscounted(held: Held) -> Iterator[Wrong]:
    for name, fact in held.manifest.get("files", {}).items():
        path = held.folder / name
        rows = fact.get("rows")
        if rows is not None and path.exists() and _count(held, name) != rows:
            yield Wrong(name)


def _without_lines(held: Held) -> Iterator[Wrong]:
    """The manifest names rows that are not there."""
    for name, origins in held.origins.items():
        rows = _count(held, name)
        if len(origins) > rows:
            yield Wrong(name, rows + 1)


def _without_origins(held: Held) -> Iterator[Wrong]:
    """Rows of which the manifest says nothing."""
    for name, origins in held.origins.items():
        if len(origins) < _count(held, name):
            yield Wrong(name, len(origins) + 1)


def _with_other_bytes(held: Held) -> Iterator[str]:
    for name, fact in held.manifest.get("files", {}).items():
        path = held.folder / name
        if not path.exists():
            continue
        with path.open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != fact["sha256"]:
                yield name


def _count(held: Held, name: str) -> int:
    path = held.folder / name
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _is_plugin(name: str) -> bool:
    return name == "reward_plugin.py" or name.startswith(f"{FOLDER}/")


def _scoring_hash(held: Held) -> str:
    """As `schemas.scoring.source` takes it, of the modules in the bundle."""
    digest = sha256()
    for path in sorted((held.folder / FOLDER).glob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


CHECKS: tuple[FileCheck, ...] = (
    FileCheck("file_missing", _missing),
    FileCheck("file_changed", _changed),
    FileCheck("plugin_changed", _plugin_changed),
    FileCheck("file_miscounted", _miscounted),
    FileCheck("file_rows_missing", _without_lines),
    FileCheck("file_rows_unnamed", _without_origins),
)
