"""What the label and review pages are given: frozen values, plain enough for JSON."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.experts import ExpertList
from schemas.list_changes import ListChange
from schemas.project import ThinkTarget
from schemas.reasons import Reason


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Turn(_Value):
    """One message of the dialogue before the query."""

    role: str
    content: str


class SuggestionView(_Value):
    """One answer of a model, as people see it.

    `plan` is canonical plain JSON; `partial_plan` holds what an incomplete one had; `failure` is a
    code of the area `replies` when there is no plan.
    """

    id: str
    model: str | None
    candidate: int
    trace: str | None
    trace_length: int
    plan: dict[str, Any] | None
    partial_plan: dict[str, Any] | None
    failure: str | None
    is_repaired: bool


class ReturnNote(_Value):
    """Why a reviewer sent an annotation back: at least one reason, each with its place."""

    reasons: tuple[Reason, ...]
    reviewer: str
    at: datetime


class ItemContext(_Value):
    """What both pages show around a plan."""

    task_id: int
    query_id: str
    external_id: str | None
    text: str
    history: tuple[Turn, ...]
    expert_list: ExpertList
    previous_list: ExpertList | None
    list_changes: tuple[ListChange, ...] = ()
    """What became of whom since the version before."""
    guideline: str | None
    suggestions: tuple[SuggestionView, ...]
    lease_until: datetime
    think: ThinkTarget
    banned_words: tuple[str, ...]
    dialect: str
    annotation_id: str
    suggestion_id: str | None
    """The suggestion that the annotation began from."""
    flag: str | None = None
    """Why somebody asked reviewers to look."""


class LabelItem(ItemContext):
    """One query on the label page. `draft` is plain JSON in canonical keys and may be wrong.

    `batch` and `due_on` are of the named batch that it is worked on in, if it is one.
    """

    state: str
    draft: dict[str, Any]
    draft_number: int
    draft_saved_at: datetime | None
    returned: ReturnNote | None
    batch: str | None = None
    due_on: date | None = None


class ReviewItem(ItemContext):
    """One submitted annotation on the review page; `author` is empty where the project hides it."""

    revision_id: str
    author: str | None
    plan: dict[str, Any]
    submitted_at: datetime
    lead_seconds: float
    earlier_returns: tuple[ReturnNote, ...]


class SavedDraft(_Value):
    """The answer to a save."""

    number: int
    saved_at: datetime


class MyItem(_Value):
    """One of my annotations in a list; `is_postponed` when I put it aside for later.

    `can_withdraw`: it is handed in and no reviewer has it in hand.
    """

    query_id: str
    annotation_id: str
    text: str
    state: str
    is_postponed: bool
    flag: str | None
    opened_at: datetime
    submitted_at: datetime | None
    lead_seconds: float
    can_withdraw: bool
    returned: ReturnNote | None


class FoundItem(_Value):
    """Something that a search from the label page found: mine, or free for me.

    `text` is cut after 200 characters. `state` is that of my annotation, or `open`.
    """

    query_id: str
    external_id: str | None
    text: str
    state: str
    is_mine: bool


class FoundSubmission(_Value):
    """A submission that a search from the review page found.

    `text` is the query, cut after 200 characters; `author` is empty where the project hides it.
    """

    annotation_id: str
    external_id: str | None
    text: str
    author: str | None
    submitted_at: datetime | None
    is_taken: bool
    """Whether another reviewer has it in hand."""


class Progress(_Value):
    """Counts for the header: mine today, ours, and what waits for me."""

    mine_today: int
    daily_goal: int
    returned_to_me: int
    open_labels: int
    open_reviews: int
    decided: int
    queries: int
