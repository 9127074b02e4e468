"""The lines of each dataset file in their order: made while choosing, or rendered by their ids."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from exports.formats import Row, to_line
from exports.rows import CHUNK, Renderer, apart_from_equals
from exports.spool import Spool, Tally
from schemas.bundle import RowOrigin
from schemas.errors import InvalidInput
from schemas.recipe import FORMATS, Format


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


@contextmanager
def rendered_lines(
    name: str, origins: Sequence[RowOrigin], renderer: Renderer, folder: Path
) -> Generator[FileLines]:
    """The lines of a dataset file, rendered in the order of ids.

    Raises:
        ExportRefused: `export.row_missing`, `export.row_changed`; on a rebuild only.
    """
    format_ = to_format(name)
    ids = [each.query_id for each in origins]
    by_id = sorted(range(len(origins)), key=ids.__getitem__)
    numbers, answers = [0] * len(origins), [0] * len(origins)
    places = iter(by_id)
    with Spool(folder) as spool:
        for rows in renderer.render(format_, (origins[place] for place in by_id)):
            for row, mark in rows:
                place = next(places)
                numbers[place] = spool.add(origins[place], to_line(row), mark)
                if format_ == "kto":
                    answers[place] = answer_hash(row)
        if format_ == "kto":
            kept = apart_from_equals(range(len(origins)), answers.__getitem__)
            numbers = [numbers[place] for place in kept]
        yield FileLines(spool, numbers)


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
