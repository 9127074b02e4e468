"""What ids that somebody typed belong to."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlmodel import Session, col

from db.tables import BenchmarkQuestion, Query


def find_asked(session: Session, project_id: str, ids: Iterable[str]) -> dict[str, str]:
    """Ids of the project's queries → `query`, of its benchmark questions → `question`."""
    wanted, found = list(ids), dict[str, str]()
    connection = session.connection()
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        for table, what in ((Query, "query"), (BenchmarkQuestion, "question")):
            statement = sa.select(col(table.id)).where(
                col(table.project_id) == project_id, col(table.id).in_(chunk)
            )
            found |= dict.fromkeys(connection.execute(statement).scalars(), what)
    return found
