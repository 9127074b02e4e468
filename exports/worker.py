"""A worker process: takes long work that a server has started, on a machine of its own.

Its machine is a node: it gives signs of life, and does its part in runs on several nodes.
"""

import logging
import signal
import threading
import time

from db.durable import Durable
from db.engine import Backend, Database
from exports import bundle_work, reward_bench_work
from exports.training import chain, examine, nodes
from exports.training.members import tend
from exports.training.sweep import sweep
from labeling import import_work
from labeling.synthesis import batch, probe_work
from schemas.errors import InvalidInput
from schemas.settings import Settings

WORK = (import_work, batch, probe_work, bundle_work, reward_bench_work, chain, examine)
"""Importing these registers the workflows that a worker may be handed."""


TICK_S = 0.5
BEAT_S = 2.0


def work(settings: Settings, database: Database, *, node: str) -> None:
    """Take work until asked to leave.

    Raises:
        InvalidInput: `training.worker_needs_postgresql`; an SQLite file has one server.
    """
    if database.backend is Backend.SQLITE:
        raise InvalidInput("training.worker_needs_postgresql")
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: leave.set())
    sweep(settings)
    durable = Durable(settings, database, executor_id=f"worker-{node}")
    durable.launch()
    tending = threading.Thread(target=_tend, args=(settings, database, node, leave), daemon=True)
    try:
        nodes.report(database, settings, node)
        tending.start()
        print(f"Planwright: worker {node} takes work.", flush=True)
        leave.wait()
    finally:
        durable.close()
        nodes.leave(database, node)


def _tend(settings: Settings, database: Database, node: str, leave: threading.Event) -> None:
    """Give signs of life and look after the node's runs, whatever one look runs into."""
    beat_at = 0.0
    while not leave.wait(TICK_S):
        try:
            if time.monotonic() >= beat_at:
                nodes.beat(database, node)
                beat_at = time.monotonic() + BEAT_S
            tend(database, settings, node)
        except Exception:  # the edge of one look: the next may find the database again
            logging.getLogger(__name__).exception("node %s", node)
            leave.wait(BEAT_S)
