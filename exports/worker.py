"""A worker process: takes long work that a server has started, on a machine of its own."""

import signal
import threading

# Importing them registers the workflows that this process may be handed.
import exports.bundle_work
import exports.training.chain
import exports.training.examine  # noqa: F401
from db.durable import Durable
from db.engine import Backend, Database
from schemas.errors import InvalidInput
from schemas.settings import Settings


def work(settings: Settings, database: Database, *, node: str) -> None:
    """Take work until asked to leave.

    Raises:
        InvalidInput: `training.worker_needs_postgresql`; an SQLite file has one server.
    """
    if database.backend is Backend.SQLITE:
        raise InvalidInput("training.worker_needs_postgresql")
    leave = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leave.set())
    durable = Durable(settings, database, executor_id=f"worker-{node}")
    durable.launch()
    try:
        print(f"Planwright: worker {node} takes work.", flush=True)
        leave.wait()
    finally:
        durable.close()
