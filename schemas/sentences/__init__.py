"""Sentences for people, one file per area and language; rendered at the edge only.

`en/experts.json` holds `{"list_not_found": "There is no list {name}."}`, addressed as
`experts.list_not_found`. A test holds the two languages equal in areas, codes and value names.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, cast

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")


@cache
def _area(language: Language, area: str) -> dict[str, str]:
    path = Path(__file__).parent / language / f"{area}.json"
    return cast(dict[str, str], json.loads(path.read_text("utf-8")))


def sentence(code: str, values: Mapping[str, object], language: Language) -> str:
    """The sentence of a code such as `experts.list_not_found`, with its values filled in.

    Raises:
        KeyError: the code, or a value that its sentence names, is unknown; a defect of ours.
    """
    area, _, name = code.partition(".")
    return _area(language, area)[name].format_map(values)
