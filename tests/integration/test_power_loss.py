"""An ended transaction is on the disk, and many share one sync."""

import os
import threading
import time
from pathlib import Path

import pytest

from db.engine import Database, sqlite_url
from db.tables import Project
from db.upgrade import upgrade


class Disk:
    """Counts syncs by file and takes its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: list[str] = []
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self.sync)

    def sync(self, descriptor: int) -> None:
        time.sleep(0.02)
        self._sync(descriptor)
        self.synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)


def _new(path: Path) -> Database:
    database = Database(sqlite_url(path))
    upgrade(database)
    return database


def _write(database: Database, name: str) -> None:
    with database.transaction() as session:
        session.add(Project(name=name))


def test_a_transaction_ends_when_the_log_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = _new(tmp_path / "planwright.db")
    disk = Disk(monkeypatch)
    _write(database, "one")
    assert disk.synced == ["planwright.db-wal"]
    with pytest.raises(ZeroDivisionError), database.transaction():
        _ = 1 / 0
    assert disk.synced == ["planwright.db-wal"]
    database.close()


def test_transactions_at_the_same_time_share_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = _new(tmp_path / "planwright.db")
    disk = Disk(monkeypatch)
    threads = [
        threading.Thread(target=_write, args=(database, f"{number}")) for number in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(disk.synced) < 16
    database.close()


def test_a_log_begun_anew_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = _new(tmp_path / "planwright.db")
    _write(database, "before")
    database.writer.dispose()
    database._readers.dispose()
    assert not (tmp_path / "planwright.db-wal").exists()
    disk = Disk(monkeypatch)
    _write(database, "after")
    assert disk.synced == ["planwright.db-wal"]
    database.close()
