"""Long work that survives its process; the one file that knows DBOS.

The promise: a workflow that was started runs to its end. If its process dies (`kill -9` included),
the next process with the same executor id resumes it, and no other process ever repeats a live
step: every executor takes work from its own queue only, and a lock refuses a second process under
the same id. A finished step is not run again; an interrupted one is run again from its beginning,
so a step is a chunk of rows that knows by unique keys what is already there.

Workflows and steps are plain functions on JSON values, registered at import:

    @step("synthesis.ask")
    def ask_chunk(batch_id: str) -> int: ...

    @workflow("synthesis.batch")
    def run_batch(batch_id: str) -> None:
        while ask_chunk(batch_id):
            pass

Between steps a workflow must be deterministic: what it reads, it reads in a step. Outside a
workflow both are ordinary calls.
"""

import functools
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, ParamSpec, TypeVar, cast

from dbos import DBOS, DBOSClient, DBOSConfig, Serializer, SetWorkflowID

from db.engine import Backend, Database, sqlite_url
from db.executor_lock import ExecutorLock, take_executor_lock
from db.journal_values import JournalValues
from db.tables.base import new_id
from schemas.errors import NotFound, TransitionRefused
from schemas.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

WorkState = Literal["waiting", "running", "done", "failed", "cancelled"]

# Changes only when the steps of a workflow change, and then strands the ones under way; an
# application release is no reason.
_WORK_VERSION = "1"
_NAME = "planwright"
_SCHEMA = "planwright_journal"
_SHARED_QUEUE = "planwright"
_STATES: dict[str, WorkState] = {
    "DELAYED": "waiting",
    "ENQUEUED": "waiting",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
_workflows: dict[str, Callable[..., object]] = {}


class Interrupted(BaseException):
    """This process is closing; raised in a step, it leaves the workflow to be resumed.

    No `Exception`, because the journal records those as the step's outcome.
    """


@dataclass(frozen=True, slots=True)
class Resources:
    """What workflow code works with; `closing` is set when the process wants to leave."""

    database: Database
    settings: Settings
    executor_id: str
    closing: threading.Event


_resources: Resources | None = None


class _Activity:
    """How many workflows this process is inside of."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self.count = 0

    def __enter__(self) -> None:
        with self._guard:
            self.count += 1

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self.count -= 1


_activity = _Activity()


def resources() -> Resources:
    """The database and settings of the running executor, for use inside workflows and steps."""
    if _resources is None:
        raise RuntimeError("no executor is running in this process")
    return _resources


def workflow(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a durable workflow under a name that never changes."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            with _activity:
                return function(*args, **kwargs)

        _workflows[name] = DBOS.workflow(name=name)(counted)
        function.__dict__["workflow_name"] = name
        return function

    return register


def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a step: its result is journalled, so it runs once unless interrupted."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def unless_closing(*args: P.args, **kwargs: P.kwargs) -> R:
            if _resources is not None and _resources.closing.is_set():
                raise Interrupted
            return function(*args, **kwargs)

        return DBOS.step(name=name)(unless_closing)

    return register


def command_executor_id() -> str:
    """An executor id for one command line process, never to be met again."""
    return f"command-{new_id()}"


class Durable:
    """The executor of this process: `serve`, `worker-NAME`, or a command line of its own id.

    `serve` and workers share one queue: any of them may take what any of them starts. A command
    line runs only what it started itself.
    """

    def __init__(self, settings: Settings, database: Database, executor_id: str) -> None:
        self.settings = settings
        self.database = database
        self.executor_id = executor_id
        is_shared = executor_id == "serve" or executor_id.startswith("worker-")
        self._queue = _SHARED_QUEUE if is_shared else executor_id
        self._lock: ExecutorLock | None = None

    def launch(self) -> None:
        """Open the journal, resume what this executor id left unfinished, and take work.

        Raises:
            TransitionRefused: `durable.executor_in_use`; another process runs under this id.
        """
        global _resources  # noqa: PLW0603
        self._lock = take_executor_lock(self.database, self.settings.home, self.executor_id)
        if self._lock is None:
            raise TransitionRefused("durable.executor_in_use", executor=self.executor_id)
        _resources = Resources(
            self.database, self.settings, self.executor_id, closing=threading.Event()
        )
        _quiet_logs()
        DBOS(config=_config(_prepared_journal(self.settings, self.database), self.executor_id))
        DBOS.listen_queues([self._queue])
        DBOS.launch()
        DBOS.register_queue(self._queue, polling_interval_sec=0.2)

    def close(self, grace_s: float = 5.0) -> None:
        """Stop: steps that look at `closing` leave within the grace, and resume at next launch."""
        global _resources  # noqa: PLW0603
        if self._lock is None:
            return
        resources().closing.set()
        deadline = time.monotonic() + grace_s
        while _activity.count and time.monotonic() < deadline:
            time.sleep(0.02)
        if self._queue != _SHARED_QUEUE and not _activity.count:
            DBOS.delete_queue(self._queue)
        DBOS.destroy()
        _resources = None
        self._lock.close()
        self._lock = None

    def start(self, work: str | Callable[..., object], workflow_id: str, /, *args: object) -> None:
        """Start a workflow on this executor's queue; with an id known already, do nothing.

        Work of that id whose executor died and will not come back (a command line) is taken over.
        """
        self._start(work, workflow_id, args, is_missed=lambda name: not self._is_served(name))

    def take_over(
        self, work: str | Callable[..., object], workflow_id: str, /, *args: object
    ) -> None:
        """As `start`, and from a worker that is gone too, because somebody says that it is.

        A worker that comes back all the same finds that the work is no longer its own.
        """
        self._start(work, workflow_id, args, is_missed=lambda name: not self._is_living(name))

    def _start(
        self,
        work: str | Callable[..., object],
        workflow_id: str,
        args: tuple[object, ...],
        *,
        is_missed: Callable[[str | None], bool],
    ) -> None:
        known = DBOS.get_workflow_status(workflow_id)
        if known is None:
            with SetWorkflowID(workflow_id):
                DBOS.enqueue_workflow(self._queue, _workflows[_name_of(work)], *args)
        elif _STATES[known.status] in ("waiting", "running") and is_missed(
            known.executor_id if known.status == "PENDING" else known.queue_name
        ):
            DBOS.resume_workflow(workflow_id, queue_name=self._queue)

    def status(self, workflow_id: str) -> WorkState | None:
        """How far a workflow is; `None` if no such id was ever started."""
        known = DBOS.get_workflow_status(workflow_id)
        return None if known is None else _STATES[known.status]

    def wait(self, workflow_id: str) -> object:
        """Block until a workflow has ended; its result.

        Raises:
            NotFound: `durable.unknown_work`.
            Exception: whatever the workflow raised.
        """
        if self.status(workflow_id) is None:
            raise NotFound("durable.unknown_work", work=workflow_id)
        return cast(object, DBOS.retrieve_workflow(workflow_id).get_result())

    def cancel(self, workflow_id: str) -> None:
        """Cancel a workflow: it stops at its next step. An ended one stays as it is."""
        DBOS.cancel_workflow(workflow_id)

    def _is_served(self, name: str | None) -> bool:
        """Whether an executor (or command line queue) of this name is alive or will come back."""
        return name is None or not name.startswith("command-") or self._is_living(name)

    def _is_living(self, name: str | None) -> bool:
        """Whether an executor of this name runs now; the queue that they share has no executor."""
        if name is None or name in (_SHARED_QUEUE, self.executor_id):
            return True
        lock = take_executor_lock(self.database, self.settings.home, name)
        if lock is None:
            return True
        lock.close()
        return False


def enqueue(
    settings: Settings,
    database: Database,
    work: str | Callable[..., object],
    workflow_id: str,
    /,
    *args: object,
) -> None:
    """Hand work to `serve` (or a worker) from a process that runs no executor; idempotent by id.

    It is journalled at once and begins when one of them is up.
    """
    url = _prepared_journal(settings, database)
    DBOS.migrate(url, schema=_SCHEMA)
    client = DBOSClient(
        system_database_url=url,
        dbos_system_schema=_SCHEMA,
        serializer=_serializer(),
        application_name=_NAME,
    )
    try:
        client.enqueue(
            {
                "queue_name": _SHARED_QUEUE,
                "workflow_name": _name_of(work),
                "workflow_id": workflow_id,
                "app_version": _WORK_VERSION,
            },
            *args,
        )
    finally:
        client.destroy()


def _name_of(work: str | Callable[..., object]) -> str:
    name = work if isinstance(work, str) else cast(str, work.__dict__["workflow_name"])
    if name not in _workflows:
        raise NotFound("durable.unknown_work", work=name)
    return name


def _serializer() -> Serializer:
    return cast(Serializer, JournalValues())  # the same three methods


def _config(url: str, executor_id: str) -> DBOSConfig:
    return {
        "name": _NAME,
        "system_database_url": url,
        "dbos_system_schema": _SCHEMA,
        "executor_id": executor_id,
        "application_version": _WORK_VERSION,
        "serializer": _serializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
        "notification_listener_polling_interval_sec": 0.2,
    }


def _prepared_journal(settings: Settings, database: Database) -> str:
    """The journal's URL: its own file beside an SQLite database, its own schema in PostgreSQL."""
    if settings.journal_url is not None:
        return settings.journal_url.get_secret_value()
    if database.backend is Backend.POSTGRESQL:
        return database.url.render_as_string(hide_password=False)
    settings.home.mkdir(parents=True, exist_ok=True)
    path = settings.home / "journal.db"
    with sqlite3.connect(path) as connection:
        # WAL stays with the file; DBOS would leave the default, in which readers block writers.
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return sqlite_url(path)


def _quiet_logs() -> None:
    """DBOS speaks through the application's logging, and only when something is wrong."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
