"""Examples in a prompt that a model is asked with: accepted plans, written into the version once.

A template with the placeholder `{few_shot}` (or `{few_shot:6}`) is published with examples in its
place, as a section `{#few_shot}` of one JSON object a line; so a version never changes. Only
synthesis shows them: what a planner is trained, evaluated and served with has the section left out,
since the examples are there to teach the teacher. Of these, a question is shown none that is
nearly the same as itself, and none with experts that its list does not have.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from schemas.clusters import normalised
from schemas.likeness import grams_of
from schemas.scoring.wire import to_text
from schemas.sentences import Language

NEAR = 0.6
"""From which likeness (Dice) an example is too near to a question; stricter than the leak guard."""
USUAL, MOST = 4, 16
MARK = "\ue000"
MAX_QUERY = 400
_PLACEHOLDER = re.compile(r"\{few_shot(?::(\d{1,2}))?\}")
_SECTION = re.compile(r"\{#few_shot\}\n(.*?)\{/few_shot\}\n?", re.DOTALL)
_WORDS: Mapping[Language, tuple[str, str]] = {
    "zh": ("用户问题", "规划"),
    "en": ("Query", "Plan"),
}


class Example(NamedTuple):
    """A query and its accepted plan, canonical."""

    query: str
    plan: Mapping[str, Any]


def wanted_examples(template: str) -> int:
    """How many examples a template asks for; 0 without the placeholder.

    >>> wanted_examples("{few_shot:6}"), wanted_examples("{few_shot}"), wanted_examples("")
    (6, 4, 0)
    """
    found = _PLACEHOLDER.search(template)
    return 0 if found is None else max(1, min(MOST, int(found[1] or USUAL)))


def write_examples(template: str, examples: Sequence[Example]) -> str:
    """The template with its examples in the place of the first placeholder."""
    lines = [_line(each) for each in examples]
    section = f"{{#few_shot}}\n{''.join(lines)}{{/few_shot}}\n" if lines else ""
    first, *rest = _PLACEHOLDER.split(template, maxsplit=1)
    return first + section + "".join(rest[1:]).removeprefix("\n") if rest else template


def read_examples(template: str) -> tuple[Example, ...]:
    """The examples that are written into a template."""
    found = _SECTION.search(template)
    return () if found is None else _read(found[1])


def without_examples(template: str) -> str:
    """The template with `MARK` where its examples stood.

    >>> without_examples("a\\n{#few_shot}\\n{/few_shot}\\nb") == f"a\\n{MARK}b"
    True
    """
    return _SECTION.sub(MARK, template)


def render_examples(
    examples: Iterable[Example], asked: str, names: Iterable[str], dialect: str, language: Language
) -> str:
    """The examples as a question is shown them."""
    known = frozenset(names)
    query, plan = _WORDS[language]
    return "".join(
        f"{query}: {each.query}\n{plan}: {to_text(each.plan, dialect)}\n"
        for each in examples
        if not is_near(each.query, asked)
        and not is_near(each.plan["rewritten_query"], asked)
        and known.issuperset(step["expert"] for step in each.plan["steps"])
    )


def is_near(one: str, other: str, near: float = NEAR) -> bool:
    """Whether two texts are nearly the same question.

    >>> is_near("上周流量为什么下降？", "上周 流量为什么下降"), is_near("上周流量", "给老客发券")
    (True, False)
    """
    a, b = normalised(one), normalised(other)
    if a == b:
        return True
    mine, theirs = grams_of(a), grams_of(b)
    total = len(mine) + len(theirs)
    return bool(total) and 2 * len(mine & theirs) / total >= near


def can_be_written(query: str) -> bool:
    """Whether a query is short enough to be shown as an example."""
    return 0 < len(query.strip()) <= MAX_QUERY


def _line(example: Example) -> str:
    """One JSON object on one line, in which nothing can be taken for a mark of the template."""
    text = json.dumps(example._asdict(), ensure_ascii=False)
    return text.replace("few_shot", "few\\u005fshot") + "\n"


@lru_cache(maxsize=64)
def _read(lines: str) -> tuple[Example, ...]:
    return tuple(Example(**json.loads(line)) for line in lines.split("\n") if line.strip())
