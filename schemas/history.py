"""The history of one annotation: its revisions, and who did what to it when."""

from pydantic import BaseModel, ConfigDict

from schemas.queries import ReviewView, RevisionView, TimelineEntry


class ItemHistory(BaseModel):
    """Oldest first. `revision_id` is the newest that counts.

    `may_restore` tells whether this reader may put an older one in its place now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    annotation_id: str
    query_id: str
    state: str
    revision_id: str | None
    is_mine: bool
    may_restore: bool
    revisions: tuple[RevisionView, ...]
    reviews: tuple[ReviewView, ...]
    timeline: tuple[TimelineEntry, ...]
