"""How much of a bundle's validation is nearly in its training: counted and told, no fault.

A split keeps queries together that differ in form only, so that growth moves no row; those that
differ by a little more may be on both sides, and flatter the loss on validation.
"""

from exports.checks.lines import Line
from labeling.duplicates import NEAR, LikenessIndex
from schemas.clusters import normalised


class NearSplit:
    """Gathers what both sides of a split ask, and counts what is asked on both, or nearly."""

    def __init__(self) -> None:
        self._training: set[str] = set()
        self._validation: set[str] = set()

    def see(self, line: Line) -> None:
        """A line's dialogue, up to its last question."""
        messages = line.row["messages"]
        end = len(messages)
        while end and messages[end - 1].get("role") != "user":
            end -= 1
        said = [str(each.get("content")) for each in messages[:end] if each.get("role") != "system"]
        text = normalised("\n".join(said))
        if text:
            (self._validation if line.is_val else self._training).add(text)

    def count(self) -> int | None:
        """Training questions that are near-duplicates of validation; none without validation."""
        if not self._validation or not self._training:
            return None
        index = LikenessIndex(sorted(self._validation), NEAR)
        known = self._validation
        return sum(text in known or index.find(text) is not None for text in self._training)
