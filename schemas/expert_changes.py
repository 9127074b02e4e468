"""What people made of a model's choice of experts: kept, replaced, taken out, put in."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from schemas.scoring.text import similarity


class ExpertChange(NamedTuple):
    """One expert of the model and the one in its place; None where there is none."""

    model: str | None
    human: str | None


def expert_changes(suggested: Mapping[str, Any], decided: Mapping[str, Any]) -> list[ExpertChange]:
    """Pair the experts of two canonical plans, as multisets.

    Equal experts are pairs. What is left is paired by what it is asked, the most similar first:
    the same questions to another expert are a replacement. The rest was taken out or put in.
    """
    model, human = _asked(suggested), _asked(decided)
    kept = Counter(name for name, _ in model) & Counter(name for name, _ in human)
    changes = [ExpertChange(name, name) for name in sorted(kept.elements())]
    removed, added = _left(model, kept), _left(human, kept)
    if removed and added:
        likeness = [[similarity(a, b) for _, b in added] for _, a in removed]
        # A quarter of a second and 30 MB, which others who import this need not pay.
        from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

        rows, columns = linear_sum_assignment(np.asarray(likeness), maximize=True)
        pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
        changes += [ExpertChange(removed[row][0], added[column][0]) for row, column in pairs]
        removed = _without(removed, {row for row, _ in pairs})
        added = _without(added, {column for _, column in pairs})
    changes += [ExpertChange(name, None) for name, _ in removed]
    return changes + [ExpertChange(None, name) for name, _ in added]


def _asked(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(step["expert"], "\n".join(step["sub_questions"])) for step in plan["steps"]]


def _left(steps: list[tuple[str, str]], kept: Counter[str]) -> list[tuple[str, str]]:
    rest = Counter(kept)
    left: list[tuple[str, str]] = []
    for name, asked in steps:
        if rest[name]:
            rest[name] -= 1
        else:
            left.append((name, asked))
    return left


def _without(steps: list[tuple[str, str]], places: set[int]) -> list[tuple[str, str]]:
    return [step for place, step in enumerate(steps) if place not in places]
