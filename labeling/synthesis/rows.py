"""A request that has ended, and what its reply says by what was asked for."""

from typing import NamedTuple

from db.access.requests import Held
from db.access.suggestions import Reading
from labeling.synthesis.asking import Asked
from labeling.synthesis.hinted import read_trace
from labeling.synthesis.questions import Questions
from labeling.synthesis.repairing import read_repair
from labeling.synthesis.replies import read_suggestion


class Row(NamedTuple):
    """A request that has ended.

    `passage` is what speaks against a trace, `first` what a reply says that was cut off and
    followed by another one.
    """

    held: Held
    asked: Asked
    reading: Reading | None
    passage: str | None = None
    first: Reading | None = None

    @property
    def failure(self) -> str | None:
        """What the reading says of the request: blind plans and repairs may be wrong."""
        if self.reading is None:
            return None
        is_aside = self.held.kind in ("decode", "repair")
        return None if is_aside and self.asked.reply is not None else self.reading.failure


def read_row(held: Held, asked: Asked, questions: Questions) -> Row:
    """What came of a request, read by what it asked for."""
    if asked.body is None:
        return Row(held, asked, None)
    expert_list = questions.expert_list(held.pins.list_version_id)
    dialect = held.pins.dialect
    if held.kind == "trace" and held.hint is not None:
        return Row(held, asked, *read_trace(asked.reply, held, held.hint, expert_list))
    if held.broken is not None:
        return Row(held, asked, read_repair(asked.reply, held.broken, dialect, expert_list))
    first = None
    if asked.first is not None:
        first = read_suggestion(asked.first.reply, dialect, expert_list)
    return Row(held, asked, read_suggestion(asked.reply, dialect, expert_list), first=first)
