"""Queries that a recipe asks for by their ids: each can be taken, or the recipe is refused."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from db.access.asked import find_asked
from db.engine import Session
from exports.filling import Filled
from schemas.bundle import PoolName
from schemas.errors import InvalidInput
from schemas.recipe import SourceKind
from schemas.scoring.check import Problem


def refuse_unfit(
    session: Session, project_id: str, pool: PoolName, sources: Iterable[Filled]
) -> None:
    """Refuse a pool that asks for what it cannot have, naming each such query and why.

    Raises:
        InvalidInput: `export.asked_unfit`.
    """
    for each in sources:
        missing = each.asked - set(each.taken.query_ids)
        asked = Asked(pool, each.source.kind, missing, each.unfit)
        refuse_asked(session, project_id, asked)


class Asked(NamedTuple):
    """What a source asks for and cannot have; `unfit` says why, of those that there are."""

    pool: PoolName
    kind: SourceKind
    missing: Collection[str]
    unfit: Mapping[str, str]


def refuse_asked(session: Session, project_id: str, asked: Asked) -> None:
    """Refuse if anything is missing, naming each query and why.

    Raises:
        InvalidInput: `export.asked_unfit`.
    """
    if not asked.missing:
        return
    known = find_asked(session, project_id, asked.missing)
    problems = [
        Problem(query_id, f"export.reason_{_why(query_id, asked.unfit, known)}", {})
        for query_id in sorted(asked.missing)
    ]
    values = {"pool": asked.pool, "kind": asked.kind, "count": len(asked.missing)}
    raise InvalidInput("export.asked_unfit", problems, **values)


def _why(query_id: str, unfit: Mapping[str, str], known: Mapping[str, str]) -> str:
    if query_id in unfit:
        return unfit[query_id]
    what = known.get(query_id)
    return {"query": "not_of_kind", "question": "benchmark"}.get(what or "", "not_here")
