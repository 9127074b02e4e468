"""What the length of thinking is measured in: code points, or the tokens of one tokenizer.

Lengths in different units are never put side by side, so an evaluation says which unit its are in.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from schemas.errors import NotFound

CHARACTERS = "characters"
_FILE = "tokenizer.json"


class Unit(NamedTuple):
    """A unit by its name; `tokens_of` counts it in a text, none is needed for code points."""

    name: str
    tokens_of: Callable[[str], int] | None


def find_unit(tokenizer: Path | None) -> Unit:
    """The unit that a tokenizer's folder stands for, known by its name and what its file holds.

    Raises:
        NotFound: `evaluate.no_tokenizer`.
    """
    if tokenizer is None:
        return Unit(CHARACTERS, None)
    path = tokenizer / _FILE
    if not path.is_file():
        raise NotFound("evaluate.no_tokenizer", folder=tokenizer.name)
    # Ten milliseconds, and for whoever measures in tokens alone.
    from tokenizers import Tokenizer  # noqa: PLC0415

    held = Tokenizer.from_file(str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    def tokens_of(text: str) -> int:
        return len(held.encode(text, add_special_tokens=False).ids)

    return Unit(f"{tokenizer.resolve().name}@{digest[:8]}", tokens_of)
