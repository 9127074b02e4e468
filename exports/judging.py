"""The judgement of one answer of a planner: its scores, its plan, and why it is wrong.

What is measured is what is rewarded: the scores are those of `schemas.scoring`. What does not apply
to an answer is absent from its scores.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from schemas.agreement import experts_by_stage, plan_distance
from schemas.committed import first_commit
from schemas.evaluation import Fault
from schemas.experts import ExpertList
from schemas.scoring.answer import find_thinking
from schemas.scoring.check import plan_problems
from schemas.scoring.context import ScoringContext
from schemas.scoring.rewards import read_completion, score
from schemas.scoring.wire import to_canonical
from schemas.staleness import PlainPlan

RIGHT, FAILED, CUT_OFF = "right", "failed", "cut_off"
EXPERT_F1, ORDER, PLAN_DISTANCE = "expert_f1", "order", "plan_distance"
THINK_LENGTH, THINK_TOKENS, FIRST_COMMIT = "think_length", "think_tokens", "first_commit"


def judge(
    completion: str,
    context: ScoringContext,
    *,
    expert_list: ExpertList | None = None,
    count_tokens: Callable[[str], int] | None = None,
) -> dict[str, float]:
    """The seven scores of an answer, whether it is right, and what figures need beside them.

    Args:
        completion: The whole text that the model wrote.
        context: What it is judged against, with an accepted plan.
        expert_list: Whose names the thinking is searched for; without it nobody knows where it is
            decided.
        count_tokens: The tokens of a text, where a tokenizer is at hand.

    Raises:
        ValueError: the context has no accepted plan to judge by.
    """
    if context.gold is None:
        raise ValueError("an answer is judged by an accepted plan")
    read = read_completion(completion, context.dialect, with_thinking=context.with_thinking)
    plan = to_canonical(read.value, context.dialect)
    is_valid = not plan_problems(plan, context.expert_names)
    said = experts_by_stage(cast(PlainPlan, plan)) if is_valid else {}
    scores = dict(score(completion, context))
    is_right = read.is_strict and is_valid and said == experts_by_stage(context.gold)
    scores[RIGHT] = float(is_right)
    scores[EXPERT_F1] = _expert_f1(plan, context)
    scores[PLAN_DISTANCE] = plan_distance(cast(PlainPlan, plan), context.gold) if is_valid else 1.0
    order = _order(plan, context.gold) if is_valid else None
    if order is not None:
        scores[ORDER] = order
    return scores | _of_thinking(find_thinking(completion), expert_list, count_tokens)


def read_plan(completion: str, context: ScoringContext) -> PlainPlan | None:
    """The plan of an answer in canonical form, if it is valid under its list."""
    read = read_completion(completion, context.dialect, with_thinking=context.with_thinking)
    plan = to_canonical(read.value, context.dialect)
    return None if plan_problems(plan, context.expert_names) else cast(PlainPlan, plan)


def find_fault(
    scores: Mapping[str, float], plan: PlainPlan | None, gold: PlainPlan
) -> Fault | None:
    """Why an answer with these scores and this plan is wrong; none of a right one."""
    if scores.get(RIGHT):
        return None
    if FAILED in scores:
        return "failed"
    if CUT_OFF in scores:
        return "cut_off"
    if not scores.get("StrictFormatReward"):
        return "form"
    if plan is None:
        return "invalid"
    is_same = Counter(_experts(plan)) == Counter(_experts(gold))
    return "order" if is_same else "experts"


def _of_thinking(
    thinking: str, expert_list: ExpertList | None, count_tokens: Callable[[str], int] | None
) -> dict[str, float]:
    if not thinking:
        return {}
    scores = {THINK_LENGTH: float(len(thinking))}
    if count_tokens is not None:
        scores[THINK_TOKENS] = float(count_tokens(thinking))
    commit = None if expert_list is None else first_commit(thinking, expert_list)
    return scores if commit is None else scores | {FIRST_COMMIT: commit}


def _experts(plan: PlainPlan) -> list[str]:
    return [step["expert"] for step in plan["steps"]]


def _steps(plan: object) -> list[dict[str, Any]]:
    """The steps of a canonical plan, as far as it has any."""
    if not isinstance(plan, Mapping):
        return []
    steps = cast(Mapping[str, object], plan).get("steps")
    found = cast(Iterable[object], steps) if isinstance(steps, list | tuple) else ()
    return [cast(dict[str, Any], each) for each in found if isinstance(each, dict)]


def _expert_f1(plan: object, context: ScoringContext) -> float:
    said = Counter(str(step.get("expert")) for step in _steps(plan))
    wanted = Counter(str(step["expert"]) for step in _steps(context.gold))
    if not said or not wanted:
        is_plan = isinstance(plan, Mapping) and "steps" in plan
        return float(is_plan and said == wanted)
    return 2 * (said & wanted).total() / (said.total() + wanted.total())


def _order(plan: object, gold: object) -> float | None:
    """Share of pairs of experts that both plans name once in the same relation <, = or >."""
    said, wanted = _once(plan), _once(gold)
    names = sorted(said.keys() & wanted.keys())
    pairs = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    if not pairs:
        return None
    same = sum(_sign(said[a] - said[b]) == _sign(wanted[a] - wanted[b]) for a, b in pairs)
    return same / len(pairs)


def _once(plan: object) -> dict[str, int]:
    steps = _steps(plan)
    counts = Counter(step["expert"] for step in steps)
    return {step["expert"]: step["order"] for step in steps if counts[step["expert"]] == 1}


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
