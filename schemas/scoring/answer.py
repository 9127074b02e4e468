"""The text of an answer: its tags, and its JSON read strictly."""

import json
import re
from typing import Any

from .check import VISIBLE

WITH_THINKING = re.compile(r"<think>\n(.*?)\n</think>\n\n<answer>\n(.*?)\n</answer>", re.DOTALL)
WITHOUT_THINKING = re.compile(r"<answer>\n(.*?)\n</answer>", re.DOTALL)
# A template that thinks or not puts this in front of an answer without thinking.
EMPTY_THINKING = re.compile(r"\s*<think>\s*</think>\s*")
TAGS = ("<think>", "</think>", "<answer>", "</answer>")


def has_strict_form(text: str, *, with_thinking: bool) -> bool:
    r"""Whether the whole text has the form that a recipe asks for.

    >>> has_strict_form("<think>\n查周报\n</think>\n\n<answer>\n{}\n</answer>", with_thinking=True)
    True
    >>> has_strict_form("<answer>\n{}\n</answer>", with_thinking=True)
    False
    """
    if not with_thinking:
        text = without_empty_thinking(text)
    form = WITH_THINKING if with_thinking else WITHOUT_THINKING
    wanted = (1, 1, 1, 1) if with_thinking else (0, 0, 1, 1)
    if tuple(text.count(tag) for tag in TAGS) != wanted:
        return False
    found = form.fullmatch(text)
    return found is not None and all(VISIBLE.search(part) for part in found.groups())


def without_empty_thinking(text: str) -> str:
    """The text without the empty thinking that a template prepends."""
    found = EMPTY_THINKING.match(text)
    return text[found.end() :] if found else text


def find_thinking(text: str) -> str:
    """The stripped inside of the one `<think>` block; empty when there is not exactly one."""
    return _inside(text, "<think>", "</think>")


def find_answer(text: str) -> str:
    """The stripped inside of the one `<answer>` block; empty when there is not exactly one."""
    return _inside(text, "<answer>", "</answer>")


def _inside(text: str, opening: str, closing: str) -> str:
    if text.count(opening) != 1 or text.count(closing) != 1:
        return ""
    _, _, rest = text.partition(opening)
    inside, found, _ = rest.partition(closing)
    return inside.strip() if found else ""


def parse_strict(text: str) -> Any:
    """The value of a JSON text without doubled keys, NaN or Infinity.

    Raises:
        DoubledKey: an object names a key twice.
        ValueError: the text is not JSON, or is nested too deeply to be a plan.
    """
    try:
        return _STRICT.decode(text)
    except RecursionError as error:
        raise TooDeep("nested too deeply") from error


class DoubledKey(ValueError):
    """An object of a JSON text names a key twice."""


class TooDeep(ValueError):
    """A JSON text is nested too deeply."""


def _undoubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DoubledKey("a key stands twice")
    return fields


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_undoubled, parse_constant=_no_constant)
