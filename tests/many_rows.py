"""Many rows at once, for tests and benches of what is done with all of them."""

import json
from collections.abc import Sequence
from typing import Any

from db.engine import Database, Session, insert_many
from db.tables import Project, Query
from db.tables.base import new_ids, now
from schemas.clusters import cluster_key
from schemas.drafts import content_hash
from schemas.people import Actor
from schemas.project import ProjectSettings
from schemas.synthesis import QueryPins
from tests.factories import a_query


def add_decided(
    database: Database, who: Actor, count: int, *steps: tuple[str, str], size: int = 1
) -> None:
    """Queries with an accepted plan each: (expert, sub-question) by turns, `size` steps a plan."""
    pattern = a_query(database, who)
    for start in range(0, count, 4_000):
        numbers = range(start, min(count, start + 4_000))
        _add(database, who, pattern, numbers, steps, size)


def add_waiting(database: Database, who: Actor, texts: Sequence[str]) -> list[QueryPins]:
    """Queries that nobody has answered; what each is pinned to, in order."""
    with database.reading() as session:
        settings = session.get_one(Project, who.project_id).settings
    project = ProjectSettings.model_validate(settings)
    pins = QueryPins(
        query_id="",
        list_version_id=project.current_list_version_id or "",
        prompt_version_id=project.current_prompt_version_id or "",
        dialect="zh@1",
        window=6,
    )
    same = pins.model_dump(exclude={"query_id"}) | {
        "project_id": who.project_id,
        "kind": "queries",
        "history": "[]",
        "state": "waiting",
        "created_at": now(),
    }
    columns = ("id", "import_key", "content_hash", "text", "cluster")
    pinned: list[QueryPins] = []
    for start in range(0, len(texts), 4_000):
        some = texts[start : start + 4_000]
        ids = new_ids(len(some))
        rows = [
            (id_, id_, "0", text, cluster_key(text)) for id_, text in zip(ids, some, strict=True)
        ]
        with database.transaction() as session:
            insert_many(session, "query", columns, rows, same)
        pinned += [pins.model_copy(update={"query_id": id_}) for id_ in ids]
    return pinned


def _add(
    database: Database,
    who: Actor,
    pattern: str,
    numbers: range,
    steps: tuple[tuple[str, str], ...],
    size: int,
) -> None:
    at = now()
    queries, notes, revisions = (new_ids(len(numbers)) for _ in range(3))
    shared = {"project_id": who.project_id}
    by_author = {"author_id": who.person_id}
    plans = [_plan(number, steps, size) for number in numbers]
    with database.transaction() as session:
        _add_queries(session, pattern, numbers, queries, notes, shared | {"created_at": at})
        insert_many(
            session,
            "annotation",
            ("id", "query_id", "revision_id"),
            list(zip(notes, queries, revisions, strict=True)),
            {**shared, **by_author, "state": "accepted", "lead_seconds": 1.0}
            | {"opened_at": at, "decided_at": at},
        )
        insert_many(
            session,
            "revision",
            ("id", "annotation_id", "content", "content_hash"),
            [
                (revision, note, json.dumps(plan, ensure_ascii=False), content_hash(plan))
                for revision, note, plan in zip(revisions, notes, plans, strict=True)
            ],
            {**shared, **by_author, "number": 1, "kind": "submitted", "created_at": at},
        )


def _add_queries(
    session: Session,
    pattern: str,
    numbers: range,
    queries: list[str],
    notes: list[str],
    shared: dict[str, Any],
) -> None:
    columns = ("id", "import_key", "content_hash", "text", "cluster", "chosen_annotation_id")
    rows = [
        (each, each, each, f"问题 {number}", each, note)
        for number, each, note in zip(numbers, queries, notes, strict=True)
    ]
    same = {"kind": "queries", "history": "[]", "state": "decided", "priority": 0}
    insert_many(session, "query", columns, rows, {**shared, **same, **_pins(session, pattern)})


def _pins(session: Session, query_id: str) -> dict[str, Any]:
    names = ("list_version_id", "prompt_version_id", "dialect", "window")
    query = session.get_one(Query, query_id)
    return {name: getattr(query, name) for name in names}


def _plan(number: int, steps: tuple[tuple[str, str], ...], size: int) -> dict[str, object]:
    chosen = [steps[(number + place) % len(steps)] for place in range(size)]
    return {
        "rewritten_query": f"问题 {number}",
        "steps": [
            {"expert": expert, "sub_questions": [f"{asked} {number}"], "order": order}
            for order, (expert, asked) in enumerate(chosen, start=1)
        ],
    }
