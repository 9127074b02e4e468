"""The demo project's replies: no endpoint gave them, and a query may have several."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from db.access.suggestions import Reading, mark_ready
from db.tables import BenchmarkQuestion, Query, Suggestion


class DemoQuery(NamedTuple):
    """A query of the demo, and under what its replies are read."""

    query_id: str
    dialect: str
    list_version_id: str


def find_demo_queries(session: Session, project_id: str) -> Mapping[str, DemoQuery]:
    """Our own id of a query in the demo's files → the query."""
    statement = select(Query.external_id, Query.id, Query.dialect, Query.list_version_id).where(
        Query.project_id == project_id, Query.kind == "queries"
    )
    return {external_id or "": DemoQuery(*rest) for external_id, *rest in session.exec(statement)}


def add_demo_reply(
    session: Session,
    project_id: str,
    query: DemoQuery,
    reading: Reading,
    *,
    candidate: int,
    model: str,
    raw_reply: bytes,
) -> bool:
    """Add a written reply unless it is here; whether it was new."""
    key = f"demo:{query.query_id}:{candidate}"
    known = select(Suggestion.id).where(Suggestion.request_key == key)
    if session.exec(known).first() is not None:
        return False
    session.add(
        Suggestion(
            project_id=project_id,
            query_id=query.query_id,
            origin="import",
            request_key=key,
            candidate=candidate,
            model=model,
            raw_reply=raw_reply,
            reply_shape=reading.shape,
            trace=reading.trace,
            trace_length=len(reading.trace or ""),
            plan=_plain(reading.plan),
            partial_plan=_plain(reading.partial_plan),
            failure=reading.failure,
            is_repaired=reading.is_repaired,
        )
    )
    if reading.plan is not None:
        mark_ready(session, [query.query_id])
    return True


def count_demo(session: Session, project_id: str) -> Sequence[int]:
    """How many queries, historical rows, suggestions and benchmark questions there are."""
    kinds = list(session.exec(select(Query.kind).where(Query.project_id == project_id)))
    counted = [
        len(list(session.exec(select(col(table.id)).where(col(table.project_id) == project_id))))
        for table in (Suggestion, BenchmarkQuestion)
    ]
    history = kinds.count("history")
    return len(kinds) - history, history, *counted


def _plain(plan: dict[str, Any] | None) -> dict[str, object] | None:
    return plan
