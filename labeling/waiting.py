"""What waits for this reviewer: a list to narrow and order, and the next one of it."""

from db import clock
from db.access import leases, projects, waiting
from db.access.leases import Asker
from db.access.tasks import TaskFacts
from db.access.waiting import Found, Reader
from db.engine import Database, Session, take_turns
from schemas.people import Actor
from schemas.waiting import Narrowed, WaitingChoices, WaitingPage

MOST_ROWS = 100
AT_ONCE = 20


def list_waiting(
    database: Database,
    who: Actor,
    narrowed: Narrowed | None = None,
    *,
    after: str | None = None,
    limit: int = 50,
) -> WaitingPage:
    """A page of the submissions that this reviewer may take or has in hand.

    Where the project hides authors, nobody is named and nothing is narrowed by author.

    Raises:
        InvalidInput: `review.bad_page`.
    """
    who.require("reviewer")
    with database.reading() as session:
        reader = reader_of(who)
        narrowed, is_hidden = blind(session, who, narrowed or Narrowed())
        limit = max(1, min(limit, MOST_ROWS))
        rows, next_after = waiting.list_rows(session, reader, narrowed, after, limit)
        total = waiting.count(session, reader, narrowed)
    if is_hidden:
        rows = [row.model_copy(update={"author": None}) for row in rows]
    return WaitingPage(rows=tuple(rows), total=total, next_after=next_after)


def list_choices(database: Database, who: Actor) -> WaitingChoices:
    """What the list can be narrowed by."""
    who.require("reviewer")
    with database.reading() as session:
        reader = reader_of(who)
        _, is_hidden = blind(session, who, Narrowed())
        return WaitingChoices(
            authors=() if is_hidden else tuple(waiting.list_authors(session, reader)),
            lists=tuple(waiting.list_lists(session, reader)),
            models=tuple(waiting.list_models(session, reader)),
        )


def take_next(session: Session, who: Actor, asker: Asker, narrowed: Narrowed) -> TaskFacts | None:
    """The first of the narrowed list, in hand; what this reviewer holds of it comes first."""
    narrowed, _ = blind(session, who, narrowed)
    take_turns(session, f"tasks of {who.person_id}")
    leases.reopen_lapsed(session, who.project_id, "review", asker.at)
    reader, tried = reader_of(who), set[int]()
    while True:
        found = waiting.list_found(session, reader, narrowed, len(tried) + AT_ONCE)
        fresh = [each for each in found if each.task_id not in tried]
        for each in fresh:
            task = take(session, asker, each)
            if task is not None:
                return task
        tried |= {each.task_id for each in fresh}
        if not fresh:
            return None


def take(session: Session, asker: Asker, found: Found) -> TaskFacts | None:
    """One submission of the list, in hand; None when somebody else was faster."""
    if found.is_in_hand:
        return leases.take_mine(session, asker, found.task_id)
    return leases.take_review_of(session, asker, found.query_id, found.annotation_id)


def reader_of(who: Actor) -> Reader:
    """This reviewer, looking now."""
    return Reader(who.project_id, who.person_id, clock.now())


def blind(session: Session, who: Actor, narrowed: Narrowed) -> tuple[Narrowed, bool]:
    """The filter without an author, where the project hides authors; and whether it does."""
    if not projects.read_settings(session, who.project_id).hide_author or who.role == "admin":
        return narrowed, False
    return narrowed.model_copy(update={"author_id": None}), True
