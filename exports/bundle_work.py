"""An export as durable work, for pages: it survives the tab and the app."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from db.durable import Durable, resources, step, workflow
from db.engine import Database
from db.tables.base import new_id
from exports.bundle import FOLDER, begin_bundle, refuse_bundle, verify_rows, write_rows
from exports.folder import require_writable
from schemas.errors import ExportRefused, PlanwrightError
from schemas.people import Actor
from schemas.recipe import BundleRecipe
from schemas.settings import Settings

_log = logging.getLogger(__name__)


def new_order() -> str:
    """The id that a page's next export will have, so that asking twice makes one bundle."""
    return new_id()


def start_export(
    database: Database,
    durable: Durable,
    settings: Settings,
    who: Actor,
    recipe: BundleRecipe,
    *,
    order: str | None = None,
) -> str:
    """Begin a bundle and leave its making to a workflow; the id to follow with `get_bundle`.

    Args:
        database: Where its row goes.
        durable: What runs the workflow.
        settings: Whose home its folder is in.
        who: An admin.
        recipe: What to export.
        order: From `new_order`; the same order of the same recipe is the same bundle.

    Raises:
        ExportRefused: `export.cannot_write`, at the click rather than later.
        NotAllowed: only admins export.
        NotFound: `training.recipe_not_found`.
    """
    who.require("admin")
    require_writable(settings.home / FOLDER)
    bundle_id = begin_bundle(database, who, recipe, order)
    durable.start(make_bundle, f"export-{bundle_id}", bundle_id, asdict(who))
    return bundle_id


@workflow("export.bundle")
def make_bundle(bundle_id: str, who: dict[str, Any]) -> None:
    """Write, then verify; a refusal stands on the bundle and ends the work."""
    if _step_write(bundle_id, who):
        _step_verify(bundle_id, who)


@step("export.write")
def _step_write(bundle_id: str, who: dict[str, Any]) -> bool:
    return _is_done(write_rows, bundle_id, Actor(**who))


@step("export.verify")
def _step_verify(bundle_id: str, who: dict[str, Any]) -> bool:
    return _is_done(verify_rows, bundle_id, Actor(**who))


def _is_done(
    part: Callable[[Database, Settings, Actor, str], object], bundle_id: str, who: Actor
) -> bool:
    """Do a part of the work; whether the next may follow."""
    have = resources()
    try:
        part(have.database, have.settings, who, bundle_id)
    except PlanwrightError:
        return False
    except Exception:
        _give_up(have.database, who, bundle_id)
        raise
    return True


def _give_up(database: Database, who: Actor, bundle_id: str) -> None:
    """A defect of ours: logged in full, and never a bundle that seems to be in the making."""
    _log.exception("export of bundle %s failed", bundle_id)
    refuse_bundle(database, who, bundle_id, ExportRefused("export.failed", bundle=bundle_id))
