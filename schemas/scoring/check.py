"""What is wrong with a plan, in words that an editor can place.

Called alike by editor, submit, reward, export and import, so it takes plain values. The form that
is asked here is also written down as `schemas/dialects/canonical.schema.json`; a property test
holds the two verdicts equal. What a schema cannot say (names of the list, stages without a gap, one
expert once in a stage) is asked here alone.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, cast

MAX_QUERY = 10_000
MAX_SUB_QUESTION = 4_000
MAX_EXPERT = 200
MAX_STEPS = 100
MAX_SUB_QUESTIONS = 100

PLAN_KEYS = ("rewritten_query", "steps")
STEP_KEYS = ("expert", "sub_questions", "order")

# A lone surrogate cannot be stored as UTF-8, and NUL not in PostgreSQL.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
VISIBLE = re.compile("[^\\s\u200b-\u200f\u2060\ufeff]")
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*\Z")


class Problem(NamedTuple):
    """One place of a plan that is not as it should be.

    `path` is a JSONPath such as `$.steps[2].sub_questions[1]` (0-based); `code` names a sentence in
    the area `plan`; `values` fills that sentence.
    """

    path: str
    code: str
    values: Mapping[str, object]


def plan_problems(plan: object, expert_names: Collection[str]) -> list[Problem]:
    """Everything wrong with a canonical plan under a list; empty when it may be submitted.

    Problems come in reading order. An empty list of steps is valid: no expert is needed.

    >>> plan_problems({"rewritten_query": "查看经营周报", "steps": []}, {"数据分析专家"})
    []
    >>> step = {"expert": "数据专家", "sub_questions": ["查看经营周报"], "order": 2}
    >>> plan = {"rewritten_query": "查看经营周报", "steps": [step]}
    >>> for problem in plan_problems(plan, {"数据分析专家"}):
    ...     print(problem.path, problem.code)
    $.steps[0].expert unknown_expert
    $.steps[0].order order_start
    """
    if _is_plainly_right(plan, expert_names):
        return []
    if not isinstance(plan, dict):
        return [Problem("$", "not_an_object", {})]
    fields = cast(dict[object, object], plan)
    problems = list(_key_problems(fields, PLAN_KEYS, "$"))
    if "rewritten_query" in fields:
        path = "$.rewritten_query"
        problems += _text_problems(fields["rewritten_query"], path, MAX_QUERY)
    if "steps" in fields:
        problems += _steps_problems(fields["steps"], expert_names)
    return problems


def _is_plainly_right(plan: Any, expert_names: Collection[str]) -> bool:
    """Whether a plan is right in the plainest way, as most are; the long way asks all the rest.

    An import or an export judges every plan, and this takes a tenth of the time.
    """
    steps = plan.get("steps") if type(plan) is dict and len(plan) == 2 else None
    if type(steps) is not list or len(steps) > MAX_STEPS:
        return False
    texts: list[Any] = [plan.get("rewritten_query")]
    stage, seen = 0, list[str]()
    for step in steps:
        if type(step) is not dict or len(step) != 3:
            return False
        expert, order, asked = step.get("expert"), step.get("order"), step.get("sub_questions")
        if type(order) is not int or type(asked) is not list or type(expert) is not str:
            return False
        if order == stage + 1:
            stage, seen = order, []
        if order != stage or order < 1 or expert in seen or expert not in expert_names:
            return False
        seen.append(expert)
        texts.append(expert)
        texts += asked
        if not 0 < len(asked) <= MAX_SUB_QUESTIONS or len(expert) > MAX_EXPERT:
            return False
    return _are_plain_texts(texts)


def _are_plain_texts(texts: list[Any]) -> bool:
    """Printable, so without anything forbidden, not only spaces, and of a length for any place."""
    return (
        set(map(type, texts)) == {str}
        and all(map(str.strip, texts))
        and max(map(len, texts)) <= MAX_SUB_QUESTION
        and "".join(texts).isprintable()
    )


def is_form_problem(problem: Problem) -> bool:
    """Whether the JSON Schema of the canonical plan sees this problem too."""
    if problem.code == "order_start":
        return cast(int, problem.values["order"]) < 1
    return problem.code not in {"unknown_expert", "expert_twice", "order_gap"}


def _steps_problems(steps: object, expert_names: Collection[str]) -> list[Problem]:
    if not isinstance(steps, list | tuple):
        return [Problem("$.steps", "wrong_type", {"expected": "array"})]
    items = cast(list[object], steps)
    if len(items) > MAX_STEPS:
        return [Problem("$.steps", "too_many", {"most": MAX_STEPS, "count": len(items)})]
    problems: list[Problem] = []
    for index, step in enumerate(items):
        problems += _step_problems(step, f"$.steps[{index}]", expert_names)
    return problems + list(_stage_problems(items))


def _step_problems(step: object, path: str, expert_names: Collection[str]) -> list[Problem]:
    if not isinstance(step, dict):
        return [Problem(path, "not_an_object", {})]
    fields = cast(dict[object, object], step)
    problems = list(_key_problems(fields, STEP_KEYS, path))
    if "expert" in fields:
        expert = fields["expert"]
        found = _text_problems(expert, f"{path}.expert", MAX_EXPERT)
        if not found and expert not in expert_names:
            found = [Problem(f"{path}.expert", "unknown_expert", {"expert": expert})]
        problems += found
    if "sub_questions" in fields:
        problems += _sub_question_problems(fields["sub_questions"], f"{path}.sub_questions")
    if "order" in fields and not _is_integer(fields["order"]):
        problems.append(Problem(f"{path}.order", "wrong_type", {"expected": "integer"}))
    return problems


def _sub_question_problems(value: object, path: str) -> list[Problem]:
    if not isinstance(value, list | tuple):
        return [Problem(path, "wrong_type", {"expected": "array"})]
    items = cast(list[object], value)
    if not items:
        return [Problem(path, "no_sub_questions", {})]
    if len(items) > MAX_SUB_QUESTIONS:
        return [Problem(path, "too_many", {"most": MAX_SUB_QUESTIONS, "count": len(items)})]
    return [
        problem
        for index, item in enumerate(items)
        for problem in _text_problems(item, f"{path}[{index}]", MAX_SUB_QUESTION)
    ]


def _text_problems(value: object, path: str, most: int) -> list[Problem]:
    if not isinstance(value, str):
        return [Problem(path, "wrong_type", {"expected": "string"})]
    if len(value) > most:
        return [Problem(path, "too_long", {"most": most, "count": len(value)})]
    found = FORBIDDEN.search(value)
    if found:
        character = f"U+{ord(found[0]):04X}"
        return [Problem(path, "control_character", {"character": character})]
    return [] if VISIBLE.search(value) else [Problem(path, "blank", {})]


def _key_problems(
    fields: Mapping[object, object], known: tuple[str, ...], path: str
) -> Iterator[Problem]:
    for key in known:
        if key not in fields:
            yield Problem(f"{path}.{key}", "missing", {"key": key})
    for key in fields:
        if key not in known:
            name = str(key)
            place = f"{path}.{name}" if _PLAIN_KEY.match(name) else f"{path}[{name!r}]"
            yield Problem(place, "unknown_key", {"key": name})


def _stage_problems(steps: list[object]) -> Iterator[Problem]:
    """Stages begin at 1, leave no gap, and name an expert once; steps without a stage are left out.

    Whoever has an `order` of the wrong type has been told so; gaps are then not judged.
    """
    placed: list[tuple[int, int, object]] = []
    is_complete = True
    for index, step in enumerate(steps):
        fields = cast(dict[str, object], step) if isinstance(step, dict) else {}
        order = fields.get("order")
        if _is_integer(order):
            placed.append((cast(int, order), index, fields.get("expert")))
        else:
            is_complete = False
    placed.sort(key=lambda each: each[:2])
    before, seen = 0, set[str]()
    for order, index, expert in placed:
        if order != before:
            seen.clear()
        if isinstance(expert, str) and VISIBLE.search(expert):
            if expert in seen:
                values = {"expert": expert, "order": order}
                yield Problem(f"$.steps[{index}].expert", "expert_twice", values)
            seen.add(expert)
        if order < 1 or (is_complete and before == 0 and order > 1):
            yield Problem(f"$.steps[{index}].order", "order_start", {"order": order})
        elif is_complete and order > before + 1:
            values = {"order": order, "missing": before + 1}
            yield Problem(f"$.steps[{index}].order", "order_gap", values)
        before = order


def _is_integer(value: object) -> bool:
    # As in JSON Schema: 1.0 is an integer, true is not.
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)
