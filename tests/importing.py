"""Importing rows in tests: write a file, import it, look at what became of it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from db.engine import Database
from db.tables import Query, Suggestion, Task
from labeling.intake import import_file
from schemas.intake import ImportCounts, ImportKind
from tests.factories import EXPERTS, a_project


def a_plan(rewrite: str | None = "查看上周流量", *steps: dict[str, Any]) -> dict[str, Any]:
    default = {"expert": EXPERTS[0], "sub_questions": ["查看上周流量"], "order": 1}
    return {"rewritten_query": rewrite, "steps": list(steps) or [default]}


class Importer:
    """Writes rows to a file and imports it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.who = a_project(database)

    def __call__(
        self, rows: Iterable[dict[str, Any] | str], kind: ImportKind = "queries", **options: Any
    ) -> ImportCounts:
        path = self.folder / "rows.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return import_file(
            self.database,
            options.pop("who", self.who),
            path,
            kind=kind,
            errors_dir=self.folder / "errors",
            **options,
        )

    def queries(self) -> list[Query]:
        with self.database.reading() as session:
            return list(session.exec(select(Query).order_by(col(Query.id))))

    def suggestions(self) -> list[Suggestion]:
        with self.database.reading() as session:
            return list(session.exec(select(Suggestion).order_by(col(Suggestion.id))))

    def tasks(self) -> list[Task]:
        with self.database.reading() as session:
            return list(session.exec(select(Task).order_by(col(Task.id))))

    def errors(self, counts: ImportCounts) -> list[dict[str, Any]]:
        assert counts.errors_file is not None
        lines = Path(counts.errors_file).read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


def figures(counts: ImportCounts) -> tuple[int, int, int, int, int, int]:
    """read, added, known, changed, incomplete, refused."""
    return (
        counts.read,
        counts.added,
        counts.known,
        counts.changed,
        counts.incomplete,
        counts.refused,
    )
