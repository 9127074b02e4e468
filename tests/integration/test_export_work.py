"""An export from a page is durable work."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from db.durable import Durable
from db.engine import Database
from exports.bundle import begin_bundle, get_bundle, list_bundles
from exports.bundle_work import new_order, start_export
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


def test_an_order_that_comes_twice_is_one_bundle_even_over_a_restart(
    database: Database, settings: Settings
) -> None:
    who = a_project(database)
    a_full_project(database, who)
    order, recipe = new_order(), a_recipe(**ACCEPTED)
    for _ in range(2):
        durable = Durable(settings, database, "serve")
        durable.launch()
        try:
            for _ in range(2):
                bundle_id = start_export(database, durable, settings, who, recipe, order=order)
                assert bundle_id == order
            durable.wait(f"export-{order}")
        finally:
            durable.close()
    (bundle,) = list_bundles(database, who)
    assert (bundle.bundle_id, bundle.state) == (order, "ready_lengths_unknown")


def test_an_order_of_another_recipe_or_project_is_another_bundle(
    database: Database, settings: Settings
) -> None:
    who, other = a_project(database), a_project(database, "other")
    order = new_order()
    assert begin_bundle(database, who, a_recipe(), order) == order
    changed = begin_bundle(database, who, a_recipe(seed=7), order)
    elsewhere = begin_bundle(database, other, a_recipe(), order)
    invented = begin_bundle(database, who, a_recipe(), "../../etc")
    assert len({order, changed, elsewhere, invented}) == 4
    assert {each.bundle_id for each in list_bundles(database, who)} == {order, changed, invented}


def test_two_of_one_order_at_once_are_one_bundle(database: Database) -> None:
    who, order = a_project(database), new_order()
    with ThreadPoolExecutor(4) as threads:
        begun = [threads.submit(begin_bundle, database, who, a_recipe(), order) for _ in range(8)]
    assert {each.result() for each in begun} == {order}
    assert len(list_bundles(database, who)) == 1
