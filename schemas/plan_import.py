"""A plan from somebody else's file: canonical, any dialect, or steps that depend on each other."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from schemas.experts import ExpertList
from schemas.plan import Plan, plan_problems
from schemas.scoring.answer import DoubledKey, parse_strict
from schemas.scoring.check import Problem
from schemas.scoring.wire import DIALECTS, to_canonical


class ImportedPlan(NamedTuple):
    """What was read: a plan without problems, or what there is of one and everything wrong with it.

    `partial` is plain JSON in canonical keys, without the keys that were missing or null; `None`
    where nothing could be used.
    """

    plan: Plan | None
    partial: dict[str, Any] | None
    problems: tuple[Problem, ...]

    @property
    def is_incomplete(self) -> bool:
        """Whether the rewrite or the steps are missing, which is no mistake of the file."""
        whole = ("$.rewritten_query", "$.steps")
        return any(each.code == "missing" and each.path in whole for each in self.problems)


def plan_from_import(value: object, expert_list: ExpertList) -> ImportedPlan:
    """Read a plan (a JSON value, or its text) under a list; aliases become names.

    `depends_on` holds 0-based positions in `steps`; a step's stage is one more than the last of
    those it depends on. Steps that say neither stage nor dependency stand one after the other.
    Nothing that is missing is filled in.
    """
    if isinstance(value, str):
        try:
            value = parse_strict(value)
        except DoubledKey:
            return ImportedPlan(None, None, (Problem("$", "doubled_key", {}),))
        except ValueError:
            return ImportedPlan(None, None, (Problem("$", "not_json", {}),))
    if not isinstance(value, dict):
        return ImportedPlan(None, None, (Problem("$", "not_an_object", {}),))
    fields = {key: each for key, each in cast(dict[str, Any], value).items() if each is not None}
    fields, problems = _staged(fields)
    canonical = cast(dict[str, Any], to_canonical(fields, find_dialect(fields) or "en@1"))
    partial = _named(canonical, expert_list)
    if not problems:
        problems = plan_problems(partial, expert_list)
    if problems:
        return ImportedPlan(None, partial or None, tuple(problems))
    return ImportedPlan(Plan.model_validate(partial), partial, ())


def find_dialect(fields: Mapping[str, object]) -> str | None:
    """The dialect whose top-level keys these are; `None` where no key is known."""
    best, most = None, 0
    for reference, keys in DIALECTS.items():
        known = sum(key in fields for key in (keys.rewritten_query, keys.steps))
        if known > most:
            best, most = reference, known
    return best


def _staged(fields: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The same plan with a stage in every step of `steps`, as far as the steps say one."""
    steps = fields.get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in cast(Any, steps)):
        return dict(fields), []
    items = [
        {key: each for key, each in step.items() if each is not None}
        for step in cast(list[dict[str, Any]], steps)
    ]
    problems: list[Problem] = []
    if not any("order" in step for step in items):
        orders, problems = _stages([step.get("depends_on") for step in items])
        for step, order in zip(items, orders, strict=True):
            step["order"] = order
    for step in items:
        step.pop("depends_on", None)
    return {**fields, "steps": items}, problems


def _stages(dependencies: Sequence[object]) -> tuple[Sequence[int], list[Problem]]:
    """Stage of each step; positions themselves where nothing depends or something is wrong."""
    count = len(dependencies)
    in_sequence = range(1, count + 1)
    if all(each is None for each in dependencies):
        return in_sequence, []
    waits: list[set[int]] = []
    for index, each in enumerate(dependencies):
        needs = cast(list[object], each) if isinstance(each, list) else []
        for need in needs:
            if type(need) is not int or not 0 <= need < count:
                place = f"$.steps[{index}].depends_on"
                return in_sequence, [Problem(place, "unknown_dependency", {"value": str(need)})]
        waits.append(set(cast(list[int], needs)))
    stages: dict[int, int] = {}
    while len(stages) < count:
        ready = [i for i in range(count) if i not in stages and waits[i] <= stages.keys()]
        if not ready:
            first = min(i for i in range(count) if i not in stages)
            return in_sequence, [Problem(f"$.steps[{first}].depends_on", "cycle", {})]
        for i in ready:
            stages[i] = 1 + max((stages[need] for need in waits[i]), default=0)
    return [stages[i] for i in range(count)], []


def _named(plan: dict[str, Any], expert_list: ExpertList) -> dict[str, Any]:
    steps = plan.get("steps")
    if not isinstance(steps, list):
        return plan
    for step in cast(list[object], steps):
        if isinstance(step, dict) and isinstance(step.get("expert"), str):
            fields = cast(dict[str, Any], step)
            name = fields["expert"].strip()
            fields["expert"] = expert_list.aliases.get(name, name)
    return plan
