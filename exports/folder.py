"""A folder that is there whole or not at all, and its zip; bytes depend on nothing but the content.

Files are written into a hidden folder beside the target and reach the disk before that folder is
renamed. Whatever goes wrong, the hidden folder goes and everything else stays as it was.
"""

import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from hashlib import sha256
from itertools import chain
from math import ceil
from pathlib import Path
from typing import IO

from schemas.bundle import FileFact
from schemas.errors import ExportRefused

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE = ".sh"


class FolderWriter:
    """Writes the files of one folder; `done` (0 to 1) says how much of it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, FileFact] = {}
        self.done = 0.0
        self.written = 0
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="syncing")
        self._syncing: list[Future[None]] = []

    def write(self, name: str, parts: Iterable[bytes]) -> FileFact | None:
        """Write one file from its parts, whole lines in a `.jsonl`; no parts, no file.

        While a part is made, the one before is written and hashed by a thread of its own; another
        sees to it that files reach the disk, which is not before `settle`.
        """
        iterator = iter(parts)
        first = next(iterator, None)
        if first is None:
            return None
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        with ExitStack() as undo:
            file = undo.enter_context(path.open("xb", buffering=1 << 20))
            fact = self._pour(chain([first], iterator), file, has_rows=path.suffix == ".jsonl")
            path.chmod(0o755 if path.suffix == _EXECUTABLE else 0o644)
            undo.pop_all()
        self._syncing.append(self._hand.submit(_sync, file))
        self.facts[name] = fact
        return fact

    def settle(self) -> None:
        """Wait until all files are on the disk."""
        for each in self._syncing:
            each.result()

    def close(self) -> None:
        """Let go of the files, whatever becomes of them."""
        self._hand.shutdown()

    def _pour(self, parts: Iterable[bytes], file: IO[bytes], *, has_rows: bool) -> FileFact:
        """Write and hash parts beside the making of the next; what came of it."""
        digest, size, count = sha256(), 0, 0

        def pour(part: bytes) -> None:
            file.write(part)
            digest.update(part)

        with ThreadPoolExecutor(1) as hand:
            poured: Future[None] | None = None
            for part in parts:
                if poured is not None:
                    poured.result()
                poured = hand.submit(pour, part)
                size, count = size + len(part), count + part.count(b"\n")
                self.written += len(part)
            if poured is not None:
                poured.result()
        rows = count if has_rows else None
        return FileFact(sha256=digest.hexdigest(), bytes=size, rows=rows)


@contextmanager
def new_folder(target: Path) -> Generator[FolderWriter]:
    """Write a folder that appears at `target` when the block ends, complete.

    Raises:
        ExportRefused: `export.disk_full`, `export.cannot_write`, `export.folder_taken`.
    """
    writer: FolderWriter | None = None
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ExportRefused("export.folder_taken", folder=target)
        target.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{target.name}.writing-"
        writer = FolderWriter(Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent)))
        writer.path.chmod(0o755)
        yield writer
        writer.settle()
        for folder in {writer.path, *(path for path in writer.path.rglob("*") if path.is_dir())}:
            _sync_folder(folder)
        writer.path.rename(target)
        _sync_folder(target.parent)
    except OSError as error:
        needed = writer.written / max(writer.done, 0.01) if writer else 0
        raise disk_refusal(error, target.parent, needed) from error
    finally:
        if writer is not None:
            writer.close()
            shutil.rmtree(writer.path, ignore_errors=True)


def require_writable(folder: Path) -> None:
    """Make a folder if need be, and refuse one in which nothing can be written.

    Raises:
        ExportRefused: `export.cannot_write`, `export.disk_full`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise disk_refusal(error, folder, 0) from error


def discard_leftovers(target: Path) -> None:
    """Remove what an interrupted writer of this very target left."""
    for path in target.parent.glob(f".{target.name}.writing-*"):
        shutil.rmtree(path, ignore_errors=True)


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder, whole or not at all.

    Raises:
        ExportRefused: as `new_folder`.
    """
    with new_folder(target) as writer:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                name = str(path.relative_to(source))
                with path.open("rb") as file:
                    writer.write(name, iter(partial(file.read, 1 << 20), b""))


def zip_folder(folder: Path, target: Path, *, root: str) -> None:
    """A zip of a folder under the name `root`: entries sorted, dated 1980-01-01, equal every time.

    Raises:
        ExportRefused: `export.disk_full`, `export.cannot_write`.
    """
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                    _add_entry(archive, path, f"{root}/{path.relative_to(folder)}")
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).rename(target)
    except OSError as error:
        raise disk_refusal(error, target.parent, 0) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _add_entry(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    mode = 0o755 if path.suffix == _EXECUTABLE else 0o644
    entry.external_attr = (0o100000 | mode) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as inside:
        shutil.copyfileobj(source, inside, 1 << 20)


def _sync(file: IO[bytes]) -> None:
    with file:
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def disk_refusal(error: OSError, folder: Path, needed_bytes: float) -> ExportRefused:
    """What the system said about a folder, as a refusal: it is full, or cannot be written."""
    if error.errno in _FULL:
        megabytes = max(1, ceil(needed_bytes / 1e6))
        return ExportRefused("export.disk_full", folder=folder, needed_mb=megabytes)
    reason = os.strerror(error.errno) if error.errno else str(error)
    return ExportRefused("export.cannot_write", folder=folder, reason=reason)
