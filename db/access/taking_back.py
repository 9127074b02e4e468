"""Taking back rows that were moved to a newer expert list, as far as nobody has touched them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session

from db.tables import Query

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
