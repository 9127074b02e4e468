"""From chosen ids to rows: reads whole rows in chunks and hands them to `formats`.

What is read here never changes once it is written (queries, revisions, suggestions, versions of
lists and prompts), so the same ids give the same bytes at any time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import orjson

from db.access import exports as access
from db.access.exports import PinnedPrompt, RevisionText, SuggestionText, WholeQuery
from db.engine import Session
from exports import formats
from exports.candidates import Candidate
from exports.formats import Material, Row, RowForm
from exports.old_answers import read_old_answer
from schemas.bundle import RowOrigin
from schemas.dialects import get_dialect
from schemas.errors import ExportRefused
from schemas.experts import ExpertList
from schemas.prompt import render_system, to_messages
from schemas.recipe import Format
from schemas.scoring.answer import has_strict_form
from schemas.staleness import trace_state

CHUNK = 500
_HELD_BACK = 1000
Each = TypeVar("Each")


class Pinned(NamedTuple):
    """Every version that queries of the project are pinned to, by id."""

    lists: Mapping[str, ExpertList]
    prompts: Mapping[str, PinnedPrompt]


class _Texts(NamedTuple):
    """The texts of one chunk, by id."""

    queries: Mapping[str, WholeQuery]
    revisions: Mapping[str, RevisionText]
    suggestions: Mapping[str, SuggestionText]


class Renderer:
    """Renders origins as rows of one bundle, a chunk at a time."""

    def __init__(self, session: Session, project_id: str, pinned: Pinned, form: RowForm) -> None:
        self._session = session
        self._project_id = project_id
        self._pinned = pinned
        self._form = form
        self._systems: dict[tuple[str, str, str, int], str] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self.steps_by_expert: Counter[str] = Counter()
        self.form_missed = 0
        """Verbatim answers of history that do not have the bundle's form."""

    @property
    def used_prompts(self) -> dict[str, str]:
        """Reference → content hash of the prompts that rows were rendered with."""
        ids = {pins[0] for pins in self._systems}
        prompts = sorted(self._pinned.prompts[each] for each in ids)
        return {each.reference: each.content_hash for each in prompts}

    def render(
        self, format_: Format, origins: Iterable[RowOrigin]
    ) -> Iterator[tuple[Row, RowOrigin]]:
        """Rows in the order of their origins.

        Raises:
            ExportRefused: `export.row_missing`, `export.row_changed`; on a rebuild only.
        """
        for chunk in in_chunks(origins, CHUNK):
            texts = self._read(format_, chunk)
            for origin in chunk:
                try:
                    row = self._row(format_, origin, texts)
                except KeyError as error:
                    raise ExportRefused("export.row_missing", query=origin.query_id) from error
                yield row, origin

    def _read(self, format_: Format, chunk: list[RowOrigin]) -> _Texts:
        revisions: set[str | None] = set()
        suggestions: set[str | None] = set()
        for each in chunk:
            (revisions if each.kind == "accepted" else suggestions).add(each.source_id)
            (revisions if format_ == "kto" else suggestions).add(each.against_id)
            suggestions.add(each.trace_id)
        session, project_id = self._session, self._project_id
        return _Texts(
            access.get_whole_queries(session, project_id, {each.query_id for each in chunk}),
            access.get_revision_texts(session, project_id, revisions - {None}),
            access.get_suggestion_texts(session, project_id, suggestions - {None}),
        )

    def _row(self, format_: Format, origin: RowOrigin, texts: _Texts) -> Row:
        material = self._material(origin, texts)
        match format_:
            case "sft":
                return formats.sft_row(material, self._form)
            case "grpo":
                return formats.grpo_row(material, self._form)
            case "dpo":
                other = RowOrigin(
                    "suggestions", origin.query_id, origin.against_id or "", None, None, ""
                )
                rejected = self._material(other, texts)
                return formats.dpo_row(material, rejected, self._form)
            case "kto":
                accepted = orjson.loads(texts.revisions[origin.against_id or ""].plan)
                label = trace_state(accepted, material.plan) != "stale"
                return formats.kto_row(material, self._form, label=label)

    def _material(self, origin: RowOrigin, texts: _Texts) -> Material:
        query = texts.queries[origin.query_id]
        expert_list = self._pinned.lists[query.list_version_id]
        content_hash, trace = query.content_hash, None
        if origin.kind == "accepted":
            revision = texts.revisions[origin.source_id]
            plan, content_hash = orjson.loads(revision.plan), revision.content_hash
            if origin.trace_id:
                trace = texts.suggestions[origin.trace_id].trace
        elif origin.source_id == origin.query_id:
            read = read_old_answer(query.answer or "", query.dialect, expert_list)
            if read.plan is None:
                raise KeyError(origin.query_id)
            plan, trace = read.plan, read.trace
        else:
            suggestion = texts.suggestions[origin.source_id]
            plan, trace = orjson.loads(suggestion.plan or "null"), suggestion.trace
        if not content_hash.startswith(origin.source_hash):
            raise ExportRefused("export.row_changed", query=origin.query_id)
        for step in plan["steps"]:
            self.steps_by_expert[step["expert"]] += 1
        old_answer = query.answer if origin.kind == "history" else None
        if self._form.is_verbatim and old_answer is not None:
            has_form = has_strict_form(old_answer, with_thinking=self._form.with_thinking)
            self.form_missed += not has_form
        return Material(
            query_id=query.id,
            channel=origin.kind,
            messages=self._messages(query, expert_list),
            expert_names=self._expert_names(query.list_version_id),
            list_reference=expert_list.reference,
            dialect=query.dialect,
            plan=plan,
            trace=trace,
            old_answer=old_answer,
        )

    def _messages(self, query: WholeQuery, expert_list: ExpertList) -> list[dict[str, str]]:
        """Historical chat messages as they came; else rendered by the query's pins."""
        if query.messages is not None:
            return orjson.loads(query.messages)
        pins = (query.prompt_version_id, query.list_version_id, query.dialect, query.window)
        system = self._systems.get(pins)
        if system is None:
            system = self._systems[pins] = render_system(
                self._pinned.prompts[query.prompt_version_id].template,
                expert_list,
                query.window,
                get_dialect(query.dialect),
                with_thinking=self._form.with_thinking,
            )
        return to_messages(system, orjson.loads(query.history), query.text, query.window)

    def _expert_names(self, list_id: str) -> tuple[str, ...]:
        names = self._names.get(list_id)
        if names is None:
            experts = self._pinned.lists[list_id].experts
            names = self._names[list_id] = tuple(expert.name for expert in experts)
        return names


def origins_of(
    session: Session,
    project_id: str,
    format_: Format,
    candidates: Iterable[Candidate],
    *,
    with_thinking: bool,
) -> Iterator[RowOrigin]:
    """What the chosen rows of a pool become in a file; `kto` has several rows for a query."""
    match format_:
        case "sft" | "grpo":
            for each in candidates:
                trace = each.trace_id if format_ == "sft" else None
                yield _origin(each, trace, None)
        case "dpo":
            for each in candidates:
                is_taught = not with_thinking or each.trace_reason is None
                if each.kind == "accepted" and each.rejected_id and is_taught:
                    yield _origin(each, each.trace_id, each.rejected_id)
        case "kto":
            accepted = (each for each in candidates if each.kind == "accepted")
            for chunk in in_chunks(accepted, CHUNK):
                yield from _rated(session, project_id, chunk, with_thinking=with_thinking)


def _origin(candidate: Candidate, trace_id: str | None, against_id: str | None) -> RowOrigin:
    return RowOrigin(
        candidate.kind,
        candidate.query_id,
        candidate.source_id,
        trace_id,
        against_id,
        candidate.source_hash,
    )


def _rated(
    session: Session, project_id: str, candidates: list[Candidate], *, with_thinking: bool
) -> Iterator[RowOrigin]:
    """Every suggestion to an accepted query that has the form, each text once."""
    ids = [each.query_id for each in candidates]
    suggestions = access.list_suggestions(session, project_id, ids)
    for each in candidates:
        seen: set[str | None] = set()
        for part in suggestions.get(each.query_id, []):
            text = part.trace if with_thinking else part.plan
            if not part.plan or not text or part.is_repaired or text in seen:
                continue
            seen.add(text)
            yield RowOrigin("suggestions", each.query_id, part.id, part.id, each.source_id, "")


def apart_from_equals(rows: Iterable[tuple[Row, RowOrigin]]) -> Iterator[tuple[Row, RowOrigin]]:
    """The same rows, neighbours never with the same answer; ms-swift drops the second of such.

    A row is held back until another answer has gone by; those left at the end are left out.
    """
    last: Any = None
    held: list[tuple[Row, RowOrigin]] = []
    for row in rows:
        if _answer(row) == last:
            held.append(row)
            if len(held) > _HELD_BACK:
                held.pop(0)
            continue
        yield row
        last = _answer(row)
        waiting = next((each for each in held if _answer(each) != last), None)
        if waiting is not None:
            held.remove(waiting)
            yield waiting
            last = _answer(waiting)


def _answer(row: tuple[Row, RowOrigin]) -> Any:
    return row[0]["messages"][-1]["content"]


def in_chunks(items: Iterable[Each], size: int) -> Iterator[list[Each]]:
    """Lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
