"""Comments: what people say to each other about a query, at a place of its plan or its trace."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_COMMENT = 4_000
LONGEST_QUOTE = 500


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanPlace(_Value):
    """A place of a plan, as a JSONPath such as `$.steps[1].sub_questions[0]`."""

    kind: Literal["plan"] = "plan"
    path: str = Field(max_length=200)


class Span(_Value):
    """A passage of a trace: code points [`start`, `end`) of a suggestion's trace, and its words."""

    kind: Literal["trace"] = "trace"
    suggestion_id: str = Field(max_length=64)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote: str = Field(max_length=LONGEST_QUOTE)

    @model_validator(mode="after")
    def _in_order(self) -> "Span":
        if self.end <= self.start:
            raise ValueError("a span ends after it begins")
        return self


class Whole(_Value):
    """The query as a whole."""

    kind: Literal["whole"] = "whole"


Anchor = Annotated[PlanPlace | Span | Whole, Field(discriminator="kind")]


class CommentView(_Value):
    """One comment as people see it; `author` is empty where the project hides it."""

    id: str
    reply_to_id: str | None
    author: str | None
    is_mine: bool
    anchor: Anchor
    text: str
    at: datetime
    resolved_by: str | None
    resolved_at: datetime | None
