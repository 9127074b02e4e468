"""What both desks show around a plan: query, pinned list, guideline, suggestions."""

from datetime import datetime
from typing import Any, NamedTuple

from db.access import lists, projects, queries
from db.access.annotations import AnnotationFacts
from db.engine import Session
from labeling.list_changes import find_changes
from schemas.desk import Turn
from schemas.experts import ExpertList
from schemas.list_changes import ListChange

MOST_LISTS = 256


class ListPair(NamedTuple):
    """A published list, the version before it, and what became of whom, to mark what is new."""

    current: ExpertList
    previous: ExpertList | None
    changes: tuple[ListChange, ...] = ()


# Published lists never change, so a process reads each of them once.
_lists: dict[tuple[str, str], ListPair] = {}


def pinned_list(session: Session, project_id: str, version_id: str) -> ListPair:
    """The list that a query is pinned to."""
    known = _lists.get((project_id, version_id))
    if known is not None:
        return known
    current = lists.find_list(session, project_id, version_id)
    if current is None:
        raise LookupError(version_id)
    row = lists.find_version(session, project_id, current.name, current.version - 1)
    pair = ListPair(current, None)
    if row is not None:
        before = lists.to_list(row)
        said = find_changes(session, project_id, (row.id, before), (version_id, current))
        pair = ListPair(current, before, said.changes)
    if len(_lists) >= MOST_LISTS:
        _lists.clear()
    _lists[(project_id, version_id)] = pair
    return pair


def item_context(
    session: Session,
    project_id: str,
    annotation: AnnotationFacts,
    task_id: int,
    lease_until: datetime,
) -> dict[str, Any]:
    """The fields of `schemas.desk.ItemContext`."""
    query = queries.get_asked(session, project_id, annotation.query_id)
    settings = projects.read_settings(session, project_id)
    pair = pinned_list(session, project_id, query.list_version_id)
    return {
        "task_id": task_id,
        "query_id": query.id,
        "external_id": query.external_id,
        "text": query.text,
        "history": tuple(Turn.model_validate(turn) for turn in query.history),
        "expert_list": pair.current,
        "previous_list": pair.previous,
        "list_changes": pair.changes,
        "guideline": queries.find_guideline(session, project_id),
        "suggestions": queries.list_suggestions(session, query.id),
        "lease_until": lease_until,
        "think": settings.think,
        "banned_words": settings.banned_words,
        "dialect": query.dialect,
        "annotation_id": annotation.id,
        "suggestion_id": annotation.suggestion_id,
        "flag": annotation.flag,
    }
