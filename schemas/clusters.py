"""When two queries are the same question in other clothes."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import blake2b

_NOISE = re.compile(r"[\W_]+")
_LOOKED_AT = 500


def normalised(text: str) -> str:
    """The text without what carries no question: case, width, punctuation, spaces.

    >>> normalised("上周的 ＧＭＶ，怎么掉了？")
    '上周的gmv怎么掉了'
    """
    composed = unicodedata.normalize("NFKC", text)
    folded = composed.casefold()
    if folded != composed:
        # Folding may leave what composing would change again (Unicode 3.13, NFKC_Casefold).
        folded = unicodedata.normalize("NFKC", folded)
    return _NOISE.sub("", folded)


def cluster_key(text: str, history: Iterable[Mapping[str, str]] = ()) -> str:
    """One key for queries that differ in form only, after the same dialogue; 32 hex digits.

    A text of nothing but punctuation is its own cluster.
    """
    digest = blake2b((normalised(text) or text.strip()).encode(), digest_size=16)
    for turn in history:
        digest.update(f"\n{turn['role']}\t{normalised(turn['content'])}".encode())
    return digest.hexdigest()


def asked_text(text: str, history: Iterable[Mapping[str, str]] = ()) -> str:
    """What tells near-duplicates apart: all that the user has asked so far, normalised.

    Of a long dialogue its end. What was answered is left out, since answers repeat themselves;
    queries of one cluster have one such text.
    """
    said = [turn["content"] for turn in history if turn["role"] == "user"]
    return "".join(map(normalised, (*said, text)))[-_LOOKED_AT:]
