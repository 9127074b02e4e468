"""Rows of imports, written in bulk, and the imports themselves."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.access.overlap import is_of_share
from db.engine import insert_many
from db.tables import Benchmark, BenchmarkQuestion, ImportFile, Query, Task
from db.tables.base import UtcDateTime, new_ids, now
from schemas.people import Actor

CHUNK = 4_000
"""Rows of one transaction: long enough to be fast, short enough for others to get their turn."""


@dataclass(frozen=True, slots=True)
class ImportPins:
    """What every row of one import shares; the list is a row's own."""

    project_id: str
    kind: str
    import_id: str
    prompt_version_id: str
    dialect: str
    window: int
    overlap: int
    overlap_share: float = 1.0


class NewQuery(NamedTuple):
    """A query to be added; JSON as text, `state` as its suggestion makes it."""

    import_key: str
    content_hash: str
    external_id: str | None
    text: str
    history: str
    messages: str | None
    answer: str | None
    list_version_id: str
    cluster: str
    state: str


class NewSuggestion(NamedTuple):
    """What came with a query; JSON as text."""

    trace: str | None
    trace_length: int
    plan: str | None
    partial_plan: str | None
    failure: str | None


class NewQuestion(NamedTuple):
    """A question of a benchmark; JSON as text."""

    import_key: str
    content_hash: str
    text: str
    history: str
    plan: str
    cluster: str


class KnownRow(NamedTuple):
    """What is here already under an import key."""

    content_hash: str
    list_version_id: str


def add_import(session: Session, who: Actor, kind: str, file_name: str, import_id: str) -> None:
    """Begin an import."""
    session.add(
        ImportFile(
            id=import_id,
            project_id=who.project_id,
            kind=kind,
            file_name=file_name,
            imported_by=who.person_id,
        )
    )
    session.flush()


def find_import(session: Session, project_id: str, import_id: str) -> ImportFile | None:
    """An import of this project."""
    statement = select(ImportFile).where(
        ImportFile.project_id == project_id, ImportFile.id == import_id
    )
    return session.exec(statement).first()


def save_import(
    session: Session,
    import_id: str,
    *,
    state: str,
    counts: Mapping[str, int],
    errors_file: str | None,
) -> None:
    """Where an import stands."""
    statement = (
        sa.update(ImportFile)
        .where(col(ImportFile.id) == import_id)
        .values(state=state, counts=dict(counts), errors_file=errors_file)
    )
    session.connection().execute(statement)


def save_failure(session: Session, import_id: str, errors_file: str | None) -> None:
    """An import cannot go on, for what stands in this file; its progress stands."""
    failed = {"state": "failed", "errors_file": errors_file}
    statement = sa.update(ImportFile).where(col(ImportFile.id) == import_id).values(**failed)
    session.connection().execute(statement)


def list_imports(session: Session, project_id: str, limit: int) -> list[ImportFile]:
    """The newest imports first."""
    statement = select(ImportFile).where(ImportFile.project_id == project_id)
    return list(session.exec(statement.order_by(col(ImportFile.id).desc()).limit(limit)))


def find_known(
    session: Session, project_id: str, kind: str, keys: Iterable[str]
) -> dict[str, KnownRow]:
    """Import key → what stands under it."""
    statement = sa.select(
        col(Query.import_key), col(Query.content_hash), col(Query.list_version_id)
    ).where(
        col(Query.project_id) == project_id,
        col(Query.kind) == kind,
        col(Query.import_key).in_(list(keys)),
    )
    return {row[0]: KnownRow(row[1], row[2]) for row in session.connection().execute(statement)}


def find_query_id(session: Session, project_id: str, kind: str, key: str) -> str | None:
    """The query under an import key."""
    statement = select(Query.id).where(
        Query.project_id == project_id, Query.kind == kind, Query.import_key == key
    )
    return session.exec(statement).first()


def add_queries(
    session: Session,
    pins: ImportPins,
    rows: Sequence[tuple[NewQuery, NewSuggestion | None]],
) -> None:
    """Add queries with what came with them, and a label task for each wanted annotation.

    Decided queries get no task. At least one and at most `CHUNK` rows.
    """
    at = now()
    ids = new_ids(len(rows))
    insert_many(
        session,
        "query",
        ("id", *NewQuery._fields),
        [(query_id, *row) for query_id, (row, _) in zip(ids, rows, strict=True)],
        {
            "project_id": pins.project_id,
            "kind": pins.kind,
            "prompt_version_id": pins.prompt_version_id,
            "dialect": pins.dialect,
            "window": pins.window,
            "import_id": pins.import_id,
            "created_at": at,
        },
    )
    _add_suggestions(session, pins, list(zip(ids, (each for _, each in rows), strict=True)), at)
    _add_label_tasks(session, pins, (ids[0], ids[-1]), at)


def _add_suggestions(
    session: Session,
    pins: ImportPins,
    rows: Sequence[tuple[str, NewSuggestion | None]],
    at: datetime,
) -> None:
    suggestions = [(query_id, each) for query_id, each in rows if each is not None]
    insert_many(
        session,
        "suggestion",
        ("id", "query_id", *NewSuggestion._fields),
        [
            (suggestion_id, query_id, *suggestion)
            for suggestion_id, (query_id, suggestion) in zip(
                new_ids(len(suggestions)), suggestions, strict=True
            )
        ],
        {
            "project_id": pins.project_id,
            "origin": "history" if pins.kind == "history" else "import",
            "candidate": 1,
            "is_repaired": False,
            "created_at": at,
        },
    )


def _add_label_tasks(
    session: Session, pins: ImportPins, ids: tuple[str, str], at: datetime
) -> None:
    """A task for each wanted annotation of undecided queries of this import between two ids."""
    for slot in range(1, pins.overlap + 1):
        wanted = [] if slot == 1 else is_of_share(col(Query.id), pins.overlap_share)
        chosen = sa.select(
            col(Query.project_id),
            sa.literal("label"),
            col(Query.id),
            sa.literal(slot),
            sa.literal("open"),
            sa.literal(0),
            sa.literal(at, UtcDateTime),
        ).where(
            col(Query.id).between(*ids),
            col(Query.import_id) == pins.import_id,
            col(Query.state) != "decided",
            *wanted,
        )
        columns = ["project_id", "kind", "query_id", "slot", "status", "rank", "created_at"]
        statement = sa.insert(Task).from_select(
            columns, chosen.order_by(col(Query.id)), include_defaults=False
        )
        session.connection().execute(statement)


def find_newest_benchmark(session: Session, project_id: str, name: str) -> Benchmark | None:
    """The newest version of a benchmark."""
    statement = select(Benchmark).where(Benchmark.project_id == project_id, Benchmark.name == name)
    return session.exec(statement.order_by(col(Benchmark.version).desc()).limit(1)).first()


def find_same_benchmark(
    session: Session, project_id: str, name: str, content_hash: str
) -> Benchmark | None:
    """The version of a benchmark that has this content."""
    statement = select(Benchmark).where(
        Benchmark.project_id == project_id,
        Benchmark.name == name,
        Benchmark.content_hash == content_hash,
    )
    return session.exec(statement).first()


def add_benchmark(
    session: Session, project_id: str, name: str, version: int, list_version_id: str
) -> Benchmark:
    """Begin a version; its content hash follows when all questions are in."""
    row = Benchmark(
        project_id=project_id,
        name=name,
        version=version,
        content_hash="",
        list_version_id=list_version_id,
    )
    session.add(row)
    session.flush()
    return row


def add_questions(
    session: Session, project_id: str, benchmark_id: str, rows: Sequence[NewQuestion]
) -> None:
    """Add questions to a version; at most `CHUNK`."""
    insert_many(
        session,
        BenchmarkQuestion.__tablename__,  # pyright: ignore[reportArgumentType]
        ("id", *NewQuestion._fields),
        [(question_id, *row) for question_id, row in zip(new_ids(len(rows)), rows, strict=True)],
        {"project_id": project_id, "benchmark_id": benchmark_id},
    )


class GuardedRow(NamedTuple):
    """A question of a benchmark, which no bundle may hold; the plan as JSON text."""

    question_id: str
    benchmark: str
    version: int
    text: str
    plan: str


def list_guarded(session: Session, project_id: str) -> list[GuardedRow]:
    """Every question of every benchmark, in the order of their ids."""
    statement = (
        sa.select(
            col(BenchmarkQuestion.id),
            col(Benchmark.name),
            col(Benchmark.version),
            col(BenchmarkQuestion.text),
            sa.cast(col(BenchmarkQuestion.plan), sa.Text),
        )
        .join(Benchmark, col(Benchmark.id) == col(BenchmarkQuestion.benchmark_id))
        .where(col(BenchmarkQuestion.project_id) == project_id)
        .order_by(col(BenchmarkQuestion.id))
    )
    return [GuardedRow(*row) for row in session.connection().execute(statement)]
