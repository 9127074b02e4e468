"""Drafts of the next version of an expert list: begun, edited by several, published or dropped.

A draft may be wrong; a version may not. A save that began from an older draft is refused with who
and when, and what it would have saved is kept. Published, a draft is the next version, with the
changes that an admin has confirmed.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from pydantic import JsonValue

from db import clock
from db.access import annotations, lists
from db.access import list_drafts as access
from db.access.events import add_event
from db.access.list_drafts import DraftFacts
from db.engine import Database, Session, take_turns
from labeling.experts import add_version, make_current
from schemas.change_proposals import propose_changes
from schemas.errors import EditConflict, InvalidInput, NotFound, TransitionRefused
from schemas.experts import ExpertList, Published
from schemas.list_changes import ListChange, change_problems
from schemas.list_drafts import MAX_DRAFT, ListDraftSummary, ListDraftView, SavedListDraft
from schemas.list_files import parse_expert_list
from schemas.people import Actor
from schemas.scoring.check import Problem


def list_drafts(database: Database, who: Actor) -> list[ListDraftSummary]:
    """Open drafts, by the name of their list."""
    who.require("reviewer")
    with database.reading() as session:
        return access.list_drafts(session, who.project_id)


def open_draft(database: Database, who: Actor, name: str) -> ListDraftView:
    """The draft of a list's next version; begun from the newest, or empty for a new list.

    Raises:
        InvalidInput: `experts.refused`; the name can be no list's.
    """
    who.require("admin")
    name = _checked_name(name)
    with database.transaction() as session:
        take_turns(session, f"lists of {who.project_id}")
        draft = access.find_draft_of(session, who.project_id, name)
        if draft is None:
            newest = lists.find_version(session, who.project_id, name)
            content = _content_of(lists.to_list(newest)) if newest else _empty(name)
            draft_id = access.add_draft(
                session,
                who.project_id,
                name,
                base_version_id=newest.id if newest else None,
                content=content,
                person_id=who.person_id,
            )
            add_event(session, who, "list_draft", draft_id, "opened", after="open")
            draft = _get(session, who, draft_id)
        return _view(session, who, draft)


def get_draft(database: Database, who: Actor, draft_id: str) -> ListDraftView:
    """A draft as it stands.

    Raises:
        NotFound: `experts.draft_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        return _view(session, who, _get(session, who, draft_id))


def save_draft(
    database: Database,
    who: Actor,
    draft_id: str,
    *,
    number: int,
    content: dict[str, JsonValue],
    changes: Sequence[ListChange] | None,
) -> SavedListDraft:
    """Save what was typed; the same content sent twice is one save.

    Args:
        database: The database.
        who: An admin.
        draft_id: Which draft.
        number: The draft that the content began from.
        content: A list as a file has it; it may be wrong as a list.
        changes: Those that the person confirms; None leaves them to be proposed.

    Raises:
        NotFound: `experts.draft_not_found`.
        InvalidInput: `experts.draft_too_large`.
        EditConflict: `experts.draft_saved_elsewhere` (who and when) or, where it was this person,
            `experts.draft_saved_by_you`; the content is kept.
    """
    who.require("admin")
    if len(json.dumps(content)) > MAX_DRAFT:  # escapes what a browser may send and no UTF-8 holds
        raise InvalidInput("experts.draft_too_large", most_mb=MAX_DRAFT // 2**20)
    with database.transaction() as session:
        draft = _in_turn(session, who, draft_id)
        content = {**content, "name": draft.name}
        is_same = content == draft.content and _keys(changes) == _keys(draft.changes)
        refusal = None if is_same else _conflict(session, who, draft, number)
        if refusal is not None:
            access.keep_refused(session, draft, content, based_on=number, person_id=who.person_id)
        elif not is_same:
            draft = _save(session, who, draft, content, changes)
    if refusal is not None:
        raise refusal
    return SavedListDraft(number=draft.number, saved_at=draft.saved_at)


def rebase_draft(database: Database, who: Actor, draft_id: str) -> ListDraftView:
    """Let a draft follow the newest version; its changes are to be confirmed anew."""
    who.require("admin")
    with database.transaction() as session:
        draft = _in_turn(session, who, draft_id)
        newest = lists.find_version(session, who.project_id, draft.name)
        if newest is not None and newest.id != draft.base_version_id:
            access.save_draft(
                session,
                draft,
                content=draft.content,
                changes=None,
                person_id=who.person_id,
                at=clock.now(),
                base_version_id=newest.id,
            )
        return _view(session, who, _get(session, who, draft_id))


def drop_draft(database: Database, who: Actor, draft_id: str) -> None:
    """Close a draft without publishing it; its row stays.

    Raises:
        NotFound: `experts.draft_not_found`.
    """
    who.require("admin")
    with database.transaction() as session:
        draft = _in_turn(session, who, draft_id)
        access.end_draft(session, draft.id, "dropped")
        add_event(session, who, "list_draft", draft.id, "dropped", before="open", after="dropped")


def publish_draft(
    database: Database, who: Actor, draft_id: str, *, number: int, note: str
) -> Published:
    """Make a draft the next version, with its confirmed changes, and the current list.

    Raises:
        NotFound: `experts.draft_not_found`.
        InvalidInput: `experts.refused`, `experts.changes_refused`, `experts.changes_unconfirmed`,
            `experts.nothing_changed`.
        EditConflict: as `save_draft`.
        TransitionRefused: `experts.base_outdated`.
    """
    who.require("admin")
    with database.transaction() as session:
        take_turns(session, f"lists of {who.project_id}")
        draft = _in_turn(session, who, draft_id)
        refusal = _conflict(session, who, draft, number)
        if refusal is not None:
            raise refusal
        expert_list = parse_expert_list(cast(JsonValue, draft.content), name=draft.name)
        newest = lists.find_version(session, who.project_id, draft.name)
        if newest is not None and newest.id != draft.base_version_id:
            reference = lists.to_list(newest).reference
            raise TransitionRefused("experts.base_outdated", reference=reference)
        if newest is not None and draft.changes is None:
            raise InvalidInput("experts.changes_unconfirmed")
        published = add_version(session, who, expert_list, note, changes=draft.changes)
        if not published.is_new:
            raise InvalidInput("experts.nothing_changed", reference=published.list.reference)
        access.end_draft(session, draft.id, "published")
        make_current(session, who, published.version_id)
        why: dict[str, object] = {"reference": published.list.reference}
        add_event(
            session,
            who,
            "list_draft",
            draft.id,
            "published",
            before="open",
            after="published",
            why=why,
        )
    return published


def draft_list(view: ListDraftView) -> ExpertList:
    """A draft as a list that is not published yet (version 0).

    Raises:
        InvalidInput: `experts.refused`, with every problem.
    """
    return parse_expert_list(cast(JsonValue, view.content), name=view.name)


def _save(
    session: Session,
    who: Actor,
    draft: DraftFacts,
    content: dict[str, JsonValue],
    changes: Sequence[ListChange] | None,
) -> DraftFacts:
    at = clock.now()
    number = access.save_draft(
        session, draft, content=content, changes=changes, person_id=who.person_id, at=at
    )
    return draft._replace(number=number, saved_at=at)


def _view(session: Session, who: Actor, draft: DraftFacts) -> ListDraftView:
    base = _base(session, who, draft)
    newest = lists.find_version(session, who.project_id, draft.name)
    problems: list[Problem] = []
    proposed: tuple[ListChange, ...] = ()
    try:
        now = parse_expert_list(cast(JsonValue, draft.content), name=draft.name)
    except InvalidInput as error:
        problems = list(error.problems)
    else:
        if base is not None:
            proposed = propose_changes(base, now)
            said = draft.changes
            problems = [] if said is None else list(change_problems(said, base, now))
    is_outdated = newest is not None and newest.id != draft.base_version_id
    return ListDraftView(
        id=draft.id,
        name=draft.name,
        number=draft.number,
        base=None if base is None else base.reference,
        newest=lists.to_list(newest).reference if newest and is_outdated else None,
        content=draft.content,
        changes=draft.changes,
        proposed=proposed,
        problems=tuple(problems),
        saved_by=annotations.person_name(session, draft.saved_by),
        saved_at=draft.saved_at,
    )


def _base(session: Session, who: Actor, draft: DraftFacts) -> ExpertList | None:
    if draft.base_version_id is None:
        return None
    return lists.find_list(session, who.project_id, draft.base_version_id)


def _in_turn(session: Session, who: Actor, draft_id: str) -> DraftFacts:
    """A draft, and its turn: nobody else changes it until the transaction ends."""
    take_turns(session, f"list draft {draft_id}")
    return _get(session, who, draft_id)


def _get(session: Session, who: Actor, draft_id: str) -> DraftFacts:
    draft = access.find_draft(session, who.project_id, draft_id)
    if draft is None:
        raise NotFound("experts.draft_not_found")
    return draft


def _conflict(session: Session, who: Actor, draft: DraftFacts, number: int) -> EditConflict | None:
    if number == draft.number:
        return None
    if draft.saved_by == who.person_id:
        return EditConflict("experts.draft_saved_by_you", when=draft.saved_at, number=draft.number)
    return EditConflict(
        "experts.draft_saved_elsewhere",
        who=annotations.person_name(session, draft.saved_by),
        when=draft.saved_at,
        number=draft.number,
    )


def _keys(changes: Sequence[ListChange] | None) -> object:
    return None if changes is None else [each.key for each in changes]


def _checked_name(name: str) -> str:
    probe: dict[str, Any] = {"name": name, "experts": [{"name": "-", "description": "-"}]}
    return parse_expert_list(probe).name


def _content_of(expert_list: ExpertList) -> dict[str, Any]:
    return expert_list.model_dump(mode="json", exclude={"version"})


def _empty(name: str) -> dict[str, Any]:
    return {"name": name, "experts": [], "tools": [], "services": []}
