"""Gold items as admins keep them: set, change, retire, look at answers and at people's records.

Everything here is for admins: reviewers label too, and who labels must not know a gold item. So
what happens to one is told under a subject of its own, not in the timeline of its query.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from db import clock
from db.access import annotations, people, projects, queries
from db.access import gold as access
from db.access.events import add_event
from db.access.pauses import list_active
from db.engine import Database, Session, take_turns
from db.tables import GoldItem, Query
from labeling.desk import pinned_list
from labeling.gold_due import verdict_of
from schemas.drafts import to_draft
from schemas.errors import NotFound, TransitionRefused
from schemas.gold_items import GoldAnswerView, GoldItemView, GoldOffer, GoldRecord
from schemas.people import Actor, Member
from schemas.plan import parse_plan
from schemas.project import GoldSettings

LONGEST_NOTE = 2_000
MOST_ANSWERS = 500


def offer(database: Database, who: Actor, query_id: str) -> GoldOffer:
    """What a form for a gold item opens with: its plan, else the chosen one, else a suggestion.

    Raises:
        NotFound: `queue.query_not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        query = _get_query(session, who, query_id)
        item = access.find_item(session, who.project_id, query_id)
        plan, source = (item.plan, "gold") if item else _best_guess(session, query)
    return GoldOffer(
        query_id=query_id,
        text=query.text,
        plan=plan,
        source=source,
        note=item.note if item else "",
        is_gold=item is not None,
        is_active=item is not None and item.is_active,
    )


def set_gold(database: Database, who: Actor, query_id: str, plan: object, *, note: str = "") -> str:
    """Make a query a gold item with its right plan, or give one another plan; returns its id.

    Its labels leave the queue; who has one in hand keeps it and answers a gold item with it.
    Answers stay as they were judged. A retired item is handed out again.

    Raises:
        NotFound: `queue.query_not_found`.
        InvalidInput: `plan.refused` with every problem under the query's own list;
            `annotate.not_an_object`.
        TransitionRefused: `gold.under_review`, `gold.of_history`.
    """
    who.require("admin")
    content = to_draft(plan)
    with database.transaction() as session:
        query = _get_query(session, who, query_id)
        if query.kind == "history":
            raise TransitionRefused("gold.of_history")
        expert_list = pinned_list(session, who.project_id, query.list_version_id).current
        right: dict[str, Any] = {**parse_plan(content, expert_list).to_plain()}
        take_turns(session, f"slots of {query_id}")
        item = access.find_item(session, who.project_id, query_id)
        if item is None:
            item_id = _add(session, who, query_id, right, note)
        else:
            item_id = item.id
            item.plan, item.note, item.is_active = right, _short(note), True
            add_event(session, who, "gold_item", item_id, "changed", after="active")
        queries.refresh_state(session, who.project_id, query_id)
    return item_id


def retire(database: Database, who: Actor, query_id: str) -> bool:
    """Hand a gold item out no more; its answers stay, and it is still never trained on.

    An item that nobody has answered or has in hand is taken away: its query goes back to the queue.

    Returns:
        Whether the item is still there.

    Raises:
        NotFound: `gold.not_found`.
    """
    who.require("admin")
    with database.transaction() as session:
        take_turns(session, f"slots of {query_id}")
        item = access.find_item(session, who.project_id, query_id)
        if item is None:
            raise NotFound("gold.not_found")
        is_kept = access.has_part(session, item)
        if is_kept:
            item.is_active = False
        else:
            access.remove_item(session, item)
        after = "retired" if is_kept else "removed"
        add_event(session, who, "gold_item", item.id, after, before="active", after=after)
        queries.refresh_state(session, who.project_id, query_id)
    return is_kept


def list_items(database: Database, who: Actor) -> tuple[GoldItemView, ...]:
    """Every gold item with its answers counted, active ones first, then the newest."""
    who.require("admin")
    with database.reading() as session:
        return tuple(access.list_items(session, who.project_id))


def gold_among(database: Database, who: Actor, query_ids: Sequence[str]) -> frozenset[str]:
    """Which of these queries are gold, retired ones included."""
    who.require("admin")
    with database.reading() as session:
        return frozenset(access.list_gold_ids(session, who.project_id, query_ids))


def list_answers(
    database: Database,
    who: Actor,
    *,
    query_id: str | None = None,
    person_id: str | None = None,
    limit: int = 100,
) -> tuple[GoldAnswerView, ...]:
    """Answers to one gold query, of one person, or all; the newest first.

    Raises:
        NotFound: `gold.not_found`.
    """
    who.require("admin")
    limit = max(1, min(limit, MOST_ANSWERS))
    with database.reading() as session:
        item = None
        if query_id is not None:
            item = access.find_item(session, who.project_id, query_id)
            if item is None:
                raise NotFound("gold.not_found")
        return tuple(
            access.list_answers(
                session,
                who.project_id,
                item_id=item.id if item else None,
                person_id=person_id,
                limit=limit,
            )
        )


def list_records(database: Database, who: Actor) -> tuple[GoldRecord, ...]:
    """How everybody of the project answers gold items, by name; who has not met one too."""
    who.require("admin")
    with database.reading() as session:
        settings = projects.read_settings(session, who.project_id).gold
        paused = {each.person_id for each in list_active(session, who.project_id)}
        return tuple(
            _record(session, who, member, settings, is_paused=member.person_id in paused)
            for member in people.list_members(session, who.project_id)
            if member.is_active
        )


def _record(
    session: Session, who: Actor, member: Member, settings: GoldSettings, *, is_paused: bool
) -> GoldRecord:
    verdict = verdict_of(session, who.project_id, member.person_id, settings)
    answers = access.list_answers_of(session, who.project_id, member.person_id)
    scores = [each.score for each in answers]
    return GoldRecord(
        person_id=member.person_id,
        name=member.name,
        answered=verdict.answered,
        right=verdict.answered - verdict.wrong,
        mean_score=sum(scores) / len(scores) if scores else None,
        state=verdict.state,
        error_low=verdict.error_low,
        error_high=verdict.error_high,
        last_at=answers[-1].answered_at if answers else None,
        is_paused=is_paused,
    )


def _add(session: Session, who: Actor, query_id: str, plan: dict[str, Any], note: str) -> str:
    if access.is_under_review(session, query_id):
        raise TransitionRefused("gold.under_review")
    item = GoldItem(
        project_id=who.project_id,
        query_id=query_id,
        plan=plan,
        note=_short(note),
        created_by=who.person_id,
        created_at=clock.now(),
    )
    access.add_item(session, item)
    access.keep_apart(session, query_id)
    add_event(session, who, "gold_item", item.id, "set", after="active", why={"query": query_id})
    return item.id


def _best_guess(session: Session, query: Query) -> tuple[dict[str, Any] | None, str]:
    if query.chosen_annotation_id is not None:
        chosen = annotations.get_annotation(session, query.project_id, query.chosen_annotation_id)
        return annotations.get_revision(session, chosen.revision_id).content, "chosen"
    opening = queries.find_opening(session, query.id)
    plan: Mapping[str, Any] | None = (opening.plan or opening.partial_plan) if opening else None
    return (None, "none") if plan is None else (dict(plan), "suggestion")


def _get_query(session: Session, who: Actor, query_id: str) -> Query:
    query = queries.find_query(session, who.project_id, query_id)
    if query is None:
        raise NotFound("queue.query_not_found", query=query_id)
    return query


def _short(note: str) -> str:
    return note.strip()[:LONGEST_NOTE]
