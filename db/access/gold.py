"""Gold items: queries with a known plan, and what people answered to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.queries import EXCERPT
from db.access.starts import order_changed
from db.tables import GoldAnswer, GoldItem, Query
from schemas.gold_items import GoldAnswerView, GoldItemView

_GOLD, _ANSWER, _TASK, _QUERY, _ANNOTATION, _PERSON, _REVISION = (
    GoldItem.metadata.tables[name]
    for name in (
        "gold_item",
        "gold_answer",
        "task",
        "query",
        "annotation",
        "person",
        "revision",
    )
)
_UNDONE = ("open", "taken", "postponed")


class GoldFacts(NamedTuple):
    """A gold item as the judgement of an answer needs it."""

    id: str
    plan: dict[str, Any]
    created_by: str | None


class OneAnswer(NamedTuple):
    """An answer as a record counts it."""

    is_right: bool
    score: float
    answered_at: datetime


def find_item(session: Session, project_id: str, query_id: str) -> GoldItem | None:
    """The gold item of a query."""
    statement = select(GoldItem).where(
        GoldItem.project_id == project_id, GoldItem.query_id == query_id
    )
    return session.exec(statement).first()


def find_facts(session: Session, item_id: str) -> GoldFacts:
    """A gold item that is known to be there."""
    row = session.get_one(GoldItem, item_id)
    return GoldFacts(row.id, row.plan, row.created_by)


def add_item(session: Session, item: GoldItem) -> None:
    """A new gold item."""
    session.add(item)
    session.flush()


def remove_item(session: Session, item: GoldItem) -> None:
    """Take a gold item away that nobody has answered; its query is like any other again."""
    session.delete(item)
    session.flush()
    closed = (
        _TASK.c.query_id == item.query_id,
        _TASK.c.kind == "label",
        _TASK.c.status == "done",
        _TASK.c.annotation_id.is_(None),
        _TASK.c.person_id.is_(None),
        _TASK.c.created_at <= item.created_at,
    )
    session.connection().execute(sa.update(_TASK).where(*closed).values(status="open"))
    order_changed(session, item.project_id)


def keep_apart(session: Session, query_id: str) -> None:
    """Take a query's labels out of the queue: free ones close, others stay with who has them.

    In this order: closing waits for a claim that is under way, and reserving then sees whose it is.
    """
    labels = (_TASK.c.query_id == query_id, _TASK.c.kind == "label")
    nobodys = (_TASK.c.person_id.is_(None), _TASK.c.for_person_id.is_(None))
    connection = session.connection()
    connection.execute(
        sa.update(_TASK)
        .where(*labels, _TASK.c.status == "open", *nobodys)
        .values(status="done", annotation_id=None)
    )
    connection.execute(
        sa.update(_TASK)
        .where(*labels, _TASK.c.status.in_(_UNDONE), _TASK.c.person_id.is_not(None))
        .values(for_person_id=_TASK.c.person_id)
    )


def is_under_review(session: Session, query_id: str) -> bool:
    """Whether somebody's plan for a query is handed in or returned, and not decided."""
    statement = sa.select(_ANNOTATION.c.id).where(
        _ANNOTATION.c.query_id == query_id, _ANNOTATION.c.state.in_(("submitted", "returned"))
    )
    return session.connection().execute(statement.limit(1)).first() is not None


def has_part(session: Session, item: GoldItem) -> bool:
    """Whether anybody has answered a gold item or has it in hand."""
    answers = sa.select(_ANSWER.c.id).where(_ANSWER.c.gold_item_id == item.id)
    reserved = sa.select(_TASK.c.id).where(
        _TASK.c.query_id == item.query_id,
        _TASK.c.kind == "label",
        _TASK.c.for_person_id.is_not(None),
    )
    connection = session.connection()
    found = (connection.execute(each.limit(1)).first() for each in (answers, reserved))
    return any(row is not None for row in found)


def has_answer(session: Session, item_id: str, person_id: str) -> bool:
    """Whether somebody has answered an item; the first answer counts."""
    statement = sa.select(_ANSWER.c.id).where(
        _ANSWER.c.gold_item_id == item_id, _ANSWER.c.person_id == person_id
    )
    return session.connection().execute(statement).first() is not None


def add_answer(session: Session, answer: GoldAnswer) -> None:
    """Keep an answer; one per person and item."""
    session.add(answer)
    session.flush()


def list_answers_of(
    session: Session, project_id: str, person_id: str, since: datetime | None = None
) -> list[OneAnswer]:
    """A person's answers, oldest first; since a time where one is given."""
    statement = sa.select(_ANSWER.c.is_right, _ANSWER.c.score, _ANSWER.c.answered_at).where(
        _ANSWER.c.project_id == project_id, _ANSWER.c.person_id == person_id
    )
    if since is not None:
        statement = statement.where(_ANSWER.c.answered_at > since)
    ordered = statement.order_by(_ANSWER.c.answered_at, _ANSWER.c.id)
    return [OneAnswer(*row) for row in session.connection().execute(ordered)]


def list_items(session: Session, project_id: str) -> list[GoldItemView]:
    """Every gold item with its answers counted: active ones first, then the newest."""
    right = sa.func.coalesce(sa.func.sum(sa.case((_ANSWER.c.is_right, 1), else_=0)), 0)
    counted = (
        sa.select(_GOLD.c.id, sa.func.count(_ANSWER.c.id).label("answered"), right.label("right"))
        .outerjoin(_ANSWER, _ANSWER.c.gold_item_id == _GOLD.c.id)
        .where(_GOLD.c.project_id == project_id)
        .group_by(_GOLD.c.id)
        .subquery()
    )
    columns = ("id", "query_id", "plan", "note", "is_active", "created_at")
    statement = (
        sa.select(
            *(_GOLD.c[name] for name in columns),
            _QUERY.c.external_id,
            sa.func.substr(_QUERY.c.text, 1, EXCERPT).label("text"),
            _PERSON.c.name.label("created_by"),
            counted.c.answered,
            counted.c.right,
        )
        .join(counted, counted.c.id == _GOLD.c.id)
        .join(_QUERY, _QUERY.c.id == _GOLD.c.query_id)
        .outerjoin(_PERSON, _PERSON.c.id == _GOLD.c.created_by)
        .order_by(_GOLD.c.is_active.desc(), _GOLD.c.id.desc())
    )
    found = session.connection().execute(statement).mappings()
    return [GoldItemView.model_validate(dict(row)) for row in found]


def list_answers(
    session: Session,
    project_id: str,
    *,
    item_id: str | None = None,
    person_id: str | None = None,
    limit: int,
) -> list[GoldAnswerView]:
    """Answers of an item or of a person, the newest first, each with the plan handed in."""
    statement = (
        sa.select(
            _ANSWER.c.person_id,
            _PERSON.c.name,
            _GOLD.c.query_id,
            sa.func.substr(_QUERY.c.text, 1, EXCERPT).label("text"),
            _REVISION.c.content.label("plan"),
            _ANSWER.c.is_right,
            _ANSWER.c.score,
            _ANSWER.c.answered_at,
        )
        .join(_GOLD, _GOLD.c.id == _ANSWER.c.gold_item_id)
        .join(_QUERY, _QUERY.c.id == _GOLD.c.query_id)
        .join(_PERSON, _PERSON.c.id == _ANSWER.c.person_id)
        .join(_REVISION, _REVISION.c.id == _ANSWER.c.revision_id)
        .where(_ANSWER.c.project_id == project_id)
        .order_by(_ANSWER.c.answered_at.desc(), _ANSWER.c.id.desc())
        .limit(limit)
    )
    if item_id is not None:
        statement = statement.where(_ANSWER.c.gold_item_id == item_id)
    if person_id is not None:
        statement = statement.where(_ANSWER.c.person_id == person_id)
    found = session.connection().execute(statement).mappings()
    return [GoldAnswerView.model_validate(dict(row)) for row in found]


def list_gold_ids(session: Session, project_id: str, query_ids: Sequence[str]) -> set[str]:
    """Which of these queries are gold."""
    statement = sa.select(_GOLD.c.query_id).where(
        _GOLD.c.project_id == project_id, _GOLD.c.query_id.in_(query_ids)
    )
    return set(session.connection().execute(statement).scalars())


class GuardedGold(NamedTuple):
    """A gold query, which no bundle may hold; the plan as JSON text."""

    query_id: str
    text: str
    plan: str


def list_guarded_gold(session: Session, project_id: str) -> list[GuardedGold]:
    """Every gold query, retired ones included, in the order of their items."""
    statement = (
        sa.select(col(Query.id), col(Query.text), sa.cast(_GOLD.c.plan, sa.Text))
        .join(_GOLD, _GOLD.c.query_id == col(Query.id))
        .where(_GOLD.c.project_id == project_id)
        .order_by(_GOLD.c.id)
    )
    return [GuardedGold(*row) for row in session.connection().execute(statement)]
