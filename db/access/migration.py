"""Rows moved to a newer expert list: the queries made for them, and taking those back.

A query that was moved is known by its parent and the newer list, so that moving twice adds nothing.
Only what nobody has touched is ever taken back.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.starts import Place, opened_again
from db.engine import insert_many
from db.tables import ListVersion, Query
from db.tables.base import new_ids
from schemas.list_impact_report import MovedRow
from schemas.ranks import rank_of

_ANNOTATION, _BUNDLE_ROW, _COMMENT, _DRAFT, _GOLD, _LOT, _LOT_ITEM, _PROPOSAL = (
    Query.metadata.tables[name]
    for name in (
        "annotation",
        "bundle_row",
        "comment",
        "draft",
        "gold_item",
        "lot",
        "lot_item",
        "migration_proposal",
    )
)
_QUERY, _REQUEST, _REVIEW, _REVISION, _SKIP, _SUGGESTION, _TASK = (
    Query.metadata.tables[name]
    for name in (
        "query",
        "synthesis_request",
        "review",
        "revision",
        "task_skip",
        "suggestion",
        "task",
    )
)
EXCERPT = 200


class Move(NamedTuple):
    """One row to move: plans to choose from (canonical), none where nobody does its work now."""

    parent_query_id: str
    fate: str
    rule: str
    candidates: tuple[tuple[str, ...], ...]
    plans: tuple[dict[str, Any], ...]


class Moving(NamedTuple):
    """What all moves of one piece of work share."""

    project_id: str
    from_version_id: str
    list_version_id: str
    work_id: str
    at: datetime


def list_known(session: Session, version_id: str, parents: Sequence[str]) -> set[str]:
    """Of some queries, those that were moved to a version already."""
    statement = sa.select(_PROPOSAL.c.parent_query_id).where(
        _PROPOSAL.c.list_version_id == version_id, _PROPOSAL.c.parent_query_id.in_(list(parents))
    )
    return set(session.connection().execute(statement).scalars())


def add_moves(session: Session, moving: Moving, moves: Sequence[Move]) -> dict[str, str]:
    """Remember moves, and make the queries of those that somebody can do; parent → query."""
    parents = _parents(session, [each.parent_query_id for each in moves if each.fate != "lost"])
    made = dict(zip(parents, new_ids(len(parents)), strict=True))
    rows = [(made[parent_id], parents[parent_id]) for parent_id in made]
    ready = {each.parent_query_id: bool(each.plans) for each in moves}
    _add_queries(session, moving, rows, ready)
    _add_suggestions(session, moving, [(made[m.parent_query_id], m) for m in moves if m.plans])
    ranks = [(query_id, rank_of(parent.priority, None, None)) for query_id, parent in rows]
    _add_tasks(session, moving, ranks)
    insert_many(
        session,
        "migration_proposal",
        ("id", "parent_query_id", "query_id", "fate", "rule", "candidates"),
        [
            (
                proposal_id,
                each.parent_query_id,
                made.get(each.parent_query_id),
                each.fate,
                each.rule,
                json.dumps(each.candidates, ensure_ascii=False),
            )
            for proposal_id, each in zip(new_ids(len(moves)), moves, strict=True)
        ],
        {
            "project_id": moving.project_id,
            "list_version_id": moving.list_version_id,
            "from_version_id": moving.from_version_id,
            "work_id": moving.work_id,
            "created_at": moving.at,
        },
    )
    return made


def list_moved(
    session: Session, project_id: str, version_id: str, *, after: str = "", limit: int = 50
) -> list[MovedRow]:
    """Rows that were moved to a version, the oldest first, after a parent's id."""
    return _moved(
        session,
        limit,
        _PROPOSAL.c.project_id == project_id,
        _PROPOSAL.c.list_version_id == version_id,
        _PROPOSAL.c.parent_query_id > after,
    )


def find_moves_of(session: Session, project_id: str, query_id: str) -> list[MovedRow]:
    """Where a query was moved from, and where to."""
    is_of = sa.or_(_PROPOSAL.c.query_id == query_id, _PROPOSAL.c.parent_query_id == query_id)
    return _moved(session, 50, _PROPOSAL.c.project_id == project_id, is_of)


def count_moved(session: Session, project_id: str, version_id: str) -> dict[tuple[str, str], int]:
    """How many rows were moved to a version, by fate and by the state of the query made for them.

    Those without a query have the state `none`.
    """
    state = sa.func.coalesce(_QUERY.c.state, "none")
    statement = (
        sa.select(_PROPOSAL.c.fate, state, sa.func.count())
        .outerjoin(_QUERY, _QUERY.c.id == _PROPOSAL.c.query_id)
        .where(_PROPOSAL.c.project_id == project_id, _PROPOSAL.c.list_version_id == version_id)
        .group_by(_PROPOSAL.c.fate, state)
    )
    rows = session.connection().execute(statement)
    return {(fate, state): count for fate, state, count in rows}


def take_back(
    session: Session, project_id: str, version_id: str, from_version_id: str, limit: int
) -> int:
    """Delete at most so many moves that nobody has touched, with their queries; how many."""
    ours = (
        _PROPOSAL.c.project_id == project_id,
        _PROPOSAL.c.list_version_id == version_id,
        _PROPOSAL.c.from_version_id == from_version_id,
    )
    lost = sa.select(_PROPOSAL.c.id).where(*ours, _PROPOSAL.c.query_id.is_(None)).limit(limit)
    ids = list(session.connection().execute(lost).scalars())
    if ids:
        session.connection().execute(sa.delete(_PROPOSAL).where(_PROPOSAL.c.id.in_(ids)))
        return len(ids)
    untouched = sa.select(_PROPOSAL.c.query_id).where(*ours, *_is_untouched()).limit(limit)
    return _delete_untaken(session, list(session.connection().execute(untouched).scalars()))


class _Parent(NamedTuple):
    id: str
    kind: str
    external_id: str | None
    text: str
    history: str
    prompt_version_id: str
    dialect: str
    window: int
    cluster: str
    priority: int


def _parents(session: Session, ids: Sequence[str]) -> dict[str, _Parent]:
    columns = [
        sa.cast(_QUERY.c.history, sa.Text) if name == "history" else _QUERY.c[name]
        for name in _Parent._fields
    ]
    statement = sa.select(*columns).where(_QUERY.c.id.in_(ids)).order_by(_QUERY.c.id)
    return {row[0]: _Parent(*row) for row in session.connection().execute(statement)}


def _add_queries(
    session: Session,
    moving: Moving,
    rows: Sequence[tuple[str, _Parent]],
    ready: dict[str, bool],
) -> None:
    """Under the newer list; whatever else the parent is pinned to, and its cluster, stay."""
    version_id = moving.list_version_id
    insert_many(
        session,
        "query",
        (
            "id",
            "import_key",
            "content_hash",
            "external_id",
            "text",
            "history",
            "prompt_version_id",
            "dialect",
            "window",
            "cluster",
            "priority",
            "state",
        ),
        [
            (
                query_id,
                f"moved {parent.id} {version_id}",
                f"moved {parent.id} {version_id}",
                parent.external_id,
                parent.text,
                parent.history,
                parent.prompt_version_id,
                parent.dialect,
                parent.window,
                parent.cluster,
                parent.priority,
                "ready" if ready[parent.id] else "waiting",
            )
            for query_id, parent in rows
        ],
        {
            "project_id": moving.project_id,
            "kind": "suggestions",
            "list_version_id": version_id,
            "created_at": moving.at,
        },
    )


def _add_suggestions(session: Session, moving: Moving, moves: Sequence[tuple[str, Move]]) -> None:
    plans = [
        (query_id, candidate, json.dumps(plan, ensure_ascii=False))
        for query_id, move in moves
        for candidate, plan in enumerate(move.plans, start=1)
    ]
    ids = new_ids(len(plans))
    insert_many(
        session,
        "suggestion",
        ("id", "query_id", "candidate", "plan"),
        [(suggestion_id, *each) for suggestion_id, each in zip(ids, plans, strict=True)],
        {
            "project_id": moving.project_id,
            "origin": "migration",
            "trace_length": 0,
            "is_repaired": False,
            "created_at": moving.at,
        },
    )


def _add_tasks(session: Session, moving: Moving, ranks: Sequence[tuple[str, int]]) -> None:
    insert_many(
        session,
        "task",
        ("query_id", "rank"),
        ranks,
        {
            "project_id": moving.project_id,
            "kind": "label",
            "slot": 1,
            "status": "open",
            "created_at": moving.at,
        },
    )
    first = min((rank for _, rank in ranks), default=0)
    if first < 0:
        opened_again(session, moving.project_id, "label", Place(first, 0))


def _is_untouched() -> tuple[sa.ColumnElement[bool], ...]:
    """That a moved query is as it was made: its task is free, or its plan waits for a reviewer."""
    query_id = _PROPOSAL.c.query_id
    is_of = _TASK.c.query_id == query_id
    has_hands = sa.exists().where(
        is_of,
        sa.or_(_TASK.c.status.in_(("taken", "postponed")), _TASK.c.for_person_id.is_not(None)),
    )
    is_lapsed = sa.exists().where(is_of, _TASK.c.status == "open", _TASK.c.person_id.is_not(None))
    is_skipped = sa.exists().where(_SKIP.c.task_id == _TASK.c.id, is_of)
    is_annotated = sa.exists().where(
        _ANNOTATION.c.query_id == query_id,
        sa.or_(_PROPOSAL.c.fate != "automatic", _ANNOTATION.c.state != "submitted"),
    )
    is_reviewed = sa.exists().where(
        _REVIEW.c.annotation_id == _ANNOTATION.c.id, _ANNOTATION.c.query_id == query_id
    )
    is_drawn = sa.exists().where(
        _LOT_ITEM.c.annotation_id == _ANNOTATION.c.id,
        _ANNOTATION.c.query_id == query_id,
        _LOT.c.id == _LOT_ITEM.c.lot_id,
        _LOT.c.state != "open",
    )
    used = (
        sa.exists().where(table.c.query_id == query_id)
        for table in (_BUNDLE_ROW, _COMMENT, _GOLD, _REQUEST)
    )
    is_parent = sa.exists().where(_PROPOSAL.alias("child").c.parent_query_id == query_id)
    others = (has_hands, is_lapsed, is_skipped, is_annotated, is_reviewed, is_drawn, is_parent)
    return (query_id.is_not(None), *(~each for each in (*others, *used)))


def _delete_untaken(session: Session, query_ids: Sequence[str]) -> int:
    """Delete queries whose open task is still free when it is deleted; others stay whole."""
    connection = session.connection()
    if not query_ids:
        return 0
    free = (
        sa.delete(_TASK)
        .where(
            _TASK.c.query_id.in_(query_ids),
            _TASK.c.status == "open",
            _TASK.c.person_id.is_(None),
        )
        .returning(_TASK.c.query_id)
    )
    gone = set(connection.execute(free).scalars())
    in_lots = (
        sa.select(_ANNOTATION.c.query_id)
        .join(_LOT_ITEM, _LOT_ITEM.c.annotation_id == _ANNOTATION.c.id)
        .where(_ANNOTATION.c.query_id.in_(query_ids))
    )
    gone |= set(connection.execute(in_lots).scalars())
    annotations = sa.select(_ANNOTATION.c.id).where(_ANNOTATION.c.query_id.in_(gone))
    for table, column in (
        (_LOT_ITEM, "annotation_id"),
        (_DRAFT, "annotation_id"),
    ):
        connection.execute(sa.delete(table).where(table.c[column].in_(annotations)))
    connection.execute(sa.delete(_TASK).where(_TASK.c.query_id.in_(gone)))
    connection.execute(sa.delete(_REVISION).where(_REVISION.c.annotation_id.in_(annotations)))
    for table in (_ANNOTATION, _SUGGESTION, _PROPOSAL):
        connection.execute(sa.delete(table).where(table.c.query_id.in_(gone)))
    connection.execute(sa.delete(_QUERY).where(_QUERY.c.id.in_(gone)))
    return len(gone)


def _moved(session: Session, limit: int, *which: sa.ColumnElement[bool]) -> list[MovedRow]:
    parent, made = _QUERY.alias("parent"), _QUERY.alias("made")
    statement = (
        sa.select(
            _PROPOSAL.c.parent_query_id,
            _PROPOSAL.c.query_id,
            sa.func.substr(parent.c.text, 1, EXCERPT),
            _PROPOSAL.c.from_version_id,
            _PROPOSAL.c.list_version_id,
            _PROPOSAL.c.fate,
            _PROPOSAL.c.rule,
            _PROPOSAL.c.candidates,
            made.c.state,
        )
        .join(parent, parent.c.id == _PROPOSAL.c.parent_query_id)
        .outerjoin(made, made.c.id == _PROPOSAL.c.query_id)
        .where(*which)
        .order_by(_PROPOSAL.c.parent_query_id)
        .limit(limit)
    )
    rows = session.connection().execute(statement).all()
    names = _references(session, {row[place] for row in rows for place in (3, 4)})
    return [
        MovedRow(
            parent_query_id=row[0],
            query_id=row[1],
            text=row[2],
            before=names[row[3]],
            after=names[row[4]],
            fate=row[5],
            rule=row[6],
            candidates=tuple(map(tuple, row[7])),
            state=row[8],
        )
        for row in rows
    ]


def _references(session: Session, version_ids: set[str]) -> dict[str, str]:
    statement = select(ListVersion.id, ListVersion.name, ListVersion.version).where(
        col(ListVersion.id).in_(version_ids)
    )
    return {row[0]: f"{row[1]}@{row[2]}" for row in session.exec(statement)}
