"""Export: 100,000 queries in SQLite become a bundle; rows a second, and memory above idle.

Then each accepted query gets a second suggestion with another plan, and the same recipe is written
in all four formats: rows of all files over the whole time. The floor reads the same texts from the
same file with `sqlite3` and writes them as JSON lines, without choosing, judging, rendering or
hashing anything. Time of the processor is told too, since others may be using it. That the queries
are held against each other, once and by another process, is measured by `near_duplicates`.
"""

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import orjson

from db.engine import Database, insert_many, sqlite_url
from db.tables import Project
from db.tables.base import new_id, now
from db.upgrade import upgrade
from exports.bundle import begin_bundle, bundle_folder, get_bundle, write_rows
from exports.bundle_commands import load_recipe
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.recipe import BundleRecipe
from schemas.settings import Settings
from tests.bench.figures import Figure, report
from tests.exporting import a_trace, a_zh_answer
from tests.factories import EXPERTS, a_person, a_project

QUERIES = 100_000
CHUNK = 5000


class Timed(NamedTuple):
    """What was made a second, by the clock and by the processor."""

    wall: float
    processor: float


class Export(NamedTuple):
    """What one export made, and at most how much more memory than before it took."""

    rows: int
    size: int
    rate: Timed
    peak_mb: float


def main() -> None:
    """Fill, export, measure."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(home=Path(name))
        path = settings.home / "planwright.db"
        database = Database(sqlite_url(path))
        upgrade(database)
        who = a_project(database)
        for start in range(0, QUERIES, CHUNK):
            add_queries(database, who, start)
        _compare_apart(path, who)
        floor = _timed(lambda: _floor(path, settings.home / "floor.jsonl"))
        recipe = load_recipe("mixed").model_copy(update={"shortest_traces": 1.0})
        figures = _figures(_export_apart(settings, who, recipe), recipe, floor)
        suggest_otherwise(database, who)
        everything = recipe.model_copy(update={"formats": ("sft", "grpo", "dpo", "kto")})
        figures += _figures(_export_apart(settings, who, everything), everything, floor)
        database.close()
    report(__name__, figures)


def _compare_apart(path: Path, who: Actor) -> None:
    """Nothing is new to what is measured."""
    code = (
        "import sys; from db.engine import Database; "
        "from labeling.near_clusters import compare_queries; "
        "compare_queries(Database(sys.argv[1]), sys.argv[2])"
    )
    command = [sys.executable, "-c", code, sqlite_url(path), who.project_id]
    subprocess.run(command, check=True)


def _export_apart(settings: Settings, who: Actor, recipe: BundleRecipe) -> Export:
    """Export in a process that has done nothing else, whose memory is that of the export."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_export, settings, who, recipe).result()


def _export(settings: Settings, who: Actor, recipe: BundleRecipe) -> Export:
    database = Database(sqlite_url(settings.home / "planwright.db"))
    bundle_id = begin_bundle(database, who, recipe)
    idle, children = _peak_mb(), _Children()

    def write() -> int:
        write_rows(database, settings, who, bundle_id)
        return sum(get_bundle(database, who, bundle_id).rows.values())

    rate = _timed(write)
    bundle = get_bundle(database, who, bundle_id)
    size = sum(p.stat().st_size for p in bundle_folder(settings, bundle).rglob("*.jsonl"))
    database.close()
    peak = _peak_mb() - idle + children.peak_mb
    return Export(sum(bundle.rows.values()), size, rate, peak)


def _figures(export: Export, recipe: BundleRecipe, floor: Timed) -> list[Figure]:
    count, of = len(recipe.formats), "SQLite → JSONL straight"
    written = f"{export.rows:,} rows ({export.size / 1e6:.0f} MB)"
    what = f"{written} to {', '.join(recipe.formats)}, not verified"
    promised = "≥ 20,000" if count == 2 else "≥ 30,000"
    memory = f"peak memory above idle, both processes, {count} formats"
    return [
        Figure(what, export.rate.wall, "rows/s", promised, floor.wall, of),
        Figure("by processor time", export.rate.processor, "rows/s", "", floor.processor, of),
        Figure(memory, export.peak_mb, "MB", "≤ 300"),
    ]


def _timed(make: Callable[[], int]) -> Timed:
    began, used = time.perf_counter(), _processor_s()
    made = make()
    return Timed(made / (time.perf_counter() - began), made / (_processor_s() - used))


def _processor_s() -> float:
    """Of this process and of those that it started."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


Ids = tuple[str, str, str, str, int]
"""Of query, suggestion, annotation and revision, and the number of the query."""


def add_queries(database: Database, who: Actor, start: int) -> None:
    """Of four queries two are accepted, one has a suggestion only, one is a historical chat."""
    at = now()
    with database.transaction() as session:
        project = ProjectSettings.model_validate(session.get_one(Project, who.project_id).settings)
        same = {"project_id": who.project_id}
        ids = [(new_id(), new_id(), new_id(), new_id(), n) for n in range(start, start + CHUNK)]
        insert_many(
            session,
            "query",
            ("id", "kind", "import_key", "content_hash", "text", "messages", "answer", "cluster"),
            [_query(query_id, number) for query_id, *_, number in ids],
            same
            | {
                "history": '[{"role":"user","content":"你好"}]',
                "list_version_id": project.current_list_version_id,
                "prompt_version_id": project.current_prompt_version_id,
                "dialect": "zh@1",
                "window": 6,
                "state": "ready",
                "created_at": at,
            },
        )
        insert_many(
            session,
            "suggestion",
            ("id", "query_id", "plan", "trace", "trace_length"),
            [
                (suggestion_id, query_id, _plan(number), a_trace(200 + number % 200), 200)
                for query_id, suggestion_id, _, _, number in ids
                if number % 4 < 3
            ],
            same | {"origin": "model", "candidate": 1, "is_repaired": False, "created_at": at},
        )
    _accept_half(database, who, ids)


def _accept_half(database: Database, who: Actor, ids: list[Ids]) -> None:
    same, at = {"project_id": who.project_id}, now()
    author_id = a_person(database, who.project_id, "annotator").person_id
    with database.transaction() as session:
        accepted = [each for each in ids if each[-1] % 4 < 2]
        insert_many(
            session,
            "annotation",
            ("id", "query_id", "suggestion_id", "revision_id"),
            [(each[2], each[0], each[1], each[3]) for each in accepted],
            same
            | {
                "author_id": author_id,
                "state": "accepted",
                "lead_seconds": 1.0,
                "opened_at": at,
                "decided_at": at,
            },
        )
        insert_many(
            session,
            "revision",
            ("id", "annotation_id", "content", "content_hash"),
            [(each[3], each[2], _plan(each[-1]), f"{each[-1]:064x}") for each in accepted],
            same | {"number": 1, "kind": "submitted", "author_id": author_id, "created_at": at},
        )
        connection = session.connection()
        connection.exec_driver_sql(
            "UPDATE query SET state = 'decided', chosen_annotation_id = "
            "(SELECT id FROM annotation WHERE query_id = query.id) WHERE id >= ?",
            (ids[0][0],),
        )


def suggest_otherwise(database: Database, who: Actor) -> None:
    with database.transaction() as session:
        connection = session.connection()
        found = connection.exec_driver_sql(
            "SELECT id, text FROM query WHERE state = 'decided'"
        ).all()
        step: dict[str, object] = {
            "expert": EXPERTS[4],
            "sub_questions": ["换一种做法"],
            "order": 1,
        }
        insert_many(
            session,
            "suggestion",
            ("id", "query_id", "plan", "trace", "trace_length"),
            [
                (new_id(), query_id, _plan_text(text, [step]), f"{text}{a_trace(200)}", 220)
                for query_id, text in found
            ],
            {
                "project_id": who.project_id,
                "origin": "model",
                "candidate": 2,
                "is_repaired": False,
                "created_at": now(),
            },
        )


def _query(query_id: str, number: int) -> tuple[object, ...]:
    text = f"第{number}家店上周的流量和转化率为什么下降，应该怎么调整投放"
    if number % 4 < 3:
        return (query_id, "queries", query_id, f"{number:032x}", text, None, None, query_id)
    messages = [
        {"role": "system", "content": "旧的系统提示" * 20},
        {"role": "user", "content": text},
    ]
    answer = a_zh_answer(text, trace=a_trace(150))
    kept = json.dumps(messages, ensure_ascii=False)
    return (query_id, "history", query_id, f"{number:032x}", text, kept, answer, query_id)


def _plan(number: int) -> str:
    text = f"第{number}家店上周的流量和转化率为什么下降，应该怎么调整投放"
    steps: list[dict[str, object]] = [
        {"expert": expert, "sub_questions": [f"{text}（{expert}）"], "order": order}
        for order, expert in enumerate(EXPERTS[: number % 3 + 1], start=1)
    ]
    return _plan_text(text, steps)


def _plan_text(rewritten: str, steps: list[dict[str, object]]) -> str:
    return orjson.dumps({"rewritten_query": rewritten, "steps": steps}).decode()


def _floor(path: Path, out: Path) -> int:
    connection = sqlite3.connect(path)
    statement = """
        SELECT q.text, q.messages, q.answer, r.content, s.trace FROM query q
        LEFT JOIN annotation a ON a.id = q.chosen_annotation_id
        LEFT JOIN revision r ON r.id = a.revision_id
        LEFT JOIN suggestion s ON s.id = a.suggestion_id
    """
    rows = 0
    with out.open("wb") as file:
        for row in connection.execute(statement):
            file.write(orjson.dumps({"messages": row}, option=orjson.OPT_APPEND_NEWLINE))
            rows += 1
    connection.close()
    return rows


def _peak_mb(process: str = "self") -> float:
    """Not `ru_maxrss`, which a process has from the one that started it."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class _Children(threading.Thread):
    """Watches how much memory the processes that this one starts have had at most, each."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self.start()

    def run(self) -> None:
        while True:
            for path in Path("/proc/self/task").glob("*/children"):
                with suppress(OSError, IndexError):
                    for pid in path.read_text().split():
                        command = Path(f"/proc/{pid}/cmdline").read_bytes()
                        if b"second_reader" in command:
                            self.peak_mb = max(self.peak_mb, _peak_mb(pid))
            time.sleep(0.2)


if __name__ == "__main__":
    main()
