"""Rows moved to a newer expert list, and the queries made for them.

A query that was moved is known by its parent and the newer list, so that moving twice adds nothing.
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

_PROPOSAL, _QUERY = (Query.metadata.tables[name] for name in ("migration_proposal", "query"))
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


class _Parent(NamedTuple):
    """What a query made for another takes over from it."""

    id: str
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
    kept = _Parent._fields[1:]
    insert_many(
        session,
        "query",
        ("id", "import_key", "content_hash", "state", *kept),
        [
            (
                query_id,
                f"moved {parent.id} {version_id}",
                f"moved {parent.id} {version_id}",
                "ready" if ready[parent.id] else "waiting",
                *parent[1:],
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
