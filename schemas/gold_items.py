"""Gold items, their answers and people's records, as the Team and Queries pages show them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.gold import GoldState


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GoldItemView(_Value):
    """A query whose right plan is known; `right` of `answered` people had the right experts."""

    id: str
    query_id: str
    external_id: str | None
    text: str
    plan: dict[str, Any]
    note: str
    is_active: bool
    created_by: str | None
    created_at: datetime
    answered: int
    right: int


class GoldAnswerView(_Value):
    """What somebody answered first; `score` is graded, 0 to 1."""

    person_id: str
    name: str
    query_id: str
    text: str
    plan: dict[str, Any]
    is_right: bool
    score: float
    answered_at: datetime


class GoldOffer(_Value):
    """What the form for a gold item opens with: the plan that is right already, or the best guess.

    `source` says where `plan` is from: `gold`, `chosen`, `suggestion`, or `none`.
    """

    query_id: str
    text: str
    plan: dict[str, Any] | None
    source: str
    note: str
    is_gold: bool
    is_active: bool


class GoldRecord(_Value):
    """How somebody answers gold items: since their last pause where there was one.

    `state` is of `schemas.gold`; `mean_score` is absent before the first answer.
    """

    person_id: str
    name: str
    answered: int
    right: int
    mean_score: float | None
    state: GoldState
    error_low: float
    error_high: float
    last_at: datetime | None
    is_paused: bool
