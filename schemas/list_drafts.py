"""Drafts of the next version of an expert list, as admins edit them together."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from schemas.list_changes import ListChange
from schemas.scoring.check import Problem

MAX_DRAFT = 4 * 1024 * 1024
"""Bytes of a draft as JSON."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class ListDraftView(_Value):
    """A draft as it stands.

    `content` is a list as a file has it, and may be wrong: `problems` says where. `changes` are
    those that somebody confirmed, or None; `proposed` those that the lists suggest (empty while
    the content is wrong, or with no version before it). `newest` is there when a version was
    published after the one that the draft began from.
    """

    id: str
    name: str
    number: int
    base: str | None
    newest: str | None
    content: dict[str, JsonValue]
    changes: tuple[ListChange, ...] | None
    proposed: tuple[ListChange, ...]
    problems: tuple[Problem, ...]
    saved_by: str
    saved_at: datetime


class ListDraftSummary(_Value):
    """A draft in a list of drafts."""

    id: str
    name: str
    base: str | None
    number: int
    saved_by: str
    saved_at: datetime


class SavedListDraft(_Value):
    """The answer to a save."""

    number: int
    saved_at: datetime
