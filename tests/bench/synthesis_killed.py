"""Synthesis: 10,000 requests to an endpoint that misbehaves, by a command that is killed twice.

Of the requests 5 % are told to slow down, 2 % time out, 1 % come back empty (each of these once),
1 % are cut off and 1 % bring a plan that cannot be read. The command is killed by SIGKILL after a
third and after two thirds of the answers, and given again. There is no clock in the figures.

Usage: `python -m tests.bench.synthesis_killed [requests]`
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sqlmodel import col, func, select

from db.engine import Database, sqlite_url
from db.tables import Suggestion, SynthesisRequest
from db.upgrade import upgrade
from tests.bench.figures import Figure, report
from tests.bench.synthesis import add_queries
from tests.factories import a_project
from tests.fakes.endpoint import Behaviour, fault_of
from tests.fakes.endpoint_process import ROOT, RunningEndpoint, running_endpoint

AT_ONCE = 200
FAULTS = {"rate_limited": 0.05, "hangs": 0.02, "empty": 0.01, "cut_off": 0.01, "bad_plan": 0.01}
TIMEOUT_S = 5.0
CLASSES = {"cut_off": "replies.cut_off", "bad_plan": "replies.invalid_plan"}
"""What a fault that does not pass is called where it is stored."""


def main(requests: int) -> None:
    """Ask, kill, ask, kill, ask; count."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_endpoint(latency_s=0.2, **FAULTS) as endpoint,
    ):
        database = Database(sqlite_url(Path(folder) / "planwright.db"))
        upgrade(database)
        who = a_project(database)
        add_queries(database, who, requests)
        for share in (1 / 3, 2 / 3):
            kill_at(endpoint, Path(folder), round(requests * share))
        code = start(endpoint, Path(folder)).wait()
        if code not in (0, 3):
            raise SystemExit(f"the command ended with {code}")
        report(__name__, counted(database, endpoint, requests))
        database.close()


def start(endpoint: RunningEndpoint, home: Path) -> "subprocess.Popen[bytes]":
    """The command, as anybody gives it."""
    words = ["synthesize", "--endpoint", endpoint.url, "--model", "fake"]
    words += ["--concurrency", str(AT_ONCE), "--timeout", str(TIMEOUT_S)]
    return subprocess.Popen(
        [sys.executable, "app.py", *words],
        cwd=ROOT,
        env=os.environ | {"PLANWRIGHT_HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )


def kill_at(endpoint: RunningEndpoint, home: Path, answers: int) -> None:
    """Kill the command while so many answers are out and all other requests are held back."""
    endpoint.configure(hold_after=answers)
    process = start(endpoint, home)
    while sum(endpoint.counts()["answered"].values()) < answers:
        if process.poll() is not None:
            raise SystemExit(f"the command ended with {process.returncode}")
        time.sleep(0.5)
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    endpoint.configure(hold_after=None)


def counted(database: Database, endpoint: RunningEndpoint, requests: int) -> list[Figure]:
    """What became of the requests, against what the endpoint counted."""
    answered = endpoint.counts()["answered"]
    behaviour = replace(Behaviour(), **FAULTS)
    faults = {content: fault_of(behaviour, content) for content in answered}
    # What comes back empty is asked for once more by design.
    again = sum(count - 1 - (faults[content] == "empty") for content, count in answered.items())
    with database.reading() as session:
        ended = Counter(session.exec(select(SynthesisRequest.state)).all())
        failures = Counter(session.exec(select(SynthesisRequest.failure)).all())
        queries = session.exec(select(func.count(func.distinct(col(Suggestion.query_id))))).one()
        stored = session.exec(select(func.count()).select_from(Suggestion)).one()
    expected = Counter(CLASSES.get(fault or "") for fault in faults.values())
    misplaced = sum(((failures - expected) + (expected - failures)).values())
    what = f"{requests:,} requests, {AT_ONCE} at once, killed twice"
    return [
        Figure(f"{what}: lost", requests - queries + ended["open"], "", "0 exactly"),
        Figure("stored twice", stored - queries, "", "0 exactly"),
        Figure("paid for again", max(again, 0), "", f"≤ {2 * AT_ONCE}"),
        Figure("in another class of failure than the endpoint's", misplaced, "", "0 exactly"),
        Figure("failed, cut off or not to be read", requests - failures[None], "", "about 2 %"),
    ]


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["10000"])[0]))
