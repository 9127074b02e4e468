"""What the rewards say about a plan while somebody edits it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.dialects import get_dialect, render_answer
from schemas.plan import Plan
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.scoring.check import Problem
from schemas.scoring.context import ScoringContext
from schemas.scoring.rewards import REWARD_FUNCTIONS, read_completion
from schemas.staleness import trace_state

_WEIGHTS = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
_OF_THINKING = ("ThinkLengthReward", "ThinkQualityReward")


class PlanScores(BaseModel):
    """Rewards by name, with the plan on the desk as the truth.

    `mine` is the model's trace with that plan, `model` the model's own answer where it has a plan.
    Totals are weighted means of what applies; `is_stale` says that the trace leads elsewhere now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mine: dict[str, float]
    total: float
    model: dict[str, float] | None
    model_total: float | None
    is_stale: bool


class PlanPreview(BaseModel):
    """Everything wrong with a plan, or else what it is worth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: tuple[Problem, ...]
    scores: PlanScores | None


def score_plan(
    plan: Plan, context: ScoringContext, trace: str | None, suggested: Plan | None
) -> PlanScores:
    """The scores of a valid plan; `context` is its query's, without a gold plan."""
    gold = plan.to_plain()
    context = replace(context, gold=gold)
    dialect = get_dialect(context.dialect)
    mine = _score(render_answer(plan, dialect, trace), context)
    model = _score(render_answer(suggested, dialect, trace), context) if suggested else None
    return PlanScores(
        mine=mine,
        total=_total(mine),
        model=model,
        model_total=None if model is None else _total(model),
        is_stale=bool(trace and suggested and trace_state(gold, suggested.to_plain()) == "stale"),
    )


def _score(completion: str, context: ScoringContext) -> dict[str, float]:
    """As `rewards.score`, but a trace, which nobody edits, is judged once."""
    read = read_completion(completion, context.dialect, with_thinking=context.with_thinking)
    known = _of_thinking(read.thinking, replace(context, gold=None))
    scores = {
        name: known[name] if name in known else reward(completion, context)
        for name, reward in REWARD_FUNCTIONS.items()
    }
    return {name: value for name, value in scores.items() if value is not None}


@lru_cache(maxsize=256)
def _of_thinking(thinking: str, context: ScoringContext) -> dict[str, float | None]:
    completion = f"<think>\n{thinking}\n</think>"
    return {name: REWARD_FUNCTIONS[name](completion, context) for name in _OF_THINKING}


def _total(scores: Mapping[str, Any]) -> float:
    weight = sum(_WEIGHTS[name] for name in scores)
    return sum(_WEIGHTS[name] * value for name, value in scores.items()) / weight if weight else 0.0
