"""Where the search for the next task begins: a hint kept per process, never a truth.

The next open task is the first of an index. Two things make its head slow: PostgreSQL walks the
dead entries of everything handed out since the last vacuum, and with overlap a fast person walks
over the slots that only others may take. So each person's search begins where the last one ended.
It goes back to the head when nothing follows, when a task before it opens again in this process,
and after `VALID_FOR` for what other processes opened.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Engine
from sqlmodel import Session

VALID_FOR = timedelta(seconds=30)
SWEEP_EVERY = timedelta(seconds=1)


class Place(NamedTuple):
    """A place in the queue; the smaller comes first."""

    rank: int
    id: int


class _Start(NamedTuple):
    place: Place
    since: datetime


class _Hints:
    def __init__(self) -> None:
        self.starts: dict[tuple[str, str], dict[str, _Start]] = {}
        self.swept: dict[tuple[str, str], datetime] = {}


_hints: WeakKeyDictionary[Engine, _Hints] = WeakKeyDictionary()


def find_start(
    session: Session, project_id: str, kind: str, person_id: str, at: datetime
) -> Place | None:
    """The place after which this person's next task is looked for; None for the head."""
    start = _of(session).starts.get((project_id, kind), {}).get(person_id)
    if start is None or abs(at - start.since) > VALID_FOR:
        return None
    return start.place


def move_start(
    session: Session,
    project_id: str,
    kind: str,
    person_id: str,
    place: Place,
    *,
    since: datetime | None,
) -> None:
    """Remember where a search ended; `since` tells when it last began at the head."""
    starts = _of(session).starts.setdefault((project_id, kind), {})
    known = starts.get(person_id)
    if since is None and known is not None:
        since = known.since
    if since is not None:
        starts[person_id] = _Start(place, since)


def opened_again(session: Session, project_id: str, kind: str, place: Place) -> None:
    """A task opened: whoever is already past it begins at the head again."""
    starts = _of(session).starts.get((project_id, kind), {})
    for person_id, start in list(starts.items()):
        if start.place >= place:
            starts.pop(person_id, None)


def order_changed(session: Session, project_id: str) -> None:
    """Tasks have other ranks now: every search of the project begins at the head again."""
    for key, starts in list(_of(session).starts.items()):
        if key[0] == project_id:
            starts.clear()


def sweep_is_due(session: Session, project_id: str, kind: str, at: datetime) -> bool:
    """Whether lapsed leases should be looked for again; notes that they now are."""
    swept = _of(session).swept
    last = swept.get((project_id, kind))
    if last is not None and abs(at - last) < SWEEP_EVERY:
        return False
    swept[(project_id, kind)] = at
    return True


def _of(session: Session) -> _Hints:
    engine = session.get_bind().engine
    hints = _hints.get(engine)
    if hints is None:
        hints = _hints.setdefault(engine, _Hints())
    return hints
