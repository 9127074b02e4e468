"""How the engines answer the claim: by indexes, however many tasks there are."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from db import clock
from db.access import leases
from db.access.leases import Asker
from db.access.tasks import KINDS, Kind
from db.engine import Backend, Database
from db.tables import Query, Task, WorkBatch, WorkBatchPerson
from db.tables.base import new_ids
from schemas.people import Actor
from tests.factories import a_query

QUERIES = 4_000


@contextmanager
def _plans(database: Database) -> Generator[list[str]]:
    """How each statement inside the block is answered, in the engine's words."""
    ask = "EXPLAIN" if database.backend is Backend.POSTGRESQL else "EXPLAIN QUERY PLAN"
    found: list[str] = []

    def on_execute(
        connection: Any, _cursor: Any, statement: str, parameters: Any, *_: object
    ) -> None:
        cursor = connection.connection.cursor()
        cursor.execute(f"{ask} {statement}", parameters)
        found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(database.writer, "before_cursor_execute", on_execute)
    yield found
    event.remove(database.writer, "before_cursor_execute", on_execute)


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
    database: Database, admin: Actor, chen: Actor, kind: Kind
) -> None:
    at = clock.now()
    asker = Asker(admin.project_id, chen.person_id, at, at)
    with database.transaction() as session, _plans(database) as plans:
        assert leases.take_next(session, asker, kind)  # from the head
        assert leases.take_next(session, asker, kind)  # from where the last search ended
    claims = [plan for plan in plans if plan]
    assert len(claims) == 2
    for plan in claims:
        assert "ix_task_next" in plan
        assert re.search(r"(SCAN|Seq Scan on) (task|query|other|skipped)\b(?!_)", plan) is None, (
            plan
        )
