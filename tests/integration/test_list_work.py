"""Weighing a list and moving rows as durable work: followed, ordered twice, interrupted."""

import time
from collections.abc import Iterator

import pytest

from db.access.exports import list_suggestions
from db.durable import Durable
from db.engine import Database
from labeling import list_work
from labeling.experts import get_list, publish
from labeling.list_drafts import open_draft, save_draft
from labeling.migration import list_moved
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.list_impact_report import ListWorkView
from schemas.people import Actor
from schemas.settings import Settings
from tests.factories import EXPERTS, a_person, a_project
from tests.many_rows import add_decided

CROWD = {"name": "人群运营专家", "description": "圈选老客、会员，发放优惠券，提升复购"}


@pytest.fixture
def work(sqlite_database: Database, settings: Settings) -> Iterator[Durable]:
    """Long work that is done in this process."""
    durable = Durable(settings, sqlite_database, executor_id="serve")
    durable.launch()
    yield durable
    durable.close()


@pytest.fixture
def lead(sqlite_database: Database) -> Actor:
    """An admin on SQLite."""
    return a_project(sqlite_database)


def rename_one(database: Database, who: Actor) -> None:
    _, now = get_list(database, who, "merchant@1")
    experts = [each.model_dump(mode="json") for each in now.experts]
    experts[0] |= {"name": "数据专家", "aliases": [EXPERTS[0]]}
    publish(database, who, {"name": "merchant", "experts": experts})


def ended(database: Database, who: Actor, work_id: str) -> ListWorkView:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = list_work.get_work(database, who, work_id)
        if found.state != "running":
            return found
        time.sleep(0.05)
    pytest.fail("the work did not end")


def test_rows_are_moved_in_the_background_and_ordered_again_add_nothing(
    sqlite_database: Database, work: Durable, lead: Actor
) -> None:
    add_decided(sqlite_database, lead, 250, (EXPERTS[0], "查询流量"))
    rename_one(sqlite_database, lead)
    begun = list_work.start_migration(sqlite_database, work, lead, "merchant@1", "merchant@2")
    found = ended(sqlite_database, lead, begun.id)
    assert found.counts
    assert (found.state, found.done, found.total) == ("done", 250, 250)
    assert (found.counts.automatic, found.counts.known) == (250, 0)
    again = list_work.start_migration(sqlite_database, work, lead, "merchant@1", "merchant@2")
    counts = ended(sqlite_database, lead, again.id).counts
    assert counts
    assert (counts.automatic, counts.known) == (0, 250)
    assert [each.id for each in list_work.list_migrations(sqlite_database, lead)] == [
        again.id,
        begun.id,
    ]


def test_what_was_moved_is_no_models_answer_for_a_bundle(
    sqlite_database: Database, work: Durable, lead: Actor
) -> None:
    add_decided(sqlite_database, lead, 3, (EXPERTS[0], "查询流量"))
    rename_one(sqlite_database, lead)
    begun = list_work.start_migration(sqlite_database, work, lead, "merchant@1", "merchant@2")
    ended(sqlite_database, lead, begun.id)
    made = [each.query_id for each in list_moved(sqlite_database, lead, "merchant@2")]
    assert len(made) == 3
    with sqlite_database.reading() as session:
        ids = [each for each in made if each]
        assert list_suggestions(session, lead.project_id, ids) == {}


def test_work_that_was_cut_off_goes_on_where_it_stood(
    sqlite_database: Database, settings: Settings, lead: Actor
) -> None:
    add_decided(sqlite_database, lead, 300, (EXPERTS[0], "查询流量"))
    rename_one(sqlite_database, lead)
    begun, migration = list_work.begin_migration(sqlite_database, lead, "merchant@1", "merchant@2")
    assert list_work.move_some(sqlite_database, lead, migration, begun.id)
    assert list_work.get_work(sqlite_database, lead, begun.id).done == 100
    durable = Durable(settings, sqlite_database, executor_id="serve")
    durable.launch()
    again = list_work.start_migration(sqlite_database, durable, lead, "merchant@1", "merchant@2")
    found = ended(sqlite_database, lead, again.id)
    durable.close()
    assert again.id == begun.id
    assert found.counts
    assert (found.done, found.counts.automatic, found.counts.known) == (300, 300, 0)


def test_a_draft_is_weighed_before_it_is_published_few_rows_at_once_and_many_in_the_background(
    sqlite_database: Database, work: Durable, lead: Actor
) -> None:
    draft = open_draft(sqlite_database, lead, "merchant")
    experts = [*draft.content["experts"], CROWD]  # pyright: ignore
    content = {**draft.content, "experts": experts}
    save_draft(sqlite_database, lead, draft.id, number=0, content=content, changes=None)
    add_decided(
        sqlite_database, lead, 10, (EXPERTS[2], "圈选老客并发放优惠券"), (EXPERTS[0], "流量")
    )
    soon = list_work.start_impact(sqlite_database, work, lead, draft_id=draft.id)
    assert soon.impact
    assert (soon.state, soon.impact.rows.people, soon.impact.rows.untouched) == ("done", 5, 5)
    assert soon.impact.after == "merchant@0"
    add_decided(sqlite_database, lead, list_work.SOON, (EXPERTS[2], "圈选老客并发放优惠券"))
    later = list_work.start_impact(sqlite_database, work, lead, draft_id=draft.id)
    found = ended(sqlite_database, lead, later.id)
    assert found.impact
    assert found.impact.rows.people == 5 + list_work.SOON
    with pytest.raises(NotFound):
        get_list(sqlite_database, lead, "merchant@2")


def test_two_published_versions_are_weighed_too(
    sqlite_database: Database, work: Durable, lead: Actor
) -> None:
    rename_one(sqlite_database, lead)
    found = list_work.start_impact(
        sqlite_database, work, lead, before="merchant@1", after="merchant@2"
    )
    assert found.impact
    assert found.impact.changes.source == "proposed"


def test_work_on_lists_is_for_those_who_may(
    sqlite_database: Database, work: Durable, lead: Actor
) -> None:
    draft = open_draft(sqlite_database, lead, "travel")
    with pytest.raises(InvalidInput, match="no published version"):
        list_work.start_impact(sqlite_database, work, lead, draft_id=draft.id)
    annotator = a_person(sqlite_database, lead.project_id, "annotator")
    reviewer = a_person(sqlite_database, lead.project_id, "reviewer")
    with pytest.raises(NotAllowed):
        list_work.start_impact(
            sqlite_database, work, annotator, before="merchant@1", after="merchant@1"
        )
    with pytest.raises(NotAllowed):
        list_work.start_migration(sqlite_database, work, reviewer, "merchant@1", "merchant@1")
    with pytest.raises(NotAllowed):
        list_work.list_migrations(sqlite_database, annotator)
    with pytest.raises(NotFound):
        list_work.get_work(sqlite_database, reviewer, "none")
