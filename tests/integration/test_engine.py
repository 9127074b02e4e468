"""A transaction is whole or nothing, readers never wait, writers take turns."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from db.engine import Database
from db.tables import Person, Project, SetupLink
from tests.factories import a_project


def _names(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.exec(select(Project.name)).all())


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        session.add(Project(name="half"))
        session.flush()
        _ = 1 / 0
    assert _names(database) == []


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.transaction() as session:
        session.add(Project(name="being written"))
        session.flush()
        assert _names(database) == []
    assert _names(database) == ["being written"]


def test_sixteen_writers_lose_nothing(database: Database) -> None:
    def write(writer: int) -> None:
        for number in range(10):
            with database.transaction() as session:
                session.add(Project(name=f"{writer}-{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_names(database)) == 160


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    at = datetime(2026, 5, 1, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    with database.transaction() as session:
        session.add(SetupLink(token_hash="x", expires_at=at))
    with database.reading() as session:
        found = session.get_one(SetupLink, "x").expires_at
    assert found == at
    assert found.tzinfo == UTC


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="naive time"), database.transaction() as session:
        session.add(SetupLink(token_hash="x", expires_at=datetime(2026, 5, 1)))  # noqa: DTZ001


def test_a_snapshot_streams_whatever_the_connections_did_before(database: Database) -> None:
    who = a_project(database)
    for _ in range(3):
        with database.reading() as session:
            assert session.get_one(Project, who.project_id)
        with database.snapshot() as connection:
            streamed = connection.execution_options(yield_per=1).execute(sa.select(col(Person.id)))
            assert streamed.scalars().all() == [who.person_id]
