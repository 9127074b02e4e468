"""What the Queries page and `stats` are given."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from schemas.desk import SuggestionView, Turn
from schemas.list_impact_report import MovedRow
from schemas.reasons import Reason

QueryState = Literal["waiting", "ready", "in_work", "in_review", "decided"]
QUERY_STATES: tuple[QueryState, ...] = ("waiting", "ready", "in_work", "in_review", "decided")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuerySummary(_Value):
    """One line of the list; `text` is cut after 200 characters, `expert_list` is NAME@N."""

    id: str
    external_id: str | None
    kind: str
    text: str
    state: str
    expert_list: str
    suggestions: int
    annotations: int
    flags: int
    created_at: datetime
    priority: int = 0
    disagreement: float | None = None


class QueryChoice(_Value):
    """Which queries something is done to: those that meet every condition that is given.

    `ids` are ids or external ids; `list_version` and `import_id` are ids; `text` is part of the
    query, or its whole id or external id.
    """

    ids: tuple[str, ...] = ()
    state: QueryState | None = None
    text: str | None = None
    list_version: str | None = None
    import_id: str | None = None
    flagged: bool = False


class OverlapChanged(_Value):
    """How many labels were added and taken away."""

    added: int
    removed: int


class QueryPage(_Value):
    """A page of the list; `next_after` goes into the next call, None at the end."""

    rows: tuple[QuerySummary, ...]
    next_after: str | None


class RevisionView(_Value):
    """A plan as somebody handed it in; `kind` is submitted, fixed or refused."""

    id: str
    number: int
    kind: str
    author: str | None
    plan: dict[str, Any]
    at: datetime


class ReviewView(_Value):
    """A verdict: accepted, fixed, returned or discarded; `mode` is how it came about."""

    verdict: str
    reviewer: str
    revision_id: str
    reasons: tuple[Reason, ...] = ()
    mode: str = "single"
    fixed_revision_id: str | None = None
    at: datetime


class AnnotationView(_Value):
    """One person's work on a query; `author` is empty where the project hides it.

    `revision_id` is the newest revision that counts; a kept draft does not.
    """

    id: str
    author: str | None
    state: str
    is_chosen: bool
    flag: str | None
    lead_seconds: float
    revision_id: str | None
    draft: dict[str, Any] | None
    draft_saved_at: datetime | None
    revisions: tuple[RevisionView, ...]
    reviews: tuple[ReviewView, ...]


class TimelineEntry(_Value):
    """Who did what, from which state to which; `person` is empty where the project hides it."""

    at: datetime
    person: str | None
    role: str | None
    action: str
    before: str | None
    after: str | None
    why: dict[str, Any]


class QueryDetail(_Value):
    """Everything that is known about a query, its timeline oldest first."""

    id: str
    external_id: str | None
    kind: str
    text: str
    history: tuple[Turn, ...]
    state: str
    expert_list: str
    list_version_id: str
    prompt: str
    dialect: str
    window: int
    answer: str | None = None
    """The old answer of a historical chat row, as it came."""
    created_at: datetime
    chosen_annotation_id: str | None
    suggestions: tuple[SuggestionView, ...]
    annotations: tuple[AnnotationView, ...]
    timeline: tuple[TimelineEntry, ...]
    moves: tuple[MovedRow, ...] = ()
    """Where it was moved from, and to which newer lists."""


class QueueStats(_Value):
    """Counts of a project by state, every state named even at 0."""

    queries: dict[str, int]
    annotations: dict[str, int]
    open_labels: int
    open_reviews: int
    held: int
    flagged: int
