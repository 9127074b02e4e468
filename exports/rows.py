"""From chosen ids to rows: reads whole rows in chunks and hands them to `formats`.

What is read here never changes once it is written (queries, revisions, suggestions, versions of
lists and prompts), so the same ids give the same bytes at any time.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson

from db.access import exports as access
from db.engine import Session
from exports import formats
from exports.formats import Material, Row, to_line
from exports.lines import CHUNK, FileLines, answer_hash, apart_from_equals, in_chunks, to_format
from exports.materials import Materials
from exports.spool import Mark, Spool
from schemas.bundle import RowOrigin
from schemas.errors import ExportRefused
from schemas.old_answers import read_old_answer
from schemas.parts import QueryPart, RevisionText, SuggestionPart
from schemas.recipe import Format
from schemas.scoring.check import Problem
from schemas.staleness import trace_state


class _Texts(NamedTuple):
    """The texts of one chunk, by id."""

    queries: Mapping[str, QueryPart]
    revisions: Mapping[str, RevisionText]
    suggestions: Mapping[str, SuggestionPart]


class Renderer:
    """Renders origins as rows of one bundle, a chunk at a time."""

    def __init__(self, session: Session, project_id: str, materials: Materials) -> None:
        self._session = session
        self._project_id = project_id
        self.materials = materials

    def render(
        self, format_: Format, origins: Iterable[RowOrigin]
    ) -> Iterator[list[tuple[Row, Mark]]]:
        """Rows in the order of their origins, in chunks, and what is counted of them.

        Raises:
            ExportRefused: `export.row_missing`, `export.row_changed`; on a rebuild only.
        """
        for chunk in in_chunks(origins, CHUNK):
            texts = self._read(format_, chunk)
            yield [self._row(format_, origin, texts) for origin in chunk]

    def find_gone(self, format_: Format, origins: Iterable[RowOrigin]) -> Iterator[Problem]:
        """The rows that cannot be rendered as they were, each by its query, and why."""
        for chunk in in_chunks(origins, CHUNK):
            texts = self._read(format_, chunk)
            for origin in chunk:
                try:
                    self._row(format_, origin, texts)
                except ExportRefused as error:
                    yield Problem(origin.query_id, f"{error.code}_here", {})

    def _read(self, format_: Format, chunk: list[RowOrigin]) -> _Texts:
        revisions: set[str | None] = set()
        suggestions: set[str | None] = set()
        for each in chunk:
            (revisions if each.kind == "accepted" else suggestions).add(each.source_id)
            (revisions if format_ == "kto" else suggestions).add(each.against_id)
            suggestions.add(each.trace_id)
        session, project_id = self._session, self._project_id
        return _Texts(
            access.get_queries(session, project_id, {each.query_id for each in chunk}),
            access.get_revision_texts(session, project_id, filter(None, revisions)),
            access.get_suggestions(session, project_id, filter(None, suggestions)),
        )

    def _row(self, format_: Format, origin: RowOrigin, texts: _Texts) -> tuple[Row, Mark]:
        try:
            query = texts.queries[origin.query_id]
            material = self._material(query, origin, texts)
            row = self._form_row(format_, origin, material, texts)
        except KeyError as error:
            raise ExportRefused("export.row_missing", query=origin.query_id) from error
        return row, self.materials.mark(query, material, is_agent=format_ == "agent")

    def _form_row(
        self, format_: Format, origin: RowOrigin, material: Material, texts: _Texts
    ) -> Row:
        form = self.materials.form
        match format_:
            case "sft":
                return formats.sft_row(material, form)
            case "agent":
                return formats.agent_row(material, form)
            case "grpo":
                return formats.grpo_row(material, form)
            case "dpo":
                other = texts.suggestions[origin.against_id or ""]
                plan = orjson.loads(other.plan or "null")
                rejected = material._replace(plan=plan, trace=other.trace, old_answer=None)
                return formats.dpo_row(material, rejected, form)
            case "kto":
                accepted = orjson.loads(texts.revisions[origin.against_id or ""].plan)
                label = trace_state(accepted, material.plan) != "stale"
                return formats.kto_row(material, form, label=label)

    def _material(self, query: QueryPart, origin: RowOrigin, texts: _Texts) -> Material:
        content_hash, trace = query.content_hash, None
        if origin.kind == "accepted":
            revision = texts.revisions[origin.source_id]
            plan, content_hash = orjson.loads(revision.plan), revision.content_hash
            if origin.trace_id:
                trace = texts.suggestions[origin.trace_id].trace
        elif origin.source_id == origin.query_id:
            expert_list = self.materials.pinned.lists[query.list_version_id]
            read = read_old_answer(query.answer or "", query.dialect, expert_list)
            if read.plan is None:
                raise KeyError(origin.query_id)
            plan, trace = read.plan, read.trace
        else:
            suggestion = texts.suggestions[origin.source_id]
            plan, trace = orjson.loads(suggestion.plan or "null"), suggestion.trace
        if not content_hash.startswith(origin.source_hash):
            raise ExportRefused("export.row_changed", query=origin.query_id)
        return self.materials.make(query, origin.kind, plan, trace, origin.variant)


@contextmanager
def rendered_lines(
    name: str, origins: Sequence[RowOrigin], renderer: Renderer, folder: Path
) -> Generator[FileLines]:
    """The lines of a dataset file, rendered in the order of ids.

    Raises:
        ExportRefused: `export.row_missing`, `export.row_changed`; on a rebuild only.
    """
    format_ = to_format(name)
    ids = [each.query_id for each in origins]
    by_id = sorted(range(len(origins)), key=ids.__getitem__)
    numbers, answers = [0] * len(origins), [0] * len(origins)
    places = iter(by_id)
    with Spool(folder) as spool:
        for rows in renderer.render(format_, (origins[place] for place in by_id)):
            for row, mark in rows:
                place = next(places)
                numbers[place] = spool.add(origins[place], to_line(row), mark)
                if format_ == "kto":
                    answers[place] = answer_hash(row)
        if format_ == "kto":
            kept = apart_from_equals(range(len(origins)), answers.__getitem__)
            numbers = [numbers[place] for place in kept]
        yield FileLines(spool, numbers)
