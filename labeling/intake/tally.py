"""Counting what became of rows, so that an import can go on where it stood."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from schemas.intake import ImportCounts


@dataclass(slots=True)
class Tally:
    """Counts up to the last chunk that was written, and how long the error file was then."""

    read: int = 0
    added: int = 0
    known: int = 0
    changed: int = 0
    incomplete: int = 0
    refused: int = 0
    errors_bytes: int = 0
    is_done: bool = False

    @classmethod
    def resumed(cls, counts: Mapping[str, int], state: str) -> Self:
        """The tally of an import that was begun before."""
        known = {each.name for each in fields(cls)}
        numbers = {name: count for name, count in counts.items() if name in known}
        return cls(**numbers, is_done=state == "done")

    def counts(self, errors_file: str | None) -> ImportCounts:
        """The counts as they are told."""
        plain = self.to_plain()
        plain.pop("errors_bytes")
        return ImportCounts(**plain, errors_file=errors_file)

    def to_plain(self) -> dict[str, int]:
        """Plain numbers."""
        plain = asdict(self)
        plain.pop("is_done")
        return plain
