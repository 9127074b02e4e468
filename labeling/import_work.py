"""Imports from the pages: the file is put aside, and a durable workflow reads it."""

import shutil
from pathlib import Path
from typing import Any

import orjson

from db import durable
from db.access import intake as access
from db.durable import Durable, resources
from db.engine import Database
from db.tables import ImportFile
from db.tables.base import new_id
from labeling.intake import import_file
from schemas.errors import NotFound, PlanwrightError
from schemas.intake import ImportCounts, ImportKind, ImportView
from schemas.people import Actor
from schemas.settings import Settings

ERRORS = "imports"
"""Folder in `home` for the rows that were refused."""


def start_import(
    database: Database,
    work: Durable,
    settings: Settings,
    who: Actor,
    path: Path,
    *,
    kind: ImportKind,
    experts: str | None = None,
    mapping: dict[str, str] | None = None,
    encoding: str | None = None,
) -> str:
    """Take a copy of an uploaded file and import it in the background; returns the import's id."""
    who.require("admin")
    import_id = new_id()
    kept = settings.home / "uploads" / import_id / (path.name or "upload")
    kept.parent.mkdir(parents=True)
    shutil.copyfile(path, kept)
    with database.transaction() as session:
        access.add_import(session, who, kind, kept.name, import_id)
    order: dict[str, Any] = {
        "path": str(kept.relative_to(settings.home)),
        "kind": kind,
        "experts": experts or None,
        "mapping": mapping or {},
        "encoding": encoding or None,
    }
    work.start(_run_import, f"import-{import_id}", import_id, _to_plain(who), order)
    return import_id


def list_imports(database: Database, who: Actor, *, limit: int = 20) -> list[ImportView]:
    """The newest imports first."""
    who.require("reviewer")
    with database.reading() as session:
        return [_view(row) for row in access.list_imports(session, who.project_id, limit)]


def import_view(database: Database, who: Actor, import_id: str) -> ImportView:
    """Where an import stands.

    Raises:
        NotFound: `intake.import_not_found`.
    """
    who.require("reviewer")
    return _view(_find(database, who, import_id))


def errors_file(database: Database, settings: Settings, who: Actor, import_id: str) -> Path:
    """The rows of an import that were refused, with line and reason.

    Raises:
        NotFound: `intake.import_not_found`; there is none, or the file is gone.
    """
    who.require("admin")
    name = _find(database, who, import_id).errors_file
    path = settings.home / ERRORS / Path(name or "").name
    if not name or not path.is_file():
        raise NotFound("intake.import_not_found")
    return path


@durable.step("intake.read_file")
def _read_file(import_id: str, person: dict[str, Any], order: dict[str, Any]) -> str | None:
    have = resources()
    try:
        import_file(
            have.database,
            Actor(**person),
            have.settings.home / order["path"],
            kind=order["kind"],
            errors_dir=have.settings.home / ERRORS,
            experts=order["experts"],
            mapping=order["mapping"],
            encoding=order["encoding"],
            import_id=import_id,
        )
    except PlanwrightError as error:
        # An unreadable file is an answer, not a crash: its reason is told like a row's.
        if not _is_told(have.database, import_id, Actor(**person)):
            _tell_failure(have.database, have.settings, import_id, error, Actor(**person))
        return error.code
    return None


@durable.workflow("intake.import_file")
def _run_import(import_id: str, person: dict[str, Any], order: dict[str, Any]) -> str | None:
    return _read_file(import_id, person, order)


def _is_told(database: Database, import_id: str, who: Actor) -> bool:
    """Whether the import had begun; then it has recorded its failure itself."""
    return _find(database, who, import_id).state == "failed"


def _tell_failure(
    database: Database, settings: Settings, import_id: str, error: PlanwrightError, who: Actor
) -> None:
    name = f"{import_id}.errors.jsonl"
    folder = settings.home / ERRORS
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"line": 0, "code": error.code, "reason": error.sentence(who.language)}
    (folder / name).write_bytes(orjson.dumps(entry) + b"\n")
    with database.transaction() as session:
        row = access.find_import(session, who.project_id, import_id)
        counts = row.counts if row is not None else {}
        access.save_import(session, import_id, state="failed", counts=counts, errors_file=name)


def _find(database: Database, who: Actor, import_id: str) -> ImportFile:
    with database.reading() as session:
        row = access.find_import(session, who.project_id, import_id)
    if row is None:
        raise NotFound("intake.import_not_found")
    return row


def _view(row: ImportFile) -> ImportView:
    names = ImportCounts.model_fields.keys() - {"errors_file"}
    known = {name: row.counts.get(name, 0) for name in names}
    return ImportView(
        id=row.id,
        kind=row.kind,
        file_name=row.file_name,
        state=row.state,
        counts=ImportCounts(**known, errors_file=row.errors_file),
        created_at=row.created_at,
    )


def _to_plain(who: Actor) -> dict[str, Any]:
    return {name: getattr(who, name) for name in Actor.__slots__}
