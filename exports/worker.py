"""A worker process: takes long work that a server has started, on a machine of its own."""

import signal
import threading

from db.durable import Durable
from db.engine import Backend, Database
from exports import bundle_work, reward_bench_work
from exports.training import chain, examine
from labeling import import_work
from labeling.synthesis import batch
from schemas.errors import InvalidInput
from schemas.settings import Settings

WORK = (import_work, batch, bundle_work, reward_bench_work, chain, examine)
"""Importing these registers the workflows that a worker may be handed."""


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
    durable = Durable(settings, database, executor_id=f"worker-{node}")
    durable.launch()
    try:
        print(f"Planwright: worker {node} takes work.", flush=True)
        leave.wait()
    finally:
        durable.close()
