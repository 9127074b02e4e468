"""Lots for tests: submissions that fill one, and reviewers who decide it."""

from collections.abc import Callable
from typing import TypeVar

from sqlmodel import SQLModel, select

from db.engine import Database
from db.tables import Annotation
from labeling import annotate, lots, review
from schemas.desk import ReviewItem
from schemas.lots import LotView
from schemas.people import Actor
from schemas.sampling import sampling_plan
from tests.factories import A_PLAN, a_label_query

Row = TypeVar("Row", bound=SQLModel)
SIZE = 10
SAMPLING = {"is_on": True, "lot_size": SIZE, "tolerated_rate": 0.4, "confidence": 0.8}
PLAN = sampling_plan(SIZE, 0.4, 0.8)


def hand_in(database: Database, admin: Actor, who: Actor, *, flag: str | None = None) -> str:
    """Hand a plan in on a new query, flagged or not; returns the annotation."""
    item = annotate.open_item(database, who, a_label_query(database, admin))
    if flag:
        annotate.flag(database, who, item.annotation_id, reason=flag)
    annotate.submit(
        database, who, item.annotation_id, number=item.draft_number, content=A_PLAN, seconds=1
    )
    return item.annotation_id


def a_full_lot(database: Database, admin: Actor, who: Actor) -> list[str]:
    """As many as a lot takes."""
    return [hand_in(database, admin, who) for _ in range(SIZE)]


def rows(database: Database, model: type[Row]) -> list[Row]:
    """Every row of a table."""
    with database.reading() as session:
        return list(session.exec(select(model)))


def states(database: Database) -> list[str]:
    """States of all annotations, sorted."""
    return sorted(each.state for each in rows(database, Annotation))


def the_lot(database: Database, who: Actor) -> LotView:
    """The only lot."""
    (lot,) = lots.list_lots(database, who)
    return lot


def accept(database: Database, who: Actor, item: ReviewItem) -> None:
    """Accept what is in hand."""
    review.accept(database, who, item.annotation_id, item.revision_id)


def send_back(database: Database, who: Actor, item: ReviewItem) -> None:
    """Return what is in hand."""
    review.return_to_author(
        database,
        who,
        item.annotation_id,
        item.revision_id,
        reasons=[{"code": "wrong_expert", "remark": ""}],
    )


def review_all(
    database: Database, who: Actor, verdict: Callable[..., None], count: int = SIZE
) -> list[str]:
    """Give the same verdict on up to so many; returns what was decided."""
    done: list[str] = []
    while len(done) < count and (item := review.take_next(database, who)):
        verdict(database, who, item)
        done.append(item.annotation_id)
    return done
