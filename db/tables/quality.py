"""How work is trusted: gold items and their answers, pauses, lots of submissions, comments."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class GoldItem(Table, table=True):
    """A query whose right plan is known; it is handed to people to see how they work.

    Never trained on and never reviewed. A retired item stays with its answers.
    """

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    query_id: str = Field(foreign_key="query.id", unique=True)
    plan: dict[str, object] = Field(sa_type=sa.JSON)
    note: str = ""
    is_active: bool = True
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class GoldAnswer(Table, table=True):
    """What somebody handed in on a gold item, judged by `schemas.gold`; one per person and item."""

    __table_args__ = (
        sa.UniqueConstraint("gold_item_id", "person_id"),
        sa.Index("ix_gold_answer_person", "project_id", "person_id", "answered_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    gold_item_id: str = Field(foreign_key="gold_item.id")
    person_id: str = Field(foreign_key="person.id")
    annotation_id: str = Field(foreign_key="annotation.id")
    revision_id: str = Field(foreign_key="revision.id")
    is_right: bool
    score: float
    answered_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class WorkPause(Table, table=True):
    """Somebody gets no new work in a project until the pause is lifted.

    `paused_by` is empty where a rule paused them; `reason_code` is a code of the area `pauses`.
    """

    __table_args__ = (sa.Index("ix_work_pause_person", "project_id", "person_id", "lifted_at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    person_id: str = Field(foreign_key="person.id")
    reason_code: str
    why: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    paused_by: str | None = Field(default=None, foreign_key="person.id")
    paused_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    lifted_by: str | None = Field(default=None, foreign_key="person.id")
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Lot(Table, table=True):
    """Submissions of one annotator that are accepted or sent back together.

    It gathers (`open`) until it is full or closed by hand; then a sample is drawn and reviewed
    (`inspecting`); by `schemas.sampling` it has then `passed`, or `failed` and goes back whole. One
    is `dissolved` when sampling is switched off: what is in it is reviewed one by one.
    `seed` is what the sample was drawn with, so that anybody can draw it again.
    """

    __table_args__ = (
        sa.UniqueConstraint("project_id", "author_id", "number"),
        sa.Index("ix_lot_state", "project_id", "state", "id"),
        sa.CheckConstraint(
            "state IN ('open', 'inspecting', 'passed', 'failed', 'dissolved')", name="known_state"
        ),
        sa.CheckConstraint("level IN ('normal', 'tightened', 'relaxed')", name="known_level"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    author_id: str = Field(foreign_key="person.id")
    number: int
    state: str = "open"
    level: str = "normal"
    tolerated_rate: float
    confidence: float
    sample_size: int | None = None
    acceptance_number: int | None = None
    seed: str
    opened_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    drawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LotItem(Table, table=True):
    """One submission in a lot; `verdict` is the reviewer's, of sampled ones only."""

    __table_args__ = (
        sa.CheckConstraint(
            "verdict IS NULL OR verdict IN ('accepted', 'fixed', 'returned', 'discarded')",
            name="known_verdict",
        ),
    )

    lot_id: str = Field(foreign_key="lot.id", primary_key=True)
    annotation_id: str = Field(foreign_key="annotation.id", primary_key=True, index=True)
    project_id: str = Field(foreign_key="project.id")
    revision_id: str = Field(foreign_key="revision.id")
    is_sampled: bool = False
    verdict: str | None = None
    added_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class ReviewBatch(Table, table=True):
    """Submissions that a reviewer would accept together, once a sample of them was looked at.

    `seed` is what the sample was drawn with. It stays `open` until the rest is `accepted` or the
    reviewer lets it go (`dropped`); one reviewer has one open batch.
    """

    __table_args__ = (
        sa.Index(
            "uq_review_batch_open",
            "project_id",
            "reviewer_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.CheckConstraint("state IN ('open', 'accepted', 'dropped')", name="known_state"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    reviewer_id: str = Field(foreign_key="person.id")
    state: str = "open"
    narrowed: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    tolerated_rate: float
    confidence: float
    sample_size: int
    acceptance_number: int
    seed: str
    drawn_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReviewBatchItem(Table, table=True):
    """One submission of a batch, as it stood when the sample was drawn."""

    batch_id: str = Field(foreign_key="review_batch.id", primary_key=True)
    annotation_id: str = Field(foreign_key="annotation.id", primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    revision_id: str = Field(foreign_key="revision.id")
    is_sampled: bool = False


class Comment(Table, table=True):
    """What somebody says about a query, at a place of its plan or its trace.

    `anchor` is a `schemas.comments.Anchor`. A thread is a comment and those that answer it; it is
    resolved at its first comment. Texts are never changed.
    """

    __table_args__ = (
        sa.Index("ix_comment_query", "project_id", "query_id", "id"),
        sa.Index(
            "ix_comment_open",
            "project_id",
            "annotation_id",
            sqlite_where=sa.text("reply_to_id IS NULL AND resolved_at IS NULL"),
            postgresql_where=sa.text("reply_to_id IS NULL AND resolved_at IS NULL"),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    query_id: str = Field(foreign_key="query.id")
    annotation_id: str | None = Field(default=None, foreign_key="annotation.id")
    reply_to_id: str | None = Field(default=None, foreign_key="comment.id")
    author_id: str = Field(foreign_key="person.id")
    anchor: dict[str, object] = Field(default_factory=dict, sa_type=sa.JSON)
    text: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    resolved_by: str | None = Field(default=None, foreign_key="person.id")
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
