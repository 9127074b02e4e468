"""Lots: submissions of one annotator that pass or go back together; and what people see of them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.sampling import Level

LOT_FAILED = "lot_failed"
"""The reason code of what went back because its lot failed."""
LotStanding = Literal["open", "inspecting", "passed", "failed", "dissolved"]


class LotsLeft(BaseModel):
    """Whether submissions gather in lots, and what lots that are undecided hold.

    `waiting` counts the submissions in them that are in nobody's queue: they share the fate of a
    lot and are not sampled.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_on: bool
    lots: int
    waiting: int


class LotView(BaseModel):
    """A lot as people see it; `author` is empty where the project hides it.

    An open lot is not drawn yet and shows no seed. With the seed and the ids of its items anybody
    can draw the sample again (`schemas.sampling.draw_sample`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    number: int
    author: str | None
    is_mine: bool
    state: LotStanding
    level: Level
    tolerated_rate: float
    confidence: float
    size: int
    full_at: int
    sample_size: int | None
    acceptance_number: int | None
    inspected: int
    defects: int
    seed: str | None
    opened_at: datetime
    drawn_at: datetime | None
    decided_at: datetime | None
