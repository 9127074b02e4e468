"""One import from its first row to its counts.

Rows are written in chunks, each with its progress in one transaction: an import that was killed can
be repeated from the start (what is there is known by its key) or resumed under its id.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import orjson

from db.access import intake, lists, projects
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables.base import new_id
from labeling.experts import find_reference
from labeling.intake.benchmarks import add_benchmark, benchmark_name
from labeling.intake.reading import PinnedList, ReadRow, RowReader, RowRefused
from labeling.intake.refused_rows import RefusedRows
from labeling.intake.source import Source, open_source
from labeling.intake.source_row import SourceRow
from labeling.intake.tally import Tally
from schemas.errors import InvalidInput, NotFound
from schemas.intake import ImportCounts, ImportKind, check_mapping
from schemas.people import Actor

Progress = Callable[[ImportCounts], None]


def import_file(
    database: Database,
    who: Actor,
    path: Path,
    *,
    kind: ImportKind,
    errors_dir: Path,
    experts: str | None = None,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    name: str | None = None,
    import_id: str | None = None,
    on_progress: Progress | None = None,
) -> ImportCounts:
    """Import a file; bad rows are counted and written to an error file, the good ones are added.

    Args:
        database: Where to.
        who: An admin.
        path: JSONL, JSON array, CSV, XLSX or Parquet.
        kind: What the rows are.
        errors_dir: Folder for the error file.
        experts: `NAME[@N]` for rows that name no list; the project's current list when absent.
        mapping: Our column name → theirs.
        encoding: Of a text file; detected when absent.
        name: Of a benchmark; the file's when absent.
        import_id: Given again after a crash, the import goes on where it stood.
        on_progress: Called after each chunk.

    Raises:
        NotFound: `files.not_found`, `experts.list_not_found`.
        InvalidInput: the file cannot be read at all, or `intake.*` for what was asked.
    """
    who.require("admin")
    mapping = mapping or {}
    check_mapping(mapping)
    source = open_source(path, encoding)
    _check_columns(source, mapping)
    title = benchmark_name(name or path.stem) if kind == "benchmark" else ""
    find_list = _ListFinder(database, who, experts)
    job = _begin(database, who, path, kind, errors_dir=errors_dir, import_id=import_id or new_id())
    if job.tally.is_done:
        return job.counts()
    reader = RowReader(kind, mapping, find_list)
    rows = islice(source.rows(), job.tally.read, None)
    try:
        with job.errors:
            if kind == "benchmark":
                read = _read_all(reader, rows, job)
                add_benchmark(database, who, title, read, tally=job.tally, errors=job.errors)
            else:
                _write_all(
                    database, reader, rows, job, find_list=find_list, on_progress=on_progress
                )
    except BaseException:
        _end(database, job, "failed")
        raise
    _end(database, job, "done")
    return job.counts()


class _ListFinder:
    """The list of a reference, asked once; unversioned references stay what they were at first."""

    def __init__(self, database: Database, who: Actor, default: str | None) -> None:
        self._database, self._who = database, who
        self._default = default
        self._found: dict[str | None, PinnedList | RowRefused] = {}
        self._names: dict[str, str] = {}
        if default is not None and isinstance(self._find(default), RowRefused):
            raise NotFound("experts.list_not_found", reference=default)

    def __call__(self, reference: str | None) -> PinnedList:
        found = self._found.get(reference)
        if found is None:
            found = self._found[reference] = self._find(reference or self._default)
        if isinstance(found, RowRefused):
            raise found
        return found

    def name_of(self, version_id: str) -> str:
        """The name of a published version."""
        if version_id not in self._names:
            with self._database.reading() as session:
                found = lists.find_list(session, self._who.project_id, version_id)
            self._names[version_id] = found.name if found else ""
        return self._names[version_id]

    def _find(self, reference: str | None) -> PinnedList | RowRefused:
        project_id = self._who.project_id
        with self._database.reading() as session:
            if reference is None:
                version_id = projects.read_settings(session, project_id).current_list_version_id
                current = version_id and lists.find_list(session, project_id, version_id)
                if not version_id or not current:
                    return RowRefused("intake.no_list")
                return PinnedList(version_id, current, "nothing")
            found = find_reference(session, project_id, reference)
        if found is None:
            return RowRefused("experts.list_not_found", reference=reference)
        return PinnedList(*found, "version" if "@" in reference else "name")


@dataclass(slots=True)
class _Job:
    who: Actor
    file_name: str
    pins: intake.ImportPins
    errors: RefusedRows
    tally: Tally = field(default_factory=Tally)

    def counts(self) -> ImportCounts:
        return self.tally.counts(None if self.errors.is_empty else str(self.errors.path))


def _begin(
    database: Database,
    who: Actor,
    path: Path,
    kind: ImportKind,
    *,
    errors_dir: Path,
    import_id: str,
) -> _Job:
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
    )
    stem = re.sub(r"[^\w.-]+", "_", path.stem)[:60]
    errors_path = errors_dir / f"{stem}-{import_id[-12:]}.errors.jsonl"
    errors = RefusedRows(errors_path, who.language, size=tally.errors_bytes)
    return _Job(who, path.name, pins, errors, tally)


def _check_columns(source: Source, mapping: Mapping[str, str]) -> None:
    """A mapping to a column that is not there is a slip, and would refuse or lose every row."""
    if not mapping:
        return
    columns = source.columns()
    for theirs in mapping.values():
        if theirs not in columns and theirs.partition(".")[0] not in columns:
            raise InvalidInput("intake.column_unknown", column=theirs, columns=", ".join(columns))


def _read_all(reader: RowReader, rows: Iterable[SourceRow], job: _Job) -> Iterator[ReadRow]:
    """Rows that can be used; the others are counted and written to the error file."""
    for row in rows:
        job.tally.read += 1
        try:
            yield reader.read(row)
        except InvalidInput as error:
            job.tally.refused += 1
            job.errors.add(row, error)
        except orjson.JSONEncodeError:  # text that is no Unicode, from a damaged sheet
            job.tally.refused += 1
            job.errors.add(row, RowRefused("intake.not_unicode"))


def _write_all(
    database: Database,
    reader: RowReader,
    rows: Iterable[SourceRow],
    job: _Job,
    *,
    find_list: _ListFinder,
    on_progress: Progress | None,
) -> None:
    source = iter(rows)
    while chunk := list(islice(source, intake.CHUNK)):
        read = list(_read_all(reader, chunk, job))
        with database.transaction() as session:
            take_turns(session, f"queries of {job.who.project_id}")
            _write_chunk(session, read, job, find_list)
            job.tally.errors_bytes = job.errors.flush()
            _save_progress(session, job, "running")
        if on_progress is not None:
            on_progress(job.counts())


def _write_chunk(session: Session, rows: list[ReadRow], job: _Job, find_list: _ListFinder) -> None:
    """Add what is new; the same row twice in one chunk meets itself as if it were stored."""
    pins = job.pins
    known = intake.find_known(session, pins.project_id, pins.kind, [row.key for row in rows])
    fresh: list[tuple[intake.NewQuery, intake.NewSuggestion | None]] = []
    for row in rows:
        before = known.get(row.key)
        if before is None:
            known[row.key] = intake.KnownRow(row.content_hash, row.pinned.version_id)
            fresh.append(_to_new(row, pins.kind))
            job.tally.added += 1
            job.tally.incomplete += row.is_incomplete
        elif _is_same(row, before, find_list):
            job.tally.known += 1
        else:
            job.tally.changed += 1
            refusal = RowRefused("intake.changed", id=row.external_id or row.text[:60])
            job.errors.add(row.source, refusal)
    if fresh:
        intake.add_queries(session, pins, fresh)


def _is_same(row: ReadRow, before: intake.KnownRow, find_list: _ListFinder) -> bool:
    if row.content_hash != before.content_hash:
        return False
    if row.pinned.version_id == before.list_version_id or row.pinned.said == "nothing":
        return True
    return row.pinned.said == "name" and find_list.name_of(before.list_version_id) == (
        row.pinned.list.name
    )


def _to_new(row: ReadRow, kind: str) -> tuple[intake.NewQuery, intake.NewSuggestion | None]:
    is_decided = kind == "history" and row.failure is None
    state = "decided" if is_decided else "ready" if row.has_suggestion else "waiting"
    query = intake.NewQuery(
        row.key,
        row.content_hash,
        row.external_id,
        row.text,
        row.history,
        row.messages,
        row.answer,
        row.pinned.version_id,
        row.cluster,
        state,
    )
    if not row.has_suggestion:
        return query, None
    suggestion = intake.NewSuggestion(
        row.trace, len(row.trace or ""), row.plan, row.partial_plan, row.failure
    )
    return query, suggestion


def _save_progress(session: Session, job: _Job, state: str) -> None:
    intake.save_import(
        session,
        job.pins.import_id,
        state=state,
        counts=job.tally.to_plain(),
        errors_file=None if job.errors.is_empty else str(job.errors.path),
    )


def _end(database: Database, job: _Job, state: str) -> None:
    with database.transaction() as session:
        if state == "done":
            _save_progress(session, job, state)
        else:  # the progress of the last chunk that was written stands
            intake.save_state(session, job.pins.import_id, state)
        why: dict[str, object] = {"file": job.file_name, **job.tally.to_plain()}
        subject_id = job.pins.import_id
        add_event(session, job.who, "import", subject_id, "imported", after=state, why=why)
