"""Who gets what next, and what the queue looks like from above.

The next task of a person is, in this order: what they hold already (a lapsed lease too, while
nobody else took it), what a reviewer returned to them, a gold item that is due, the open task of
the smallest rank (`schemas.ranks`) and then the oldest, and at last what they put aside. Who is
paused gets only what is theirs, and the items of a batch go to its people only. A skipped query
never comes back to who skipped it, nobody gets two slots of one query, and nobody reviews their own
work.
"""

from datetime import timedelta

from db import clock
from db.access import annotations, details, leases, projects, queries, ranks, tasks
from db.access.events import add_event
from db.access.leases import Asker
from db.access.tasks import Kind, TaskFacts
from db.engine import Database, Session, take_turns
from labeling.gold_due import hand_out
from labeling.ranking import to_filter
from schemas.errors import InvalidInput, NotFound
from schemas.people import Actor
from schemas.queries import QUERY_STATES, QueryChoice, QueryDetail, QueryPage, QueueStats

MOST_ROWS = 200
ANNOTATION_STATES = ("draft", "submitted", "accepted", "returned", "discarded")


def asker(session: Session, who: Actor) -> Asker:
    """This person, asking now for a lease of the project's length."""
    at = clock.now()
    settings = projects.read_settings(session, who.project_id)
    until = at + timedelta(minutes=settings.lease_minutes)
    return Asker(who.project_id, who.person_id, at, until, settings.gold)


def passing(who: Actor) -> Asker:
    """This person, asking now, to be done before the transaction ends."""
    at = clock.now()
    return Asker(who.project_id, who.person_id, at, at)


def take_next(session: Session, who: Asker, kind: Kind) -> TaskFacts | None:
    """The next task of a person, in hand; None when there is nothing for them."""
    take_turns(session, f"tasks of {who.person_id}")
    lapsed = leases.reopen_lapsed(session, who.project_id, kind, who.at)
    if kind == "label":  # a query's state does not depend on who reviews
        for query_id in lapsed:
            queries.refresh_state(session, who.project_id, query_id)
    mine = leases.list_mine(session, who.project_id, kind, who.person_id)
    for task_id, standing in mine:
        if standing != "postponed" and (task := leases.take_mine(session, who, task_id)):
            return task
    task = hand_out(session, who) if kind == "label" else None
    task = task or leases.take_next(session, who, kind)
    if task is not None:
        return task
    for task_id, standing in mine:
        if standing == "postponed" and (task := leases.take_mine(session, who, task_id)):
            return task
    return None


def free_tasks_of(database: Database, who: Actor, person_id: str) -> int:
    """Give everything that a person holds, put aside or has kept for them to others.

    For somebody who is away. Their drafts stay; returns how many tasks were freed.
    """
    who.require("admin")
    with database.transaction() as session:
        held = tasks.list_of_person(session, who.project_id, person_id)
        for task in held:
            tasks.give_back(session, task, person_id, for_others=True)
            if task.annotation_id is not None:
                why: dict[str, object] = {"kind": task.kind}
                add_event(session, who, "annotation", task.annotation_id, "freed", why=why)
            queries.refresh_state(session, who.project_id, task.query_id)
    return len(held)


def list_queries(
    database: Database,
    who: Actor,
    *,
    after: str | None = None,
    limit: int = 50,
    state: str | None = None,
    text: str | None = None,
    list_version: str | None = None,
    flagged: bool = False,
) -> QueryPage:
    """A page of the project's queries, oldest first.

    Args:
        after: The `next_after` of the page before.
        limit: At most 200.
        state: One of `schemas.queries.QUERY_STATES`.
        text: Part of the query, or its whole id or external id.
        list_version: The id of an expert-list version.
        flagged: Only queries that somebody asked reviewers to look at.

    Raises:
        InvalidInput: `queue.unknown_state`.
    """
    who.require("reviewer")
    if state is not None and state not in QUERY_STATES:
        raise InvalidInput("queue.unknown_state", state=state, known=", ".join(QUERY_STATES))
    limit = max(1, min(limit, MOST_ROWS))
    narrowed = queries.QueryFilter(state, text and text.strip(), list_version, flagged)
    with database.reading() as session:
        rows = queries.list_queries(session, who.project_id, after, limit + 1, narrowed)
    next_after = rows[limit - 1].id if len(rows) > limit else None
    return QueryPage(rows=tuple(rows[:limit]), next_after=next_after)


def count_chosen(database: Database, who: Actor, chosen: QueryChoice) -> int:
    """How many queries a choice means.

    Raises:
        InvalidInput: `queue.too_many_ids`.
    """
    who.require("reviewer")
    with database.reading() as session:
        return ranks.count_chosen(session, who.project_id, to_filter(chosen))


def query_detail(database: Database, who: Actor, query_id: str) -> QueryDetail:
    """Everything that is known about a query, with its timeline.

    Where the project hides authors, only admins see them.

    Raises:
        NotFound: `queue.query_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        query = queries.find_query(session, who.project_id, query_id)
        if query is None:
            raise NotFound("queue.query_not_found", query=query_id)
        hide_author = projects.read_settings(session, who.project_id).hide_author
        hide_from = who.person_id if hide_author and who.role != "admin" else None
        return details.read_detail(session, query, hide_from=hide_from)


def stats(database: Database, who: Actor) -> QueueStats:
    """Counts of the project by state."""
    with database.reading() as session:
        project = who.project_id
        return QueueStats(
            queries=dict.fromkeys(QUERY_STATES, 0) | queries.count_by_state(session, project),
            annotations=dict.fromkeys(ANNOTATION_STATES, 0)
            | annotations.count_by_state(session, project),
            open_labels=queries.count_tasks(session, project, "label", ("open",)),
            open_reviews=queries.count_tasks(session, project, "review", ("open",)),
            held=queries.count_tasks(session, project, "label", ("taken", "postponed"))
            + queries.count_tasks(session, project, "review", ("taken",)),
            flagged=annotations.count_flagged(session, project),
        )
