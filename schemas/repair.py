"""A cheap call that writes a plan in good form; it may add nothing, and this is where that is seen.

What a model wrote is nearly a plan: a bracket too few, prose instead of JSON, keys of its own. It
is asked to write the same plan as it should have been written. Every text of what comes back must
stand in what was there before; a plan with anything else in it is refused.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from schemas.dialects import get_dialect
from schemas.experts import ExpertList
from schemas.prompt import prompt_language, render_system
from schemas.sentences import Language

REPAIRABLE = frozenset(
    {
        "replies.broken_json",
        "replies.doubled_keys",
        "replies.not_a_plan",
        "replies.no_plan",
        "replies.invalid_plan",
    }
)
"""Why there is no plan, where all of it may be there; of what was cut off, something is missing."""
MAX_TEXT = 20_000
_NOISE = re.compile(r"[\s\"'`\\“”‘’「」]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


@cache
def _template(language: Language) -> str:
    path = Path(__file__).parent / "prompts" / f"repair.{language}.txt"
    return path.read_text("utf-8")


def repair_messages(
    text: str, template: str, expert_list: ExpertList, dialect: str
) -> list[dict[str, str]]:
    """The messages that ask for a plan in good form, in the language of the query's own prompt."""
    system = render_system(
        _template(prompt_language(template)),
        expert_list,
        0,
        get_dialect(dialect),
        with_thinking=False,
    )
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": text[-MAX_TEXT:]},
    ]


def added_text(plan: Mapping[str, Any], text: str) -> str | None:
    """A text of a plan that stands nowhere in what it was made of; None for an honest repair.

    >>> added_text({"rewritten_query": "流量 如何", "steps": []}, '{"问题": "流量如何", ')
    >>> added_text({"rewritten_query": "流量", "steps": [{"expert": "甲"}]}, "流量 乙")
    '甲'
    """
    told = _plain(text)
    return next((each for each in _texts(plan) if _plain(each) not in told), None)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(each)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list | tuple):
        for each in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(each)  # pyright: ignore[reportUnknownArgumentType]


def _plain(text: str) -> str:
    """Without quotes, blanks and escapes, which a repair is there to change."""
    unescaped = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text).replace("\\n", "")
    return _NOISE.sub("", unescaped)
