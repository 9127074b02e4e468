"""How many people label a query: the slots of its label tasks, more of them or fewer."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from db.access.queries import QueryFilter, chosen_ids
from db.access.starts import order_changed
from db.engine import take_turns
from db.tables import Task
from db.tables.base import UtcDateTime

_TASK, _SKIP, _QUERY, _GOLD = (
    Task.metadata.tables[name] for name in ("task", "task_skip", "query", "gold_item")
)
_FINE = 16**4


def is_of_share(query_id: Any, share: float) -> list[sa.ColumnElement[bool]]:
    """Whether a query is in a share of them, the same whoever asks and whenever.

    The last digits of an id are random, and read the same on both engines. A larger share holds a
    smaller one.
    """
    if share >= 1:
        return []
    return [sa.func.substr(query_id, 33, 4) < f"{round(share * _FINE):04x}"]


def take_away(session: Session, project_id: str, queries: sa.Select[str], most: int) -> int:
    """Take free labels away where a query has more than so many; returns how many.

    What somebody has, had or has kept for them stays, however many there are.
    """
    take_turns(session, f"slots of {project_id}")
    free = _is_free()
    place = sa.func.row_number().over(
        partition_by=_TASK.c.query_id, order_by=(sa.case((free, 1), else_=0), _TASK.c.slot)
    )
    numbered = (
        sa.select(_TASK.c.id, place.label("place"))
        .where(_TASK.c.kind == "label", _TASK.c.query_id.in_(queries))
        .subquery()
    )
    surplus = sa.select(numbered.c.id).where(numbered.c.place > most)
    connection = session.connection()
    found = sa.select(_TASK.c.id).where(_TASK.c.id.in_(surplus), free).with_for_update()
    ids = list(connection.execute(found).scalars())
    for start in range(0, len(ids), 1000):
        some = ids[start : start + 1000]
        connection.execute(sa.delete(_SKIP).where(_SKIP.c.task_id.in_(some)))
        connection.execute(sa.delete(_TASK).where(_TASK.c.id.in_(some)))
    return len(ids)


def add_missing(
    session: Session, project_id: str, queries: sa.Select[str], wanted: int, at: datetime
) -> int:
    """Add labels where a query has fewer than so many, in the batch of the others."""
    take_turns(session, f"slots of {project_id}")
    added, counted = 0, {"preserve_rowcount": True}
    for slot in range(1, wanted + 1):
        statement = _fill(queries, slot, wanted, at).execution_options(**counted)
        added += session.connection().execute(statement).rowcount
    if added:
        order_changed(session, project_id)
    return added


def open_queries(project_id: str, chosen: QueryFilter, share: float) -> sa.Select[str]:
    """The queries among the chosen ones that are labelled here and not decided."""
    return chosen_ids(project_id, chosen).where(
        _QUERY.c.state != "decided",
        _QUERY.c.kind != "history",
        ~sa.exists().where(_GOLD.c.query_id == _QUERY.c.id),
        sa.exists().where(_TASK.c.query_id == _QUERY.c.id, _TASK.c.kind == "label"),
        *is_of_share(_QUERY.c.id, share),
    )


def _fill(queries: sa.Select[str], slot: int, wanted: int, at: datetime) -> sa.Insert:
    mine = _TASK.alias("mine")
    labels = (mine.c.query_id == _QUERY.c.id, mine.c.kind == "label")
    count = sa.select(sa.func.count()).where(*labels).scalar_subquery()
    batch = sa.select(sa.func.max(mine.c.work_batch_id)).where(*labels).scalar_subquery()
    rank = sa.select(sa.func.min(mine.c.rank)).where(*labels).scalar_subquery()
    values: dict[str, sa.ColumnElement[Any]] = {
        "project_id": _QUERY.c.project_id,
        "kind": sa.literal("label"),
        "query_id": _QUERY.c.id,
        "slot": sa.literal(slot),
        "status": sa.literal("open"),
        "rank": rank,
        "work_batch_id": batch,
        "created_at": sa.literal(at, UtcDateTime),
    }
    chosen = sa.select(*values.values()).where(
        _QUERY.c.id.in_(queries), count < wanted, ~sa.exists().where(*labels, mine.c.slot == slot)
    )
    ordered = chosen.order_by(_QUERY.c.id)
    return sa.insert(_TASK).from_select(list(values), ordered, include_defaults=False)


def _is_free() -> sa.ColumnElement[bool]:
    return sa.and_(
        _TASK.c.status == "open",
        _TASK.c.person_id.is_(None),
        _TASK.c.for_person_id.is_(None),
        _TASK.c.annotation_id.is_(None),
    )
