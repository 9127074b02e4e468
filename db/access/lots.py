"""Lots and what is in them; every change is made by one who has the turn of the project's lots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from db.engine import take_turns
from db.tables import Lot
from db.tables.base import new_id
from schemas.sampling import Level

_LOT, _ITEM, _ANNOTATION, _PERSON = (
    Lot.metadata.tables[name] for name in ("lot", "lot_item", "annotation", "person")
)
UNDECIDED = ("open", "inspecting")


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A lot as it stands."""

    id: str
    author_id: str
    number: int
    state: str
    level: Level
    tolerated_rate: float
    confidence: float
    sample_size: int | None
    acceptance_number: int | None
    seed: str
    opened_at: datetime
    drawn_at: datetime | None
    decided_at: datetime | None


class Place(NamedTuple):
    """Where an annotation waits: in an undecided lot, which has no verdict on it yet."""

    lot: LotFacts
    revision_id: str
    is_sampled: bool


class Member(NamedTuple):
    """A submission in a lot that has no verdict yet."""

    annotation_id: str
    query_id: str
    author_id: str
    revision_id: str
    is_sampled: bool


class LotRow(NamedTuple):
    """A lot in a list, with counts of its items."""

    lot: LotFacts
    author: str
    size: int
    inspected: int
    defects: int


_FACTS = tuple(_LOT.c[name] for name in LotFacts.__dataclass_fields__)
_PLACE = (
    sa.select(*_FACTS, _ITEM.c.revision_id, _ITEM.c.is_sampled)
    .join(_ITEM, _ITEM.c.lot_id == _LOT.c.id)
    .where(
        _ITEM.c.annotation_id == sa.bindparam("annotation_id"),
        _ITEM.c.verdict.is_(None),
        _LOT.c.state.in_(UNDECIDED),
    )
)


def take_turn(session: Session, project_id: str) -> None:
    """Until this transaction ends nobody else changes a lot of the project.

    Taken after the turn of an annotation and before that of a query.
    """
    take_turns(session, f"lots of {project_id}")


def find_place(session: Session, annotation_id: str) -> Place | None:
    """The undecided lot that an annotation waits in."""
    row = session.connection().execute(_PLACE, {"annotation_id": annotation_id}).first()
    if row is None:
        return None
    values = tuple(row)
    return Place(LotFacts(*values[:-2]), values[-2], values[-1])


def find_lot(session: Session, project_id: str, lot_id: str) -> LotFacts | None:
    """A lot of this project."""
    statement = sa.select(*_FACTS).where(_LOT.c.id == lot_id, _LOT.c.project_id == project_id)
    row = session.connection().execute(statement).first()
    return None if row is None else LotFacts(*row)


def find_open(session: Session, project_id: str, author_id: str) -> LotFacts | None:
    """The lot that gathers what somebody hands in."""
    statement = sa.select(*_FACTS).where(
        _LOT.c.project_id == project_id, _LOT.c.author_id == author_id, _LOT.c.state == "open"
    )
    row = session.connection().execute(statement).first()
    return None if row is None else LotFacts(*row)


def add_lot(session: Session, project_id: str, author_id: str, **values: object) -> str:
    """A new open lot under the author's next number; returns its id."""
    lot_id = new_id()
    last = sa.select(sa.func.coalesce(sa.func.max(_LOT.c.number), 0) + 1).where(
        _LOT.c.project_id == project_id, _LOT.c.author_id == author_id
    )
    row = {"id": lot_id, "project_id": project_id, "author_id": author_id, "state": "open"}
    statement = sa.insert(_LOT).values(**row, number=last.scalar_subquery(), **values)
    session.connection().execute(statement)
    return lot_id


def add_item(
    session: Session,
    project_id: str,
    lot_id: str,
    annotation_id: str,
    *,
    revision_id: str,
    at: datetime,
) -> None:
    """Put a submission into an open lot."""
    row = {
        "lot_id": lot_id,
        "annotation_id": annotation_id,
        "project_id": project_id,
        "revision_id": revision_id,
        "is_sampled": False,
        "added_at": at,
    }
    session.connection().execute(sa.insert(_ITEM), row)


def remove_item(session: Session, lot_id: str, annotation_id: str) -> None:
    """Take a submission out of a lot."""
    session.connection().execute(sa.delete(_ITEM).where(*_is_item(lot_id, annotation_id)))


def count_items(session: Session, lot_id: str) -> int:
    """How many submissions a lot holds."""
    statement = sa.select(sa.func.count()).where(_ITEM.c.lot_id == lot_id)
    return session.scalar(statement) or 0


def list_undecided(session: Session, project_id: str) -> list[LotFacts]:
    """Lots that gather or are inspected, oldest first."""
    statement = sa.select(*_FACTS).where(
        _LOT.c.project_id == project_id, _LOT.c.state.in_(UNDECIDED)
    )
    return [LotFacts(*row) for row in session.connection().execute(statement.order_by(_LOT.c.id))]


def count_left(session: Session, project_id: str) -> tuple[int, int]:
    """Undecided lots that hold something, and their submissions that are not sampled."""
    statement = (
        sa.select(
            sa.func.count(_LOT.c.id.distinct()),
            sa.func.count(sa.case((_ITEM.c.is_sampled.is_(False), 1))),
        )
        .join(_ITEM, _ITEM.c.lot_id == _LOT.c.id)
        .join(_ANNOTATION, _ANNOTATION.c.id == _ITEM.c.annotation_id)
        .where(
            _LOT.c.project_id == project_id,
            _LOT.c.state.in_(UNDECIDED),
            _ITEM.c.verdict.is_(None),
            _ANNOTATION.c.state == "submitted",
        )
    )
    lots, waiting = session.connection().execute(statement).one()
    return lots, waiting


def list_members(session: Session, lot_id: str) -> list[Member]:
    """Submissions of a lot without a verdict that are still as they came, by query."""
    statement = (
        sa.select(
            _ITEM.c.annotation_id,
            _ANNOTATION.c.query_id,
            _ANNOTATION.c.author_id,
            _ITEM.c.revision_id,
            _ITEM.c.is_sampled,
        )
        .join(_ANNOTATION, _ANNOTATION.c.id == _ITEM.c.annotation_id)
        .where(
            _ITEM.c.lot_id == lot_id, _ITEM.c.verdict.is_(None), _ANNOTATION.c.state == "submitted"
        )
        .order_by(_ANNOTATION.c.query_id, _ITEM.c.annotation_id)
    )
    return [Member(*row) for row in session.connection().execute(statement)]


def list_verdicts(session: Session, lot_id: str) -> list[str | None]:
    """What was said of the sample so far; None is not looked at yet."""
    statement = sa.select(_ITEM.c.verdict).where(_ITEM.c.lot_id == lot_id, _ITEM.c.is_sampled)
    return list(session.connection().execute(statement).scalars())


def mark_sampled(session: Session, lot_id: str, annotation_ids: Sequence[str]) -> None:
    """These are the sample."""
    statement = (
        sa.update(_ITEM)
        .where(_ITEM.c.lot_id == lot_id, _ITEM.c.annotation_id == sa.bindparam("key"))
        .values(is_sampled=True)
    )
    session.connection().execute(statement, [{"key": each} for each in annotation_ids])


def set_verdict(session: Session, lot_id: str, annotation_id: str, verdict: str) -> None:
    """What a reviewer said of a sampled submission."""
    where = _is_item(lot_id, annotation_id)
    session.connection().execute(sa.update(_ITEM).where(*where).values(verdict=verdict))


def change(session: Session, lot_id: str, **values: object) -> None:
    """Set columns of a lot."""
    session.connection().execute(sa.update(_LOT).where(_LOT.c.id == lot_id).values(**values))


def list_outcomes(session: Session, project_id: str, author_id: str) -> list[bool]:
    """Whether each decided lot of an author passed, oldest decision first."""
    statement = (
        sa.select(_LOT.c.state == "passed")
        .where(
            _LOT.c.project_id == project_id,
            _LOT.c.author_id == author_id,
            _LOT.c.state.in_(("passed", "failed")),
        )
        .order_by(_LOT.c.decided_at, _LOT.c.number)
    )
    return [bool(each) for each in session.connection().execute(statement).scalars()]


def list_lots(session: Session, project_id: str, decided: int) -> list[LotRow]:
    """Undecided lots, oldest first, then so many of those that were decided last."""
    found = list_undecided(session, project_id)
    done = sa.select(*_FACTS).where(_LOT.c.project_id == project_id, _LOT.c.state.not_in(UNDECIDED))
    newest = done.order_by(_LOT.c.decided_at.desc(), _LOT.c.id.desc()).limit(decided)
    found += [LotFacts(*row) for row in session.connection().execute(newest)]
    return with_counts(session, found)


def with_counts(session: Session, found: Sequence[LotFacts]) -> list[LotRow]:
    """Lots with their authors' names and counts of their items."""
    names = _names(session, {lot.author_id for lot in found})
    counts = _counts(session, [lot.id for lot in found])
    return [LotRow(lot, names[lot.author_id], *counts.get(lot.id, (0, 0, 0))) for lot in found]


def _is_item(lot_id: str, annotation_id: str) -> tuple[Any, Any]:
    return _ITEM.c.lot_id == lot_id, _ITEM.c.annotation_id == annotation_id


def _names(session: Session, people: set[str]) -> Mapping[str, str]:
    statement = sa.select(_PERSON.c.id, _PERSON.c.name).where(_PERSON.c.id.in_(people))
    return {row[0]: row[1] for row in session.connection().execute(statement)}


def _counts(session: Session, lot_ids: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    statement = (
        sa.select(
            _ITEM.c.lot_id,
            sa.func.count(),
            sa.func.count(_ITEM.c.verdict),
            sa.func.count(sa.case((_ITEM.c.verdict != "accepted", 1))),
        )
        .where(_ITEM.c.lot_id.in_(lot_ids))
        .group_by(_ITEM.c.lot_id)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in session.connection().execute(statement)}
