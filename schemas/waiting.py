"""What waits for review: how a reviewer narrows and orders it, and batches accepted by a sample."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

WaitingOrder = Literal["queue", "oldest", "newest", "disagreement"]
Agreement = Literal["agree", "disagree"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Narrowed(_Value):
    """Which submissions, and in which order; what is empty does not narrow.

    `agreement` is among the suggestions of the query; `older_than_h` counts hours since handing in.
    """

    author_id: str | None = Field(default=None, max_length=64)
    list_version_id: str | None = Field(default=None, max_length=64)
    model: str | None = Field(default=None, max_length=200)
    agreement: Agreement | None = None
    is_flagged: bool = False
    older_than_h: int | None = Field(default=None, ge=1, le=100_000)
    order: WaitingOrder = "queue"


class WaitingRow(_Value):
    """A submission that this reviewer may take, or has in hand.

    `text` is cut after 200 characters, `expert_list` is NAME@N; `author` is empty where hidden.
    """

    task_id: int
    annotation_id: str
    query_id: str
    external_id: str | None
    text: str
    author: str | None
    expert_list: str
    model: str | None
    disagreement: float | None
    flag: str | None
    submitted_at: datetime
    is_in_hand: bool


class WaitingPage(_Value):
    """A page of the list; `total` of all pages, `next_after` goes into the next call."""

    rows: tuple[WaitingRow, ...]
    total: int
    next_after: str | None


class Choice(_Value):
    """Something that the list can be narrowed to."""

    id: str
    name: str


class WaitingChoices(_Value):
    """What there is to narrow by; no authors where the project hides them."""

    authors: tuple[Choice, ...]
    lists: tuple[Choice, ...]
    models: tuple[str, ...]


class BatchPlan(_Value):
    """What a batch would be now: of `size` submissions, `sample_size` would be looked at."""

    size: int
    sample_size: int
    acceptance_number: int
    tolerated_rate: float
    confidence: float


class BatchView(BatchPlan):
    """A batch that was drawn: how far its sample is, and whether the rest may be accepted.

    `gone` of the sample were withdrawn meanwhile; such a batch has to be drawn anew.
    """

    id: str
    narrowed: Narrowed
    seed: str
    drawn_at: datetime
    looked_at: int
    defects: int
    gone: int

    @property
    def may_accept(self) -> bool:
        """Whether the whole sample was looked at and is good enough."""
        is_done = self.looked_at == self.sample_size
        return is_done and self.defects <= self.acceptance_number


class LeftOut(_Value):
    """A submission that was not accepted with its batch, because it changed meanwhile.

    `why` is withdrawn, decided, changed (handed in anew), flagged or in_hand (of another reviewer).
    """

    annotation_id: str
    query_id: str
    external_id: str | None
    text: str
    why: Literal["withdrawn", "decided", "changed", "flagged", "in_hand"]


class BatchOutcome(_Value):
    """What became of the rest of a batch."""

    accepted: int
    left_out: tuple[LeftOut, ...]
