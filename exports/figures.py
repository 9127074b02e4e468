"""From answers to figures: the judgement of one answer, shares with intervals, two sets compared.

What is measured is what is rewarded: the scores are those of `schemas.scoring`.
"""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from schemas.agreement import experts_by_stage
from schemas.evaluation import Comparison, Figures
from schemas.intervals import wilson
from schemas.scoring.answer import find_thinking
from schemas.scoring.check import plan_problems
from schemas.scoring.context import ScoringContext
from schemas.scoring.rewards import read_completion, score
from schemas.scoring.wire import to_canonical
from schemas.staleness import PlainPlan

RIGHT, FAILED, CUT_OFF = "right", "failed", "cut_off"
EXPERT_F1, ORDER, THINK_LENGTH = "expert_f1", "order", "think_length"


def judge(completion: str, context: ScoringContext) -> dict[str, float]:
    """The seven scores of an answer, whether it is right, and what figures need beside them.

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
    order = _order(plan, context.gold) if is_valid else None
    if order is not None:
        scores[ORDER] = order
    thinking = find_thinking(completion)
    if thinking:
        scores[THINK_LENGTH] = float(len(thinking))
    return scores


def figures(answers: Sequence[Mapping[str, float]], questions: int) -> Figures:
    """The figures of a benchmark of so many questions; what was not answered is wrong."""
    right = sum(int(each.get(RIGHT, 0)) for each in answers)
    low, high = wilson(right, questions)
    lengths = sorted(each[THINK_LENGTH] for each in answers if THINK_LENGTH in each)

    def share(name: str, holds: Callable[[float], bool] = bool) -> float:
        return sum(holds(each.get(name, 0.0)) for each in answers) / questions if questions else 0.0

    def mean(name: str) -> float | None:
        found = [each[name] for each in answers if name in each]
        return statistics.fmean(found) if found else None

    return Figures(
        questions=questions,
        right=right,
        accuracy=right / questions if questions else 0.0,
        accuracy_low=low,
        accuracy_high=high,
        failed=questions - len(answers) + sum(FAILED in each for each in answers),
        cut_off=sum(CUT_OFF in each for each in answers),
        strict_form=share("StrictFormatReward"),
        valid_json=share("JSONValidReward", lambda value: value == 1.0),
        expert_f1=mean(EXPERT_F1),
        order=mean(ORDER),
        rewrite=mean("CorrectnessReward"),
        sub_questions=mean("ProcessingQualityReward"),
        think_length_mean=statistics.fmean(lengths) if lengths else None,
        think_length_std=statistics.pstdev(lengths) if lengths else None,
        think_length_median=statistics.median(lengths) if lengths else None,
        think_length_p95=lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))]
        if lengths
        else None,
    )


def compare(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> Comparison:
    """Scores by question, before and after, over the questions that both have."""
    both = sorted(before.keys() & after.keys())
    pairs = [(before[each].get(RIGHT, 0.0), after[each].get(RIGHT, 0.0)) for each in both]
    return Comparison(
        before=figures([before[each] for each in both], len(both)),
        after=figures([after[each] for each in both], len(both)),
        mended=sum(late > early for early, late in pairs),
        broken=sum(late < early for early, late in pairs),
    )


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
