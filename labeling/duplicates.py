"""The leak guard of a project: what it holds is its benchmarks' questions and its gold queries."""

import orjson

from db.access.gold import list_guarded_gold
from db.access.intake import list_guarded
from db.engine import Database, Session
from schemas.leaks import BenchmarkGuard, GuardedQuestion
from schemas.people import Actor

GOLD = "gold"


def guard_of(session: Session, project_id: str) -> BenchmarkGuard:
    """The guard over every version of every benchmark of a project, and its gold queries."""
    questions = [
        GuardedQuestion(
            row.question_id,
            f"{row.benchmark}@{row.version}",
            row.text,
            orjson.loads(row.plan).get("rewritten_query"),
        )
        for row in list_guarded(session, project_id)
    ]
    questions += [
        GuardedQuestion(row.query_id, GOLD, row.text, orjson.loads(row.plan).get("rewritten_query"))
        for row in list_guarded_gold(session, project_id)
    ]
    return BenchmarkGuard(questions)


def load_guard(database: Database, who: Actor) -> BenchmarkGuard:
    """The guard of a person's project."""
    with database.reading() as session:
        return guard_of(session, who.project_id)
