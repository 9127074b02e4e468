"""How far we are: the header's counts, and a person's own annotations."""

import threading
from datetime import datetime, timedelta
from typing import NamedTuple

from db import clock
from db.access import own_items, projects, queries, reviews
from db.engine import Database, Session
from schemas.desk import MyItem, Progress
from schemas.people import Actor

MOST_ITEMS = 200
# The header may lag this far behind: counting 100,000 rows for every submission would cost more
# than the submission.
COUNTS_VALID_FOR = timedelta(seconds=3)


class _Counts(NamedTuple):
    open_labels: int
    open_reviews: int
    decided: int
    queries: int


_counted: dict[tuple[str, str], tuple[datetime, _Counts]] = {}
_turns: dict[tuple[str, str], threading.Lock] = {}


def progress(database: Database, who: Actor, *, since: datetime | None = None) -> Progress:
    """Counts for the header.

    Args:
        database: The database.
        who: Who looks.
        since: When their day began; midnight UTC by default.
    """
    who.require("annotator")
    at = clock.now()
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    with database.reading() as session:
        project = who.project_id
        counts = _project_counts(database, session, project, at)
        return Progress(
            mine_today=own_items.count_submitted_since(
                session, project, who.person_id, since or midnight
            ),
            daily_goal=projects.read_settings(session, project).daily_goal,
            returned_to_me=own_items.count_returned(session, project, who.person_id),
            **counts._asdict(),
        )


def list_mine(
    database: Database, who: Actor, state: str | None = None, *, limit: int = 50
) -> tuple[MyItem, ...]:
    """My annotations, the newest first.

    Args:
        database: The database.
        who: Whose.
        state: A state of an annotation, or `postponed`; None for all.
        limit: At most 200.
    """
    who.require("annotator")
    limit = max(1, min(limit, MOST_ITEMS))
    with database.reading() as session:
        found = own_items.list_of_author(
            session, who.project_id, who.person_id, state, limit, at=clock.now()
        )
        notes = reviews.last_returns(
            session, [row.id for row, *_ in found if row.state == "returned"]
        )
    return tuple(
        MyItem(
            query_id=row.query_id,
            annotation_id=row.id,
            text=text,
            state=row.state,
            is_postponed=is_postponed,
            flag=row.flag,
            opened_at=row.opened_at,
            submitted_at=row.submitted_at,
            lead_seconds=row.lead_seconds,
            can_withdraw=can_withdraw,
            returned=notes.get(row.id),
        )
        for row, text, is_postponed, can_withdraw in found
    )


def _project_counts(database: Database, session: Session, project_id: str, at: datetime) -> _Counts:
    """Counts that lag a little: one request counts again, the others of that moment get the old."""
    key = (str(database.url), project_id)
    known = _counted.get(key)
    if known is not None and abs(at - known[0]) < COUNTS_VALID_FOR:
        return known[1]
    turn = _turns.setdefault(key, threading.Lock())
    if known is None:
        turn.acquire()
    elif not turn.acquire(blocking=False):
        return known[1]
    try:
        if _counted.get(key) is known:
            _counted[key] = (at, _count(session, project_id))
        return _counted[key][1]
    finally:
        turn.release()


def _count(session: Session, project_id: str) -> _Counts:
    states = queries.count_by_state(session, project_id)
    return _Counts(
        open_labels=queries.count_tasks(session, project_id, "label", ("open",)),
        open_reviews=queries.count_tasks(session, project_id, "review", ("open",)),
        decided=states.get("decided", 0),
        queries=sum(states.values()),
    )
