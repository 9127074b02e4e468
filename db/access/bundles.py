"""Bundles and which row of theirs came from which query."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from db.engine import backend_of, json_rows
from db.tables import Bundle, BundleRow, Person
from schemas.bundle import RowOrigin


class RecalledLine(NamedTuple):
    """A line that came from a query, and the bundle it is in."""

    bundle_id: str
    bundle: str
    file: str
    line: int


def add_bundle(
    session: Session,
    project_id: str,
    bundle_id: str,
    *,
    name: str,
    recipe: dict[str, object],
    folder: str,
    created_by: str,
) -> Bundle:
    """A bundle that is about to be written."""
    bundle = Bundle(
        id=bundle_id,
        project_id=project_id,
        name=name,
        recipe=recipe,
        folder=folder,
        created_by=created_by,
    )
    session.add(bundle)
    session.flush()
    return bundle


def find_begun(session: Session, bundle_id: str) -> Bundle | None:
    """By its whole id, of whatever project."""
    return session.get(Bundle, bundle_id)


def find_bundle(session: Session, project_id: str, reference: str) -> Bundle | None:
    """By id, else the newest of that name, else by the beginning of an id if only one begins so."""
    statement = select(Bundle).where(Bundle.project_id == project_id)
    found = session.exec(statement.where(Bundle.id == reference)).first()
    if found is None:
        named = statement.where(Bundle.name == reference).order_by(col(Bundle.id).desc())
        found = session.exec(named).first()
    if found is None and len(reference) >= 4:
        begun = statement.where(col(Bundle.id).startswith(reference, autoescape=True))
        matches = session.exec(begun.limit(2)).all()
        found = matches[0] if len(matches) == 1 else None
    return found


def list_bundles(session: Session, project_id: str) -> Sequence[tuple[Bundle, str | None]]:
    """Bundles with the name of who made them, newest first."""
    statement = (
        select(Bundle, Person.name)
        .outerjoin(Person, col(Person.id) == col(Bundle.created_by))
        .where(col(Bundle.project_id) == project_id)
        .order_by(col(Bundle.id).desc())
    )
    return list(session.exec(statement))


def find_author(session: Session, bundle: Bundle) -> str | None:
    """The name of who made a bundle."""
    if bundle.created_by is None:
        return None
    return session.exec(select(Person.name).where(Person.id == bundle.created_by)).first()


def add_lines(
    session: Session, project_id: str, bundle_id: str, file: str, *, first: int, origins: str
) -> None:
    """Remember which lines came from where; the database itself reads it from their origins.

    Args:
        session: The unit of work.
        project_id: Whose bundle.
        bundle_id: Which bundle.
        file: Which of its files.
        first: The number of the first of these lines, which follow each other.
        origins: A JSON array of `RowOrigin`s, each an array.
    """
    connection = session.connection()
    rows, number, item = json_rows(backend_of(session), "origins")
    query_id, source_id, row_hash = (
        item(RowOrigin._fields.index(each)) for each in ("query_id", "source_id", "row_hash")
    )
    columns = {
        "bundle_id": sa.literal(bundle_id),
        "project_id": sa.literal(project_id),
        "file": sa.literal(file),
        "line": number + first,
        "query_id": query_id,
        "source_id": source_id,
        "row_hash": row_hash,
    }
    # In the order of the index on queries, which is the dearer of the two to grow.
    lines = sa.select(*columns.values()).select_from(rows).order_by(query_id)
    statement = sa.insert(BundleRow).from_select(list(columns), lines)
    connection.execute(statement, {"origins": origins})


def delete_lines(session: Session, project_id: str, bundle_id: str) -> None:
    """Forget the lines of a bundle that is written anew after an interruption."""
    session.connection().execute(
        sa.delete(BundleRow).where(
            col(BundleRow.project_id) == project_id, col(BundleRow.bundle_id) == bundle_id
        )
    )


def list_recalled(session: Session, project_id: str, query_id: str) -> list[RecalledLine]:
    """The lines that came from a query, newest bundle first."""
    statement = (
        sa.select(
            col(BundleRow.bundle_id), col(Bundle.name), col(BundleRow.file), col(BundleRow.line)
        )
        .join(Bundle, col(Bundle.id) == col(BundleRow.bundle_id))
        .where(col(BundleRow.project_id) == project_id, col(BundleRow.query_id) == query_id)
        .order_by(col(BundleRow.bundle_id).desc(), col(BundleRow.file), col(BundleRow.line))
    )
    return [RecalledLine(*row) for row in session.connection().execute(statement)]


def count_lines_by_file(
    session: Session, project_id: str, a_id: str, b_id: str
) -> dict[str, tuple[int, int, int]]:
    """File → rows only in the first bundle, only in the second, and in both (by row hash)."""
    sides = {a_id: 1, b_id: 2}
    statement = sa.select(
        col(BundleRow.bundle_id), col(BundleRow.file), col(BundleRow.row_hash)
    ).where(col(BundleRow.project_id) == project_id, col(BundleRow.bundle_id).in_((a_id, b_id)))
    seen: dict[str, dict[str, int]] = {}
    for bundle_id, file, row_hash in session.connection().execute(statement):
        hashes = seen.setdefault(file, {})
        hashes[row_hash] = hashes.get(row_hash, 0) | sides[bundle_id]
    return {
        file: tuple(list(hashes.values()).count(side) for side in (1, 2, 3))  # pyright: ignore[reportReturnType]
        for file, hashes in sorted(seen.items())
    }
