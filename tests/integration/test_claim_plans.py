"""How the engines answer the claim: by indexes, however many tasks there are."""

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db import clock, prepared
from db.access import leases
from db.access.leases import Asker
from db.access.tasks import KINDS, Kind
from db.engine import Backend, Database, driver_of
from db.tables import Query, Task, WorkBatch, WorkBatchPerson
from db.tables.base import new_ids
from schemas.people import Actor
from tests.factories import a_query

QUERIES = 4_000


class Explaining:
    """A driver's connection that asks the engine for its plan before each statement."""

    def __init__(self, driver: Any, ask: str, plans: list[str]) -> None:
        self.driver = driver
        self.ask = ask
        self.plans = plans

    def execute(self, text: str, values: Any) -> Any:
        rows = self.driver.execute(f"{self.ask} {text}", values).fetchall()
        self.plans.append("\n".join(str(row[-1]) for row in rows))
        return self.driver.execute(text, values)


@pytest.fixture
def plans(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How each prepared statement is answered from now on, in the engine's words."""
    ask = "EXPLAIN" if database.backend is Backend.POSTGRESQL else "EXPLAIN QUERY PLAN"
    found: list[str] = []

    def explaining(session: Session) -> tuple[Any, Any]:
        driver, dialect = driver_of(session)
        return Explaining(driver, ask, found), dialect

    monkeypatch.setattr(prepared, "driver_of", explaining)
    return found


@pytest.fixture
def a_long_queue(database: Database, admin: Actor, li: Actor, wang: Actor) -> None:
    """Tasks of both kinds, every second of them in a batch of its own people."""
    query = a_query(database, admin)
    with database.transaction() as session:
        row = session.get_one(Query, query).model_dump()
        batches = [WorkBatch(project_id=admin.project_id, name=f"{each}") for each in range(10)]
        session.add_all(batches)
        session.flush()
        session.add(WorkBatchPerson(work_batch_id=batches[0].id, person_id=wang.person_id))
        ids = new_ids(QUERIES)
        session.connection().execute(
            sa.insert(Query.metadata.tables["query"]),
            [row | {"id": each, "import_key": each} for each in ids],
        )
        tasks = [
            {
                "project_id": admin.project_id,
                "kind": kind,
                "query_id": each,
                "slot": 1,
                "status": "open",
                "rank": 0,
                "created_at": clock.now(),
                "author_id": None if kind == "label" else li.person_id,
                "work_batch_id": batches[number % 10].id if number % 2 else None,
            }
            for number, each in enumerate(ids)
            for kind in KINDS
        ]
        session.connection().execute(sa.insert(Task.metadata.tables["task"]), tasks)
    if database.backend is Backend.POSTGRESQL:
        with database.transaction() as session:
            session.connection().exec_driver_sql("ANALYZE")


@pytest.mark.usefixtures("a_long_queue")
@pytest.mark.parametrize("kind", KINDS)
def test_a_claim_walks_no_table_from_end_to_end(
    database: Database, admin: Actor, chen: Actor, plans: list[str], kind: Kind
) -> None:
    at = clock.now()
    asker = Asker(admin.project_id, chen.person_id, at, at)
    with database.transaction() as session:
        assert leases.take_next(session, asker, kind)  # from the head
        assert leases.take_next(session, asker, kind)  # from where the last search ended
    assert len(plans) == 2
    for plan in plans:
        assert "ix_task_next" in plan
        assert re.search(r"(SCAN|Seq Scan on) (task|query|other|skipped)\b(?!_)", plan) is None, (
            plan
        )
