"""Preflight's check of the gaming probes: weights under which a trick pays are not launched."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from exports.training.probing import (
    ProbedLine,
    bench_request,
    judged,
    probe_lines,
    sample_rows,
    to_scores,
)
from schemas.training import Check

ROWS = 40
"""Rows that are probed before a launch; the reward bench looks at more."""


class ProbePlan(NamedTuple):
    """The probes of a launch, and the weights that they are judged under."""

    weights: dict[str, float]
    lines: tuple[ProbedLine, ...]
    request: dict[str, Any]


def plan_probes(bundle: Path, rewards: Sequence[str], weights: Sequence[float]) -> ProbePlan | None:
    """What to ask the trainer; nothing where rewards and weights do not fit each other."""
    held = dict(zip(rewards, weights, strict=False))
    if len(rewards) != len(weights) or sum(held.values()) <= 0:
        return None
    try:
        lines = probe_lines(sample_rows(bundle / "grpo.jsonl", ROWS).rows)
    except (ValueError, KeyError, TypeError):
        lines = []
    asked = [each.line for each in lines]
    return ProbePlan(held, tuple(lines), bench_request(bundle, rewards, asked))


def check_probes(plan: ProbePlan, said: Mapping[str, Any]) -> Check:
    """Whether no probe earns what an honest plan earns, or which one does."""
    if said.get("error"):
        return _check("probes_unscored", line=said["error"])
    if not plan.lines:
        return _check("no_probes")
    figures = judged(plan.lines, to_scores(said, list(plan.weights)), plan.weights)
    paying = [each for each in figures if not each.is_passed]
    if not paying:
        return _check("passed_probes", count=len(figures))
    first = max(paying, key=lambda each: (each.worst.total - each.worst.ceiling, each.reached))
    return _check(
        "probe_pays",
        probe={"code": f"rewards.probe_{first.name}"},
        total=f"{first.worst.total:.3f}",
        ceiling=f"{first.worst.ceiling:.3f}",
        reached=first.reached,
        count=first.count,
    )


def _check(code: str, **values: Any) -> Check:
    return Check(
        name="probes",
        is_passed=code == "passed_probes",
        code=f"training.{code}",
        values=values,
    )
