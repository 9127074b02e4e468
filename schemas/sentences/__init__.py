"""Sentences for people, one file per area and language; rendered at the edge only.

`en/experts.json` holds `{"list_not_found": "There is no list {name}."}`, addressed as
`experts.list_not_found`. A test holds the two languages equal in areas, codes and value names.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal, cast

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")


@cache
def _area(language: Language, area: str) -> dict[str, str]:
    path = Path(__file__).parent / language / f"{area}.json"
    return cast(dict[str, str], json.loads(path.read_text("utf-8")))


def utc_time(at: datetime) -> str:
    """A time for a reader whose clock is not known.

    >>> utc_time(datetime(2026, 8, 24, 9, 16, tzinfo=UTC))
    '2026-08-24 09:16:00 UTC'
    """
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def sentence(
    code: str,
    values: Mapping[str, object],
    language: Language,
    tell_time: Callable[[datetime], str] = utc_time,
) -> str:
    """The sentence of a code such as `experts.list_not_found`, with its values filled in.

    Times are told by `tell_time`; a value `{"code": …}` is a sentence itself.

    Raises:
        KeyError: the code, or a value that its sentence names, is unknown; a defect of ours.
    """
    area, _, name = code.partition(".")
    told = values
    if any(isinstance(value, datetime | dict) for value in values.values()):
        told = {key: _told(value, language, tell_time) for key, value in values.items()}
    return _area(language, area)[name].format_map(told)


def _told(value: object, language: Language, tell_time: Callable[[datetime], str]) -> object:
    if isinstance(value, datetime):
        return tell_time(value)
    if isinstance(value, dict) and "code" in value:
        inner = cast(dict[str, object], value)
        values = cast(dict[str, object], inner.get("values") or {})
        return sentence(str(inner["code"]), values, language, tell_time)
    return value
