"""Checks against the database: a row is what its origin makes it, and may be trained on at all."""

from collections.abc import Callable
from hashlib import sha256
from typing import Literal

import orjson

from exports.checks.lines import Check, Held, Judge, Line, alone
from exports.checks.sources import Source, Sources
from schemas.bundle import AUGMENTED
from schemas.dialects import render_thinking
from schemas.experts import ExpertList
from schemas.recipe import SFT_FORMATS
from schemas.scoring.wire import to_text
from schemas.staleness import trace_state

PromptFault = Literal["other_list", "cut_list", "other_prompt"]


def _is_of_manifest(line: Line) -> bool:
    if line.origin is None or not line.origin.row_hash:
        return False
    return sha256(line.raw + b"\n").hexdigest()[:16] != line.origin.row_hash


def _has_no_source(held: Held) -> Judge:
    is_known = held.sources is not None
    return lambda line: is_known and line.origin is not None and line.source is None


def _is_leak(line: Line) -> bool:
    return line.source is not None and line.source.is_leak


def _is_stale(held: Held) -> Judge:
    """The thinking led a model to another plan than people decided on."""
    keeps = held.terms.get("stale_traces") == "keep"

    def judge(line: Line) -> bool:
        source, origin = line.source, line.origin
        if source is None or origin is None or source.taught is None or origin.kind != "accepted":
            return False
        if line.kind == "grpo" or line.thinks is False or (keeps and line.kind in SFT_FORMATS):
            return False
        # A trace that was derived anew has the plan of its own revision, and for others none.
        taught = source.taught.plan
        return taught is None or trace_state(source.plan, taught) == "stale"

    return judge


def _thinks_otherwise(line: Line) -> bool:
    """The thinking is not that of its origin."""
    source = line.source
    if source is None or line.kind == "grpo" or not line.thinks or not line.answers:
        return False
    texts = [(line.answers[0], source.taught)]
    if line.kind == "dpo":
        texts.append((line.answers[1], source.rejected))
    for answer, taught in texts:
        trace = (taught.trace if taught else None) or ""
        is_tagged = line.kind == "agent" and "<" in trace
        is_told = answer.fault is None and not is_tagged
        if is_told and not answer.text.startswith(render_thinking(trace)):
            return True
    return False


def _answers_otherwise(line: Line) -> bool:
    """The plan is not that of its origin."""
    source = line.source
    if source is None or not line.answers:
        return False
    if line.kind == "agent":
        said = [(each.get("name"), _order(each)) for each in line.calls]
        return said != [(step["expert"], step["order"]) for step in source.plan["steps"]]
    plans = [(line.answers[0], source.plan)]
    if line.kind == "dpo" and source.rejected is not None:
        plans.append((line.answers[1], source.rejected.plan))
    return any(
        answer.plan is not None and answer.json != to_text(plan, source.query.dialect)
        for answer, plan in plans
    )


def _order(call: dict[str, object]) -> object:
    arguments = call.get("arguments")
    return arguments.get("order") if isinstance(arguments, dict) else None


def _is_prompted_otherwise(fault: PromptFault) -> Callable[[Held], Judge]:
    return lambda held: lambda line: _prompt_fault(held, line) == fault


def _prompt_fault(held: Held, line: Line) -> PromptFault | None:
    """Whether a row stands under the list and the prompt that its query is pinned to."""
    source, sources = line.source, held.sources
    if source is None or sources is None:
        return None
    reference = (line.meta or {}).get("list_version", source.own_list.reference)
    if reference != source.own_list.reference:
        return "other_list"
    if line.origin is not None and line.origin.variant == AUGMENTED:
        return _twin_fault(line)
    if line.names is not None and line.names != _names(source.own_list):
        return "cut_list"
    if _shows_its_prompt(line, source, sources):
        return None
    is_ours = line.kind != "agent" and source.query.messages is None
    return _what_differs(line, source, sources) if is_ours else "other_prompt"


def _shows_its_prompt(line: Line, source: Source, sources: Sources) -> bool:
    """By its query's pins, or byte for byte where a historical chat has its own."""
    if source.query.messages is not None:
        given = line.row["messages"]
        told = given if line.kind == "grpo" else given[:-1]
        return told == orjson.loads(source.query.messages)
    if line.thinks is None:
        return True
    is_agent = line.kind == "agent"
    return line.system == sources.system(source, is_agent=is_agent, thinks=line.thinks)


def _what_differs(line: Line, source: Source, sources: Sources) -> PromptFault:
    """Which list a system message shows, by the names that begin its lines."""
    lists = {_names(each) for each in sources.pinned.lists.values()}
    shown = {names: sum(f"- {name}" in line.system for name in names) for names in lists}
    own = _names(source.own_list)
    if shown[own] == len(own):
        others = [names for names in lists if set(names) > set(own) and shown[names] == len(names)]
        return "other_list" if others else "other_prompt"
    whole = [names for names in lists if shown[names] == len(names) and names != own]
    return "other_list" if whole else "cut_list"


def _twin_fault(line: Line) -> PromptFault | None:
    """A twin shows at least what its plan calls, and all that its rewards are told."""
    if line.kind == "agent":
        return None
    wanted = {*line.called, *(line.names or ())}
    return None if all(f"- {name}" in line.system for name in wanted) else "cut_list"


def _names(expert_list: ExpertList) -> tuple[str, ...]:
    return tuple(each.name for each in expert_list.experts)


CHECKS: tuple[Check, ...] = (
    Check("row_not_of_manifest", alone(_is_of_manifest)),
    Check("row_without_source", _has_no_source),
    Check("row_of_benchmark", alone(_is_leak)),
    Check("row_thinking_stale", _is_stale),
    Check("row_thinking_other", alone(_thinks_otherwise)),
    Check("row_answer_other", alone(_answers_otherwise)),
    Check("row_list_other", _is_prompted_otherwise("other_list")),
    Check("row_list_cut", _is_prompted_otherwise("cut_list")),
    Check("row_prompt_other", _is_prompted_otherwise("other_prompt")),
)
