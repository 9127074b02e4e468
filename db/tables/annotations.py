"""What people decide: tasks handed out, annotations with every revision, drafts, reviews."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class Task(Table, table=True):
    """Something to be handed to exactly one person: a query to label, an annotation to review.

    A query has one label task per wanted annotation (`slot` 1..overlap). `for_person_id` reserves a
    returned task for its author and a gold item for whom it is due; `author_id` keeps a review task
    from the author. A lease ends at `lease_until`; a postponed task keeps its person and has no
    lease. The smaller `rank` comes first (ascending, so that one plain index serves both engines).
    A task of a named batch goes to the people of the batch only.
    """

    __table_args__ = (
        sa.UniqueConstraint("kind", "query_id", "slot"),
        sa.Index("ix_task_next", "project_id", "kind", "status", "rank", "id"),
        sa.Index("ix_task_person", "person_id", "status"),
        sa.Index("ix_task_for_person", "for_person_id", "status"),
        sa.Index("ix_task_work_batch", "work_batch_id", "status"),
        sa.CheckConstraint("kind IN ('label', 'review')", name="known_kind"),
        sa.CheckConstraint("status IN ('open', 'taken', 'postponed', 'done')", name="known_status"),
        sa.CheckConstraint(
            "kind <> 'review' OR person_id IS NULL OR person_id <> author_id",
            name="never_own_review",
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    kind: str
    query_id: str = Field(foreign_key="query.id")
    slot: int = 1
    annotation_id: str | None = Field(default=None, foreign_key="annotation.id")
    author_id: str | None = Field(default=None, foreign_key="person.id")
    for_person_id: str | None = Field(default=None, foreign_key="person.id")
    person_id: str | None = Field(default=None, foreign_key="person.id")
    status: str = "open"
    rank: int = 0
    work_batch_id: str | None = Field(default=None, foreign_key="work_batch.id")
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class TaskSkip(Table, table=True):
    """ "Not for me": this person is never handed this task again."""

    task_id: int = Field(foreign_key="task.id", primary_key=True)
    person_id: str = Field(foreign_key="person.id", primary_key=True)
    reason: str = ""
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Annotation(Table, table=True):
    """One person's plan for a query; its text lives in revisions and in one draft."""

    __table_args__ = (
        sa.UniqueConstraint("query_id", "author_id"),
        sa.Index("ix_annotation_state", "project_id", "state", "id"),
        sa.Index("ix_annotation_author_submitted", "author_id", "submitted_at"),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'accepted', 'returned', 'discarded')",
            name="known_state",
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    query_id: str = Field(foreign_key="query.id")
    author_id: str = Field(foreign_key="person.id")
    state: str = "draft"
    suggestion_id: str | None = Field(default=None, foreign_key="suggestion.id")
    revision_id: str | None = None
    flag: str | None = None
    lead_seconds: float = 0.0
    opened_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    submitted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Draft(Table, table=True):
    """What the author is typing; `number` grows with every save and guards against lost edits."""

    annotation_id: str = Field(foreign_key="annotation.id", primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    number: int
    content: dict[str, object] = Field(sa_type=sa.JSON)
    saved_by: str = Field(foreign_key="person.id")
    saved_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Revision(Table, table=True):
    """A plan as somebody handed it in; never changed.

    `kind`: submitted, fixed (by a reviewer), refused (a draft that lost against a newer one, kept).
    """

    __table_args__ = (
        sa.UniqueConstraint("annotation_id", "number"),
        sa.CheckConstraint("kind IN ('submitted', 'fixed', 'refused')", name="known_kind"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    annotation_id: str = Field(foreign_key="annotation.id")
    number: int
    kind: str
    author_id: str = Field(foreign_key="person.id")
    based_on_id: str | None = Field(default=None, foreign_key="revision.id")
    content: dict[str, object] = Field(sa_type=sa.JSON)
    content_hash: str
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Review(Table, table=True):
    """A reviewer's verdict on one revision.

    `span` is a place in a trace (`schemas.comments.Span`) that the reason is about, as `path` is a
    place in the plan; `more_reasons` are those of a return after its first
    (`schemas.reasons.Reason`). `mode` says how the verdict came about: `single` by looking at it,
    `batch` with others of which a sample was looked at, `lot` by the sample of its lot.
    """

    __table_args__ = (
        sa.CheckConstraint("reviewer_id <> author_id", name="never_own_work"),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'fixed', 'returned', 'discarded')", name="known_verdict"
        ),
        sa.CheckConstraint("mode IN ('single', 'batch', 'lot')", name="known_mode"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id", index=True)
    annotation_id: str = Field(foreign_key="annotation.id", index=True)
    revision_id: str = Field(foreign_key="revision.id")
    fixed_revision_id: str | None = Field(default=None, foreign_key="revision.id")
    reviewer_id: str = Field(foreign_key="person.id")
    author_id: str = Field(foreign_key="person.id")
    verdict: str
    reason_code: str | None = None
    reason: str = ""
    path: str | None = None
    span: dict[str, object] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    more_reasons: list[dict[str, object]] | None = Field(
        default=None, sa_type=sa.JSON(none_as_null=True)
    )
    mode: str = Field(default="single", sa_column_kwargs={"server_default": "single"})
    lot_id: str | None = Field(default=None, foreign_key="lot.id")
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
