"""Facts of rows: which are to be made again, and what they are.

A change is seen once its transaction has ended, and taken away in the transaction that makes the
facts, so none is lost. Makers take turns.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from db.engine import fetch_rows, insert_many, take_turns
from db.tables import ListVersion, Query, RowFact

_AT_ONCE = 500
_CHANGE, _PROFILE = (Query.metadata.tables[name] for name in ("query_change", "fact_profile"))


class Profile(NamedTuple):
    """What many rows have in common; columns of `FactProfile` from `kind` on, in order."""

    kind: str
    list_version_id: str
    model: str | None
    day: str | None
    label: str | None
    size: int
    trace_state: str | None
    reason: str | None
    trace_reason: str | None
    experts: str
    own_prompt: bool
    is_paired: bool
    is_paired_thinking: bool


class Fact(NamedTuple):
    """One row of a query, with its profile."""

    query_id: str
    number: int
    source_id: str
    cluster: str
    trace_length: int
    profile_key: str
    profile: Profile


def count_changes(session: Session, project_id: str) -> int:
    """How many changes wait to be looked at; one may stand for a whole project."""
    statement = (
        sa.select(sa.func.count()).select_from(_CHANGE).where(_CHANGE.c.project_id == project_id)
    )
    return session.connection().execute(statement).scalar_one()


class Taken(NamedTuple):
    """Queries to look at, each once; `is_all` says that what must not leak has changed."""

    query_ids: list[str]
    is_all: bool


def take_changes(session: Session, project_id: str, limit: int) -> Taken:
    """Take the changes of some queries away, in the transaction that makes their facts.

    None when all is known. However often a query has changed, it is looked at once. Where all of
    the project is concerned, a change of each of its queries is noted first.
    """
    take_turns(session, f"facts {project_id}")
    connection = session.connection()
    mine = _CHANGE.c.project_id == project_id
    everything = sa.delete(_CHANGE).where(mine, _CHANGE.c.query_id.is_(None))
    is_all = connection.execute(everything).rowcount > 0
    if is_all:
        columns = ["project_id", "query_id"]
        queries = sa.select(col(Query.project_id), col(Query.id)).where(
            col(Query.project_id) == project_id
        )
        connection.execute(sa.insert(_CHANGE).from_select(columns, queries))
    statement = (
        sa.select(_CHANGE.c.query_id)
        .distinct()
        .where(mine, _CHANGE.c.query_id.is_not(None))
        .order_by(_CHANGE.c.query_id)
        .limit(limit)
    )
    query_ids = list(connection.execute(statement).scalars())
    for start in range(0, len(query_ids), _AT_ONCE):
        chunk = query_ids[start : start + _AT_ONCE]
        connection.execute(sa.delete(_CHANGE).where(mine, _CHANGE.c.query_id.in_(chunk)))
    return Taken(query_ids, is_all)


def replace_facts(
    session: Session, project_id: str, query_ids: Sequence[str], facts: Sequence[Fact]
) -> None:
    """Put the facts of some queries in the place of what stood there."""
    connection = session.connection()
    for start in range(0, len(query_ids), _AT_ONCE):
        chunk = query_ids[start : start + _AT_ONCE]
        connection.execute(sa.delete(RowFact).where(col(RowFact.query_id).in_(chunk)))
    profiles = _profile_ids(session, project_id, {each.profile_key: each.profile for each in facts})
    insert_many(
        session,
        "row_fact",
        ("query_id", "number", "source_id", "cluster", "trace_length", "profile_id"),
        [(*each[:5], profiles[each.profile_key]) for each in facts],
        {"project_id": project_id},
    )


def count_lists(session: Session, project_id: str) -> int:
    """How many list versions a project has; they only grow in number."""
    statement = (
        sa.select(sa.func.count())
        .select_from(ListVersion)
        .where(col(ListVersion.project_id) == project_id)
    )
    return session.connection().execute(statement).scalar_one()


def list_profiles(session: Session, project_id: str) -> dict[int, Profile]:
    """Every profile of a project, by id."""
    columns = [_PROFILE.c[name] for name in Profile._fields]
    statement = sa.select(_PROFILE.c.id, *columns).where(_PROFILE.c.project_id == project_id)
    rows = session.connection().execute(statement)
    return {profile_id: Profile(*rest) for profile_id, *rest in rows}


def list_counted(session: Session, project_id: str) -> Sequence[tuple[str, int, int, str]]:
    """Query, profile, trace length and cluster of every row, by query and in its order."""
    return fetch_rows(session, _COUNTED, {"project_id": project_id})


def list_sources(
    session: Session, project_id: str, query_ids: Collection[str]
) -> list[tuple[str, int, str]]:
    """Query, profile and source of every row of some queries."""
    statement = sa.select(
        col(RowFact.query_id), col(RowFact.profile_id), col(RowFact.source_id)
    ).where(col(RowFact.project_id) == project_id, col(RowFact.query_id).in_(query_ids))
    return [(a, b, c) for a, b, c in session.connection().execute(statement)]


_COUNTED = (
    sa.select(
        col(RowFact.query_id),
        col(RowFact.profile_id),
        col(RowFact.trace_length),
        col(RowFact.cluster),
    )
    .where(col(RowFact.project_id) == sa.bindparam("project_id"))
    .order_by(col(RowFact.query_id), col(RowFact.number))
)


def _profile_ids(
    session: Session, project_id: str, profiles: Mapping[str, Profile]
) -> dict[str, int]:
    """Ids of profiles by their keys; those that are new are added."""
    known = _known_profiles(session, project_id, profiles)
    if len(known) < len(profiles):
        rows = [
            {"project_id": project_id, "key": key, **each._asdict()}
            for key, each in sorted(profiles.items())
            if key not in known
        ]
        if rows:
            session.connection().execute(sa.insert(_PROFILE), rows)
        known = _known_profiles(session, project_id, profiles)
    return known


def _known_profiles(
    session: Session, project_id: str, profiles: Mapping[str, Profile]
) -> dict[str, int]:
    connection, keys, known = session.connection(), sorted(profiles), dict[str, int]()
    for start in range(0, len(keys), _AT_ONCE):
        chunk = keys[start : start + _AT_ONCE]
        statement = sa.select(_PROFILE.c.key, _PROFILE.c.id).where(
            _PROFILE.c.project_id == project_id, _PROFILE.c.key.in_(chunk)
        )
        for key, profile_id in connection.execute(statement):
            known[key] = profile_id
    return known
