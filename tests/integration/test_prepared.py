"""Prepared statements mean what SQLAlchemy's do, and PostgreSQL keeps their plans."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy import bindparam

from db.engine import Database, in_one_trip, take_turns
from db.prepared import ONE, Prepared, word
from db.tables import Event, Project, SetupLink

_EVENT, _PROJECT, _LINK = (
    Event.metadata.tables[name] for name in ("event", "project", "setup_link")
)
_ADD = Prepared(
    sa.insert(_EVENT).values(subject=word("bench"), subject_id=bindparam("thing")),
    "id",
    "project_id",
    "action",
    "why",
    "at",
)
_FIND = Prepared(
    sa.select(_EVENT.c.action, _EVENT.c.why, _EVENT.c.at, _EVENT.c.person_id)
    .where(_EVENT.c.subject_id == bindparam("thing"))
    .order_by(_EVENT.c.id)
)
_NEWEST = Prepared(sa.select(_EVENT.c.id).order_by(_EVENT.c.id.desc()).limit(ONE))


@pytest.fixture
def project_id(database: Database) -> str:
    with database.transaction() as session:
        project = Project(name="main")
        session.add(project)
        session.flush()
        return project.id


def test_values_come_back_as_sqlalchemy_would_give_them(database: Database, project_id: str):
    at = datetime(2026, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    why = {"text": "周报 {} ' \" \\", "steps": [1, None, 0.5]}
    with database.transaction() as session:
        _ADD.run(session, thing="a", id="1", project_id=project_id, action="x", why=why, at=at)
    with database.reading() as session:
        assert _FIND.all(session, thing="a") == [("x", why, at, None)]
        assert _FIND.first(session, thing="a")[2].tzinfo == UTC  # pyright: ignore
        row = session.get_one(Event, "1")
        assert (row.subject, row.why, row.at) == ("bench", why, at)


def test_nothing_is_found_where_nothing_is(database: Database):
    with database.reading() as session:
        assert _FIND.first(session, thing="nobody") is None
        assert _FIND.all(session, thing="nobody") == []


def test_a_transaction_that_raises_leaves_nothing_of_them(database: Database, project_id: str):
    at = datetime.now(UTC)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        _ADD.run(session, thing="b", id="1", project_id=project_id, action="x", why={}, at=at)
        _ = 1 / 0
    with database.reading() as session:
        assert _NEWEST.first(session) is None


def test_changes_in_one_trip_are_there_in_their_order(database: Database, project_id: str):
    at = datetime.now(UTC)
    with database.transaction() as session:
        with in_one_trip(session):
            take_turns(session, "something")
            for number in range(5):
                _ADD.run(
                    session,
                    thing="c",
                    id=str(number),
                    project_id=project_id,
                    action=str(number),
                    why={},
                    at=at,
                )
        assert [row[0] for row in _FIND.all(session, thing="c")] == list("01234")


def test_a_change_that_is_refused_in_one_trip_takes_the_transaction_with_it(
    database: Database, project_id: str
):
    at = datetime.now(UTC)
    with (
        pytest.raises(Exception, match=r"(?i)unique"),
        database.transaction() as session,
        in_one_trip(session),
    ):
        for _ in range(2):
            _ADD.run(session, thing="d", id="1", project_id=project_id, action="x", why={}, at=at)
    with database.reading() as session:
        assert _NEWEST.first(session) is None


def test_readings_do_not_make_postgresql_forget_a_plan(postgresql_database: Database):
    for _ in range(20):
        with postgresql_database.transaction() as session:
            _FIND.all(session, thing="e")
        with postgresql_database.reading() as session:
            _NEWEST.first(session)
    with postgresql_database.transaction() as session:
        kept = session.connection().exec_driver_sql(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%FROM event%%'"
        )
        assert kept.scalar_one() == 2


def test_a_connection_that_the_server_ended_is_replaced(
    postgresql_database: Database, monkeypatch: pytest.MonkeyPatch
):
    with postgresql_database.transaction() as session:
        session.add(SetupLink(token_hash="x", expires_at=datetime.now(UTC)))
    postgresql_database.close()
    with postgresql_database.reading() as session, postgresql_database.reading() as other:
        Prepared(sa.select(_LINK.c.token_hash)).first(other)
        session.connection().exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    monkeypatch.setattr("db.connections._TRUSTED_FOR_S", -1.0)
    for _ in range(3):
        with postgresql_database.reading() as session:
            assert Prepared(sa.select(_LINK.c.token_hash)).first(session) == ("x",)
