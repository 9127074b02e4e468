"""The parts of a sentence that a rewrite must not change: when, how many, called what, and not."""

import re
from collections import Counter
from functools import lru_cache

from .text import is_chinese, plain

_QUOTED = re.compile(r'“([^“”]+)”|「([^「」]+)」|『([^『』]+)』|《([^《》]+)》|"([^"]+)"')
_DIGITS = "零一二三四五六七八九"
_UNITS = "元天日周星月年号个家名位元块折成倍次件单人小"
_CHINESE_FACTS = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}"
    r"|(?:\d{4}年)?\d{1,2}月(?:\d{1,2}[日号])?|\d{4}年|\d{1,2}[日号]|\d{1,2}:\d{2}"
    r"|[大前昨今明后]天|[大前去今明后]年|[上下本这]+个?(?:月|季度|年)"
    r"|[上下本这]+个?(?:周|星期)[一二三四五六日天末]?"
    r"|(?:周|星期)[一二三四五六日天末]|月初|月底|年初|年底|第[一二三四]季度)"
    r"|(?P<number>\d+(?:[.,]\d+)*%?|[零一二两三四五六七八九十百千万]+(?=个?[" + _UNITS + r"]))"
    r"|(?P<latin>[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*)"
    r"|一个|特别|分别|类别|级别|区别|性别|个别|识别|别的|别人|非常|不同|不仅|不但|不过|不错|差不多|无论|无锡"
    r"|(?P<negation>没有|[不没无未别勿非])"
)
_ENGLISH_FACTS = re.compile(
    r"(?P<date>\d{4}-\d{1,2}-\d{1,2}|\d{1,2}/\d{1,2}(?:/\d{2,4})?|\d{1,2}:\d{2}"
    r"|\b(?:today|yesterday|tomorrow|tonight)\b"
    r"|\b(?:last|this|next|previous|current) (?:day|week|weekend|month|quarter|year)\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november"
    r"|december)(?: \d{1,2})?\b)"
    r"|(?P<number>\d+(?:[.,]\d+)*%?)"
    r"|(?P<negation>\b(?:not|no|never|none|nothing|nobody|without|nor|neither|cannot|except)\b"
    r"|n['’]t\b)",
    re.IGNORECASE,
)
# A name in English text: inner or all capitals, a digit inside, or a capital after another word.
_ENGLISH_NAME = re.compile(
    r"\b(?:[A-Za-z]*[a-z][A-Z]\w*|[A-Z]{2,}\w*|[A-Za-z]+\d\w*)\b|(?<=[a-z,;] )[A-Z][a-z]+\b"
)


@lru_cache(maxsize=4096)
def key_facts(text: str) -> Counter[tuple[str, str]]:
    """Numbers, dates, quoted and Latin tokens, and negations of a text, each as often as it stands.

    In an English text every word is Latin, so only those that look like names count there. Small
    Chinese numerals before a unit equal the digits.

    >>> sorted(key_facts("近七天GMV没有涨"))
    [('latin', 'gmv'), ('negation', '不'), ('number', '7')]
    """
    facts: Counter[tuple[str, str]] = Counter()
    for groups in _QUOTED.findall(text):
        facts["quoted", plain("".join(groups)).strip()] += 1
    if is_chinese(text):
        found = _CHINESE_FACTS.finditer(plain(text))
    else:
        for name in _ENGLISH_NAME.findall(text):
            facts["latin", plain(name)] += 1
        found = _ENGLISH_FACTS.finditer(text)
    for each in found:
        if each.lastgroup is not None:
            facts[each.lastgroup, _value(each.lastgroup, each[0])] += 1
    return facts


def fact_f1(text: str, reference: str) -> float:
    """Multiset F1 of the key facts of two texts; 1 if neither has any.

    >>> fact_f1("查看昨天的GMV", "查看今天的GMV")
    0.5
    """
    return multiset_f1(key_facts(text), key_facts(reference))


def multiset_f1(found: Counter[tuple[str, str]], wanted: Counter[tuple[str, str]]) -> float:
    """2·|common| / (|found| + |wanted|), counting repetitions; 1 if both are empty."""
    total = found.total() + wanted.total()
    return 2 * (found & wanted).total() / total if total else 1.0


def _value(kind: str, text: str) -> str:
    if kind == "negation":
        return "不"
    if kind == "number":
        text = text.replace(",", "")
        return text if text[0].isdigit() else str(_numeral(text))
    return text.casefold()


def _numeral(text: str) -> int:
    """The value of a Chinese numeral below 100 million; digits in a row are read as digits."""
    total = section = digit = 0
    for character in text.replace("两", "二"):
        if character in _DIGITS:
            digit = digit * 10 + _DIGITS.index(character)
        elif character == "万":
            total, section, digit = (total + section + digit) * 10_000, 0, 0
        else:
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + section + digit
