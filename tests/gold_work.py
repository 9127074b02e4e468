"""Gold items at work, for tests of several files."""

from typing import Any

from sqlmodel import select

from db.engine import Database
from db.tables import GoldAnswer
from labeling import annotate, gold
from schemas.desk import LabelItem
from schemas.people import Actor
from tests.factories import A_PLAN, EXPERTS, a_label_query
from tests.fakes.clock import Clock

WRONG: dict[str, Any] = {
    "rewritten_query": "上周店铺流量为什么下降",
    "steps": [{"expert": EXPERTS[0], "sub_questions": ["上周流量"], "order": 1}],
}


def a_gold_query(database: Database, admin: Actor, text: str = "流量为何下滑？") -> str:
    """A query that is a gold item with `A_PLAN`; returns its id."""
    query = a_label_query(database, admin, text)
    gold.set_gold(database, admin, query, A_PLAN)
    return query


def open_next(database: Database, who: Actor) -> LabelItem:
    """The next item of somebody, which there is."""
    item = annotate.open_next(database, who)
    assert item
    return item


def hand_in_next(database: Database, who: Actor, time: Clock, plan: dict[str, Any] = A_PLAN) -> str:
    """Hand a plan in on the next item; returns its query."""
    item = open_next(database, who)
    time.move(seconds=30)
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=plan, seconds=30
    )
    return item.query_id


def gold_answers(database: Database) -> list[GoldAnswer]:
    """Every answer to a gold item, oldest first."""
    with database.reading() as session:
        return list(session.exec(select(GoldAnswer).order_by(GoldAnswer.answered_at)))  # pyright: ignore[reportArgumentType]
