"""Bundles in the making: previewed, begun, written, verified.

A bundle's states are writing → verifying → ready, `ready_lengths_unknown` or refused. Its folder is
in `home/bundles`; a row in the database says which line came from which query.
"""

import gc
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from db.access import bundles as access
from db.access.events import add_event
from db.access.projects import read_settings
from db.engine import Database, Session, take_turns
from db.tables import Bundle
from db.tables.base import is_id, new_id
from exports.best_of import best_of_for
from exports.candidates import Judge
from exports.checks.sources import Ground
from exports.choose import choose
from exports.drafts import open_drafts
from exports.folder import discard_leftovers
from exports.formats import RowForm
from exports.ledger import OnLines
from exports.materials import Materials
from exports.pinned import load_pinned
from exports.remembering import Remembering
from exports.rows import Renderer
from exports.shelf import (
    bundle_folder,
    bundle_zip,
    diff,
    find_row,
    get_bundle,
    list_bundles,
    rebuild,
    recall,
    require_ready,
)
from exports.splits import needs_keys
from exports.training.recipes import get_recipe
from exports.training.verify import verify_bundle
from exports.writing import Contents, OnProgress, Written, contents_of, write_bundle
from labeling.duplicates import guard_of
from labeling.near_clusters import compare_queries
from schemas.bundle import BundleState
from schemas.errors import ExportRefused, InvalidInput, PlanwrightError
from schemas.people import Actor
from schemas.recipe import BundleRecipe
from schemas.settings import Settings
from schemas.training import VerifyReport

__all__ = [
    "FOLDER",
    "begin_bundle",
    "bundle_folder",
    "bundle_zip",
    "create_bundle",
    "diff",
    "get_bundle",
    "list_bundles",
    "rebuild",
    "recall",
    "refuse_bundle",
    "require_ready",
    "verify_rows",
    "write_rows",
]

_USUAL_THRESHOLD = gc.get_threshold()
FOLDER = "bundles"


def create_bundle(database: Database, settings: Settings, who: Actor, recipe: BundleRecipe) -> str:
    """Choose, write and verify a bundle now, in this process; its id.

    Raises:
        InvalidInput: the recipe selects nothing, or names a list that is not there.
        ExportRefused: the bundle cannot be written, or would not be true; its row says why.
    """
    bundle_id = begin_bundle(database, who, recipe)
    write_rows(database, settings, who, bundle_id)
    verify_rows(database, settings, who, bundle_id)
    return bundle_id


def begin_bundle(
    database: Database, who: Actor, recipe: BundleRecipe, order: str | None = None
) -> str:
    """The row of a bundle that is to be written, with its recipe resolved; its id.

    With an `order` (an id) that has begun already, by the same recipe, it is that bundle.
    """
    who.require("admin")
    get_recipe(recipe.training)
    bundle_id = order if order and is_id(order) else new_id()
    with database.transaction() as session:
        resolved = _resolved(session, who, recipe).model_dump(mode="json")
        take_turns(session, f"bundle {bundle_id}")
        known = access.find_begun(session, bundle_id)
        if known is not None:
            if known.project_id == who.project_id and known.recipe == resolved:
                return bundle_id
            bundle_id = new_id()
        access.add_bundle(
            session,
            who.project_id,
            bundle_id,
            name=recipe.name,
            recipe=resolved,
            folder=f"{FOLDER}/{bundle_id}",
            created_by=who.person_id,
        )
        add_event(session, who, "bundle", bundle_id, "export", after="writing")
    return bundle_id


def write_rows(database: Database, settings: Settings, who: Actor, bundle_id: str) -> None:
    """Choose and write the rows of a bundle that has begun; done again, it writes the same again.

    Raises:
        InvalidInput: the recipe selects nothing, or names a list that is not there.
        ExportRefused: the folder cannot be written.
    """
    with database.reading() as session:
        bundle = find_row(session, who, bundle_id)
        if bundle.state != "writing":
            return
        recipe = BundleRecipe.model_validate(bundle.recipe)
        target = settings.home / bundle.folder

    def tell(done: int, expected: int) -> None:
        with database.transaction() as session:
            find_row(session, who, bundle_id).counts = {"progress": [done, expected]}

    with _refusing(database, who, bundle_id):
        _make_way(target)
        if needs_keys(recipe):
            compare_queries(database, who.project_id)
        with (
            database.writing_through(),
            Remembering(database, who.project_id, bundle_id) as remember,
            database.reading_through() as session,
            _seldom_collected(),
        ):
            contents, written = _write(
                session,
                who.project_id,
                recipe,
                target,
                alone_until=settings.export_alone_until,
                on_lines=remember,
                on_progress=tell,
            )
        counts: dict[str, Any] = {
            "pools": [pool.model_dump(mode="json") for pool in contents.pools],
            "files": {name: fact.model_dump() for name, fact in written.files.items()},
        }
        with database.transaction() as session:
            bundle = find_row(session, who, bundle_id)
            bundle.counts, bundle.manifest_hash = counts, written.manifest_hash
            _turn(session, who, bundle, "verifying")


def _make_way(target: Path) -> None:
    """Take away what an attempt has left that did not come to its end."""
    discard_leftovers(target)
    if target.exists():
        shutil.rmtree(target)


def verify_rows(
    database: Database, settings: Settings, who: Actor, bundle_id: str
) -> VerifyReport | None:
    """Let ms-swift read back a bundle that is written; `None` if it is not at that stage.

    Raises:
        ExportRefused: `export.verification_refused`; some row does not come back as it was written.
        TrainingError: the trainer cannot be asked.
    """
    with database.reading() as session:
        bundle = find_row(session, who, bundle_id)
        if bundle.state != "verifying":
            return None
        recipe, folder = BundleRecipe.model_validate(bundle.recipe), settings.home / bundle.folder
    with _refusing(database, who, bundle_id):
        wanted = recipe.verification
        report = verify_bundle(
            folder,
            settings,
            model=wanted.model,
            model_type=wanted.model_type,
            template=wanted.template,
            max_length=wanted.max_length,
            ground=Ground(database, who.project_id),
        )
        with database.transaction() as session:
            bundle = find_row(session, who, bundle_id)
            bundle.counts = {**bundle.counts, "verification": report.model_dump(mode="json")}
            if report.is_true:
                ready = "ready" if report.lengths_known else "ready_lengths_unknown"
                _turn(session, who, bundle, ready)
        if not report.is_true:
            first = report.differences[0]
            raise ExportRefused(
                "export.verification_refused", count=report.count, file=first.file, line=first.line
            )
    return report


@contextmanager
def _seldom_collected() -> Generator[None]:
    """Let the garbage collector walk our records seldom: they are many, small and in no cycle.

    As often as usual it would take a sixth of the time of a large export.
    """
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL_THRESHOLD)


def _resolved(session: Session, who: Actor, recipe: BundleRecipe) -> BundleRecipe:
    return recipe.resolved(read_settings(session, who.project_id))


def _prepared(session: Session, project_id: str, recipe: BundleRecipe) -> tuple[Renderer, Judge]:
    pinned = load_pinned(session, project_id)
    guard = guard_of(session, project_id)
    materials = Materials(pinned, RowForm.of(recipe))
    judge = Judge(recipe, pinned.lists, guard.is_leak, best_of_for(recipe, materials))
    return Renderer(session, project_id, materials), judge


def _write(
    session: Session,
    project_id: str,
    recipe: BundleRecipe,
    target: Path,
    *,
    alone_until: int,
    on_lines: OnLines,
    on_progress: OnProgress,
) -> tuple[Contents, Written]:
    """Choose the rows, making their lines on the way, and write the folder."""
    renderer, judge = _prepared(session, project_id, recipe)
    with open_drafts(target.parent, recipe, renderer.materials) as drafts:
        selection = choose(session, project_id, recipe, judge, drafts, alone_until=alone_until)
        contents = contents_of(session, project_id, selection, drafts)
        del selection
        written = write_bundle(
            renderer, contents, target=target, on_lines=on_lines, on_progress=on_progress
        )
    return contents, written


@contextmanager
def _refusing(database: Database, who: Actor, bundle_id: str) -> Generator[None]:
    """A failure inside becomes the bundle's refusal, and goes on."""
    try:
        yield
    except PlanwrightError as error:
        refuse_bundle(database, who, bundle_id, error)
        raise


def refuse_bundle(database: Database, who: Actor, bundle_id: str, error: PlanwrightError) -> None:
    """Mark a bundle refused, with the failure as a code and its values."""
    refusal: dict[str, object] = {"code": error.code, "values": _plain(error.values)}
    if isinstance(error, InvalidInput):
        refusal["problems"] = [
            {"path": path, "code": code, "values": _plain(values)}
            for path, code, values in error.problems
        ]
    with database.transaction() as session:
        bundle = find_row(session, who, bundle_id)
        bundle.refusal = refusal
        _turn(session, who, bundle, "refused", why=refusal)


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, int | float) else str(value)
        for name, value in values.items()
    }


def _turn(
    session: Session,
    who: Actor,
    bundle: Bundle,
    state: BundleState,
    why: dict[str, object] | None = None,
) -> None:
    before, bundle.state = bundle.state, state
    add_event(session, who, "bundle", bundle.id, "export", before=before, after=state, why=why)
