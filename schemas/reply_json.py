"""Finding the JSON of a plan in a model's text, strictly first and repaired last."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from json_repair import repair_json

from schemas.plan_import import find_dialect
from schemas.scoring.answer import DoubledKey, parse_strict
from schemas.scoring.wire import DIALECTS, WireKeys

# Repairing is slow on what is far from JSON: seconds for 200,000 open braces.
MAX_REPAIRED = 50_000
MAX_DEPTH = 24
MAX_ATTEMPTS = 500
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Found:
    """A JSON object with the keys of a plan, or why there is none (a name of the area `replies`).

    Both, when there is a beginning of a plan that must not be taken for one.
    """

    value: dict[str, Any] | None
    failure: str | None
    is_repaired: bool


def find_plan_json(text: str, is_closed: bool, dialect: str) -> Found:
    """The one plan in a text; `is_closed` says that something marked the end of the JSON.

    Without such a mark, open braces at the end mean that the answer was cut off.
    """
    is_doubled = False
    plans: list[dict[str, Any]] = []
    has_json = False
    for part in _objects(text):
        has_json = True
        try:
            value = parse_strict(part)
        except DoubledKey:
            is_doubled = True
            continue
        except ValueError:  # NaN and Infinity, which Python's reader lets pass
            continue
        if find_dialect(value):
            plans.append(value)
    if plans:
        different = any(each != plans[0] for each in plans)
        return Found(plans[-1], "several_plans" if different else None, is_repaired=False)
    if is_doubled:
        return Found(None, "doubled_keys", is_repaired=False)
    if "{" not in text:
        return Found(None, "no_plan", is_repaired=False)
    if not any(f"{key}" in text for key in _plan_keys(dialect)):
        return Found(None, "not_a_plan" if has_json else "broken_json", is_repaired=False)
    return _repaired(text, is_closed, dialect)


def _objects(text: str) -> Iterator[str]:
    """The texts of the JSON objects in a text, outermost only."""
    start, attempts = text.find("{"), 0
    while start >= 0 and attempts < MAX_ATTEMPTS:
        attempts += 1
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        if isinstance(value, dict):
            yield text[start:end]
        start = text.find("{", end)


def _repaired(text: str, is_closed: bool, dialect: str) -> Found:
    part, is_open = _candidate(text, dialect)
    if len(part) > MAX_REPAIRED or _depth(part) > MAX_DEPTH:
        code = "too_long" if len(part) > MAX_REPAIRED else "too_deep"
        return Found(None, code, is_repaired=False)
    try:
        value = repair_json(part, return_objects=True, skip_json_loads=True)
    except (ValueError, RecursionError):
        return Found(None, "broken_json", is_repaired=False)
    if not isinstance(value, dict) or not find_dialect(value):
        return Found(None, "broken_json", is_repaired=False)
    failure = None
    if is_open and not is_closed:
        failure = "cut_off"
    elif not _has_every_key(part, value):
        # Something was swallowed, or a key stood twice: a beginning for a person, but no plan.
        failure = "broken_json"
    return Found(value, failure, is_repaired=True)


def _candidate(text: str, dialect: str) -> tuple[str, bool]:
    """From the brace that opens the plan to the last one that closes; whether it ends open."""
    places = [place for key in _plan_keys(dialect) if (place := text.find(key)) >= 0]
    start = max(text.rfind("{", 0, min(places)), 0)
    end = text.rfind("}")
    part = text[start:].rstrip().rstrip("`").rstrip()
    is_open = not part.endswith("}") or _open_braces(part) > 0
    return (part if is_open or end < start else text[start : end + 1]), is_open


def _open_braces(text: str) -> int:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    return bare.count("{") - bare.count("}")


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        if character in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "}]":
            depth -= 1
    return deepest


def _plan_keys(dialect: str) -> list[str]:
    """Top-level keys of all dialects, those of the wanted one first."""
    names = sorted(DIALECTS, key=lambda name: name != dialect)
    return [key for name in names for key in (DIALECTS[name].rewritten_query, DIALECTS[name].steps)]


def _has_every_key(text: str, plan: Mapping[str, Any]) -> bool:
    """Whether each key that the text writes is in the repaired plan, as often as it is written."""
    keys = DIALECTS[find_dialect(plan) or "en@1"]
    for name in WireKeys._fields[:-1]:
        key = cast(str, getattr(keys, name))
        written = len(re.findall(rf"[\"'“”]{re.escape(key)}[\"'“”]\s*[:：]", text))
        if written > _count_key(plan, key):
            return False
    return True


def _count_key(value: object, key: str) -> int:
    if isinstance(value, dict):
        fields = cast(dict[str, object], value)
        return (key in fields) + sum(_count_key(each, key) for each in fields.values())
    if isinstance(value, list):
        return sum(_count_key(each, key) for each in cast(list[object], value))
    return 0
