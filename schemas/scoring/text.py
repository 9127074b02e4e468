"""How alike two texts are, and how much of a text is copied; the same for Chinese and English.

Chinese is compared by characters, English by words. Case, width and punctuation do not count.
"""

import re
import unicodedata
from collections.abc import Collection, Hashable, Sequence
from functools import lru_cache

_CHINESE = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_CHARACTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")


def plain(text: str) -> str:
    """The text without differences of case, width and invisible characters."""
    if text.isascii():
        return text.casefold()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def is_chinese(text: str) -> bool:
    """Whether a text is to be compared by characters."""
    return _CHINESE.search(text) is not None


def units(text: str, *, by_characters: bool) -> Sequence[str]:
    """What two texts are compared by: characters or words, without punctuation."""
    found = (_CHARACTER if by_characters else _WORD).findall(plain(text))
    return "".join(found) if by_characters else found


@lru_cache(maxsize=4096)
def similarity(text: str, reference: str) -> float:
    """LCS-F1 of two texts in [0, 1]: twice the longest common subsequence over both lengths.

    The reference decides between characters and words. Two texts of punctuation alone are alike
    if they are equal.

    >>> similarity("查看周报", "查看经营周报")
    0.8
    >>> similarity("show the weekly report", "Show the report!")
    0.8571428571428571
    """
    if text == reference:
        return 1.0
    by_characters = is_chinese(reference)
    a = units(text, by_characters=by_characters)
    b = units(reference, by_characters=by_characters)
    if not a and not b:
        return float(text.strip() == reference.strip())
    return 2 * lcs_length(a, b) / (len(a) + len(b))


def lcs_length(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence, bit-parallel in Python's long integers.

    Hyyrö, Bit-parallel LCS-length computation revisited (2004): a zero in the row is a match.

    >>> lcs_length("abcde", "xaxcxe")
    3
    """
    if len(a) > len(b):
        a, b = b, a
    start, end_a, end_b = 0, len(a), len(b)
    while start < end_a and a[start] == b[start]:
        start += 1
    while start < end_a and a[end_a - 1] == b[end_b - 1]:
        end_a, end_b = end_a - 1, end_b - 1
    common = len(a) - (end_a - start)
    if start == end_a:
        return common
    places: dict[Hashable, int] = {}
    for index in range(start, end_a):
        places[a[index]] = places.get(a[index], 0) | (1 << (index - start))
    full = (1 << (end_a - start)) - 1
    row = full
    for index in range(start, end_b):
        mask = places.get(b[index])
        if mask is not None:
            hits = row & mask
            row = ((row + hits) | (row - hits)) & full
    return common + (end_a - start) - row.bit_count()


def repeated_share(text: str, shortest: int, excepted: Collection[str] = ()) -> float:
    """Share of the characters that stand inside a passage occurring more than once.

    >>> repeated_share("先看周报再诊断原因吧。先看周报再诊断原因吧。好的", 10)
    0.9166666666666666
    """
    count = len(text) - shortest + 1
    if count < 2:
        return 0.0
    passages = [text[index : index + shortest] for index in range(count)]
    if len(set(passages)) == count:
        return 0.0
    seen: dict[str, bool] = {}
    for passage in passages:
        seen[passage] = passage in seen
    starts = [index for index, passage in enumerate(passages) if seen[passage]]
    return _covered_share(text, starts, shortest, excepted)


def quoted_share(text: str, source: str, shortest: int, excepted: Collection[str] = ()) -> float:
    """Share of the characters that stand inside a passage of the source.

    >>> quoted_share("提示说：直接给出规划结果。好", "直接给出规划结果。", 8)
    0.6428571428571429
    """
    passages = _passages(source, shortest)
    if not passages:
        return 0.0
    starts = [
        index
        for index in range(len(text) - shortest + 1)
        if text[index : index + shortest] in passages
    ]
    return _covered_share(text, starts, shortest, excepted)


@lru_cache(maxsize=64)
def _passages(source: str, length: int) -> frozenset[str]:
    return frozenset(source[index : index + length] for index in range(len(source) - length + 1))


def _covered_share(
    text: str, starts: Sequence[int], length: int, excepted: Collection[str]
) -> float:
    """Characters of the runs that the passages make; excepted names inside them do not count.

    A run that is not long enough without its names is no passage: naming an expert twice is fair.
    """
    if not starts:
        return 0.0
    names = _names(frozenset(excepted))
    covered, first, last = 0, starts[0], starts[0] + length
    for start in [*starts[1:], len(text) + length]:
        if start <= last:
            last = start + length
            continue
        run = text[first:last]
        if names is not None:
            run = names.sub("", run)
        if len(run) >= length:
            covered += len(run)
        first, last = start, start + length
    return covered / len(text)


@lru_cache(maxsize=256)
def _names(names: frozenset[str]) -> re.Pattern[str] | None:
    known = sorted((name for name in names if name), key=lambda name: (-len(name), name))
    return re.compile("|".join(re.escape(name) for name in known)) if known else None
