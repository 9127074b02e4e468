"""Remembering which line came from which query, while the files are being written.

The lines of one bundle are many, and the database takes as long for them as the disk for the files.
It needs little of the interpreter meanwhile, so a thread of its own hands them over; in portions,
so that nobody who labels waits for the whole.
"""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Self

from db.access import bundles as access
from db.engine import Database

_PORTION_ROWS = 20_000
_MOST_WAITING = 1


class _Portion(NamedTuple):
    """Lines of one file that follow each other: the first one's number, and their origins."""

    file: str
    first: int
    blocks: list[bytes]


class Remembering:
    """Call it with each block of origins; those of an attempt that fails are forgotten again."""

    def __init__(self, database: Database, project_id: str, bundle_id: str) -> None:
        self._database, self._project_id, self._bundle_id = database, project_id, bundle_id
        self._hand = ThreadPoolExecutor(1, thread_name_prefix="remembering")
        self._waiting: deque[Future[None]] = deque()
        self._open: _Portion | None = None

    def __enter__(self) -> Self:
        self._forget()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        is_whole = False
        try:
            if kind is None:
                self._hand_over()
                self._wait(0)
                is_whole = True
        finally:
            self._hand.shutdown(cancel_futures=True)
            if not is_whole:
                self._forget()

    def __call__(self, file: str, first: int, origins: bytes) -> None:
        """Take the origins of a file's lines, in order, from the line `first` on."""
        held = self._open
        if held is None or held.file != file or first - held.first >= _PORTION_ROWS:
            self._hand_over()
            held = self._open = _Portion(file, first, [])
        held.blocks.append(origins)

    def _hand_over(self) -> None:
        if self._open is not None:
            self._wait(_MOST_WAITING)
            self._waiting.append(self._hand.submit(self._remember, self._open))
            self._open = None

    def _wait(self, most: int) -> None:
        """Let no more than so many portions wait; what one of them failed with is raised."""
        while len(self._waiting) > most:
            self._waiting.popleft().result()

    def _remember(self, portion: _Portion) -> None:
        origins = b"[" + b"".join(portion.blocks)[:-1].replace(b"\n", b",") + b"]"
        with self._database.transaction() as session:
            access.add_lines(
                session,
                self._project_id,
                self._bundle_id,
                portion.file,
                first=portion.first,
                origins=origins.decode(),
            )

    def _forget(self) -> None:
        with self._database.transaction() as session:
            access.delete_lines(session, self._project_id, self._bundle_id)
