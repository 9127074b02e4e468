"""Pairing the steps and sub-questions of two plans."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .text import plain, similarity
from .wire import ReadStep


def order_agreement(steps: Sequence[ReadStep], wanted: Sequence[ReadStep]) -> tuple[int, float]:
    """How many steps the plans have in common, and the share of their pairs in the same relation.

    The relation of two steps is before, together or after. An expert that stands several times is
    matched first with first. Fewer than two in common: 1.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    for step in wanted:
        places[step.expert].append(step.order)
    matched: list[tuple[int, int]] = []
    for step in steps:
        if places[step.expert]:
            matched.append((step.order, places[step.expert].pop(0)))
    pairs = list(combinations(matched, 2))
    same = sum(_sign(a[0] - b[0]) == _sign(a[1] - b[1]) for a, b in pairs)
    return len(matched), same / len(pairs) if pairs else 1.0


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """The sub-questions of a plan by expert."""

    questions: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, steps: Sequence[ReadStep]) -> "Asked":
        """All sub-questions of the steps, in their order."""
        questions: defaultdict[str, list[str]] = defaultdict(list)
        for step in steps:
            questions[step.expert] += step.sub_questions
        return cls(questions)

    @property
    def count(self) -> int:
        """How many sub-questions there are."""
        return sum(map(len, self.questions.values()))

    @property
    def distinct_share(self) -> float:
        """Share of the sub-questions that an expert is not asked twice."""
        distinct = sum(len({plain(each) for each in asked}) for asked in self.questions.values())
        return distinct / self.count if self.count else 1.0


def processing_score(asked: Asked, wanted: Asked, known: Collection[str]) -> float:
    """Σ similarity of the best pairing within equal experts / the larger count, times distinctness.

    Only experts of the list are paired; the sub-questions of others count all the same. Where the
    accepted plan itself asks an expert twice, as much of that is no fault.
    """
    most = max(asked.count, wanted.count)
    if not most:
        return 0.0
    total = 0.0
    for expert, questions in wanted.questions.items():
        answers = asked.questions.get(expert) if expert in known else None
        if answers:
            total += best_total([[similarity(a, b) for b in questions] for a in answers])
    distinctness = min(1.0, asked.distinct_share / wanted.distinct_share)
    return min(1.0, total / most) * distinctness


def best_total(gains: Sequence[Sequence[float]]) -> float:
    """The greatest sum of gains when each row takes at most one column and each column one row.

    >>> best_total([[0.9, 0.8], [0.7, 0.1]])
    1.5
    """
    if len(gains) == 1:
        return max(gains[0])
    if len(gains[0]) == 1:
        return max(row[0] for row in gains)
    matrix = np.asarray(gains)
    # A quarter of a second and 30 MB: only for whoever does compare sub-questions.
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(matrix, maximize=True)
    return float(matrix[rows, columns].sum())
