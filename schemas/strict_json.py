"""JSON from outside, read strictly: UTF-8, no doubled keys, no NUL, no depths to fall into.

A reader that keeps the last of two equal keys would make a plan or a list of something that its
writer may not have meant, so a doubled key is an error here.
"""

import json
import re
from typing import cast

import orjson
from pydantic import JsonValue

from schemas.errors import InvalidInput

MAX_DEPTH = 32
# As often as this matches outside of strings, there is a key; inside, the quote is escaped but
# still matches, which only sends the text through the slow and exact reading.
_KEY = re.compile(rb'"\s*:')


def parse_json(raw: bytes | str, *, max_depth: int = MAX_DEPTH) -> JsonValue:
    """The value of a JSON text.

    Raises:
        InvalidInput: `files.not_json`, `files.doubled_key`, `files.too_deep` or `files.nul`.
    """
    raw = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    try:
        value = cast(JsonValue, orjson.loads(raw))
    except orjson.JSONDecodeError as error:
        if "depth" in str(error):
            raise InvalidInput("files.too_deep", most=max_depth) from error
        raise InvalidInput("files.not_json", line=error.lineno, column=error.colno) from error
    if b"\\u0000" in raw and _has_nul(value):
        raise InvalidInput("files.nul")
    if _count_keys(value, max_depth) != len(_KEY.findall(raw)):
        json.loads(raw, object_pairs_hook=_refuse_doubled)
    return value


def _count_keys(value: JsonValue, depth: int) -> int:
    if depth < 0:
        raise InvalidInput("files.too_deep", most=MAX_DEPTH)
    if isinstance(value, dict):
        count, inside = len(value), value.values()
    elif isinstance(value, list):
        count, inside = 0, value
    else:
        return 0
    for each in inside:
        if isinstance(each, dict | list):
            count += _count_keys(each, depth - 1)
    return count


def _refuse_doubled(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    known = dict(pairs)
    if len(known) != len(pairs):
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise InvalidInput("files.doubled_key", key=doubled)
    return known


def _has_nul(value: JsonValue) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(each) for key, each in value.items())
    return isinstance(value, list) and any(_has_nul(each) for each in value)
