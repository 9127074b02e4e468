"""Pauses: somebody gets no new work in a project for a while."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class PauseView(BaseModel):
    """A pause that stands: `code` and `values` are a sentence of the area `pauses`.

    `paused_by` is empty where a rule paused them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: str
    name: str
    reason_code: str
    why: dict[str, Any]
    paused_by: str | None
    paused_at: datetime


class PauseNote(BaseModel):
    """What a paused person is told: a code of the area `pauses` with its values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    values: dict[str, Any]
