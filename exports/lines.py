"""The lines of a dataset file, in their order, many together."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple, TypeVar

from exports.formats import Row
from exports.spool import Spool, Tally
from schemas.errors import InvalidInput
from schemas.recipe import FORMATS, Format

CHUNK = 500
_HELD_BACK = 1000
Each = TypeVar("Each")


class Block(NamedTuple):
    """Lines that follow each other in a file, and their origins, a JSON array on each line."""

    lines: bytes
    origins: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class FileLines:
    """Lines of a spool, by their numbers in the order of the file."""

    spool: Spool
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def blocks(self) -> Iterator[Block]:
        """The lines, many together."""
        for start in range(0, len(self.numbers), CHUNK):
            origins, lines = self.spool.records(self.numbers[start : start + CHUNK])
            yield Block(b"".join(lines), b"".join(origins), len(lines))

    def tally(self) -> Tally:
        """What the lines add up to."""
        return self.spool.tally(self.numbers)


def apart_from_equals(rows: Iterable[Each], answer_of: Callable[[Each], object]) -> Iterator[Each]:
    """The same rows, neighbours never with the same answer; ms-swift drops the second of such.

    A row is held back until another answer has gone by; those left at the end are left out.
    """
    last: object = None
    held: list[Each] = []
    for row in rows:
        if answer_of(row) == last:
            held.append(row)
            if len(held) > _HELD_BACK:
                held.pop(0)
            continue
        yield row
        last = answer_of(row)
        waiting = next((each for each in held if answer_of(each) != last), None)
        if waiting is not None:
            held.remove(waiting)
            yield waiting
            last = answer_of(waiting)


def in_chunks(items: Iterable[Each], size: int) -> Iterator[list[Each]]:
    """Lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def answer_hash(row: Row) -> int:
    """What tells the answers of neighbours apart."""
    answer = row["messages"][-1]["content"]
    return int.from_bytes(blake2b(answer.encode(), digest_size=8).digest())


def to_format(name: str) -> Format:
    """The format of a dataset file's name.

    Raises:
        InvalidInput: `export.manifest_unreadable`; it is another name.
    """
    format_ = name.removesuffix(".jsonl").removesuffix("_val")
    if format_ not in FORMATS:
        raise InvalidInput("export.manifest_unreadable", path=name)
    return format_
