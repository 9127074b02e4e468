"""One import from its first row to its counts.

Rows are written in chunks, each with its progress in one transaction: an import that was killed can
be repeated from the start (what is there is known by its key) or resumed under its id.
"""

import gc
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import orjson

from db.access import intake
from db.engine import Database, Session, take_turns
from labeling.intake.benchmarks import add_benchmark, benchmark_name
from labeling.intake.job import Job, begin_job
from labeling.intake.list_finder import ListFinder
from labeling.intake.reading import ReadRow, RowReader, RowRefused
from labeling.intake.source import Source, open_source
from labeling.intake.source_row import SourceRow
from schemas.errors import InvalidInput
from schemas.intake import ImportCounts, ImportKind, check_mapping
from schemas.people import Actor

Progress = Callable[[ImportCounts], None]
_CHUNK_BYTES = 16 * 1024 * 1024


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
        NotFound: the file or the list.
        InvalidInput: the file cannot be read at all, or what was asked makes no sense.
    """
    who.require("admin")
    check_mapping(mapping or {})
    source = _open(path, encoding, mapping or {})
    title = benchmark_name(name or path.stem) if kind == "benchmark" else None
    find_list = ListFinder(database, who, experts)
    job = begin_job(
        database, who, path, kind, errors_dir=errors_dir, import_id=import_id, find_list=find_list
    )
    if not job.tally.is_done:
        reader = RowReader(kind, mapping or {}, find_list)
        _work(database, job, reader, source, title=title, on_progress=on_progress)
    return job.counts()


def _work(
    database: Database,
    job: Job,
    reader: RowReader,
    source: Source,
    *,
    title: str | None,
    on_progress: Progress | None,
) -> None:
    rows = islice(source.rows(), job.tally.read, None)
    try:
        with job.errors:
            if title is None:
                _write_all(database, job, reader, rows, on_progress=on_progress)
            else:
                read = _read_all(reader, rows, job)
                add_benchmark(database, job.who, title, read, tally=job.tally, errors=job.errors)
    except BaseException as error:
        job.fail(database, error)
        raise
    job.end(database)


def _open(path: Path, encoding: str | None, mapping: Mapping[str, str]) -> Source:
    """The file; mapping to a column that it lacks is a slip that would refuse or lose every row."""
    source = open_source(path, encoding)
    columns = source.columns() if mapping else []
    for theirs in mapping.values():
        if theirs not in columns and theirs.partition(".")[0] not in columns:
            raise InvalidInput("intake.column_unknown", column=theirs, columns=", ".join(columns))
    return source


def _read_all(reader: RowReader, rows: Iterable[SourceRow], job: Job) -> Iterator[ReadRow]:
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
    job: Job,
    reader: RowReader,
    rows: Iterable[SourceRow],
    *,
    on_progress: Progress | None,
) -> None:
    chunks = _in_chunks(rows)
    while True:
        with _uncollected():
            chunk = next(chunks, None)
            if chunk is None:
                return
            read = list(_read_all(reader, chunk, job))
            with database.transaction() as session:
                take_turns(session, f"queries of {job.who.project_id}")
                _write_chunk(session, read, job)
                job.tally.errors_bytes = job.errors.flush()
                job.save_progress(session)
        if on_progress is not None:
            on_progress(job.counts())


@contextmanager
def _uncollected() -> Generator[None]:
    """Without looking for cycles: rows have none, and the search costs a quarter of the time."""
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_collecting:
            gc.enable()


def _in_chunks(rows: Iterable[SourceRow]) -> Iterator[list[SourceRow]]:
    """Rows of one transaction: so many at most, and fewer where they are large."""
    chunk: list[SourceRow] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += row.size
        if len(chunk) == intake.CHUNK or size > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _write_chunk(session: Session, rows: list[ReadRow], job: Job) -> None:
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
        elif job.find_list.is_same(row, *before):
            job.tally.known += 1
        else:
            job.tally.changed += 1
            refusal = RowRefused("intake.changed", id=row.external_id or row.text[:60])
            job.errors.add(row.source, refusal)
    if fresh:
        intake.add_queries(session, pins, fresh)


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
