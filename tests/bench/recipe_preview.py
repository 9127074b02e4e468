"""The preview of a recipe at 100,000 queries: counts of every kind, shift, one row of each file.

The floor counts the same facts in the same file with `sqlite3` and one GROUP BY, without choosing,
keeping pools apart, or rendering anything. Making the facts of all rows once is told too.
"""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from exports.bundle_commands import load_recipe
from exports.facts import refresh_facts
from exports.preview import preview_recipe
from labeling.near_clusters import compare_queries
from schemas.recipe import Augmentation
from schemas.settings import Settings
from tests.bench.export_rows import CHUNK, QUERIES, add_queries, suggest_otherwise
from tests.bench.figures import Figure, report
from tests.factories import a_project

TIMES = 5


def main() -> None:
    """Fill, make the facts, preview."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(home=Path(name))
        path = settings.home / "planwright.db"
        database = Database(sqlite_url(path))
        upgrade(database)
        who = a_project(database)
        for start in range(0, QUERIES, CHUNK):
            add_queries(database, who, start)
        suggest_otherwise(database, who)
        began = time.perf_counter()
        refresh_facts(database, who.project_id)
        making = QUERIES / (time.perf_counter() - began)
        compare_queries(database, who.project_id)
        floor = _middle(lambda: _floor(path))
        mixed = load_recipe("mixed")
        everything = mixed.model_copy(
            update={
                "formats": ("sft", "agent", "grpo", "dpo", "kto"),
                "plain_share": 0.3,
                "expert_quota": 50,
                "augmentation": Augmentation(share=0.2, decoys=2),
            }
        )
        figures = [
            Figure(
                f"{what}, {QUERIES:,} queries",
                _middle(lambda recipe=recipe: preview_recipe(database, who, recipe)),
                "s",
                "< 1",
                floor,
                "sqlite3, one GROUP BY",
            )
            for what, recipe in (("recipe mixed", mixed), ("everything at once", everything))
        ]
        database.close()
    report(__name__, [*figures, Figure("facts made for the first time", making, "queries/s", "")])


def _middle(make: Callable[[], object]) -> float:
    """Seconds, the median of a few."""
    spent: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        make()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def _floor(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(
            "SELECT kind, reason, trace_reason, size, label, count(*), sum(trace_length) "
            "FROM row_fact JOIN fact_profile ON fact_profile.id = profile_id "
            "GROUP BY kind, reason, trace_reason, size, label"
        ).fetchall()
    finally:
        connection.close()


if __name__ == "__main__":
    main()
