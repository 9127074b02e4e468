"""A line of a bundle as its checks see it: the row, its answers, and where it comes from."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import orjson

from exports.chance import is_plain
from exports.checks.sources import Source, Sources
from exports.manifest import read_rows
from schemas.bundle import PLAIN, RowOrigin
from schemas.recipe import FORMATS, Format
from schemas.scoring.answer import (
    DoubledKey,
    find_answer,
    has_strict_form,
    parse_strict,
)
from schemas.scoring.check import VISIBLE
from schemas.scoring.wire import DIALECTS, form_problems, to_canonical

Fault = Literal["empty", "thinking_unwanted", "thinking_missing", "thinking_twice", "form"]
Unreadable = Literal["not_json", "doubled_key", "no_plan", "other_dialect"]


class Answer(NamedTuple):
    """One answer of a row: its JSON text and plan (canonical), or why there is none.

    `fault` is what is wrong with the form around it, `unreadable` with what is inside.
    """

    text: str
    json: str
    plan: Any | None
    fault: Fault | None = None
    unreadable: Unreadable | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a dataset file; `number` counts from 1.

    `thinks` is absent where only the database could tell. `answers` are the assistant's (of `grpo`
    its solution), and the rejected one of a pair; none where the answer is kept as it came.
    """

    file: str
    number: int
    kind: Format
    is_val: bool
    raw: bytes
    row: Mapping[str, Any]
    origin: RowOrigin | None
    source: Source | None
    thinks: bool | None
    meta: Mapping[str, Any] | None
    answers: tuple[Answer, ...]

    @property
    def system(self) -> str:
        """The system message; empty without one."""
        messages = self.row.get("messages") or [{}]
        return str(messages[0].get("content")) if messages[0].get("role") == "system" else ""

    @property
    def names(self) -> tuple[str, ...] | None:
        """The experts that the row itself may call, where it says so."""
        if self.kind == "agent":
            return _tool_names(str(self.row.get("tools")))
        return _names(str(self.row.get("plan_experts"))) if self.kind == "grpo" else None

    @property
    def called(self) -> list[str]:
        """The experts that the row's plan calls, in the order of its steps."""
        if self.kind == "agent":
            return [str(each.get("name")) for each in self.calls]
        plan = self.answers[0].plan if self.answers else None
        return [str(step.get("expert")) for step in plan["steps"]] if plan else []

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The calls of an agent row; none where they cannot be read."""
        said = [each for each in self.row["messages"] if each.get("role") == "tool_call"]
        try:
            calls = [orjson.loads(each["content"]) for each in said]
        except (orjson.JSONDecodeError, KeyError):
            return []
        return [cast(dict[str, Any], each) for each in calls if isinstance(each, dict)]


@dataclass(frozen=True)
class Held:
    """A bundle's folder, what it says of itself, and the project that it was made from."""

    folder: Path
    manifest: Mapping[str, Any]
    sources: Sources | None

    @property
    def terms(self) -> Mapping[str, Any]:
        """The recipe, as plain values; an older or foreign one may lack keys."""
        return self.manifest.get("recipe", {})

    @cached_property
    def origins(self) -> Mapping[str, list[RowOrigin]]:
        """What the manifest says that the lines of each file are made of.

        Raises:
            InvalidInput: `export.manifest_unreadable`.
        """
        return read_rows(self.manifest.get("rows", {}), self.folder)

    def sources_of(
        self, format_: Format, origins: Sequence[RowOrigin | None]
    ) -> list[Source | None]:
        """What the database says of some lines; nothing without one."""
        if self.sources is None:
            return [None] * len(origins)
        found = iter(self.sources.of(format_, [each for each in origins if each is not None]))
        return [None if each is None else next(found) for each in origins]


class Reader:
    """Reads lines of one bundle."""

    def __init__(self, held: Held) -> None:
        terms = held.terms
        self._with_thinking = bool(terms.get("with_thinking", True))
        self._plain_share = float(terms.get("plain_share", 0.0))
        self._seed = int(terms.get("seed", 0))
        self._is_verbatim = terms.get("history_answers") == "verbatim"

    def line(
        self,
        file: str,
        number: int,
        raw: bytes,
        origin: RowOrigin | None,
        source: Source | None,
    ) -> Line | None:
        """The line, if it is a row at all; ms-swift names the others."""
        try:
            row = orjson.loads(raw)
            messages = row["messages"]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            return None
        is_row = isinstance(messages, list) and bool(messages)
        if not is_row or not all(isinstance(each, dict) for each in messages):
            return None
        name = file.removesuffix(".jsonl")
        kind = cast(Format, name.removesuffix("_val"))
        assert kind in FORMATS
        thinks = self._thinks(origin, source)
        meta = _meta(str(row.get("plan_meta"))) if kind == "grpo" else None
        dialect = source.query.dialect if source else None
        answers = self._answers(row, kind, meta, thinks, dialect)
        return Line(
            file, number, kind, name != kind, raw, row, origin, source, thinks, meta, answers
        )

    def _thinks(self, origin: RowOrigin | None, source: Source | None) -> bool | None:
        if not self._with_thinking:
            return False
        if origin is not None and origin.variant == PLAIN:
            return False
        if not self._plain_share:
            return True
        if source is None:
            return None
        return not is_plain(self._seed, self._plain_share, source.query.cluster)

    def _answers(
        self,
        row: Mapping[str, Any],
        kind: Format,
        meta: Mapping[str, Any] | None,
        thinks: bool | None,
        dialect: str | None,
    ) -> tuple[Answer, ...]:
        if kind == "grpo":
            own = str((meta or {}).get("dialect"))
            return (read_plan(str(row.get("solution")), str(row.get("solution")), own),)
        if self._is_verbatim and row.get("channel") == "history":
            return ()
        last = [
            each for each in row["messages"] if kind != "agent" or each.get("role") != "tool_call"
        ]
        text = last[-1].get("content") if last and last[-1].get("role") == "assistant" else None
        if not isinstance(text, str):
            return ()  # no answer at all: ms-swift says so
        if kind == "agent":
            fault = None if VISIBLE.search(text) else "empty"
            return (Answer(text, "", None, fault or _thinking_fault(text, thinks)),)
        texts = [text, *([str(row.get("rejected_response") or "")] if kind == "dpo" else [])]
        return tuple(_read(each, thinks, dialect) for each in texts)


def read_plan(text: str, inside: str, dialect: str | None) -> Answer:
    """The plan that a JSON text holds; in any dialect where none is known."""
    try:
        value = parse_strict(inside)
    except DoubledKey:
        return Answer(text, inside, None, None, "doubled_key")
    except ValueError:
        return Answer(text, inside, None, None, "not_json")
    known = DIALECTS if dialect is None or dialect not in DIALECTS else (dialect,)
    for each in known:
        if not form_problems(value, each) and dialect in (None, each):
            return Answer(text, inside, to_canonical(value, each))
    is_another_s = not all(form_problems(value, each) for each in DIALECTS)
    return Answer(text, inside, None, None, "other_dialect" if is_another_s else "no_plan")


def _read(text: str, thinks: bool | None, dialect: str | None) -> Answer:
    inside = find_answer(text)
    fault = _fault(text, inside, thinks)
    if fault is not None:
        return Answer(text, inside, None, fault)
    return read_plan(text, inside, dialect)


def _fault(text: str, inside: str, thinks: bool | None) -> Fault | None:
    """The first thing that is wrong with the form of an answer."""
    has_form = thinks is not None and has_strict_form(text, with_thinking=thinks)
    if has_form:
        return None
    if not VISIBLE.search(text) or ("<answer>" in text and not VISIBLE.search(inside)):
        return "empty"
    fault = _thinking_fault(text, thinks)
    if fault is None and thinks is None:
        return None if has_strict_form(text, with_thinking="<think>" in text) else "form"
    return fault or "form"


def _thinking_fault(text: str, thinks: bool | None) -> Fault | None:
    opened, closed = text.count("<think>"), text.count("</think>")
    if thinks is False:
        return "thinking_unwanted" if opened or closed else None
    if opened > 1 or closed > 1:
        return "thinking_twice"
    return "thinking_missing" if thinks and not (opened and closed) else None


@lru_cache(512)
def _meta(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return cast(dict[str, Any], value) if isinstance(value, dict) else None


@lru_cache(512)
def _names(text: str) -> tuple[str, ...] | None:
    try:
        return tuple(str(each) for each in orjson.loads(text))
    except (orjson.JSONDecodeError, TypeError):
        return None


@lru_cache(512)
def _tool_names(text: str) -> tuple[str, ...] | None:
    try:
        return tuple(str(each["function"]["name"]) for each in orjson.loads(text))
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return None


Judge = Callable[[Line], bool]
"""Whether a line has the fault that a check looks for."""


class Check(NamedTuple):
    """One kind of fault; `training.{name}` is its sentence. Each bundle is judged from anew."""

    name: str
    begin: Callable[[Held], Judge]


def alone(judge: Judge) -> Callable[[Held], Judge]:
    """A check that looks at one line at a time."""
    return lambda _: judge
