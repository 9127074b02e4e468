"""Claim, draft, submit at the services, with 100,000 queries and 16 people at once.

The floor does the least that could hand out a query and keep a plan: one bare UPDATE … RETURNING
and one INSERT a loop, through the same turnstile, with the same threads.

Usage: `python -m tests.bench.claim_submit [loops] [queries]`
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from db.engine import Backend, Database, sqlite_url
from db.tables import Task
from db.tables.base import new_id, now
from db.upgrade import upgrade
from labeling import annotate
from schemas.people import Actor
from tests.bench.figures import Figure, report
from tests.factories import EXPERTS, a_person, a_project
from tests.postgresql import a_database, a_server

PEOPLE = 16
PACE = 100
PLAN = {
    "rewritten_query": "上周店铺流量为什么下降，怎样恢复",
    "steps": [
        {"expert": EXPERTS[3], "sub_questions": ["上周流量下降的原因"], "order": 1},
        {"expert": EXPERTS[2], "sub_questions": ["怎样恢复流量"], "order": 2},
    ],
}
TABLES = Task.metadata.tables


class Measured(NamedTuple):
    """What one race of all people gave; times in milliseconds."""

    loops_per_s: float
    claim_p50_ms: float
    claim_p95_ms: float
    cpu_ms: float
    doubles: int


def fill(database: Database, admin: Actor, count: int) -> None:
    """Queries with one suggestion and one label task each."""
    with database.transaction() as session:
        connection = session.connection()
        project = connection.execute(sa.select(TABLES["project"])).mappings().one()
        pins = project["settings"]
        for start in range(0, count, 5_000):
            ids = [new_id() for _ in range(start, min(start + 5_000, count))]
            queries = [_query(admin, query_id, pins) for query_id in ids]
            connection.execute(sa.insert(TABLES["query"]), queries)
            suggestions = [_suggestion(admin, query_id) for query_id in ids]
            connection.execute(sa.insert(TABLES["suggestion"]), suggestions)
            tasks = [_task(admin, query_id) for query_id in ids]
            connection.execute(sa.insert(TABLES["task"]), tasks)


def race(loop: Callable[[int], tuple[float, str]], loops: int) -> Measured:
    """All people at once, until `loops` loops are done; a loop gives claim seconds and query."""
    waits: list[list[float]] = [[] for _ in range(PEOPLE)]
    taken: list[list[str]] = [[] for _ in range(PEOPLE)]
    failures: list[BaseException] = []

    def work(person: int) -> None:
        try:
            for _ in range(loops // PEOPLE):
                wait, query_id = loop(person)
                waits[person].append(wait)
                taken[person].append(query_id)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(person,)) for person in range(PEOPLE)]
    began, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failures:
        raise failures[0]
    each = sorted(wait * 1000 for person in waits for wait in person)
    handed_out = [query_id for person in taken for query_id in person]
    return Measured(
        loops_per_s=len(handed_out) / took,
        claim_p50_ms=statistics.median(each),
        claim_p95_ms=each[int(len(each) * 0.95)],
        cpu_ms=(time.process_time() - cpu) * 1000 / len(handed_out),
        doubles=len(handed_out) - len(set(handed_out)),
    )


def bare_loop(database: Database, admin: Actor, people: list[Actor]) -> Measured:
    """The floor; it uses up label tasks of its own project's end."""
    task = TABLES["task"]
    first = (
        sa.select(task.c.id)
        .where(
            task.c.project_id == admin.project_id,
            task.c.kind == "label",
            task.c.status == "open",
        )
        .order_by(task.c.rank.desc(), task.c.id.desc())
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )

    def loop(person: int) -> tuple[float, str]:
        began = time.perf_counter()
        with database.transaction() as session:
            claim = (
                sa.update(task)
                .where(task.c.id == first, task.c.status == "open")
                .values(status="done", person_id=people[person].person_id)
                .returning(task.c.query_id)
            )
            query_id = session.connection().execute(claim).scalar_one()
        waited = time.perf_counter() - began
        with database.transaction() as session:
            session.connection().execute(
                sa.insert(TABLES["event"]).values(
                    id=new_id(),
                    project_id=admin.project_id,
                    subject="bench",
                    subject_id=query_id,
                    action="kept",
                    why=PLAN,
                    at=now(),
                )
            )
        return waited, query_id

    return race(loop, 4_000)


def real_loop(
    database: Database,
    people: list[Actor],
    loops: int,
    *,
    drafts: int,
    per_second: float | None = None,
) -> Measured:
    """What a label page does: open the next query, save drafts, submit.

    With `per_second` all people together make so many loops in a second; else as many as they can.
    """
    pause = PEOPLE / per_second if per_second else 0.0
    due = [time.perf_counter() + pause * person / PEOPLE for person in range(PEOPLE)]

    def loop(person: int) -> tuple[float, str]:
        who = people[person]
        time.sleep(max(0.0, due[person] - time.perf_counter()))
        due[person] += pause
        began = time.perf_counter()
        item = annotate.open_next(database, who)
        waited = time.perf_counter() - began
        if item is None:
            raise LookupError("the queue is empty")
        number = item.draft_number
        for save in range(drafts):
            content = {**PLAN, "rewritten_query": f"{PLAN['rewritten_query']} {save}"}
            number = annotate.save_draft(
                database, who, item.annotation_id, number=number, content=content
            ).number
        annotate.submit(
            database, who, item.annotation_id, number=number, content=PLAN, seconds=20.0
        )
        return waited, item.query_id

    return race(loop, loops)


def measure(database: Database, name: str, loops: int, queries: int, promised: str) -> list[Figure]:
    """All figures of one engine."""
    upgrade(database)
    admin = a_project(database)
    people = [a_person(database, admin.project_id, "annotator") for _ in range(PEOPLE)]
    fill(database, admin, queries)
    floor = bare_loop(database, admin, people)
    real_loop(database, people, PEOPLE * 4, drafts=1)
    plain = real_loop(database, people, loops, drafts=0)
    drafted = real_loop(database, people, loops, drafts=1)
    paced = real_loop(database, people, 1_600, drafts=0, per_second=PACE)
    said = "one bare UPDATE … RETURNING and INSERT"
    rate = floor.loops_per_s
    return [
        Figure(f"{name}: claim, submit", plain.loops_per_s, "loops/s", promised, rate, said),
        Figure(f"{name}: claim, draft, submit", drafted.loops_per_s, "loops/s", "", rate, said),
        Figure(
            f"{name}: claim p50", plain.claim_p50_ms, "ms", "", floor.claim_p50_ms, "bare claim"
        ),
        Figure(
            f"{name}: claim p95", plain.claim_p95_ms, "ms", "", floor.claim_p95_ms, "bare claim"
        ),
        Figure(f"{name}: claim p50 at {PACE} loops a second", paced.claim_p50_ms, "ms", ""),
        Figure(f"{name}: claim p95 at {PACE} loops a second", paced.claim_p95_ms, "ms", "≤ 50"),
        Figure(
            f"{name}: processor time of claim, submit",
            plain.cpu_ms,
            "ms a loop",
            "≤ 2.5 on SQLite",
            floor.cpu_ms,
            said,
        ),
        Figure(
            f"{name}: handed out twice",
            plain.doubles + drafted.doubles + paced.doubles,
            "queries",
            "0 exactly",
        ),
    ]


def _query(admin: Actor, query_id: str, pins: dict[str, object]) -> dict[str, object]:
    return {
        "id": query_id,
        "project_id": admin.project_id,
        "kind": "queries",
        "import_key": query_id,
        "content_hash": query_id,
        "text": "那怎么配置关键词？顺便给老客推一下",
        "history": [{"role": "user", "content": "上周的流量怎么掉了这么多？"}],
        "list_version_id": pins["current_list_version_id"],
        "prompt_version_id": pins["current_prompt_version_id"],
        "dialect": "zh@1",
        "window": 6,
        "cluster": query_id,
        "state": "ready",
        "created_at": now(),
    }


def _suggestion(admin: Actor, query_id: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "project_id": admin.project_id,
        "query_id": query_id,
        "origin": "model",
        "candidate": 1,
        "model": "deepseek-r1",
        "trace": "用户在问怎样配置关键词。" * 20,
        "trace_length": 240,
        "plan": PLAN,
        "is_repaired": False,
        "created_at": now(),
    }


def _task(admin: Actor, query_id: str) -> dict[str, object]:
    return {
        "project_id": admin.project_id,
        "kind": "label",
        "query_id": query_id,
        "slot": 1,
        "status": "open",
        "rank": 0,
        "created_at": now(),
    }


def main(loops: int = 4_800, queries: int = 100_000) -> None:
    """Measure both engines and report."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(sqlite_url(Path(folder) / "bench.db"))
        figures += measure(database, Backend.SQLITE.value, loops, queries, "≥ 400")
        database.close()
    with a_server() as server, a_database(server) as database:
        figures += measure(database, Backend.POSTGRESQL.value, loops, queries, "≥ 200")
    report("claim_submit", figures)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
