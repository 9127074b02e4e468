"""SQLite commits that survive a power loss, many of them for one sync of the disk.

`synchronous = FULL` would sync inside each commit, while all other writers wait: 2 ms and more,
three times for every plan. `synchronous = NORMAL` leaves the log unsynced. So a transaction commits
with NORMAL, lets the next writer in, and only then waits here until the log is on the disk; whoever
committed meanwhile is covered by the same sync. The log's frames carry checksums, so after a power
loss SQLite recovers all that was synced.
"""

import os
import threading
from pathlib import Path


class LogSync:
    """Puts the write-ahead log of one SQLite database on the disk.

    The log is never locked by SQLite (the database file is), so a second descriptor does no harm.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._committed = 0
        self._synced = 0
        self._descriptor: int | None = None

    def wait(self) -> None:
        """Return when everything that this thread committed is on the disk."""
        with self._guard:
            self._committed += 1
            mine = self._committed
        with self._turn:
            if self._synced >= mine:
                return
            with self._guard:
                covered = self._committed
            os.fsync(self._open())
            self._synced = covered

    def close(self) -> None:
        """Let go of the log."""
        with self._turn:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _open(self) -> int:
        """The log's descriptor; a log that was deleted and begun anew is opened anew."""
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:
            os.close(self._descriptor)
            self._descriptor = None
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self._descriptor
