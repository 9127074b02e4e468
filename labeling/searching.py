"""Searching from the label page: what is mine, and what is free for me."""

from db.access import searching as access
from db.engine import Database
from schemas.desk import FoundItem
from schemas.people import Actor

MOST_FOUND = 50
LONGEST_TEXT = 200


def search(database: Database, who: Actor, text: str, limit: int = 20) -> tuple[FoundItem, ...]:
    """Queries with this text, or of this id, that this person has or may take; their own first.

    What others have in hand, have finished, or have kept for them is not found.

    Args:
        database: The database; only read.
        who: Who searches.
        text: Part of a query, or its whole id or external id; blank finds nothing.
        limit: At most 50.
    """
    who.require("annotator")
    text = text.strip()[:LONGEST_TEXT]
    if not text:
        return ()
    limit = max(1, min(limit, MOST_FOUND))
    with database.reading() as session:
        found = access.list_own(session, who.project_id, who.person_id, text, limit)
        if len(found) < limit:
            room = limit - len(found)
            found += access.list_claimable(session, who.project_id, who.person_id, text, room)
    return tuple(found)
