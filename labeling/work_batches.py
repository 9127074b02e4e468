"""Named batches of work: which queries, for whom, until when, and how far.

A batch is a part of the queue: its labels go to its people only, or to everybody where none are
named. What somebody has in hand stays in their hands. A closed batch hands out nothing more; its
labels wait until it is opened again or another batch takes them in.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date

from db import clock
from db.access import people
from db.access import work_batches as access
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import WorkBatch
from labeling.ranking import rank_again, to_filter
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.queries import QueryChoice
from schemas.work_batches import BatchFilled, WorkBatchView

LONGEST_NAME = 80


def create_batch(
    database: Database,
    who: Actor,
    name: str,
    chosen: QueryChoice,
    *,
    due_on: date | None = None,
    person_ids: Sequence[str] = (),
) -> BatchFilled:
    """Make a batch of the labels of these queries that are not handed in yet.

    Raises:
        InvalidInput: `work_batches.unusable_name`, `work_batches.name_taken`,
            `work_batches.not_a_member`, `work_batches.nothing_in_it`.
    """
    who.require("admin")
    name = unicodedata.normalize("NFKC", name).strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidInput("work_batches.unusable_name", most=LONGEST_NAME)
    narrowed = to_filter(chosen)
    with database.transaction() as session:
        take_turns(session, f"batches of {who.project_id}")
        if access.has_name(session, who.project_id, name):
            raise InvalidInput("work_batches.name_taken", name=name)
        _check_people(session, who, person_ids)
        row = WorkBatch(
            project_id=who.project_id,
            name=name,
            due_on=due_on,
            created_by=who.person_id,
            created_at=clock.now(),
        )
        batch_id = access.add_batch(session, row)
        access.set_people(session, batch_id, person_ids)
        taken_in = access.take_in(session, who.project_id, batch_id, narrowed)
        elsewhere = access.count_elsewhere(session, who.project_id, batch_id, narrowed)
        if not taken_in:
            raise InvalidInput("work_batches.nothing_in_it", elsewhere=elsewhere)
        why: dict[str, object] = {"name": name, "labels": taken_in}
        add_event(session, who, "work_batch", batch_id, "created", after="open", why=why)
        access.tell_searches(session, who.project_id)
    _rank(database, who, batch_id)
    return BatchFilled(batch_id=batch_id, taken_in=taken_in, elsewhere=elsewhere)


def add_to_batch(database: Database, who: Actor, batch_id: str, chosen: QueryChoice) -> BatchFilled:
    """Put more queries into a batch; what is in another open batch stays there.

    Raises:
        NotFound: `work_batches.not_found`.
    """
    who.require("admin")
    narrowed = to_filter(chosen)
    with database.transaction() as session:
        _get(session, who, batch_id)
        taken_in = access.take_in(session, who.project_id, batch_id, narrowed)
        elsewhere = access.count_elsewhere(session, who.project_id, batch_id, narrowed)
        add_event(session, who, "work_batch", batch_id, "filled", why={"labels": taken_in})
        access.tell_searches(session, who.project_id)
    _rank(database, who, batch_id)
    return BatchFilled(batch_id=batch_id, taken_in=taken_in, elsewhere=elsewhere)


def change_batch(
    database: Database,
    who: Actor,
    batch_id: str,
    *,
    due_on: date | None,
    person_ids: Sequence[str],
) -> None:
    """Another due date, other people; what somebody has in hand stays with them.

    Raises:
        NotFound: `work_batches.not_found`.
        InvalidInput: `work_batches.not_a_member`.
    """
    who.require("admin")
    with database.transaction() as session:
        row = _get(session, who, batch_id)
        _check_people(session, who, person_ids)
        row.due_on = due_on
        access.set_people(session, batch_id, person_ids)
        why: dict[str, object] = {"due_on": due_on and f"{due_on}", "people": len(person_ids)}
        add_event(session, who, "work_batch", batch_id, "changed", why=why)
        access.tell_searches(session, who.project_id)
    _rank(database, who, batch_id)


def close_batch(database: Database, who: Actor, batch_id: str) -> None:
    """Hand out nothing more of a batch; what people have in hand they may finish.

    Raises:
        NotFound: `work_batches.not_found`.
    """
    _open_or_close(database, who, batch_id, is_open=False)


def reopen_batch(database: Database, who: Actor, batch_id: str) -> None:
    """Hand out the rest of a batch again.

    Raises:
        NotFound: `work_batches.not_found`.
    """
    _open_or_close(database, who, batch_id, is_open=True)


def list_batches(database: Database, who: Actor) -> tuple[WorkBatchView, ...]:
    """Every batch with its progress, open ones first and the nearest due date before the others."""
    who.require("reviewer")
    with database.reading() as session:
        today = clock.now().date()
        return tuple(access.list_batches(session, who.project_id, today))


def _open_or_close(database: Database, who: Actor, batch_id: str, *, is_open: bool) -> None:
    who.require("admin")
    with database.transaction() as session:
        row = _get(session, who, batch_id)
        if (row.closed_at is None) == is_open:
            return
        row.closed_at = None if is_open else clock.now()
        before, after = ("closed", "open") if is_open else ("open", "closed")
        action = "reopened" if is_open else "closed"
        add_event(session, who, "work_batch", batch_id, action, before=before, after=after)
        access.tell_searches(session, who.project_id)


def _get(session: Session, who: Actor, batch_id: str) -> WorkBatch:
    row = access.find_batch(session, who.project_id, batch_id)
    if row is None:
        raise NotFound("work_batches.not_found")
    return row


def _check_people(session: Session, who: Actor, person_ids: Sequence[str]) -> None:
    for person_id in person_ids:
        member = people.find_member(session, who.project_id, person_id)
        if member is None or not member[0].is_active:
            raise InvalidInput("work_batches.not_a_member")


def _rank(database: Database, who: Actor, batch_id: str) -> None:
    rank_again(database, who.project_id, access.chosen_labels(batch_id))
