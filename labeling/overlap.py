"""How many people label the same query, changed for queries that are here already."""

from db import clock
from db.access import overlap as access
from db.access.events import add_event
from db.engine import Database
from labeling.ranking import to_filter
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.queries import OverlapChanged, QueryChoice

MOST_PEOPLE = 9


def set_overlap(
    database: Database, who: Actor, chosen: QueryChoice, people: int, *, share: float = 1.0
) -> OverlapChanged:
    """Have so many people label each of these queries that are not decided.

    Fewer takes only labels away that nobody has begun; what is handed in stays.

    Args:
        database: The database.
        who: An admin.
        chosen: Which queries.
        people: 1 to 9.
        share: Of the chosen queries, above 0 to 1; which ones they are never changes, and a larger
            share holds a smaller one. The others stay as they are.

    Raises:
        InvalidInput: `queue.unusable_overlap`, `queue.unusable_share`, `queue.too_many_ids`.
    """
    who.require("admin")
    if not 1 <= people <= MOST_PEOPLE:
        raise InvalidInput("queue.unusable_overlap", most=MOST_PEOPLE)
    if not 0 < share <= 1:
        raise InvalidInput("queue.unusable_share")
    queries = access.open_queries(who.project_id, to_filter(chosen), share)
    with database.transaction() as session:
        removed = access.take_away(session, who.project_id, queries, people)
        added = access.add_missing(session, who.project_id, queries, people, clock.now())
        why: dict[str, object] = {"people": people, "share": share}
        why |= {"added": added, "removed": removed}
        add_event(session, who, "project", who.project_id, "overlap", why=why)
    return OverlapChanged(added=added, removed=removed)
