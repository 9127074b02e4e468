"""Clusters of queries, with the key that decides their split once they have been compared."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from db.engine import fetch_rows, insert_many, take_turns
from db.tables import BundleRow, NearCluster, Query

_AT_ONCE = 500


class ClusterText(NamedTuple):
    """What one cluster asks (`history` is JSON text); without a key it was never compared."""

    cluster: str
    text: str
    history: str
    key: str | None
    is_bridge: bool | None


class ClusterKey(NamedTuple):
    """What decides the split of a cluster."""

    cluster: str
    key: str
    is_bridge: bool


def list_unknown(session: Session, project_id: str) -> set[str]:
    """Clusters of queries that were never compared."""
    # No query is ever taken away, so as many as there are clusters are all of them.
    if count_known(session, project_id) == count_clusters(session, project_id):
        return set()
    rows = fetch_rows(session, _UNKNOWN, {"project_id": project_id})
    return {row[0] for row in rows}


def list_texts(session: Session, project_id: str) -> list[ClusterText]:
    """Every cluster by its first query, the oldest first."""
    found: dict[str, ClusterText] = {}
    for row in fetch_rows(session, _TEXTS, {"project_id": project_id}):
        if row[0] not in found:
            found[row[0]] = ClusterText._make(row)
    return list(found.values())


def list_joined(session: Session, project_id: str) -> dict[str, str]:
    """Cluster → key, of clusters whose key is another's; all others are their own."""
    rows = fetch_rows(session, _JOINED, {"project_id": project_id})
    return {row[0]: row[1] for row in rows}


def list_bridges(session: Session, project_id: str) -> frozenset[str]:
    """Clusters that are bridges."""
    rows = fetch_rows(session, _BRIDGES, {"project_id": project_id})
    return frozenset([row[0] for row in rows])


def count_known(session: Session, project_id: str) -> int:
    """How many clusters have a key; once given, none is taken away or changed."""
    statement = (
        sa.select(sa.func.count())
        .select_from(NearCluster)
        .where(col(NearCluster.project_id) == project_id)
    )
    return session.connection().execute(statement).scalar_one()


def count_clusters(session: Session, project_id: str) -> int:
    """How many clusters the queries of a project are in."""
    clusters = sa.func.count(sa.distinct(col(Query.cluster)))
    statement = sa.select(clusters).where(col(Query.project_id) == project_id)
    return session.connection().execute(statement).scalar_one()


def list_split(session: Session, project_id: str) -> set[str]:
    """Clusters that stand in a bundle with a validation file."""
    with_validation = (
        sa.select(col(BundleRow.bundle_id))
        .where(
            col(BundleRow.project_id) == project_id,
            col(BundleRow.file).like("%\\_val.jsonl", escape="\\"),
        )
        .distinct()
    )
    statement = (
        sa.select(col(Query.cluster))
        .join(BundleRow, col(BundleRow.query_id) == col(Query.id))
        .where(
            col(Query.project_id) == project_id,
            col(BundleRow.project_id) == project_id,
            col(BundleRow.bundle_id).in_(with_validation),
        )
        .distinct()
    )
    return set(session.connection().execute(statement).scalars())


def add_keys(
    session: Session,
    project_id: str,
    *,
    known: int,
    added: Sequence[ClusterKey],
    bridges: Iterable[str],
) -> bool:
    """Give keys to clusters that have none, and mark bridges among the others.

    False, and nothing is written, where others have given keys since `known` of them were there.
    """
    take_turns(session, f"near clusters of {project_id}")
    if count_known(session, project_id) != known:
        return False
    insert_many(session, "near_cluster", ClusterKey._fields, added, {"project_id": project_id})
    marked = sorted(bridges)
    for start in range(0, len(marked), _AT_ONCE):
        statement = (
            sa.update(NearCluster)
            .where(
                col(NearCluster.project_id) == project_id,
                col(NearCluster.cluster).in_(marked[start : start + _AT_ONCE]),
            )
            .values(is_bridge=True)
        )
        session.connection().execute(statement)
    return True


_MINE = sa.and_(
    col(NearCluster.project_id) == col(Query.project_id),
    col(NearCluster.cluster) == col(Query.cluster),
)
_OF_PROJECT = col(Query.project_id) == sa.bindparam("project_id")
_UNKNOWN = sa.select(col(Query.cluster)).distinct().where(_OF_PROJECT, ~sa.exists().where(_MINE))
_TEXTS = (
    sa.select(
        col(Query.cluster),
        col(Query.text),
        sa.cast(col(Query.history), sa.Text),
        col(NearCluster.key),
        col(NearCluster.is_bridge),
    )
    .select_from(Query)
    .outerjoin(NearCluster, _MINE)
    .where(_OF_PROJECT)
    .order_by(col(Query.id))
)
_KNOWN = col(NearCluster.project_id) == sa.bindparam("project_id")
_JOINED = sa.select(col(NearCluster.cluster), col(NearCluster.key)).where(
    _KNOWN, col(NearCluster.key) != col(NearCluster.cluster)
)
_BRIDGES = sa.select(col(NearCluster.cluster)).where(_KNOWN, col(NearCluster.is_bridge))
