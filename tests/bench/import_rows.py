"""How fast a file of queries becomes rows and tasks, on SQLite.

Floor: executemany of the same lines into a bare table of one column, in chunks of the same size.
"""

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

import orjson

from db.access.intake import CHUNK
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from labeling.intake import import_file
from tests.bench.figures import Figure, report
from tests.factories import a_project

ROWS = 100_000


def write_queries(path: Path, rows: int) -> None:
    """Queries of ordinary length, every fourth with a short dialogue before it."""
    turns = [
        {"role": "user", "content": "帮我看看店铺最近的经营情况"},
        {"role": "assistant", "content": "最近七天成交额下降百分之十二，流量基本持平。"},
    ]
    with path.open("wb") as file:
        for number in range(rows):
            row = {
                "id": f"q-{number:07}",
                "query": f"上周第{number}号店铺的流量怎么掉了这么多，应该先看哪几个指标？",
                "history": turns if number % 4 == 0 else [],
            }
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def floor_rate(path: Path, folder: Path) -> float:
    """Lines a second into a bare table."""
    lines = [(line,) for line in path.read_text("utf-8").splitlines()]
    connection = sqlite3.connect(folder / "floor.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE bare (line TEXT)")
    began = time.perf_counter()
    for start in range(0, len(lines), CHUNK):
        with connection:
            connection.executemany("INSERT INTO bare VALUES (?)", lines[start : start + CHUNK])
    taken = time.perf_counter() - began
    connection.close()
    return len(lines) / taken


def import_rate(path: Path, folder: Path, rows: int) -> tuple[float, float]:
    """Rows a second the first time, and again when every row is known."""
    database = Database(sqlite_url(folder / "bench.db"))
    upgrade(database)
    who = a_project(database)
    rates: list[float] = []
    for expected in ("added", "known"):
        began = time.perf_counter()
        counts = import_file(database, who, path, kind="queries", errors_dir=folder)
        rates.append(rows / (time.perf_counter() - began))
        assert getattr(counts, expected) == rows
    database.close()
    return rates[0], rates[1]


def main(rows: int = ROWS) -> None:
    """Measure and report."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "queries.jsonl"
        write_queries(path, rows)
        floor = floor_rate(path, folder)
        added, known = import_rate(path, folder, rows)
    floor_is = "executemany into a bare table"
    report(
        "import_rows",
        [
            Figure(
                f"{rows:,} queries with their tasks", added, "rows/s", "≥ 20,000", floor, floor_is
            ),
            Figure("the same file again", known, "rows/s", "", floor, floor_is),
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
