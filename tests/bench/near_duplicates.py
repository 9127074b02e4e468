"""All of 100,000 queries against each other: how long it takes, and how surely near ones are found.

One query in ten is a near-duplicate of an older one, in Chinese, in English or in both: in other
form, with a word of politeness, without one or two characters. Then 1,000 more are imported, a
tenth of them near-duplicates of the old, and held against those. Two kinds are hard: questions that
share all of their words with each other, and one sentence with a number in it, 100,000 times.

Floor: the normalised form looked up in a dictionary, which finds no near-duplicate.
"""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from labeling.near_clusters import Asked, compare_queries, join
from schemas.clusters import asked_text, cluster_key, normalised
from schemas.people import Actor
from tests.bench.figures import Figure, report
from tests.bench.leak_guard import a_question
from tests.bench.queries import KINDS, Kind, a_near_duplicate, a_query
from tests.factories import a_project
from tests.many_rows import add_waiting

LOOK_UP = "exact look-up only"
QUERIES = 100_000
LATER = 1_000


class Planted(NamedTuple):
    """A query, its kind, and of which other (by its place) it was made a near-duplicate."""

    text: str
    kind: Kind
    of: int | None


def main() -> None:
    """Measure and report."""
    planted = _planted(QUERIES + LATER)
    texts = [row.text for row in planted]
    floor_s, later_floor_s = _looked_up(texts[:QUERIES]), _looked_up(texts[QUERIES:])
    with tempfile.TemporaryDirectory() as name:
        database = Database(sqlite_url(Path(name) / "planwright.db"))
        upgrade(database)
        who = a_project(database)
        add_waiting(database, who, texts[:QUERIES])
        first_s = _compared(database, who)
        add_waiting(database, who, texts[QUERIES:])
        later_s = _compared(database, who)
        database.close()
    figures = [
        Figure(
            f"{QUERIES:,} queries against each other, read from and remembered in SQLite",
            first_s,
            "s",
            "< 30",
            floor_s,
            LOOK_UP,
        ),
        Figure(f"{LATER:,} more against these", later_s, "s", "", later_floor_s, LOOK_UP),
        *_found(planted[:QUERIES]),
    ]
    dice = random.Random(5)
    words = sorted({a_question(dice) for _ in range(QUERIES)})
    moulded = [
        f"第{number}家店上周的流量和转化率为什么下降，应该怎么调整" for number in range(QUERIES)
    ]
    for what, hard in (("that share all their words", words), ("of one sentence", moulded)):
        figures.append(_hard(f"{len(hard):,} questions {what}", hard))
    report(__name__, figures)


def _planted(count: int) -> list[Planted]:
    dice = random.Random(3)
    rows: list[Planted] = []
    for number in range(count):
        kind = KINDS[number % 3]
        if number % 10 or number < 30:
            rows.append(Planted(a_query(dice, kind), kind, None))
        else:
            of = dice.randrange(number // 3) * 3 + number % 3
            rows.append(Planted(a_near_duplicate(dice, rows[of].text, kind), kind, of))
    return rows


def _compared(database: Database, who: Actor) -> float:
    began = time.perf_counter()
    compare_queries(database, who.project_id)
    return time.perf_counter() - began


def _found(planted: Sequence[Planted]) -> list[Figure]:
    keys = _keys([row.text for row in planted])
    figures: list[Figure] = []
    for kind in KINDS:
        hits = [
            keys[n] == keys[row.of]
            for n, row in enumerate(planted)
            if row.kind == kind and row.of is not None
        ]
        count = f"({sum(hits):,} of {len(hits):,})"
        what = f"{kind}: planted near-duplicates beside their original {count}"
        figures.append(Figure(what, 100 * sum(hits) / len(hits), "%", "≥ 95"))
    others = [n for n, row in enumerate(planted) if row.of is None]
    first: dict[str, int] = {}
    wrong = sum(first.setdefault(keys[n], n) != n for n in others)
    what = f"others beside another that was not planted ({wrong:,} of {len(others):,})"
    return [*figures, Figure(what, 100 * wrong / len(others), "%", "≤ 0.2")]


def _keys(texts: Sequence[str]) -> list[str]:
    """The key of each text."""
    asked = {cluster_key(text): text for text in texts}
    joined = join([Asked(cluster, asked_text(text)) for cluster, text in asked.items()])
    keys = {each.cluster: each.key for each in joined}
    return [keys[cluster_key(text)] for text in texts]


def _hard(what: str, texts: Sequence[str]) -> Figure:
    floor_s = _looked_up(texts)
    asked = [Asked(str(number), asked_text(text)) for number, text in enumerate(texts)]
    began = time.perf_counter()
    join(asked)
    return Figure(what, time.perf_counter() - began, "s", "< 30", floor_s, LOOK_UP)


def _looked_up(texts: Sequence[str]) -> float:
    """Seconds of looking up exactly."""
    known: dict[str, str] = {}
    began = time.perf_counter()
    for text in texts:
        known.setdefault(normalised(text), text)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
