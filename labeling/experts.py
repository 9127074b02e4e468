"""Expert lists: publish a version, find it again, compare two.

A version is known by its content: publishing the same content under the same name gives back the
version that stands there. Nothing published is ever changed, since queries are pinned to it.
"""

import re
from collections.abc import Sequence

from pydantic import JsonValue

from db.access import list_changes, lists, projects
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from schemas.errors import InvalidInput, NotFound
from schemas.experts import ExpertList, ListComparison, ListSummary, Published, compare_lists
from schemas.list_changes import ListChange, check_changes
from schemas.list_files import parse_expert_list, parse_list_file
from schemas.people import Actor

_REFERENCE = re.compile(r"(?P<name>[^@]+)(?:@(?P<version>[1-9][0-9]{0,8}))?")


def publish(
    database: Database,
    who: Actor,
    content: bytes | dict[str, JsonValue],
    *,
    name: str | None = None,
    note: str = "",
    changes: Sequence[ListChange] | None = None,
) -> Published:
    """Publish one list, from a file or from plain values, and make it the current one.

    Args:
        database: The database.
        who: An admin.
        content: A JSON file with one list, or its value.
        name: Takes the place of the name in the file.
        note: What changed, for people.
        changes: What became of the experts of the version before; only proposed when absent.

    Raises:
        InvalidInput: `files.*`, `experts.refused`, `experts.changes_refused`, or
            `experts.several` for a file of many lists.
    """
    who.require("admin")
    if isinstance(content, dict):
        expert_list = parse_expert_list(content, name=name)
    else:
        parsed = parse_list_file(content)
        if len(parsed) > 1:
            raise InvalidInput("experts.several", count=len(parsed))
        expert_list = parsed[0]
        if name is not None:
            expert_list = parse_expert_list(expert_list.model_dump(mode="json"), name=name)
    with database.transaction() as session:
        published = add_version(session, who, expert_list, note, changes=changes)
        make_current(session, who, published.version_id)
    return published


def publish_file(
    database: Database,
    who: Actor,
    content: bytes,
    *,
    note: str = "",
    changes: Sequence[ListChange] | None = None,
) -> list[Published]:
    """Publish every list of a file, all or none.

    A file of one list makes it the current one; a file of many leaves the current one as it is,
    because no one of them was meant before the others.

    Raises:
        InvalidInput: `files.*`, `experts.refused`, `experts.changes_refused`, or
            `experts.several` when changes are given for a file of many lists.
    """
    who.require("admin")
    parsed = parse_list_file(content)
    if changes is not None and len(parsed) > 1:
        raise InvalidInput("experts.several", count=len(parsed))
    with database.transaction() as session:
        published = [
            add_version(session, who, expert_list, note, changes=changes) for expert_list in parsed
        ]
        if len(published) == 1:
            make_current(session, who, published[0].version_id)
    return published


def list_versions(database: Database, who: Actor) -> list[ListSummary]:
    """Every published version, by name, the newest first."""
    with database.reading() as session:
        current = projects.read_settings(session, who.project_id).current_list_version_id
        return lists.list_versions(session, who.project_id, current)


def get_list(database: Database, who: Actor, reference: str) -> tuple[str, ExpertList]:
    """Version id and list of `NAME` (the newest) or `NAME@N`.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    with database.reading() as session:
        found = find_reference(session, who.project_id, reference)
    if found is None:
        raise NotFound("experts.list_not_found", reference=reference)
    return found


def compare(database: Database, who: Actor, before: str, after: str) -> ListComparison:
    """What changed between two references.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    return compare_lists(get_list(database, who, before)[1], get_list(database, who, after)[1])


def find_reference(
    session: Session, project_id: str, reference: str
) -> tuple[str, ExpertList] | None:
    """Version id and list of a reference within an open unit of work."""
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None:
        return None
    version = match["version"] and int(match["version"])
    row = lists.find_version(session, project_id, match["name"], version or None)
    return None if row is None else (row.id, lists.to_list(row))


def make_current(session: Session, who: Actor, version_id: str) -> None:
    """Pin what is imported next to this version."""
    settings = projects.read_settings(session, who.project_id)
    if settings.current_list_version_id == version_id:
        return
    changed = settings.model_copy(update={"current_list_version_id": version_id})
    projects.write_settings(session, who.project_id, changed)


def add_version(
    session: Session,
    who: Actor,
    expert_list: ExpertList,
    note: str,
    *,
    changes: Sequence[ListChange] | None = None,
) -> Published:
    """The next version of a list, with what became of the experts of the one before.

    Content that was published before is that version; changes of it are not recorded again.

    Raises:
        InvalidInput: `experts.changes_refused`.
    """
    take_turns(session, f"lists of {who.project_id}")
    known = lists.find_content(session, who.project_id, expert_list.name, expert_list.content_hash)
    if known is not None:
        return Published(lists.to_list(known), known.id, is_new=False)
    newest = lists.find_version(session, who.project_id, expert_list.name)
    version = 1 if newest is None else newest.version + 1
    numbered = expert_list.model_copy(update={"version": version})
    if changes is not None:
        before = expert_list if newest is None else lists.to_list(newest)
        check_changes(changes, before, numbered)
    version_id = lists.add_version(session, who.project_id, numbered, note, who.person_id)
    if changes and newest is not None:
        list_changes.add_changes(
            session, who.project_id, newest.id, version_id, changes, confirmed_by=who.person_id
        )
    add_event(session, who, "list", version_id, "published", after=numbered.reference)
    return Published(numbered, version_id, is_new=True)
