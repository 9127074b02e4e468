"""A second process that judges and drafts a share of the queries, for exports of many.

Python does one thing at a time, and judging a query is all Python; with a second process both cores
of a small machine work. The two meet in a list of spans: the first process takes from its front and
hands out from its back, two at a time, so neither waits for the other. What the second finds in a
span comes back through a socket, what it drafts lies in spools whose files it passes on at the end.
Should it die, the first does its spans again: it costs time, never a bundle.
"""

import gc
import marshal
import os
import pickle
import socket
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from db.access.parts import Wanted
from db.plain import PlainSource, plain_reading
from exports.candidates import Judge
from exports.drafts import Drafts, Made
from exports.filling import Filled, fill, sources_of
from exports.training.own_process import own_process
from schemas.bundle import PoolName
from schemas.parts import Span
from schemas.recipe import BundleRecipe, Format, SourceKind

_AT_HAND = 2
"""Spans that the second process has, so that it never waits for the next."""
_READY, _NO_MORE, _FAILED = b"ready", b"", b"!"
# Nothing that is imported is garbage, and looking for some takes a sixth of the start.
_START = "import gc; gc.disable(); from exports.second_reader import main; main()"


class Task(NamedTuple):
    """What there is to read, who judges it, for which recipe, and what is near to what."""

    source: PlainSource[Wanted]
    judge: Judge
    kinds: frozenset[SourceKind]
    recipe: BundleRecipe
    keys: Mapping[str, str]


@contextmanager
def shared_spans(
    task: Task,
    spans: Sequence[Span],
    filled: Mapping[PoolName, list[Filled]],
    drafts: Drafts | None,
) -> Generator[Iterator[Span]]:
    """The spans that are left to this process; at the end of the block nothing of any is missing.

    Without drafts there is no second process.

    Raises:
        OSError: the second process could not write.
    """
    if drafts is None:
        yield iter(spans)
        return
    with _started(task, drafts) as second:
        yield second.left_over(spans)
        second.deliver(filled, drafts)


@contextmanager
def _started(task: Task, drafts: Drafts) -> Generator["Second"]:
    """A second process, which is gone at the end of the block."""
    ours, theirs = socket.socketpair()
    with ours, theirs, own_process(_START, theirs.fileno()):
        theirs.close()
        yield Second(ours, task, drafts)


class Second:
    """The second process, from here."""

    def __init__(self, ours: socket.socket, task: Task, drafts: Drafts) -> None:
        self._socket, self._connection = ours, _connected(ours)
        self._given: list[Span] = []
        self._found: list[bytes] = []
        self._made: dict[Format, tuple[Made, int]] = {}
        self._is_ready = False
        with suppress(ConnectionError):
            self._connection.send_bytes(pickle.dumps((task, drafts.folder, drafts.materials)))

    def left_over(self, spans: Sequence[Span]) -> Iterator[Span]:
        """The spans that nobody else has done, as they are asked for."""
        waiting = deque(spans)
        while waiting:
            with suppress(EOFError, ConnectionError):
                self.serve(waiting)
            if waiting:
                yield waiting.popleft()
        try:
            while len(self._found) < len(self._given):
                self._receive()
            if self._given:
                self._connection.send_bytes(_NO_MORE)
                self._made = self._receive_made()
        except (EOFError, ConnectionError):
            self._found.clear()
            yield from self._given

    def deliver(self, filled: Mapping[PoolName, list[Filled]], drafts: Drafts) -> None:
        """Put what was found and made there to what is here."""
        while self._found:
            found = marshal.loads(self._found.pop())  # noqa: S302  (of our own process)
            for each, its in zip(_in_order(filled), found, strict=True):
                each.found += its[0]
                each.exclusions.update(its[1])
                each.unfit.update(its[2])
                each.taken.adopt(its[3])
        while self._made:
            format_, (made, file) = self._made.popitem()
            drafts.of[format_].adopt(made, os.fdopen(file, "rb"))

    def wait_until_ready(self) -> None:
        """Wait for the second process to have started, if it does."""
        while not self._is_ready:
            self._receive()

    def serve(self, waiting: deque[Span]) -> None:
        """Take what is done, and give the next from the far end."""
        while self._connection.poll():
            self._receive()
        while self._is_ready and waiting and len(self._given) - len(self._found) < _AT_HAND:
            self._given.append(waiting.pop())
            self._connection.send_bytes(marshal.dumps(tuple(self._given[-1])))

    def _receive(self) -> None:
        message = self._connection.recv_bytes()
        if message == _READY:
            self._is_ready = True
        elif message.startswith(_FAILED):
            raise _loaded(message.removeprefix(_FAILED))
        else:
            self._found.append(message)

    def _receive_made(self) -> dict[Format, tuple[Made, int]]:
        """What was drafted, and the descriptors of the files in which it lies."""
        made = _loaded(self._connection.recv_bytes())
        _, files, _, _ = socket.recv_fds(self._socket, 1, len(made))
        if len(files) < len(made):
            raise EOFError
        return {name: (each, file) for (name, each), file in zip(made.items(), files, strict=True)}


def main() -> None:
    """The second process: its standard input is the socket to the first."""
    gc.set_threshold(100_000, 20, 20)
    gc.enable()
    with socket.socket(fileno=os.dup(0)) as ours:
        connection = _connected(ours)
        task, folder, materials = _loaded(connection.recv_bytes())
        drafts = Drafts(folder, task.recipe, materials)
        try:
            _read(task, drafts, ours, connection)
        except OSError as error:
            connection.send_bytes(_FAILED + pickle.dumps(error))


def _read(task: Task, drafts: Drafts, ours: socket.socket, connection: Connection) -> None:
    """Read spans until there are no more."""
    with plain_reading(task.source) as fetch:
        connection.send_bytes(_READY)
        while message := connection.recv_bytes():
            span = Span(*marshal.loads(message))  # noqa: S302  (of our own process)
            filled = sources_of(task.recipe, drafts)
            offers = task.judge.stream(fetch, task.kinds, [span])
            fill(offers, filled, task.recipe, task.judge.lists, drafts, keys=task.keys)
            connection.send_bytes(marshal.dumps(list(map(_plain, _in_order(filled)))))
        connection.send_bytes(pickle.dumps({name: each.made() for name, each in drafts.of.items()}))
        socket.send_fds(ours, [b"."], [each.spool.file.fileno() for each in drafts.of.values()])


def _connected(ours: socket.socket) -> Connection:
    """Messages over a socket, which can pass open files beside them."""
    return Connection(os.dup(ours.fileno()))


def _loaded(message: bytes) -> Any:
    return pickle.loads(message)  # noqa: S301  (of our own process)


def _in_order(filled: Mapping[PoolName, list[Filled]]) -> list[Filled]:
    return [each for name in sorted(filled) for each in filled[name]]


def _plain(each: Filled) -> tuple[object, ...]:
    """What a source has found, as `marshal` can write it."""
    return each.found, dict(each.exclusions), each.unfit, each.taken.plain()
