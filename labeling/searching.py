"""Searching from the desks: what is mine or free for me to label, and what waits for a review."""

from db import clock
from db.access import projects
from db.access import searching as access
from db.engine import Database
from schemas.desk import FoundItem, FoundSubmission
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


def search_submissions(
    database: Database, who: Actor, text: str, limit: int = 20
) -> tuple[FoundSubmission, ...]:
    """Submissions of others with this text, or of this id, the longest waiting first.

    Args:
        database: The database; only read.
        who: A reviewer.
        text: Part of a query, or a whole id of the query or the annotation; blank finds nothing.
        limit: At most 50.
    """
    who.require("reviewer")
    text = text.strip()[:LONGEST_TEXT]
    if not text:
        return ()
    limit = max(1, min(limit, MOST_FOUND))
    with database.reading() as session:
        found = access.list_submissions(
            session, who.project_id, who.person_id, text, limit, at=clock.now()
        )
        is_hidden = projects.read_settings(session, who.project_id).hide_author
    return tuple(
        FoundSubmission(
            annotation_id=each.annotation_id,
            external_id=each.external_id,
            text=each.text,
            author=None if is_hidden and who.role != "admin" else each.author,
            submitted_at=each.submitted_at,
            is_taken=bool(each.is_taken),
        )
        for each in found
    )
