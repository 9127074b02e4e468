"""Synthesis: the memory of a batch, at 10,000 and at 100,000 requests.

Each batch is prepared and asked by a process of its own against an endpoint that answers at once;
the figure is the most that the process ever held. What grows with the rows of a batch would show as
a difference; the floor is the smaller batch. SQLite's page cache, which fills up to its bound
whatever is done, is held small meanwhile, or it would be all that is seen.

Usage: `python -m tests.bench.synthesis_memory [requests of the larger batch]`
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from db import connections
from db.engine import Database, sqlite_url
from db.upgrade import upgrade
from labeling.accounts import command_line_actor
from labeling.synthesis.batch import batch_progress, prepare_batch
from labeling.synthesis.work import ask_some
from schemas.synthesis import SynthesisOrder
from tests.bench.figures import Figure, report
from tests.bench.synthesis import add_queries
from tests.factories import a_project
from tests.fakes.endpoint_process import ROOT, running_endpoint

AT_ONCE = 200
SMALL = 10_000
SMALL_CACHE_KIB = 4096


def main(requests: int) -> None:
    """Measure both batches."""
    small, large = (peak_of(count) for count in (SMALL, requests))
    what = f"{requests:,} requests, {AT_ONCE} at once: most memory held"
    report(__name__, [Figure(what, large, "MB", "≤ 1.1 times", small, f"{SMALL:,} requests")])


def peak_of(requests: int) -> float:
    """The most memory that the process of a batch held, in MB."""
    with tempfile.TemporaryDirectory() as folder, running_endpoint() as endpoint:
        path = Path(folder) / "planwright.db"
        database = Database(sqlite_url(path))
        upgrade(database)
        who = a_project(database)
        add_queries(database, who, requests)
        database.close()
        asked = subprocess.run(
            [sys.executable, "-m", "tests.bench.synthesis_memory", str(path), endpoint.url],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    done, peak = asked.stdout.split()
    if int(done) != requests:
        raise SystemExit(f"{done} of {requests} were answered")
    return float(peak)


def ask(path: str, url: str) -> None:
    """The batch, from its preparation to its last answer."""
    connections.CACHE_KIB = SMALL_CACHE_KIB
    database = Database(sqlite_url(Path(path)))
    who = command_line_actor(database, "main")
    order = SynthesisOrder(endpoint=url, model="fake", concurrency=AT_ONCE)
    batch_id, round_ = prepare_batch(database, who, order)
    while ask_some(database, batch_id, "bench", round_=round_, is_closing=lambda: False) == "more":
        pass
    done = batch_progress(database, who, batch_id).done
    database.close()
    print(done, most_held())


def most_held() -> float:
    """The most memory that this process ever held, in MB; `getrusage` would tell its parent's."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    if len(sys.argv) > 2:
        ask(*sys.argv[1:])
    else:
        main(int((sys.argv[1:] or ["100000"])[0]))
