"""The database goes up, down and up again with rows in it, and equals the tables."""

import json
from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlmodel import SQLModel, select

from db.engine import Database, sqlite_url
from db.tables import (
    Project,
    Query,
    Suggestion,
    SynthesisBatch,
    SynthesisRequest,
    Task,
)
from db.upgrade import downgrade, is_current, upgrade
from schemas.ranks import FLAGGED_FIRST
from tests.factories import a_label_query, a_project, a_query


def test_migrations_go_up_down_and_up_again(database: Database) -> None:
    who = a_project(database)
    a_query(database, who)
    downgrade(database, "base")
    assert sa.inspect(database.writer).get_table_names() == ["alembic_version"]
    upgrade(database)
    assert is_current(database)


def test_migrating_again_keeps_every_row(database: Database) -> None:
    who = a_project(database)
    query_id = a_query(database, who)
    upgrade(database)
    with database.reading() as session:
        assert session.get_one(Query, query_id).text
        assert session.get_one(Project, who.project_id).name == "main"


def test_a_flagged_review_stands_before_all_others_before_and_after_a_migration(
    database: Database,
) -> None:
    who = a_project(database)
    query_id = a_label_query(database, who, rank=-5)
    rank = -5 - FLAGGED_FIRST
    with database.transaction() as session:
        row = Task(project_id=who.project_id, query_id=query_id, kind="review", rank=rank)
        session.add(row)
    ranks = sa.text("SELECT rank FROM task ORDER BY kind")
    downgrade(database, "0001")
    with database.writer.connect() as connection:
        assert list(connection.execute(ranks).scalars()) == [0, -1_000_000]
    upgrade(database)
    with database.writer.connect() as connection:
        assert list(connection.execute(ranks).scalars()) == [0, -FLAGGED_FIRST]


def test_the_migrations_equal_the_tables(database: Database) -> None:
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_new_database_file_is_not_current(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "new.db"))
    assert not is_current(database)
    upgrade(database)
    assert is_current(database)
    database.close()


def test_a_version_without_rederivation_keeps_what_was_written_and_asks_for_none_of_it(
    database: Database,
) -> None:
    who = a_project(database)
    query_id = a_query(database, who)
    order = {"endpoint": "http://here/v1", "model": "m", "rederive": {"tries": 3, "agree": 2}}
    with database.transaction() as session:
        batch = SynthesisBatch(project_id=who.project_id, order=order, order_hash="h")
        session.add(batch)
        session.flush()
        asked = {"project_id": who.project_id, "batch_id": batch.id, "query_id": query_id}
        session.add(SynthesisRequest(candidate=1, request_key="k", kind="trace", **asked))
        said = {"project_id": who.project_id, "query_id": query_id, "origin": "rederived"}
        session.add(Suggestion(trace="想过", rederived_for="a revision", **said))
    downgrade(database, "0002")
    with database.writer.connect() as connection:
        kept = sa.text("SELECT origin, trace, failure FROM suggestion")
        assert connection.execute(kept).all() == [("import", "想过", "replies.no_plan")]
        for table in ("synthesis_batch", "synthesis_request"):
            count = sa.text(f"SELECT count(*) FROM {table}")
            assert connection.execute(count).scalar() == 0
    upgrade(database)
    assert is_current(database)


def test_a_version_without_named_endpoints_goes_on_with_orders_that_it_can_read(
    database: Database,
) -> None:
    who = a_project(database)
    query_id = a_query(database, who)
    plain = {"endpoint": "http://here/v1", "model": "m"}
    orders = {
        "named": plain | {"endpoints": ["a", "b"], "repair": {"endpoint": None}},
        "trial": plain | {"trial": {"first": "a@1", "second": "b@1"}},
    }
    with database.transaction() as session:
        for name, order in orders.items():
            batch = SynthesisBatch(
                project_id=who.project_id, order=order, order_hash=name, state="paused"
            )
            session.add(batch)
            session.flush()
            asked = {"project_id": who.project_id, "batch_id": batch.id, "query_id": query_id}
            kind = "answer" if name == "named" else "trial"
            tokens = {"input_tokens": 7, "output_tokens": 5}
            session.add(
                SynthesisRequest(candidate=1, request_key=name, kind=kind, **asked, **tokens)
            )
    downgrade(database, "0004")
    with database.writer.connect() as connection:
        batches = sa.text('SELECT "order", state FROM synthesis_batch')
        ((order, state),) = connection.execute(batches).all()
        requests = connection.execute(sa.text("SELECT request_key FROM synthesis_request")).all()
    assert (json.loads(order) if isinstance(order, str) else order) == plain
    assert (state, requests) == ("cancelled", [("named",)])
    upgrade(database)
    with database.reading() as session:
        (batch,) = session.exec(select(SynthesisBatch)).all()
        assert (batch.spent_tokens, batch.budget, batch.currency) == (12, None, "")
