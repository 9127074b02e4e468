"""Why a completion earned what it earned: for each reward below 1 a sentence with its figures."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import JsonValue

from schemas.scoring.answer import find_answer
from schemas.scoring.check import VISIBLE
from schemas.scoring.context import ScoringContext
from schemas.scoring.facts import fact_f1
from schemas.scoring.matching import order_agreement
from schemas.scoring.rewards import (
    SHORTEST_QUOTED,
    SHORTEST_REPEATED,
    Completion,
    read_completion,
)
from schemas.scoring.text import quoted_share, repeated_share, similarity
from schemas.scoring.wire import ReadPlan, form_problems, read_plan

TAGS = ("<think>", "</think>", "<answer>", "</answer>")


class Reason(NamedTuple):
    """A sentence of the area `rewards`, and its values."""

    code: str
    values: dict[str, JsonValue]


def reasons(
    completion: str, context: ScoringContext, scores: Mapping[str, float]
) -> dict[str, Reason]:
    """By reward, why it is not 1; a reward that is 1 or absent has no reason."""
    read = read_completion(completion, context.dialect, with_thinking=context.with_thinking)
    wanted = read_plan(context.gold, "en@1")
    found = {
        "StrictFormatReward": _form(completion, context),
        "JSONValidReward": _json(completion, read, context),
        "ThinkLengthReward": _length(read, context),
        "ThinkQualityReward": _quality(read, context),
        "CorrectnessReward": _rewrite(read.plan, wanted),
        "ExpertValidationReward": _experts(read.plan, wanted, context),
        "ProcessingQualityReward": _questions(read.plan, wanted),
    }
    return {name: why for name, why in found.items() if scores.get(name, 1.0) < 0.9995}


def _form(completion: str, context: ScoringContext) -> Reason:
    tags = TAGS if context.with_thinking else TAGS[2:]
    for tag in tags:
        count = completion.count(tag)
        if count != 1:
            return Reason("rewards.why_tag", {"tag": tag, "count": count})
    return Reason("rewards.why_form", {})


def _json(completion: str, read: Completion, context: ScoringContext) -> Reason:
    if not find_answer(completion):
        return Reason("rewards.why_no_answer", {})
    if not isinstance(read.value, dict):
        return Reason("rewards.why_not_json", {})
    problems = form_problems(read.value, context.dialect)
    where = problems[0].path if problems else "$"
    return Reason("rewards.why_not_a_plan", {"count": len(problems), "path": where})


def _length(read: Completion, context: ScoringContext) -> Reason:
    if not VISIBLE.search(read.thinking):
        return Reason("rewards.why_no_thinking", {})
    length = len(read.thinking)
    if context.think_unit == "tokens":
        return Reason("rewards.why_tokens", {"low": context.think_min, "high": context.think_max})
    return Reason(
        "rewards.why_length",
        {"length": length, "low": context.think_min, "high": context.think_max},
    )


def _quality(read: Completion, context: ScoringContext) -> Reason:
    if not VISIBLE.search(read.thinking):
        return Reason("rewards.why_no_thinking", {})
    names = context.expert_names
    for word in context.banned_words:
        if word.strip() and word.strip().casefold() in read.thinking.casefold():
            return Reason("rewards.why_banned", {"word": word})
    repeated = repeated_share(read.thinking, SHORTEST_REPEATED, names)
    quoted = quoted_share(read.thinking, context.system_prompt, SHORTEST_QUOTED, names)
    return Reason(
        "rewards.why_quality", {"repeated": round(100 * repeated), "quoted": round(100 * quoted)}
    )


def _rewrite(plan: ReadPlan, wanted: ReadPlan) -> Reason:
    if not plan.rewritten_query:
        return Reason("rewards.why_no_rewrite", {})
    gold = wanted.rewritten_query or ""
    return Reason(
        "rewards.why_rewrite",
        {
            "alike": round(100 * similarity(plan.rewritten_query, gold)),
            "facts": round(100 * fact_f1(plan.rewritten_query, gold)),
        },
    )


def _experts(plan: ReadPlan, wanted: ReadPlan, context: ScoringContext) -> Reason:
    if plan.steps is None:
        return Reason("rewards.why_no_steps", {})
    have = Counter(step.expert for step in plan.steps)
    want = Counter(step.expert for step in wanted.steps or ())
    known = [step for step in plan.steps if step.expert in context.expert_names]
    _, agreement = order_agreement(known, wanted.steps or ())
    return Reason(
        "rewards.why_experts",
        {
            "missing": _names(want - have),
            "extra": _names(have - want),
            "order": round(100 * agreement),
        },
    )


def _questions(plan: ReadPlan, wanted: ReadPlan) -> Reason:
    if plan.steps is None:
        return Reason("rewards.why_no_steps", {})
    asked = [each for step in plan.steps for each in step.sub_questions]
    gold = [each for step in wanted.steps or () for each in step.sub_questions]
    return Reason(
        "rewards.why_questions",
        {"asked": len(asked), "wanted": len(gold), "distinct": len(set(asked))},
    )


def _names(counted: Counter[Any]) -> str:
    return ", ".join(str(name) or "?" for name in counted.elements()) or "–"
