"""One query that somebody asked, put into the queue as an import of one row would be."""

from typing import Any, NamedTuple

from db.access import intake, projects
from db.engine import Session
from db.tables.base import new_id
from labeling.intake.reading import PinnedList, RowReader
from labeling.intake.source_row import SourceRow
from labeling.intake.tally import Tally
from schemas.people import Actor


class Asked(NamedTuple):
    """A query with its history and its pins; `source` says where it was asked."""

    text: str
    history: list[dict[str, str]]
    pinned: PinnedList
    prompt_version_id: str
    dialect: str
    window: int
    source: str


def add_asked(session: Session, who: Actor, asked: Asked, *, is_ready: bool) -> str:
    """The query, added unless the same one was imported before; its id.

    The caller's transaction has taken the turn of `queries of PROJECT`.

    Raises:
        InvalidInput: why it cannot be a query of the project.
    """
    value: dict[str, Any] = {"query": asked.text, "history": asked.history}
    row = RowReader("queries", {}, lambda _: asked.pinned).read(SourceRow(1, value))
    known = intake.find_query_id(session, who.project_id, "queries", row.key)
    if known is not None:
        return known
    settings = projects.read_settings(session, who.project_id)
    import_id = new_id()
    intake.add_import(session, who, "queries", asked.source, import_id)
    pins = intake.ImportPins(
        project_id=who.project_id,
        kind="queries",
        import_id=import_id,
        prompt_version_id=asked.prompt_version_id,
        dialect=asked.dialect,
        window=asked.window,
        overlap=settings.overlap,
        overlap_share=settings.overlap_share,
    )
    query = intake.NewQuery(
        row.key,
        row.content_hash,
        None,
        row.text,
        row.history,
        None,
        None,
        asked.pinned.version_id,
        row.cluster,
        "ready" if is_ready else "waiting",
    )
    intake.add_queries(session, pins, [(query, None)])
    intake.save_import(
        session, import_id, state="done", counts=Tally(read=1, added=1).to_plain(), errors_file=None
    )
    return str(intake.find_query_id(session, who.project_id, "queries", row.key))
