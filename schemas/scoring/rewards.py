"""The seven rewards: a finite number in [0, 1] for a completion, or none where one does not apply.

A completion is the whole text that the model wrote (`reply.to_completion`). The same functions
reward a model in training, measure it in evaluation, and score a plan on the label page.

The examples share these:

>>> import json
>>> from dataclasses import replace
>>> names = frozenset({"数据分析专家", "诊断专家", "策略推荐专家"})
>>> def row(query, *steps):
...     keys = ("expert", "sub_questions", "order")
...     return {"rewritten_query": query, "steps": [dict(zip(keys, step)) for step in steps]}
>>> report = row("查看上周的经营周报", ("数据分析专家", ["查看上周的经营周报"], 1))
>>> context = ScoringContext(True, "en@1", names, gold=report, banned_words=("微信",))
>>> def answer(plan, thinking="用户要看上周的周报，由数据分析专家处理。"):
...     body = json.dumps(plan, ensure_ascii=False)
...     return f"<think>\\n{thinking}\\n</think>\\n\\n<answer>\\n{body}\\n</answer>"
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from .answer import (
    find_answer,
    find_thinking,
    has_strict_form,
    parse_strict,
    without_empty_thinking,
)
from .check import VISIBLE
from .context import ScoringContext
from .facts import fact_f1
from .matching import Asked, order_agreement, processing_score
from .source import source_hash
from .text import plain, quoted_share, repeated_share, similarity
from .wire import DIALECTS, ReadPlan, form_problems, read_plan

SOURCE_HASH = source_hash
SHORTEST_REPEATED = 10
SHORTEST_QUOTED = 20


class Completion(NamedTuple):
    """A completion taken apart; `value` is the answer's JSON, `None` where it is not strict."""

    is_strict: bool
    thinking: str
    value: Any
    is_valid: bool
    plan: ReadPlan


@lru_cache(maxsize=512)
def read_completion(text: str, dialect: str, *, with_thinking: bool) -> Completion:
    """The parts that rewards look at; those of one completion share them."""
    body = text if with_thinking else without_empty_thinking(text)
    try:
        value = parse_strict(find_answer(body))
    except ValueError:
        value = None
    return Completion(
        is_strict=has_strict_form(text, with_thinking=with_thinking),
        thinking=find_thinking(body),
        value=value,
        is_valid=isinstance(value, dict) and not form_problems(value, dialect),
        plan=read_plan(value, dialect),
    )


def strict_format(completion: str, context: ScoringContext) -> float:
    """1 if the whole text has the form that the recipe asks for, else 0.

    >>> strict_format(answer(report), context), strict_format(answer(report) + "!", context)
    (1.0, 0.0)
    """
    return float(_read(completion, context).is_strict)


def json_valid(completion: str, context: ScoringContext) -> float:
    """1 valid under the dialect's schema; 1/2 a strict object with its top-level keys; else 0.

    >>> json_valid(answer(report), context)
    1.0
    >>> json_valid(answer({"rewritten_query": "", "steps": ["周报"]}), context)
    0.5
    >>> json_valid("<answer>{'steps': []}</answer>", context)
    0.0
    """
    read, keys = _read(completion, context), DIALECTS[context.dialect]
    if read.is_valid:
        return 1.0
    has_keys = isinstance(read.value, dict) and {keys.rewritten_query, keys.steps} <= set(
        read.value
    )
    return 0.5 if has_keys else 0.0


def think_length(completion: str, context: ScoringContext) -> float | None:
    """1 inside [min, max]; outside 1/(1+exp(5(d-1/2))) or, continuous, 2/(1+exp(5d)).

    d is the distance from the middle, or from the nearest edge, over eps. No thinking is 0. Absent
    in a recipe without thinking, or by tokens where nobody can count them.

    >>> think_length(answer(report, "好" * 60), context)
    1.0
    >>> round(think_length(answer(report, "好" * 59), context), 3)
    0.49
    >>> smooth = replace(context, think_curve="continuous")
    >>> round(think_length(answer(report, "好" * 59), smooth), 3)
    0.979
    """
    if not context.with_thinking:
        return None
    thinking = _read(completion, context).thinking
    if not VISIBLE.search(thinking):
        return 0.0
    if context.think_unit == "characters":
        length = len(thinking)
    elif context.count_tokens is not None:
        length = context.count_tokens(completion, thinking)
    else:
        return None
    low, high = context.think_min, context.think_max
    if low <= length <= high:
        return 1.0
    eps = context.think_eps or max(high - low, 1)
    if context.think_curve == "continuous":
        return 2 * _logistic(5 * max(low - length, length - high) / eps)
    return _logistic(5 * (abs(length - (low + high) / 2) / eps - 0.5))


def think_quality(completion: str, context: ScoringContext) -> float | None:
    """(1-repetition)(1-quotation of the system prompt); 0 if blank or a banned word occurs.

    Repetition is the share of characters inside passages of 10 or more that occur more than once,
    quotation the share inside passages of 20 or more of the system prompt; names of experts count
    in neither.

    >>> think_quality(answer(report), context)
    1.0
    >>> think_quality(answer(report, "加微信问问"), context)
    0.0
    >>> think_quality(answer(report, "用户要看上周的周报。" * 2 + "好"), context) < 0.1
    True
    """
    if not context.with_thinking:
        return None
    thinking = _read(completion, context).thinking
    if not VISIBLE.search(thinking) or _has_banned_word(thinking, context.banned_words):
        return 0.0
    names = context.expert_names
    repetition = repeated_share(thinking, SHORTEST_REPEATED, names)
    quotation = quoted_share(thinking, context.system_prompt, SHORTEST_QUOTED, names)
    return (1 - repetition) * (1 - quotation)


def correctness(completion: str, context: ScoringContext) -> float | None:
    """The rewrite against the accepted one: 0.7·similarity + 0.3·F1 of the key facts.

    >>> correctness(answer(report), context)
    1.0
    >>> round(correctness(answer(row("查看昨天的经营周报")), context), 3)
    0.544
    """
    if context.gold is None:
        return None
    rewritten, wanted = _read(completion, context).plan.rewritten_query, _gold(context)
    if not rewritten or not VISIBLE.search(rewritten) or not wanted.rewritten_query:
        return 0.0
    alike = similarity(rewritten, wanted.rewritten_query)
    return 0.7 * alike + 0.3 * fact_f1(rewritten, wanted.rewritten_query)


def expert_validation(completion: str, context: ScoringContext) -> float | None:
    """Multiset F1 of experts · (0.7 + 0.3·share of pairs in the same order as accepted).

    Names that are not on the list are wrong ones. Two plans without steps: 1; one: 0.

    >>> expert_validation(answer(report), context)
    1.0
    >>> two = row("查看周报", ("数据分析专家", ["查看"], 1), ("陌生专家", ["查看"], 1))
    >>> round(expert_validation(answer(two), context), 3)
    0.667
    """
    if context.gold is None:
        return None
    steps, wanted = _read(completion, context).plan.steps, _gold(context).steps
    if not steps or not wanted:
        return float(steps == wanted == ())
    known = [step for step in steps if step.expert in context.expert_names]
    common, agreement = order_agreement(known, wanted)
    return 2 * common / (len(steps) + len(wanted)) * (0.7 + 0.3 * agreement)


def processing_quality(completion: str, context: ScoringContext) -> float | None:
    """Sub-questions: best one-to-one similarity within equal experts over the larger number.

    Times the share of distinct ones. Two plans without steps: 1; one: 0.

    >>> processing_quality(answer(report), context)
    1.0
    >>> twice = row("查看周报", ("数据分析专家", ["查看上周的经营周报"] * 2, 1))
    >>> processing_quality(answer(twice), context)
    0.25
    """
    if context.gold is None:
        return None
    steps, wanted = _read(completion, context).plan.steps, _gold(context).steps
    if not steps or not wanted:
        return float(steps == wanted == ())
    return processing_score(Asked.of(steps), Asked.of(wanted), context.expert_names)


REWARD_FUNCTIONS: Mapping[str, Callable[[str, ScoringContext], float | None]] = {
    "StrictFormatReward": strict_format,
    "JSONValidReward": json_valid,
    "ThinkLengthReward": think_length,
    "ThinkQualityReward": think_quality,
    "CorrectnessReward": correctness,
    "ExpertValidationReward": expert_validation,
    "ProcessingQualityReward": processing_quality,
}


def score(completion: str, context: ScoringContext) -> dict[str, float]:
    """Every reward that applies, in the order of the seven; those that do not are left out.

    >>> list(score("hello", replace(context, with_thinking=False, gold=None)))
    ['StrictFormatReward', 'JSONValidReward']
    """
    scores = {name: reward(completion, context) for name, reward in REWARD_FUNCTIONS.items()}
    return {name: value for name, value in scores.items() if value is not None}


def weighted_total(scores: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The weighted sum of what applies, its weights scaled to 1; 0 where nothing applies.

    >>> weighted_total({"StrictFormatReward": 1.0}, {"StrictFormatReward": 0.1, "Other": 0.9})
    1.0
    """
    applying = {name: weights[name] for name in scores if weights.get(name)}
    whole = sum(applying.values())
    return sum(scores[name] * each for name, each in applying.items()) / whole if whole else 0.0


def _read(completion: str, context: ScoringContext) -> Completion:
    return read_completion(completion, context.dialect, with_thinking=context.with_thinking)


def _gold(context: ScoringContext) -> ReadPlan:
    # Canonical keys are those of en@1.
    return read_plan(context.gold, "en@1")


def _logistic(exponent: float) -> float:
    """1/(1+exp(x)), the exponent clipped to ±60."""
    return 1 / (1 + math.exp(max(-60.0, min(60.0, exponent))))


def _has_banned_word(thinking: str, banned_words: Sequence[str]) -> bool:
    pattern = _banned(tuple(banned_words))
    return pattern is not None and pattern.search(plain(thinking)) is not None


@lru_cache(maxsize=64)
def _banned(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """Any of the words; one of Latin letters only as a whole word."""
    known = [plain(word.strip()) for word in words if word.strip()]
    whole = [rf"(?<![a-z0-9]){re.escape(w)}(?![a-z0-9])" for w in known if w.isascii()]
    parts = [*whole, *(re.escape(w) for w in known if not w.isascii())]
    return re.compile("|".join(parts)) if parts else None
