"""Two versions of a prompt on the same queries: what each brought, and how sure that is."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from schemas.agreement import experts_by_stage, plan_distance
from schemas.paired import Change, Resampling, mcnemar

FIGURES = ("well_formed", "same", "distance", "think_length", "tokens", "money")


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrialAnswer(NamedTuple):
    """One answer under one version; `accepted` is the plan that people accepted, where they did."""

    query_id: str
    plan: Mapping[str, Any] | None
    failure: str | None
    think_length: int
    is_repaired: bool
    money: float
    tokens: int
    accepted: Mapping[str, Any] | None


class TrialSide(_Value):
    """What one version brought.

    `well_formed` are answers with a plan that needed no repair, `judged` those to queries with an
    accepted plan, and of these `same` have its experts in each stage. Money for one is absent
    where there is no such answer.
    """

    reference: str
    answers: int
    with_plan: int
    well_formed: int
    judged: int
    same: int
    failures: tuple[tuple[str, int], ...]
    think_median: float
    tokens: int
    money: float
    money_each: float | None
    money_each_same: float | None


class TrialReport(_Value):
    """Both versions, and the changes from the first to the second over queries asked of both.

    A change has its 95 % interval. `mended` and `broken` count queries with an accepted plan whose
    answers have its experts, all of them, only under the second, or only under the first; `p` is
    McNemar's.
    """

    batch_id: str
    currency: str
    queries: int
    first: TrialSide
    second: TrialSide
    changes: dict[str, Change]
    mended: int
    broken: int
    p: float


def judge_trial(
    batch_id: str,
    currency: str,
    sides: Sequence[tuple[str, Sequence[TrialAnswer]]],
) -> TrialReport:
    """The report of a trial; `sides` are the two references with their answers by query."""
    (first_name, first), (second_name, second) = sides
    before, after = _by_query(first), _by_query(second)
    both = sorted(before.keys() & after.keys())
    figures = {
        name: ([before[query][name] for query in both], [after[query][name] for query in both])
        for name in FIGURES
    }
    changes = Resampling(len(both)).mean_changes(figures) if both else {}
    pairs = [(before[query]["same"], after[query]["same"]) for query in both]
    mended = sum(old < 1 <= new for old, new in pairs)
    broken = sum(new < 1 <= old for old, new in pairs)
    return TrialReport(
        batch_id=batch_id,
        currency=currency,
        queries=len(both),
        first=_side(first_name, first),
        second=_side(second_name, second),
        changes=changes,
        mended=mended,
        broken=broken,
        p=mcnemar(mended, broken),
    )


def _side(reference: str, answers: Sequence[TrialAnswer]) -> TrialSide:
    well_formed = sum(map(_is_well_formed, answers))
    judged = [each for each in answers if each.accepted is not None]
    same = sum(_is_same(each) for each in judged)
    failures = Counter(each.failure for each in answers if each.failure)
    money = sum(each.money for each in answers)
    money_judged = sum(each.money for each in judged)
    lengths = [each.think_length for each in answers if each.plan is not None]
    return TrialSide(
        reference=reference,
        answers=len(answers),
        with_plan=sum(each.plan is not None for each in answers),
        well_formed=well_formed,
        judged=len(judged),
        same=same,
        failures=tuple(sorted(failures.items(), key=lambda each: (-each[1], each[0]))),
        think_median=float(median(lengths)) if lengths else 0.0,
        tokens=sum(each.tokens for each in answers),
        money=money,
        money_each=money / well_formed if well_formed else None,
        money_each_same=money_judged / same if same else None,
    )


def _by_query(answers: Iterable[TrialAnswer]) -> dict[str, dict[str, float]]:
    """The figures of each query, means over its candidates; NaN where one does not apply."""
    grouped: dict[str, list[TrialAnswer]] = {}
    for each in answers:
        grouped.setdefault(each.query_id, []).append(each)
    return {
        query: {
            "well_formed": fmean(map(_is_well_formed, some)),
            "same": _mean([float(_is_same(each)) for each in some if each.accepted is not None]),
            "distance": _mean([_distance(each) for each in some if each.accepted is not None]),
            "think_length": _mean([each.think_length for each in some if each.plan is not None]),
            "tokens": fmean(each.tokens for each in some),
            "money": fmean(each.money for each in some),
        }
        for query, some in grouped.items()
    }


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan


def _is_well_formed(answer: TrialAnswer) -> bool:
    return answer.plan is not None and not answer.is_repaired


def _is_same(answer: TrialAnswer) -> bool:
    if answer.plan is None or answer.accepted is None:
        return False
    return experts_by_stage(answer.plan) == experts_by_stage(answer.accepted)


def _distance(answer: TrialAnswer) -> float:
    """How far from the accepted plan; an answer without a plan is as far as can be."""
    if answer.plan is None or answer.accepted is None:
        return 1.0
    return plan_distance(answer.accepted, answer.plan)
