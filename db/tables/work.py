"""Named batches of work: which queries, for whom, until when."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field

from db.tables.base import Table, UtcDateTime, new_id, now


class WorkBatch(Table, table=True):
    """A named part of the queue; `task.work_batch_id` says what belongs to it.

    Without people it is everybody's. A closed batch hands out nothing more.
    """

    __table_args__ = (sa.UniqueConstraint("project_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    project_id: str = Field(foreign_key="project.id")
    name: str
    due_on: date | None = None
    created_by: str | None = Field(default=None, foreign_key="person.id")
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WorkBatchPerson(Table, table=True):
    """Somebody who works on a batch."""

    work_batch_id: str = Field(foreign_key="work_batch.id", primary_key=True)
    person_id: str = Field(foreign_key="person.id", primary_key=True)
