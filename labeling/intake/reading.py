"""From a row of a file to what it means here; pure, and the same for every format.

A row is known by its `id`, else by a hash of canonical query, history and list version. Whether it
came back changed is told by a hash of everything it says, in the words of the file.
"""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import orjson

from labeling.intake.source_row import SourceRow
from schemas.clusters import cluster_key
from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.intake import ImportKind
from schemas.plan_import import ImportedPlan, plan_from_import
from schemas.scoring.check import Problem
from schemas.strict_json import parse_json

MAX_ID = 200
MAX_QUERY = 20_000
MAX_TURNS = 400
MAX_TURN = 100_000
MAX_TRACE = 1_000_000
MAX_MESSAGES = 4_000_000

# A plan with nothing worse than these is one that a person can finish or put right.
_FINISHABLE = frozenset({"missing", "blank", "no_sub_questions", "expert_twice"})
_LACKING = frozenset({"missing", "blank", "no_sub_questions"})


class RowRefused(InvalidInput):
    """This row cannot be used; the file goes on."""


@dataclass(frozen=True, slots=True)
class PinnedList:
    """The list that a row is read under, and how the row came by it.

    `said` is `version` (NAME@N), `name` (the newest of a name) or `nothing` (the current list).
    """

    version_id: str
    list: ExpertList
    said: str


@dataclass(slots=True)
class ReadRow:
    """A row that can be used; JSON values as text, as the database takes them."""

    source: SourceRow
    key: str
    content_hash: str
    external_id: str | None
    text: str
    history: str
    cluster: str
    pinned: PinnedList
    messages: str | None = None
    answer: str | None = None
    trace: str | None = None
    plan: str | None = None
    partial_plan: str | None = None
    failure: str | None = None
    is_incomplete: bool = False

    @property
    def has_suggestion(self) -> bool:
        """Whether the row says anything that a model, or somebody before us, answered."""
        return bool(self.trace or self.plan or self.partial_plan)


class RowReader:
    """Reads rows of one import."""

    def __init__(
        self,
        kind: ImportKind,
        mapping: Mapping[str, str],
        find_list: Callable[[str | None], PinnedList],
    ) -> None:
        """Prepare.

        Args:
            kind: What the rows are.
            mapping: Our column name → theirs, which may reach into objects by dots.
            find_list: The list of a reference, or of no reference; raises `InvalidInput`.
        """
        self._kind: ImportKind = kind
        self._mapping = mapping
        self._find_list = find_list

    def read(self, row: SourceRow) -> ReadRow:
        """What a row means.

        Raises:
            InvalidInput: why it cannot be used.
        """
        value = row.value
        if value is None:
            raise RowRefused(row.code or "intake.not_an_object", (), **row.values)
        pinned = self._find_list(_optional_text(self._get(value, "experts"), "experts", MAX_ID))
        external_id = _read_id(self._get(value, "id"))
        messages = self._get(value, "messages") if self._kind == "history" else None
        if messages is not None:
            return _read_messages(row, external_id, pinned, messages)
        query = self._get(value, "query")
        if query is None:
            raise RowRefused("intake.query_missing")
        text = _read_text(query, "query", MAX_QUERY)
        history = _read_history(self._get(value, "history"))
        trace, plan = None, None
        if self._kind != "queries":
            trace = _optional_text(self._get(value, "trace"), "trace", MAX_TRACE)
            plan = self._get(value, "plan")
        read = ReadRow(
            source=row,
            key=_key(external_id, text, history, pinned),
            content_hash=_hash(text, history, trace, plan),
            external_id=external_id,
            text=text,
            history=orjson.dumps(history).decode() if history else "[]",
            cluster=cluster_key(text, history),
            pinned=pinned,
            trace=trace,
        )
        if self._kind != "queries":
            self._add_plan(read, plan)
        return read

    def _get(self, value: Mapping[str, Any], ours: str) -> Any:
        name = self._mapping.get(ours, ours)
        if name in value or "." not in name:
            return value.get(name)
        found: Any = value
        for part in name.split("."):
            if isinstance(found, list) and part.isdigit() and int(part) < len(cast(Any, found)):
                found = cast(list[Any], found)[int(part)]
            elif isinstance(found, dict):
                found = cast(dict[str, Any], found).get(part)
            else:
                return None
        return found

    def _add_plan(self, read: ReadRow, value: Any) -> None:
        if value is None:
            if self._kind != "suggestions":
                raise RowRefused("intake.plan_missing")
            read.failure = "replies.no_plan" if read.trace else None
            return
        imported = plan_from_import(value, read.pinned.list)
        problems = _worst(imported.problems, self._kind)
        if problems:
            raise RowRefused("intake.plan_refused", problems=problems, count=len(problems))
        if imported.plan is not None:
            read.plan = orjson.dumps(imported.plan.to_plain()).decode()
            return
        read.partial_plan = orjson.dumps(imported.partial or {}).decode()
        read.is_incomplete = _lacks(imported)
        read.failure = "replies.incomplete" if read.is_incomplete else "replies.invalid_plan"


def _worst(problems: tuple[Problem, ...], kind: ImportKind) -> tuple[Problem, ...]:
    """Problems for which a row is refused; a benchmark's plan must be whole."""
    if kind == "benchmark":
        return problems
    return tuple(each for each in problems if each.code not in _FINISHABLE)


def _lacks(imported: ImportedPlan) -> bool:
    return any(each.code in _LACKING for each in imported.problems)


def _read_messages(
    source: SourceRow,
    external_id: str | None,
    pinned: PinnedList,
    messages: Any,
) -> ReadRow:
    """A historical chat row: every message as it came, the last one being the answer."""
    if isinstance(messages, str):
        messages = parse_json(messages)
    if not isinstance(messages, list):
        raise RowRefused("intake.messages_form")
    turns = [_message(each) for each in cast(list[Any], messages)]
    asked = [place for place, turn in enumerate(turns) if turn["role"] == "user"]
    if len(turns) < 2 or turns[-1]["role"] != "assistant" or not asked:
        raise RowRefused("intake.no_answer")
    if asked[-1] != len(turns) - 2:
        raise RowRefused("intake.no_question_before_answer")
    kept = orjson.dumps(turns[:-1]).decode()
    if len(kept) > MAX_MESSAGES:
        raise RowRefused("intake.text_too_long", field="messages", most=MAX_MESSAGES)
    text, answer = turns[-2]["content"], turns[-1]["content"]
    history = [
        {"role": turn["role"], "content": turn["content"]}
        for turn in turns[:-2]
        if turn["role"] != "system"
    ]
    return ReadRow(
        source=source,
        key=_key(external_id, text, turns[:-1], pinned),
        content_hash=_hash(text, turns[:-1], answer, None),
        external_id=external_id,
        text=_read_text(text, "query", MAX_MESSAGES),
        history=orjson.dumps(history).decode(),
        cluster=cluster_key(text, history),
        pinned=pinned,
        messages=kept,
        answer=answer,
    )


def _message(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RowRefused("intake.messages_form")
    # Parquet fills absent fields of a struct with nulls.
    message = {key: each for key, each in cast(dict[str, Any], value).items() if each is not None}
    if not isinstance(message.get("role"), str) or not isinstance(message.get("content"), str):
        raise RowRefused("intake.messages_form")
    if "\0" in message["content"]:
        raise RowRefused("files.nul")
    return message


def _read_id(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = _optional_text(value, "id", MAX_ID)
    return text.strip() if text else None


def _read_history(value: Any) -> list[dict[str, str]]:
    if value is None or value in ("", []):
        return []
    if isinstance(value, str):
        value = parse_json(value)
    if not isinstance(value, list):
        raise RowRefused("intake.history_form")
    turns = cast(list[Any], value)
    if len(turns) > MAX_TURNS:
        raise RowRefused("intake.history_too_long", most=MAX_TURNS, count=len(turns))
    return [_turn(each) for each in turns]


def _turn(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise RowRefused("intake.history_form")
    fields = cast(dict[str, Any], value)
    role, content = fields.get("role"), fields.get("content")
    if role not in ("user", "assistant") or not isinstance(content, str):
        raise RowRefused("intake.history_form")
    if "\0" in content:
        raise RowRefused("files.nul")
    if len(content) > MAX_TURN:
        raise RowRefused("intake.text_too_long", field="history", most=MAX_TURN)
    return {"role": role, "content": content}


def _read_text(value: Any, name: str, most: int) -> str:
    if not isinstance(value, str):
        raise RowRefused("intake.not_text", field=name)
    if len(value) > most:
        raise RowRefused("intake.text_too_long", field=name, most=most)
    if "\0" in value:
        raise RowRefused("files.nul")
    if not value.strip():
        raise RowRefused("intake.blank", field=name)
    return value


def _optional_text(value: Any, name: str, most: int) -> str | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return _read_text(value, name, most)


def _key(external_id: str | None, text: str, history: list[Any], pinned: PinnedList) -> str:
    if external_id is not None:
        return f"id:{external_id}"
    canonical = unicodedata.normalize("NFC", text).strip()
    return f"hash:{_hash(canonical, history, pinned.version_id, None)}"


def _hash(*parts: Any) -> str:
    content = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS, default=str)
    return blake2b(content, digest_size=16).hexdigest()
