"""What became of whom between two versions: as recorded when the newer was published, or proposed.

A version that was published without a word on it gets the proposals of
`schemas.change_proposals`, marked as such. Whoever asks about a difference asks here, so that
label page, comparison, impact and migration say the same.
"""

from db.access import list_changes as access
from db.engine import Database, Session
from labeling.experts import get_list
from schemas.change_proposals import propose_changes
from schemas.experts import ExpertList
from schemas.list_changes import ListChanges
from schemas.people import Actor


def changes_between(database: Database, who: Actor, before: str, after: str) -> ListChanges:
    """The changes between two references.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    old, new = (get_list(database, who, each) for each in (before, after))
    with database.reading() as session:
        return find_changes(session, who.project_id, old, new)


def find_changes(
    session: Session,
    project_id: str,
    before: tuple[str, ExpertList],
    after: tuple[str, ExpertList],
) -> ListChanges:
    """The changes between two versions (id and list), within an open unit of work."""
    recorded = access.find_changes(session, project_id, before[0], after[0])
    if recorded:
        return ListChanges(source="recorded", changes=recorded)
    return ListChanges(source="proposed", changes=propose_changes(before[1], after[1]))
