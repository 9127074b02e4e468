"""How far two plans for one query agree, in parts and as one difference."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.scoring.matching import Asked, best_total
from schemas.scoring.text import is_chinese, similarity
from schemas.scoring.wire import ReadStep
from schemas.staleness import PlainPlan, substance

WEIGHTS = {"experts": 0.4, "order": 0.3, "sub_questions": 0.2, "rewrite": 0.1}
"""What each part weighs in the difference: who is called, when, asked what, under which rewrite.

Two good people word a rewrite each in their own way, so wording weighs least.
"""
LEAST_DIFFERENCE = 0.01
"""Of plans that differ in substance where no part sees it, as a decimal point in a number."""


class PlanAgreement(NamedTuple):
    """Two plans side by side; all parts are symmetric, in [0, 1], and 1 where nothing differs."""

    is_same: bool
    """Equal in substance (`schemas.staleness`): but for case, punctuation, place in a stage."""
    is_same_experts: bool
    """The judgement of benchmarks: the same experts in each stage, as multisets."""
    experts: float
    """Jaccard of the sets of experts."""
    order: float
    """1 - normalised edit distance of the stages (`order_similarity`)."""
    sub_questions: float
    """The best pairing of sub-questions within equal experts, over the larger number."""
    rewrite: float
    """LCS-F1 of the rewritten queries."""

    @property
    def distance(self) -> float:
        """The difference of the plans: 0 if equal in substance, else more, at most 1.

        1 - Σ weight·part by `WEIGHTS`, and at least 0.01 where the substance differs.
        """
        if self.is_same:
            return 0.0
        weighed = sum(weight * getattr(self, part) for part, weight in WEIGHTS.items())
        return min(1.0, max(LEAST_DIFFERENCE, 1 - weighed))


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPlan:
    """A plan taken apart once, to be compared with many others."""

    substance: object
    stages: tuple[Counter[str], ...]
    experts: frozenset[str]
    asked: Asked
    rewrite: str


def prepare_plan(plan: PlainPlan) -> PreparedPlan:
    """Take a canonical plan (plain values) apart."""
    steps = [
        ReadStep(each["expert"], tuple(each["sub_questions"]), each["order"])
        for each in plan["steps"]
    ]
    stages = experts_by_stage(plan)
    return PreparedPlan(
        substance=substance(plan),
        stages=tuple(stages[order] for order in sorted(stages)),
        experts=frozenset(step.expert for step in steps),
        asked=Asked.of(steps),
        rewrite=plan["rewritten_query"],
    )


def experts_by_stage(plan: PlainPlan) -> dict[int, Counter[str]]:
    """The experts of each stage as multisets: what accuracy compares (canonical values)."""
    stages: dict[int, Counter[str]] = {}
    for step in plan["steps"]:
        stages.setdefault(step["order"], Counter())[step["expert"]] += 1
    return stages


def plan_agreement(a: PlainPlan, b: PlainPlan) -> PlanAgreement:
    """How far two canonical plans (plain values) for one query agree.

    >>> report = {"expert": "数据分析专家", "sub_questions": ["查看周报"], "order": 1}
    >>> why = {"expert": "诊断专家", "sub_questions": ["诊断原因"], "order": 2}
    >>> a = {"rewritten_query": "查看周报并诊断", "steps": [report, why]}
    >>> b = {"rewritten_query": "查看周报并诊断", "steps": [report]}
    >>> found = plan_agreement(a, b)
    >>> found.experts, round(found.order, 3), found.sub_questions, found.rewrite
    (0.5, 0.667, 0.5, 1.0)
    >>> round(found.distance, 3)
    0.4
    """
    return prepared_agreement(prepare_plan(a), prepare_plan(b))


def plan_distance(a: PlainPlan, b: PlainPlan) -> float:
    """The difference of two plans in [0, 1]: symmetric, 0 exactly where the substance is equal.

    It is metric-like, not a metric: the triangle inequality is not promised.
    """
    return plan_agreement(a, b).distance


def prepared_agreement(a: PreparedPlan, b: PreparedPlan) -> PlanAgreement:
    """`plan_agreement` of plans that were prepared."""
    if a.substance == b.substance:
        return PlanAgreement(True, True, 1.0, 1.0, 1.0, 1.0)
    either = a.experts | b.experts
    return PlanAgreement(
        is_same=False,
        is_same_experts=a.stages == b.stages,
        experts=len(a.experts & b.experts) / len(either) if either else 1.0,
        order=order_similarity(a.stages, b.stages),
        sub_questions=_sub_question_match(a.asked, b.asked),
        rewrite=_alike(a.rewrite, b.rewrite),
    )


def prepared_distance(a: PreparedPlan, b: PreparedPlan) -> float:
    """`plan_distance` of plans that were prepared."""
    return prepared_agreement(a, b).distance


def order_similarity(a: Sequence[Counter[str]], b: Sequence[Counter[str]]) -> float:
    """1 - normalised edit distance of two sequences of stages, which are multisets of experts.

    An edit takes one expert out or puts one in; experts of one stage are unordered among
    themselves, and a stage of one plan is paired with at most one of the other, in order. So it is
    twice the experts kept over the experts of both: with one expert a stage, the normalised indel
    similarity of the two sequences. Two plans without experts are alike.

    >>> one, two = Counter(["a"]), Counter(["b"])
    >>> order_similarity([one, two], [two, one]), order_similarity([one, two], [one + two])
    (0.5, 0.5)
    """
    total = sum(stage.total() for stage in (*a, *b))
    if not total:
        return 1.0
    row = [0] * (len(b) + 1)
    for stage in a:
        above, row = row, [0]
        for place, other in enumerate(b):
            kept = above[place] + sum(
                min(count, other[expert]) for expert, count in stage.items() if expert in other
            )
            row.append(max(above[place + 1], row[place], kept))
    return 2 * row[-1] / total


def _sub_question_match(a: Asked, b: Asked) -> float:
    """Σ similarity of the best pairing within equal experts / the larger count."""
    most = max(a.count, b.count)
    if not most:
        return 1.0
    total = 0.0
    for expert in sorted(a.questions.keys() & b.questions.keys()):
        mine, theirs = a.questions[expert], b.questions[expert]
        if mine and theirs:
            total += best_total([[_alike(x, y) for y in theirs] for x in mine])
    return min(1.0, total / most)


def _alike(a: str, b: str) -> float:
    """LCS-F1 whichever comes first: by characters as soon as one of the two is Chinese."""
    return similarity(b, a) if is_chinese(a) else similarity(a, b)
