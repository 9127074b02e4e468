"""The scripts of the desks say only what both languages have."""

import re
from pathlib import Path

import pytest

from labeling.ui.desk import WORD_AREAS, desk_words
from labeling.ui.i18n import LANGUAGES, Words
from schemas.keys import DEFAULT_KEYS, DESKS
from schemas.reasons import REASON_CODES

ASSETS = Path("labeling/ui/assets")
SAID = re.compile(r"""\bsay\(\s*(?:[\w.]+ \? )?"([\w.]+)"(?: : "([\w.]+)")?""")


def _said() -> set[str]:
    texts = (path.read_text("utf-8") for path in ASSETS.glob("*.js"))
    found = (match.groups() for text in texts for match in SAID.finditer(text))
    return {name for names in found for name in names if name and "." in name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_a_script_says_exists(language):
    words = desk_words(Words(language)) | Words(language).area("playground")
    said = _said()
    assert len(said) > 60
    assert said <= words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_return_has_words(language):
    words = desk_words(Words(language))
    assert {f"reason.{code}" for code in REASON_CODES} <= words.keys()


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_that_has_a_key_has_a_name(language, desk):
    words = desk_words(Words(language))
    assert {f"actions.{action}" for action in DEFAULT_KEYS[desk]} <= words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_area_says_what_another_says(language):
    names = [name for area in WORD_AREAS for name in Words(language).area(area)]
    assert len(names) == len(set(names))


def test_names_are_set_apart_as_each_language_does() -> None:
    names = ["规则专家", "客服专家"]
    assert Words("zh").listed(names) == "规则专家、客服专家"
    assert Words("en").listed(names) == "规则专家, 客服专家"
