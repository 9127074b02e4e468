"""Tasks: what becomes of them when somebody gives one back, puts it aside, hands it in, returns it.

A label task is found by its query and the annotation it is worked on in; the unique index on kind,
query and slot serves that. Opening a task again tells the searches that are already past it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session

from db.access.starts import Place, opened_again
from db.prepared import Prepared, word
from db.tables import Task
from db.tables.base import UtcDateTime

Kind = Literal["label", "review"]
KINDS: tuple[Kind, Kind] = ("label", "review")

TASK = Task.metadata.tables["task"]
SKIP = Task.metadata.tables["task_skip"]
_PERSON = Task.metadata.tables["person"]
_GOLD = Task.metadata.tables["gold_item"]


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task as it stands."""

    id: int
    project_id: str
    kind: Kind
    query_id: str
    slot: int
    rank: int
    status: str
    annotation_id: str | None
    person_id: str | None
    for_person_id: str | None
    lease_until: datetime | None
    taken_at: datetime | None
    work_batch_id: str | None


class Holder(NamedTuple):
    """Who has a task, and since when."""

    person_id: str
    name: str
    at: datetime


FACTS = (
    TASK.c.id,
    TASK.c.project_id,
    TASK.c.kind,
    TASK.c.query_id,
    TASK.c.slot,
    TASK.c.rank,
    TASK.c.status,
    TASK.c.annotation_id,
    TASK.c.person_id,
    TASK.c.for_person_id,
    TASK.c.lease_until,
    TASK.c.taken_at,
    TASK.c.work_batch_id,
)


def is_of(person_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a task is this person's and not done: in hand, lapsed, put aside or kept for them."""
    kept = sa.and_(TASK.c.for_person_id == person_id, TASK.c.person_id.is_(None))
    return sa.and_(sa.or_(TASK.c.person_id == person_id, kept), TASK.c.status != word("done"))


_OF_ANNOTATION = Prepared(
    sa.select(*FACTS).where(
        TASK.c.kind == bindparam("kind"),
        TASK.c.query_id == bindparam("query_id"),
        TASK.c.annotation_id == bindparam("annotation_id"),
    )
)
_ATTACH = Prepared(sa.update(TASK).where(TASK.c.id == bindparam("key")), "annotation_id")
_CLOSE = (
    sa.update(TASK)
    .where(is_of(bindparam("me")))
    .values(
        status=word("done"),
        person_id=bindparam("me"),
        for_person_id=sa.null(),
        lease_until=sa.null(),
    )
    .returning(*FACTS)
)
_HAND_IN = Prepared(_CLOSE.where(TASK.c.id == bindparam("key")))
_HAND_IN_OF = Prepared(
    _CLOSE.where(
        TASK.c.kind == word("label"),
        TASK.c.query_id == bindparam("of_query"),
        TASK.c.annotation_id == bindparam("of_annotation"),
    )
)
_OFFERED = {
    "status": word("open"),
    "person_id": sa.null(),
    "lease_until": sa.null(),
    "annotation_id": bindparam("of_annotation", type_=sa.String()),
    "author_id": bindparam("by", type_=sa.String()),
    "rank": bindparam("at_rank", type_=sa.Integer()),
}
_REVIEW_AGAIN = Prepared(
    sa.update(TASK)
    .where(
        TASK.c.kind == word("review"),
        TASK.c.query_id == bindparam("of_query"),
        TASK.c.slot == bindparam("of_slot"),
    )
    .values(_OFFERED)
    .returning(*FACTS)
)
_REVIEW = _OFFERED | {
    "project_id": bindparam("project", type_=sa.String()),
    "kind": word("review"),
    "query_id": bindparam("of_query", type_=sa.String()),
    "slot": bindparam("of_slot", type_=sa.Integer()),
    "created_at": bindparam("at", type_=UtcDateTime()),
}
_FIRST_REVIEW = Prepared(
    sa.insert(TASK)
    .from_select(
        list(_REVIEW),
        sa.select(*_REVIEW.values()).where(
            ~sa.exists().where(
                TASK.c.kind == word("review"),
                TASK.c.query_id == bindparam("of_query", type_=sa.String()),
                TASK.c.slot == bindparam("of_slot", type_=sa.Integer()),
            )
        ),
    )
    .returning(TASK.c.id)
)


def find_of_annotation(
    session: Session, kind: Kind, query_id: str, annotation_id: str
) -> TaskFacts | None:
    """The task that an annotation is worked on or reviewed in."""
    return to_facts(
        _OF_ANNOTATION.first(session, kind=kind, query_id=query_id, annotation_id=annotation_id)
    )


def list_of_query(session: Session, kind: Kind, query_id: str) -> list[TaskFacts]:
    """The slots of a query, in order."""
    statement = (
        sa.select(*FACTS)
        .where(TASK.c.kind == kind, TASK.c.query_id == query_id)
        .order_by(TASK.c.slot)
    )
    return [TaskFacts(*row) for row in session.connection().execute(statement)]


def find_holder(session: Session, task: TaskFacts) -> Holder | None:
    """Who has this task now."""
    if task.person_id is None or task.status == "open":
        return None
    name = session.scalar(sa.select(_PERSON.c.name).where(_PERSON.c.id == task.person_id))
    if name is None or task.taken_at is None:
        return None
    return Holder(task.person_id, name, task.taken_at)


def attach(session: Session, task_id: int, annotation_id: str) -> None:
    """Say which annotation a label task is worked on in."""
    _ATTACH.run(session, key=task_id, annotation_id=annotation_id)


def hand_in(session: Session, task_id: int, person_id: str) -> TaskFacts | None:
    """Close a task that is this person's (lapsed, put aside or kept for them too), else None."""
    return to_facts(_HAND_IN.first(session, key=task_id, me=person_id))


def hand_in_of(
    session: Session, query_id: str, annotation_id: str, person_id: str
) -> TaskFacts | None:
    """Close the label task that an annotation is worked on in, as `hand_in` does."""
    found = _HAND_IN_OF.first(session, of_query=query_id, of_annotation=annotation_id, me=person_id)
    return to_facts(found)


def put_aside(session: Session, task_id: int, person_id: str, at: datetime) -> TaskFacts | None:
    """Postpone a task that is this person's: it stays theirs, without a lease."""
    statement = (
        sa.update(TASK)
        .where(TASK.c.id == task_id, is_of(sa.literal(person_id)))
        .values(status="postponed", person_id=person_id, lease_until=None, taken_at=at)
        .returning(*FACTS)
    )
    return to_facts(session.connection().execute(statement).first())


def give_back(
    session: Session, task: TaskFacts, person_id: str, *, for_others: bool
) -> TaskFacts | None:
    """Open a task that is this person's; one kept for them stays so unless it is `for_others`.

    A gold item is nobody else's: for others, its task closes.
    """
    values: dict[str, Any] = {"status": "open", "person_id": None, "lease_until": None}
    if for_others:
        is_gold = sa.exists().where(_GOLD.c.query_id == TASK.c.query_id)
        values["status"] = sa.case((is_gold, "done"), else_="open")
        values["for_person_id"] = None
    if task.kind == "label" and (for_others or task.for_person_id is None):
        values["annotation_id"] = None
    return _reopen(session, values, TASK.c.id == task.id, is_of(sa.literal(person_id)))


def skip(session: Session, task_id: int, person_id: str, reason: str, at: datetime) -> None:
    """Never hand this task to this person again."""
    known = sa.select(SKIP.c.task_id).where(
        SKIP.c.task_id == task_id, SKIP.c.person_id == person_id
    )
    if session.connection().execute(known).first() is None:
        session.connection().execute(
            sa.insert(SKIP).values(task_id=task_id, person_id=person_id, reason=reason, at=at)
        )


def keep_for_author(session: Session, task_id: int, author_id: str) -> TaskFacts | None:
    """Open a label task again for its author alone."""
    values = {"status": "open", "person_id": None, "for_person_id": author_id}
    return _reopen(session, values, TASK.c.id == task_id)


def open_for_others(session: Session, task_id: int) -> TaskFacts | None:
    """Open a label task again for whoever has no part in its query."""
    values = {
        "status": "open",
        "person_id": None,
        "for_person_id": None,
        "annotation_id": None,
        "lease_until": None,
    }
    return _reopen(session, values, TASK.c.id == task_id)


def take_up_again(
    session: Session, task_id: int, person_id: str, at: datetime, until: datetime
) -> None:
    """Put a task that was handed in back into its author's hands."""
    session.connection().execute(
        sa.update(TASK)
        .where(TASK.c.id == task_id)
        .values(status="taken", person_id=person_id, lease_until=until, taken_at=at)
    )


def offer_review(
    session: Session, label: TaskFacts, author_id: str, rank: int, at: datetime
) -> None:
    """Open the review of what was handed in on a label slot; each slot has one review task."""
    values: dict[str, Any] = {
        "of_query": label.query_id,
        "of_slot": label.slot,
        "of_annotation": label.annotation_id,
        "by": author_id,
        "at_rank": rank,
    }
    if _FIRST_REVIEW.first(session, **values, project=label.project_id, at=at) is not None:
        if rank < label.rank:
            opened_again(session, label.project_id, "review", Place(rank, 0))
        return
    task = to_facts(_REVIEW_AGAIN.first(session, **values))
    if task is not None:
        opened_again(session, task.project_id, "review", Place(task.rank, task.id))


def withdraw_review(session: Session, task_id: int, at: datetime) -> TaskFacts | None:
    """Close a review that nobody has in hand; None when a reviewer has it."""
    statement = (
        sa.update(TASK)
        .where(
            TASK.c.id == task_id,
            sa.or_(
                TASK.c.status == "open",
                sa.and_(TASK.c.status == "taken", TASK.c.lease_until < at),
            ),
        )
        .values(status="done", person_id=None, lease_until=None)
        .returning(*FACTS)
    )
    return to_facts(session.connection().execute(statement).first())


def set_rank(session: Session, task_id: int, rank: int) -> None:
    """Move a task to another place in the queue."""
    _reopen(session, {"rank": rank}, TASK.c.id == task_id)


def list_of_person(session: Session, project_id: str, person_id: str) -> list[TaskFacts]:
    """Everything that a person holds, put aside or has kept for them."""
    mine = sa.or_(TASK.c.person_id == person_id, TASK.c.for_person_id == person_id)
    statement = sa.select(*FACTS).where(
        TASK.c.project_id == project_id, mine, TASK.c.status != "done"
    )
    return [TaskFacts(*row) for row in session.connection().execute(statement)]


def to_facts(row: Sequence[Any] | None) -> TaskFacts | None:
    """A row of `FACTS`."""
    return None if row is None else TaskFacts(*row)


def _reopen(
    session: Session, values: Mapping[str, Any], *where: sa.ColumnElement[bool]
) -> TaskFacts | None:
    statement = sa.update(TASK).where(*where).values(**values).returning(*FACTS)
    task = to_facts(session.connection().execute(statement).first())
    if task is not None:
        opened_again(session, task.project_id, task.kind, Place(task.rank, task.id))
    return task
