"""Comments: what people say to each other about a query, at a place of its plan or its trace."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

LONGEST_COMMENT = 4_000
LONGEST_QUOTE = 500
MOST_COMMENTS = 500
"""On one annotation; whoever needs more is not commenting."""
PLACE = r"^\$(\.rewritten_query|\.steps(\[\d{1,4}\](\.expert|\.sub_questions(\[\d{1,4}\])?)?)?)?$"
ID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanPlace(_Value):
    """A place of a plan, as a JSONPath such as `$.steps[1].sub_questions[0]`.

    `quote` is the text that stood there (an expert's name for a step), so that the place can be
    found again in a plan that was changed since, or be told to be gone.
    """

    kind: Literal["plan"] = "plan"
    path: str = Field(max_length=200, pattern=PLACE)
    quote: str = Field(default="", max_length=LONGEST_QUOTE)


class Span(_Value):
    """A passage of a trace: code points [`start`, `end`) of a suggestion's trace, and its words.

    The words are cut after `LONGEST_QUOTE` code points.
    """

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


class NewComment(_Value):
    """What somebody says; `id` is a UUID that their browser made, so that nothing is said twice.

    A reply has no anchor of its own; it stands where its thread does.
    """

    id: str = Field(pattern=ID)
    text: str = Field(max_length=LONGEST_COMMENT)
    anchor: Anchor = Whole()
    reply_to_id: str | None = Field(default=None, max_length=64)


class CommentedItem(_Value):
    """One of my annotations on which others wait for a word of mine, and the last of theirs."""

    query_id: str
    annotation_id: str
    query: str
    state: str
    threads: int
    author: str
    text: str
    at: datetime
