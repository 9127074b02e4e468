"""The plan in its canonical form: rewritten query, and steps in stages.

`order` is a 1-based stage; steps of one stage may run in parallel; stages are contiguous; steps are
sorted by stage and keep their position within it.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, JsonValue

from schemas.errors import InvalidInput
from schemas.experts import ExpertList
from schemas.scoring import check
from schemas.scoring.check import Problem

_SCHEMA = Path(__file__).parent / "dialects" / "canonical.schema.json"


class Step(BaseModel):
    """One expert's part of a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expert: str
    sub_questions: tuple[str, ...]
    order: int


class Plan(BaseModel):
    """What the planner answers, in canonical form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rewritten_query: str
    steps: tuple[Step, ...]

    def to_plain(self) -> dict[str, JsonValue]:
        """Plain JSON values, as `schemas.scoring` and the editor take them."""
        return self.model_dump(mode="json")


def plan_problems(plan: object, expert_list: ExpertList) -> list[Problem]:
    """Everything wrong with a plan (plain values) under a list; empty when it may be submitted."""
    return check.plan_problems(plan, expert_list.names)


def _judged(plan: Any) -> list[Problem]:
    """The JSON Schema has the last word on what people hand in; the check above is only faster.

    A property test holds the two equal, so that nothing should ever be found here.
    """
    return [
        Problem(error.json_path, "form_refused", {"detail": error.message[:200]})
        for error in _judge().iter_errors(plan)
    ]


@cache
def _judge() -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(_SCHEMA.read_bytes()))


def parse_plan(plan: object, expert_list: ExpertList) -> Plan:
    """A plan from plain values, its steps sorted by stage.

    Raises:
        InvalidInput: `plan.refused`, with every problem.
    """
    problems = plan_problems(plan, expert_list) or _judged(plan)
    if problems:
        raise InvalidInput("plan.refused", problems=problems, count=len(problems))
    checked = Plan.model_validate(plan)
    return checked.model_copy(
        update={"steps": tuple(sorted(checked.steps, key=lambda step: step.order))}
    )
