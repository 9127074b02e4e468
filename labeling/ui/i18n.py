"""Words of the pages, one small dictionary for each area and language.

`words/en/label.json` holds `{"submit": "Submit"}`, addressed as `label.submit`. Pages are built
once per language from plain strings, so a page holds the `Words` of its own language.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import cast

from schemas.sentences import LANGUAGES, Language, sentence

__all__ = ["LANGUAGES", "Language", "Words"]

_FOLDER = Path(__file__).parent / "words"


@dataclass(frozen=True, slots=True)
class Words:
    """Speaks one language: `words("label.returned", count=3)`."""

    language: Language

    def __call__(self, name: str, /, **values: object) -> str:
        """The words of a name, with its values filled in.

        Raises:
            KeyError: the name or one of its values is unknown; a defect of ours.
        """
        area, _, key = name.partition(".")
        text = _area(self.language, area)[key]
        return text.format_map(values) if values else text

    def sentence(self, code: str, values: Mapping[str, object]) -> str:
        """A sentence of the services in this language (failures, problems of a plan)."""
        return sentence(code, values, self.language, moment)

    def listed(self, names: Iterable[str]) -> str:
        """Names one after the other, as this language sets them apart.

        >>> Words("zh").listed(["规则专家", "客服专家"])
        '规则专家、客服专家'
        """
        return ("、" if self.language == "zh" else ", ").join(names)

    def area(self, area: str) -> dict[str, str]:
        """All words of an area, for a page's own script."""
        return dict(_area(self.language, area))


def moment(at: datetime, *, to_the_second: bool = False) -> str:
    """A time that the page tells by the reader's own clock (`planwright.local` of `early.js`)."""
    return f"⟨{at.astimezone(UTC).isoformat()}{'!' * to_the_second}⟩"


@cache
def _area(language: Language, area: str) -> dict[str, str]:
    return cast(
        dict[str, str], json.loads((_FOLDER / language / f"{area}.json").read_text("utf-8"))
    )
