"""A benchmark is imported as a whole: one file, one version, frozen."""

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice

from db.access import intake
from db.engine import Database, Session, take_turns
from labeling.intake.reading import ReadRow, RowRefused
from labeling.intake.refused_rows import RefusedRows
from labeling.intake.tally import Tally
from schemas.errors import InvalidInput
from schemas.people import Actor

_NAME = re.compile(r"[^\s@/\\\x00-\x1f][^@/\\\x00-\x1f]{0,79}")


class _KnownContent(Exception):
    """The same questions stand here already: no error, but the written rows are taken back."""


def benchmark_name(name: str) -> str:
    """The name, if it can be one.

    Raises:
        InvalidInput: `intake.benchmark_name`.
    """
    if not _NAME.fullmatch(name.strip()):
        raise InvalidInput("intake.benchmark_name", name=name[:80])
    return name.strip()


def add_benchmark(
    database: Database,
    who: Actor,
    name: str,
    rows: Iterable[ReadRow],
    *,
    tally: Tally,
    errors: RefusedRows,
) -> None:
    """Add the rows as the next version of a benchmark, unless a version has the same content.

    All or nothing: a benchmark half written would make figures that nobody could repeat.
    """
    try:
        with database.transaction() as session:
            take_turns(session, f"benchmarks of {who.project_id}")
            _add_version(session, who, name, rows, tally=tally, errors=errors)
    except _KnownContent:
        tally.known, tally.added = tally.known + tally.added, 0


def _add_version(
    session: Session,
    who: Actor,
    name: str,
    rows: Iterable[ReadRow],
    *,
    tally: Tally,
    errors: RefusedRows,
) -> None:
    hashes: dict[str, str] = {}
    usable = _usable(rows, hashes, tally, errors)
    first = next(usable, None)
    if first is None:
        return
    newest = intake.find_newest_benchmark(session, who.project_id, name)
    version = 1 if newest is None else newest.version + 1
    list_version_id = first.pinned.version_id
    benchmark = intake.add_benchmark(session, who.project_id, name, version, list_version_id)
    chunk = [first]
    while chunk:
        questions = [_to_question(row) for row in chunk]
        intake.add_questions(session, who.project_id, benchmark.id, questions)
        tally.added += len(chunk)
        chunk = list(islice(usable, intake.CHUNK))
    content = sha256(list_version_id.encode())
    for key in sorted(hashes):
        content.update(f"\n{key}\t{hashes[key]}".encode())
    if intake.find_same_benchmark(session, who.project_id, name, content.hexdigest()):
        raise _KnownContent
    benchmark.content_hash = content.hexdigest()


def _usable(
    rows: Iterable[ReadRow], hashes: dict[str, str], tally: Tally, errors: RefusedRows
) -> Iterator[ReadRow]:
    """Each key once, and all under the list of the first row."""
    list_version_id: str | None = None
    for row in rows:
        list_version_id = list_version_id or row.pinned.version_id
        known = hashes.get(row.key)
        if row.pinned.version_id != list_version_id:
            tally.refused += 1
            errors.add(row.source, RowRefused("intake.benchmark_other_list"))
        elif known is None:
            hashes[row.key] = row.content_hash
            yield row
        elif known == row.content_hash:
            tally.known += 1
        else:
            tally.changed += 1
            errors.add(row.source, RowRefused("intake.changed", id=row.external_id or ""))


def _to_question(row: ReadRow) -> intake.NewQuestion:
    if row.plan is None:
        raise AssertionError("a benchmark row without a plan was let through")
    return intake.NewQuestion(
        row.key, row.content_hash, row.text, row.history, row.plan, row.cluster
    )
