"""The lines of each dataset file in their order: made while choosing, or rendered by their ids."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b, sha256
from pathlib import Path
from typing import NamedTuple

from exports.drafts import Drafts
from exports.formats import Row, to_line
from exports.rows import CHUNK, Renderer, apart_from_equals
from exports.spool import Spool, Tally
from schemas.bundle import RowOrigin
from schemas.errors import InvalidInput
from schemas.recipe import FORMATS, Format

OnRows = Callable[[int], None]


class FileLines(NamedTuple):
    """Lines of a spool, by their numbers and origins in the order of the file."""

    spool: Spool
    numbers: Sequence[int]
    origins: Sequence[RowOrigin]

    def blocks(self, written: list[RowOrigin]) -> Iterator[bytes]:
        """The lines, many together; what they are made of, and their hash, goes into `written`."""
        for start in range(0, len(self.numbers), CHUNK):
            lines = self.spool.lines(self.numbers[start : start + CHUNK])
            origins = self.origins[start : start + CHUNK]
            written += map(_hashed, origins, lines)
            yield b"".join(lines)

    def tally(self) -> Tally:
        """What the lines add up to."""
        return self.spool.tally(self.numbers)


@contextmanager
def file_lines(
    name: str,
    origins: Sequence[RowOrigin],
    renderer: Renderer,
    drafts: Drafts | None,
    folder: Path,
) -> Generator[FileLines]:
    """The lines of a dataset file, from the drafts where it has some there.

    Raises:
        ExportRefused: `export.row_missing`, `export.row_changed`; on a rebuild only.
    """
    format_ = to_format(name)
    draft = drafts.find(format_) if drafts else None
    if draft is not None:
        numbers = [draft.numbers[each.query_id] for each in origins]
        yield FileLines(draft.spool, numbers, origins)
        return
    with Spool(folder) as spool:
        yield _rendered(spool, format_, origins, renderer)


def _rendered(
    spool: Spool, format_: Format, origins: Sequence[RowOrigin], renderer: Renderer
) -> FileLines:
    """Render in the order of ids; neighbours of a `kto` file never have the same answer."""
    ids = [each.query_id for each in origins]
    by_id = sorted(range(len(origins)), key=ids.__getitem__)
    numbers = [0] * len(origins)
    answers: list[bytes] = []
    places = iter(by_id)
    for rows in renderer.render(format_, (origins[place] for place in by_id)):
        for row, mark in rows:
            numbers[next(places)] = spool.add(to_line(row), mark)
            if format_ == "kto":
                answers.append(_answer_hash(row))
    if format_ != "kto":
        return FileLines(spool, numbers, origins)
    kept = list(apart_from_equals(range(len(origins)), lambda place: answers[numbers[place]]))
    return FileLines(spool, [numbers[place] for place in kept], [origins[place] for place in kept])


def _answer_hash(row: Row) -> bytes:
    return blake2b(row["messages"][-1]["content"].encode(), digest_size=16).digest()


def _hashed(origin: RowOrigin, line: bytes) -> RowOrigin:
    return origin._replace(row_hash=sha256(line).hexdigest()[:16])


def to_format(name: str) -> Format:
    """The format of a dataset file's name.

    Raises:
        InvalidInput: `export.manifest_unreadable`; it is another name.
    """
    format_ = name.removesuffix(".jsonl").removesuffix("_val")
    if format_ not in FORMATS:
        raise InvalidInput("export.manifest_unreadable", path=name)
    return format_
