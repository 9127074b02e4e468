"""Checks of what a row teaches: its answer has the recipe's form and holds a plan."""

from collections.abc import Callable

from exports.checks.lines import Check, Fault, Judge, Line, Unreadable, alone
from schemas.bundle import AUGMENTED, PLAIN


def _has_fault(fault: Fault) -> Judge:
    return lambda line: any(each.fault == fault for each in line.answers)


def _is_unreadable(why: Unreadable) -> Judge:
    return lambda line: any(each.unreadable == why for each in line.answers)


def _is_rejected_itself(line: Line) -> bool:
    is_pair = line.kind == "dpo" and bool(line.answers)
    return is_pair and line.row.get("rejected_response") == line.answers[0].text


def _calls_outside_its_list(line: Line) -> bool:
    names = line.names
    is_changed = line.origin is not None and line.origin.variant in (AUGMENTED, PLAIN)
    if names is None and line.source is not None and not is_changed:
        names = tuple(each.name for each in line.source.own_list.experts)
    return names is not None and not set(line.called) <= set(names)


_FORM: tuple[tuple[str, Fault], ...] = (
    ("row_answer_empty", "empty"),
    ("row_thinking_missing", "thinking_missing"),
    ("row_thinking_unwanted", "thinking_unwanted"),
    ("row_thinking_twice", "thinking_twice"),
    ("row_answer_form", "form"),
)
_INSIDE: tuple[tuple[str, Unreadable], ...] = (
    ("row_answer_not_json", "not_json"),
    ("row_answer_doubled_key", "doubled_key"),
    ("row_answer_no_plan", "no_plan"),
)
_ALONE: tuple[tuple[str, Callable[[Line], bool]], ...] = (
    ("row_rejected_equal", _is_rejected_itself),
    ("row_expert_outside", _calls_outside_its_list),
)
CHECKS: tuple[Check, ...] = (
    *(Check(name, alone(_has_fault(fault))) for name, fault in _FORM),
    *(Check(name, alone(_is_unreadable(why))) for name, why in _INSIDE),
    *(Check(name, alone(judge)) for name, judge in _ALONE),
)
