"""Named batches of work: whose a task is by its batch, and how far each batch is."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.queries import QueryFilter, chosen_ids
from db.access.starts import order_changed
from db.prepared import Prepared
from db.tables import Person, WorkBatch
from schemas.work_batches import WorkBatchView

_TASK, _BATCH, _PERSON, _GOLD = (
    WorkBatch.metadata.tables[name]
    for name in ("task", "work_batch", "work_batch_person", "gold_item")
)

_NAME_AND_DUE = Prepared(
    sa.select(_BATCH.c.name, _BATCH.c.due_on).where(
        _BATCH.c.id == sa.bindparam("key", type_=sa.String())
    )
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


def find_batch(session: Session, project_id: str, batch_id: str) -> WorkBatch | None:
    """A batch of this project."""
    row = session.get(WorkBatch, batch_id)
    return row if row and row.project_id == project_id else None


def has_name(session: Session, project_id: str, name: str) -> bool:
    """Whether a batch of this name is there already, closed ones included."""
    found = sa.select(_BATCH.c.id).where(_BATCH.c.project_id == project_id, _BATCH.c.name == name)
    return session.connection().execute(found).first() is not None


def add_batch(session: Session, batch: WorkBatch) -> str:
    """A new batch; returns its id."""
    session.add(batch)
    session.flush()
    return batch.id


def set_people(session: Session, batch_id: str, person_ids: Sequence[str]) -> None:
    """Give a batch to these people, and to nobody else; to everybody if there are none."""
    connection = session.connection()
    connection.execute(sa.delete(_PERSON).where(_PERSON.c.work_batch_id == batch_id))
    rows = [{"work_batch_id": batch_id, "person_id": each} for each in dict.fromkeys(person_ids)]
    if rows:
        connection.execute(sa.insert(_PERSON), rows)


def take_in(session: Session, project_id: str, batch_id: str, chosen: QueryFilter) -> int:
    """Put the labels of these queries into a batch that are not handed in; returns how many.

    Those of another open batch stay there.
    """
    closed = sa.select(_BATCH.c.id).where(
        _BATCH.c.project_id == project_id, _BATCH.c.closed_at.is_not(None)
    )
    is_free = sa.or_(_TASK.c.work_batch_id.is_(None), _TASK.c.work_batch_id.in_(closed))
    statement = (
        sa.update(_TASK)
        .where(*_unfinished(project_id, chosen), is_free)
        .values(work_batch_id=batch_id)
    )
    return session.connection().execute(statement).rowcount


def count_elsewhere(session: Session, project_id: str, batch_id: str, chosen: QueryFilter) -> int:
    """How many labels of these queries that are not handed in are in another batch."""
    statement = sa.select(sa.func.count()).where(
        *_unfinished(project_id, chosen), _TASK.c.work_batch_id != batch_id
    )
    return session.connection().execute(statement).scalar_one()


def list_batches(session: Session, project_id: str, today: date) -> list[WorkBatchView]:
    """Every batch with its progress: open ones first, by due date, then by name."""
    rows = session.exec(select(WorkBatch).where(WorkBatch.project_id == project_id)).all()
    counts, people = _count_labels(session, project_id), _list_people(session, project_id)
    views = [
        WorkBatchView(
            id=row.id,
            name=row.name,
            due_on=row.due_on,
            people=tuple(name for _, name in people.get(row.id, ())),
            person_ids=tuple(person_id for person_id, _ in people.get(row.id, ())),
            done=counts.get(row.id, (0, 0))[0],
            total=counts.get(row.id, (0, 0))[1],
            days_left=(row.due_on - today).days if row.due_on else None,
            closed_at=row.closed_at,
        )
        for row in rows
    ]
    return sorted(views, key=lambda each: (each.closed_at is not None, _due(each), each.name))


def name_and_due(session: Session, batch_id: str) -> tuple[str, date | None]:
    """What a batch that is known to be there is called, and its due date."""
    found = _NAME_AND_DUE.first(session, key=batch_id)
    if found is None:
        raise LookupError(batch_id)
    return found[0], found[1]


def chosen_labels(batch_id: str) -> sa.Select[str]:
    """The queries with labels in a batch, to stand inside another statement."""
    return sa.select(_TASK.c.query_id).where(_TASK.c.work_batch_id == batch_id)


def tell_searches(session: Session, project_id: str) -> None:
    """Tasks are free that were not: every search begins at the head of the queue again."""
    order_changed(session, project_id)


def _unfinished(project_id: str, chosen: QueryFilter) -> list[sa.ColumnElement[bool]]:
    return [
        _TASK.c.project_id == project_id,
        _TASK.c.kind == "label",
        _TASK.c.status != "done",
        _TASK.c.query_id.in_(chosen_ids(project_id, chosen)),
        ~_is_gold(),
    ]


def _is_gold() -> sa.ColumnElement[bool]:
    return sa.exists().where(_GOLD.c.query_id == _TASK.c.query_id)


def _count_labels(session: Session, project_id: str) -> dict[str, tuple[int, int]]:
    done = sa.func.sum(sa.case((_TASK.c.status == "done", 1), else_=0))
    statement = (
        sa.select(_TASK.c.work_batch_id, done, sa.func.count())
        .join(_BATCH, _BATCH.c.id == _TASK.c.work_batch_id)
        .where(_BATCH.c.project_id == project_id, ~_is_gold())
        .group_by(_TASK.c.work_batch_id)
    )
    return {row[0]: (row[1], row[2]) for row in session.connection().execute(statement)}


def _list_people(session: Session, project_id: str) -> dict[str, list[tuple[str, str]]]:
    statement = (
        sa.select(_PERSON.c.work_batch_id, col(Person.id), col(Person.name))
        .join(_BATCH, _BATCH.c.id == _PERSON.c.work_batch_id)
        .join(Person, col(Person.id) == _PERSON.c.person_id)
        .where(_BATCH.c.project_id == project_id)
        .order_by(col(Person.name))
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for batch_id, person_id, name in session.connection().execute(statement):
        found.setdefault(batch_id, []).append((person_id, name))
    return found


def _due(view: WorkBatchView) -> date:
    return view.due_on or date.max
