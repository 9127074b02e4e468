"""Named batches of work: whose a task is by its batch, and how far each batch is."""

import sqlalchemy as sa

from db.tables import WorkBatch

_TASK, _BATCH, _PERSON = (
    WorkBatch.metadata.tables[name] for name in ("task", "work_batch", "work_batch_person")
)


def goes_to(
    project_id: sa.ColumnElement[str], person_id: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """Whether a task's batch, if it has one, is open and this person's or everybody's.

    The batches stand in a subquery that knows nothing of the task, so that both engines answer it
    once for a whole search.
    """
    people = _PERSON.alias("batch_people")
    mine = _PERSON.alias("batch_me")
    has_people = sa.exists().where(people.c.work_batch_id == _BATCH.c.id)
    is_mine = sa.exists().where(mine.c.work_batch_id == _BATCH.c.id, mine.c.person_id == person_id)
    open_to_me = sa.select(_BATCH.c.id).where(
        _BATCH.c.project_id == project_id,
        _BATCH.c.closed_at.is_(None),
        sa.or_(is_mine, ~has_people),
    )
    return sa.or_(_TASK.c.work_batch_id.is_(None), _TASK.c.work_batch_id.in_(open_to_me))
