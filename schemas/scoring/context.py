"""What a completion is judged against, as plain values."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from .answer import parse_strict
from .wire import to_canonical


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """One row's truth and one recipe's wishes.

    `gold` is the accepted plan in canonical form, absent where nobody has decided. `think_eps` is
    `think_max - think_min` when absent. Lengths are code points, or tokens where a tokenizer is at
    hand (`think_unit`).
    """

    with_thinking: bool
    dialect: str
    expert_names: frozenset[str]
    gold: Mapping[str, Any] | None = field(default=None, hash=False)
    query: str = ""
    system_prompt: str = ""
    think_min: int = 60
    think_max: int = 180
    think_eps: float | None = None
    think_curve: Literal["article", "continuous"] = "article"
    think_unit: Literal["characters", "tokens"] = "characters"
    banned_words: tuple[str, ...] = ()
    count_tokens: Callable[[str, str], int] | None = None
    """Of a completion and a part of it, the tokens in that part."""


def context_from_row(row: Mapping[str, Any]) -> ScoringContext:
    """The context of a GRPO row as a bundle holds it.

    Reads `messages`, `solution` (answer JSON in the row's dialect), `plan_experts` (JSON list of
    names) and `plan_meta` (JSON object: dialect, with_thinking, think_min, think_max, think_eps,
    think_curve, think_unit, banned_words).

    Raises:
        ValueError: one of them is missing or cannot be read, so a score would mean nothing.
    """
    try:
        meta = cast(dict[str, Any], _plain(row["plan_meta"]))
        names = cast(list[Any], _plain(row["plan_experts"]))
        solution = row.get("solution")
        gold = to_canonical(_plain(solution), meta["dialect"]) if solution else None
        messages = cast(list[dict[str, Any]], row.get("messages") or [])
        eps = meta.get("think_eps")
        return ScoringContext(
            with_thinking=bool(meta["with_thinking"]),
            dialect=str(meta["dialect"]),
            expert_names=frozenset(_name(each) for each in names),
            gold=cast(dict[str, Any], gold) if isinstance(gold, dict) else None,
            query=_last(messages, "user"),
            system_prompt="".join(_text(each) for each in messages if each["role"] == "system"),
            think_min=int(meta.get("think_min", 60)),
            think_max=int(meta.get("think_max", 180)),
            think_eps=None if eps is None else float(eps),
            think_curve=meta.get("think_curve", "article"),
            think_unit=meta.get("think_unit", "characters"),
            banned_words=tuple(str(each) for each in meta.get("banned_words", ())),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a row of a bundle: {error!r}") from error


def _plain(value: object) -> object:
    return parse_strict(value) if isinstance(value, str) else value


def _name(expert: object) -> str:
    return str(cast(dict[str, Any], expert)["name"]) if isinstance(expert, dict) else str(expert)


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _last(messages: list[dict[str, Any]], role: str) -> str:
    return next((_text(each) for each in reversed(messages) if each["role"] == role), "")
