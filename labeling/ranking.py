"""What comes first: priorities that people set, and how far the models' suggestions differ."""

from collections.abc import Sequence
from itertools import combinations

from db.access import queries, ranks
from db.access.events import add_event
from db.access.queries import QueryFilter
from db.engine import Database
from schemas.agreement import prepare_plan, prepared_distance
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.queries import QueryChoice
from schemas.ranks import HIGHEST_PRIORITY

CHUNK = 200


MOST_IDS = 5_000


def set_priority(database: Database, who: Actor, chosen: QueryChoice, priority: int) -> int:
    """Bring queries forward (above 0) or put them back (below); returns how many changed.

    Raises:
        InvalidInput: `queue.unusable_priority`, `queue.too_many_ids`.
    """
    who.require("reviewer")
    if not -HIGHEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        raise InvalidInput("queue.unusable_priority", most=HIGHEST_PRIORITY)
    narrowed = to_filter(chosen)
    with database.transaction() as session:
        changed = ranks.set_priority(session, who.project_id, narrowed, priority)
        why: dict[str, object] = {"queries": changed, "priority": priority}
        add_event(session, who, "project", who.project_id, "ranked", why=why)
    rank_again(database, who.project_id, queries.chosen_ids(who.project_id, narrowed))
    return changed


def rank_again(database: Database, project_id: str, which: ranks.Which) -> None:
    """Bring the ranks of these queries' tasks in step.

    In transactions of its own, one kind of row in each: a claim locks a task first and its query
    afterwards, and whoever holds rows of both kinds could wait for it while it waits for them.
    """
    with database.transaction() as session:
        ranks.rank_labels(session, project_id, which)
    with database.transaction() as session:
        ranks.rank_reviews(session, project_id, which)


def refresh_disagreement(database: Database, project_id: str, query_ids: Sequence[str]) -> int:
    """Reckon how far the suggestions of these queries differ; returns how many changed.

    Disagreement is the mean `plan_distance` over all pairs, 0 to 1 in two decimals; unknown below
    two plans.
    """
    with database.transaction() as session:
        plans = ranks.list_plans(session, query_ids)
        found = {query_id: _disagreement(some) for query_id, some in plans.items()}
        changed = ranks.set_disagreement(session, found)
    if changed:
        rank_again(database, project_id, changed)
    return len(changed)


def recompute_disagreement(database: Database, who: Actor) -> int:
    """Reckon the disagreement of every answered query anew; returns how many changed."""
    who.require("reviewer")
    changed, after = 0, ""
    while True:
        with database.reading() as session:
            query_ids = ranks.list_suggested(session, who.project_id, after, CHUNK)
        if not query_ids:
            return changed
        changed += refresh_disagreement(database, who.project_id, query_ids)
        after = query_ids[-1]


def to_filter(chosen: QueryChoice) -> QueryFilter:
    """A choice of queries as the database knows it.

    Raises:
        InvalidInput: `queue.too_many_ids`.
    """
    ids = tuple(dict.fromkeys(each.strip() for each in chosen.ids if each.strip()))
    if len(ids) > MOST_IDS:
        raise InvalidInput("queue.too_many_ids", most=MOST_IDS)
    text = chosen.text.strip() if chosen.text else None
    return QueryFilter(
        state=chosen.state,
        text=text or None,
        list_version_id=chosen.list_version or None,
        is_flagged=chosen.flagged,
        import_id=chosen.import_id or None,
        ids=ids,
    )


def _disagreement(plans: Sequence[dict[str, object]]) -> float | None:
    if len(plans) < 2:
        return None
    prepared = [prepare_plan(plan) for plan in plans]
    distances = [prepared_distance(a, b) for a, b in combinations(prepared, 2)]
    return round(sum(distances) / len(distances), 2)
