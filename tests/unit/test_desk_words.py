"""The scripts of the desks say only what both languages have."""

import re
from pathlib import Path

import pytest

from labeling.review import REASON_CODES
from labeling.ui.i18n import LANGUAGES, Words

ASSETS = Path("labeling/ui/assets")
SAID = re.compile(r"""\bsay\(\s*(?:[\w.]+ \? )?"([\w.]+)"(?: : "([\w.]+)")?""")


def _said() -> set[str]:
    texts = (path.read_text("utf-8") for path in ASSETS.glob("*.js"))
    found = (match.groups() for text in texts for match in SAID.finditer(text))
    return {name for names in found for name in names if name and "." in name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_that_a_script_says_exists(language):
    words = Words(language).area("desk")
    said = _said()
    assert len(said) > 60
    assert said <= words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_return_has_words(language):
    words = Words(language).area("desk")
    assert {f"reason.{code}" for code in REASON_CODES} <= words.keys()
