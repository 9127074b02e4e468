"""Lines of files that a trainer is still writing, from an offset, a bounded part at a time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

LONGEST = 8 << 20
READ_AT_ONCE = 4 << 20


class Line(NamedTuple):
    """A whole line; `text` is None where it is too long to be read."""

    size: int
    text: bytes | None


def lines_from(path: Path, offset: int, *, longest: int = LONGEST) -> Iterator[tuple[int, Line]]:
    """Whole lines from an offset, with where each begins; at most `longest` bytes are held."""
    with path.open("rb") as file:
        file.seek(offset)
        begun, at, skipped = bytearray(), offset, 0
        while block := file.read(READ_AT_ONCE):
            *whole, rest = block.split(b"\n")
            for piece in whole:
                size = skipped + len(begun) + len(piece)
                text = bytes(begun + piece) if size <= longest else None
                yield at, Line(size, text)
                at, skipped = at + size + 1, 0
                begun.clear()
            begun += rest
            if skipped + len(begun) > longest:
                skipped, begun = skipped + len(begun), bytearray()


def to_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None where it is none."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return cast(dict[str, Any], said) if isinstance(said, dict) else None
