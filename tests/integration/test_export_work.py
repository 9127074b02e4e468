"""An export from a page is durable work."""

import pytest

from db.durable import Durable
from db.engine import Database
from exports.bundle import get_bundle
from exports.bundle_work import start_export
from schemas.errors import NotAllowed
from schemas.settings import Settings
from tests.exporting import ACCEPTED, a_full_project, a_recipe
from tests.factories import a_person, a_project


def test_a_page_starts_an_export_and_finds_it_ready_or_refused(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    durable = Durable(settings, database, "serve")
    durable.launch()
    try:
        refused = start_export(database, durable, settings, who, a_recipe(**ACCEPTED))
        durable.wait(f"export-{refused}")
        a_full_project(database, who)
        ready = start_export(database, durable, settings, who, a_recipe(**ACCEPTED))
        durable.wait(f"export-{ready}")
        reviewer = a_person(database, who.project_id, "reviewer")
        with pytest.raises(NotAllowed):
            start_export(database, durable, settings, reviewer, a_recipe(**ACCEPTED))
    finally:
        durable.close()
    view = get_bundle(database, who, refused)
    assert view.state == "refused"
    assert view.refusal is not None
    assert view.refusal["code"] == "export.nothing_selected"
    view = get_bundle(database, who, ready)
    assert view.state == "ready_lengths_unknown"
    assert view.rows == {"grpo.jsonl": 12}
    assert (settings.home / view.folder / "manifest.json").exists()
