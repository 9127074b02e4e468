"""The record of one import: its pins, its counts, its error file, and how far it has come."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from db.access import intake, projects
from db.access.events import add_event
from db.engine import Database, Session
from db.tables.base import new_id
from labeling.intake.list_finder import ListFinder
from labeling.intake.refused_rows import RefusedRows
from labeling.intake.tally import Tally
from schemas.errors import InvalidInput, PlanwrightError
from schemas.intake import ImportCounts, ImportKind
from schemas.people import Actor


@dataclass(slots=True)
class Job:
    """An import at work."""

    who: Actor
    file_name: str
    pins: intake.ImportPins
    errors: RefusedRows
    find_list: ListFinder
    tally: Tally = field(default_factory=Tally)

    def counts(self) -> ImportCounts:
        """What became of the rows so far."""
        return self.tally.counts(None if self.errors.is_empty else str(self.errors.path))

    def save_progress(self, session: Session, state: str = "running") -> None:
        """Keep the counts in the transaction that writes the rows they count."""
        intake.save_import(
            session,
            self.pins.import_id,
            state=state,
            counts=self.tally.to_plain(),
            errors_file=None if self.errors.is_empty else str(self.errors.path),
        )

    def end(self, database: Database) -> None:
        """Record the end with one event."""
        with database.transaction() as session:
            self.save_progress(session, "done")
            self._add_event(session, "done")

    def fail(self, database: Database, error: BaseException) -> None:
        """Record that it cannot go on, and why, at once; the last progress stands."""
        with self.errors:
            if isinstance(error, PlanwrightError):
                self.errors.add_failure(error)
        with database.transaction() as session:
            path = None if self.errors.is_empty else str(self.errors.path)
            intake.save_failure(session, self.pins.import_id, path)
            self._add_event(session, "failed")

    def _add_event(self, session: Session, state: str) -> None:
        why: dict[str, object] = {"file": self.file_name, **self.tally.to_plain()}
        subject_id = self.pins.import_id
        add_event(session, self.who, "import", subject_id, "imported", after=state, why=why)


def begin_job(
    database: Database,
    who: Actor,
    path: Path,
    kind: ImportKind,
    *,
    errors_dir: Path,
    import_id: str | None,
    find_list: ListFinder,
) -> Job:
    """Begin an import, or take up the one of this id where it stood.

    Raises:
        InvalidInput: `intake.no_prompt`.
    """
    import_id = import_id or new_id()
    with database.transaction() as session:
        settings = projects.read_settings(session, who.project_id)
        if settings.current_prompt_version_id is None:
            raise InvalidInput("intake.no_prompt")
        begun = intake.find_import(session, who.project_id, import_id)
        if begun is None:
            intake.add_import(session, who, kind, path.name, import_id)
        tally = Tally.resumed(begun.counts, begun.state) if begun else Tally()
    pins = intake.ImportPins(
        project_id=who.project_id,
        kind=kind,
        import_id=import_id,
        prompt_version_id=settings.current_prompt_version_id,
        dialect=settings.dialect,
        window=settings.window,
        overlap=settings.overlap,
        overlap_share=settings.overlap_share,
    )
    stem = re.sub(r"[^\w.-]+", "_", path.stem)[:60]
    errors_path = errors_dir / f"{stem}-{import_id[-12:]}.errors.jsonl"
    errors = RefusedRows(errors_path, who.language, size=tally.errors_bytes)
    return Job(who, path.name, pins, errors, find_list, tally)
