"""Bundles that are there: listed, looked at, packed, compared, recalled, rebuilt."""

import re
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from db.access import bundles as access
from db.engine import Database, Session
from db.tables import Bundle
from exports import manifest
from exports.folder import zip_folder
from exports.formats import RowForm
from exports.lines import to_format
from exports.materials import Materials
from exports.pinned import load_pinned
from exports.rows import Renderer
from exports.writing import Contents, write_bundle
from schemas.bundle import (
    BundleDifference,
    BundleSummary,
    BundleView,
    FileDifference,
    FileFact,
    PoolFigures,
    Rebuilt,
    Recalled,
)
from schemas.errors import ExportRefused, InvalidInput, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.recipe import BundleRecipe, read_recipe
from schemas.scoring.check import Problem
from schemas.sentences import sentence
from schemas.settings import Settings


def list_bundles(database: Database, who: Actor) -> list[BundleSummary]:
    """The project's bundles, newest first."""
    who.require("admin")
    with database.reading() as session:
        return [_summary(*each) for each in access.list_bundles(session, who.project_id)]


def get_bundle(database: Database, who: Actor, bundle_id: str) -> BundleView:
    """A bundle by id, by name (the newest), or by the beginning of its id.

    Raises:
        NotFound: `export.bundle_not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        bundle = find_row(session, who, bundle_id)
        summary = _summary(bundle, access.find_author(session, bundle))
        counts: dict[str, Any] = bundle.counts
        refusal: Any = bundle.refusal
        progress = counts.get("progress")
        return BundleView(
            **dict(summary),
            folder=bundle.folder,
            recipe=BundleRecipe.model_validate(bundle.recipe),
            pools=tuple(PoolFigures.model_validate(each) for each in counts.get("pools", ())),
            files={
                name: FileFact.model_validate(fact)
                for name, fact in counts.get("files", {}).items()
            },
            manifest_hash=bundle.manifest_hash,
            refusal=refusal,
            verification=counts.get("verification"),
            progress=(progress[0], progress[1]) if progress else None,
        )


def bundle_folder(settings: Settings, bundle: BundleView) -> Path:
    """Where a bundle's files are."""
    return (settings.home / bundle.folder).resolve()


def bundle_zip(database: Database, settings: Settings, who: Actor, bundle_id: str) -> Path:
    """The zip of a ready bundle, packed on first use; the same bytes wherever it is packed.

    Raises:
        TransitionRefused: `export.bundle_not_ready`.
        ExportRefused: the disk is full.
    """
    bundle = get_bundle(database, who, bundle_id)
    require_ready(bundle, who)
    folder = bundle_folder(settings, bundle)
    target = folder.with_name(f"{folder.name}.zip")
    if not target.exists():
        zip_folder(folder, target, root=_file_name(bundle.name))
    return target


def recall(database: Database, who: Actor, query_id: str) -> list[Recalled]:
    """Every line of every bundle that came from a query, newest bundle first."""
    who.require("admin")
    with database.reading() as session:
        lines = access.list_recalled(session, who.project_id, query_id)
    return [Recalled(**line._asdict()) for line in lines]


def diff(database: Database, who: Actor, a: str, b: str) -> BundleDifference:
    """Two bundles side by side: rows of each file by their hash, and what differs in the recipes.

    Raises:
        NotFound: `export.bundle_not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        first, second = find_row(session, who, a), find_row(session, who, b)
        counts = access.count_lines_by_file(session, who.project_id, first.id, second.id)
        recipes: list[dict[str, Any]] = [dict(first.recipe), dict(second.recipe)]
    changed: dict[str, tuple[JsonValue, JsonValue]] = {
        key: (recipes[0].get(key), recipes[1].get(key))
        for key in sorted({*recipes[0], *recipes[1]})
        if recipes[0].get(key) != recipes[1].get(key)
    }
    files = tuple(
        FileDifference(file=file, only_a=only_a, only_b=only_b, both=both)
        for file, (only_a, only_b, both) in counts.items()
    )
    return BundleDifference(a=first.id, b=second.id, files=files, recipe=changed)


def rebuild(database: Database, who: Actor, manifest_path: Path, out: Path) -> Rebuilt:
    """Write the bundle of a manifest again, from the rows in the database.

    Raises:
        InvalidInput: `export.manifest_unreadable`; `export.rows_gone`, which names each row that is
            missing here or is not what it was.
        ExportRefused: the folder cannot be written.
    """
    who.require("admin")
    held = manifest.read_manifest(manifest_path)
    rows = manifest.read_rows(held["rows"], manifest_path)
    contents = Contents(
        recipe=read_recipe(held["recipe"]),
        pools=manifest.read_pools(held["pools"], manifest_path),
        origins={name: rows[name] for name in manifest.in_order(rows)},
        split=held.get("split"),
        apart=held.get("apart"),
    )
    with database.reading() as session:
        materials = Materials(load_pinned(session, who.project_id), RowForm.of(contents.recipe))
        renderer = Renderer(session, who.project_id, materials)
        try:
            written = write_bundle(renderer, contents, target=out)
        except ExportRefused as error:
            if error.code not in ("export.row_missing", "export.row_changed"):
                raise
            gone = _gone(renderer, contents)
            raise InvalidInput("export.rows_gone", gone, count=len(gone)) from error
    facts = {name: fact.model_dump(exclude_none=True) for name, fact in written.files.items()}
    differing = sorted(
        name for name in {*facts, *held["files"]} if facts.get(name) != held["files"].get(name)
    )
    return Rebuilt(len(facts), tuple(differing), held["row_code"] != manifest.row_code_hash())


def require_ready(bundle: BundleView, who: Actor) -> None:
    """Refuse a bundle that ms-swift has not read back.

    Raises:
        TransitionRefused: `export.bundle_not_ready`.
    """
    if bundle.state not in ("ready", "ready_lengths_unknown"):
        state = sentence(f"export.state_{bundle.state}", {}, who.language)
        raise TransitionRefused("export.bundle_not_ready", name=bundle.name, state=state)


def find_row(session: Session, who: Actor, reference: str) -> Bundle:
    """The row of a bundle, inside a transaction.

    Raises:
        NotFound: `export.bundle_not_found`.
    """
    bundle = access.find_bundle(session, who.project_id, reference)
    if bundle is None:
        raise NotFound("export.bundle_not_found", reference=reference)
    return bundle


def _gone(renderer: Renderer, contents: Contents) -> list[Problem]:
    """Each query of which some row is not what it was, once."""
    found = {
        problem.path: problem
        for name, origins in contents.origins.items()
        for problem in renderer.find_gone(to_format(name), origins)
    }
    return [found[query_id] for query_id in sorted(found)]


def _summary(bundle: Bundle, author: str | None) -> BundleSummary:
    files: dict[str, Any] = bundle.counts.get("files", {})  # pyright: ignore[reportAssignmentType]
    return BundleSummary(
        bundle_id=bundle.id,
        name=bundle.name,
        state=bundle.state,  # pyright: ignore[reportArgumentType]
        rows={name: fact["rows"] for name, fact in files.items() if fact.get("rows")},
        created_at=bundle.created_at,
        created_by=author,
    )


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "bundle"
