"""What became of whom between two versions: as recorded when the newer was published, or proposed.

A version that was published without a word on it gets the proposals of
`schemas.change_proposals`, marked as such. What was recorded over several versions is put together.
Whoever asks about a difference asks here, so that label page, comparison, impact and migration say
the same.
"""

from itertools import pairwise

from db.access import list_changes as access
from db.access import lists
from db.engine import Database, Session
from labeling.experts import get_list
from schemas.change_proposals import propose_changes
from schemas.combined_changes import combine_changes
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
    versions = _versions_between(session, project_id, before, after)
    steps = [_step(session, project_id, *pair) for pair in pairwise(versions)]
    if len(steps) == 1:
        return steps[0]
    combined = None
    if any(each.source == "recorded" for each in steps):
        found = [each.changes for each in steps]
        combined = combine_changes([each for _, each in versions], found)
    if combined is None:
        return ListChanges(source="proposed", changes=propose_changes(before[1], after[1]))
    is_sure = all(each.source == "recorded" or not each.changes for each in steps)
    return ListChanges(source="recorded" if is_sure else "proposed", changes=combined)


def _versions_between(
    session: Session,
    project_id: str,
    before: tuple[str, ExpertList],
    after: tuple[str, ExpertList],
) -> list[tuple[str, ExpertList]]:
    """From one version to a later one of the same list, both included; else just the two."""
    (_, old), (_, new) = before, after
    if old.name != new.name or new.version <= old.version:
        return [before, after]
    between: list[tuple[str, ExpertList]] = []
    for version in range(old.version + 1, new.version):
        row = lists.find_version(session, project_id, new.name, version)
        if row is not None:
            between.append((row.id, lists.to_list(row)))
    return [before, *between, after]


def _step(
    session: Session,
    project_id: str,
    before: tuple[str, ExpertList],
    after: tuple[str, ExpertList],
) -> ListChanges:
    recorded = access.find_changes(session, project_id, before[0], after[0])
    if recorded:
        return ListChanges(source="recorded", changes=recorded)
    return ListChanges(source="proposed", changes=propose_changes(before[1], after[1]))
