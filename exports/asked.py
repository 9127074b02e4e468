"""Queries that a recipe asks for by their ids: each can be taken, or the recipe is refused."""

from collections.abc import Iterable

from db.access.asked import find_asked
from db.engine import Session
from exports.filling import Filled
from schemas.bundle import PoolName
from schemas.errors import InvalidInput
from schemas.scoring.check import Problem


def refuse_unfit(
    session: Session, project_id: str, pool: PoolName, sources: Iterable[Filled]
) -> None:
    """Refuse a pool that asks for what it cannot have, naming each such query and why.

    Raises:
        InvalidInput: `export.asked_unfit`.
    """
    for each in sources:
        missing = sorted(each.asked - {candidate.query_id for candidate in each.usable})
        if not missing:
            continue
        known = find_asked(session, project_id, missing)
        problems = [
            Problem(query_id, f"export.reason_{_why(query_id, each, known)}", {})
            for query_id in missing
        ]
        raise InvalidInput(
            "export.asked_unfit", problems, pool=pool, kind=each.source.kind, count=len(missing)
        )


def _why(query_id: str, source: Filled, known: dict[str, str]) -> str:
    reason = source.unfit.get(query_id)
    if reason is not None:
        return reason
    return {"query": "not_of_kind", "question": "benchmark"}.get(
        known.get(query_id, ""), "not_here"
    )
