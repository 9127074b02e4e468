"""The three tests of a trace that was written anew for a corrected plan, and what they decide.

People correct the plan only, so a model's thinking may argue for another one. A trace that is
written for the corrected plan is taught only where it betrays no hint, commits itself in the end to
the experts of the plan in their order, and leads whoever reads it alone to the same plan in enough
of some tries; and where a reviewer, who is not the plan's author, has then accepted it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.agreement import experts_by_stage
from schemas.committed import order_fault
from schemas.experts import ExpertList
from schemas.hints import find_hint_leak
from schemas.scoring.check import VISIBLE
from schemas.sentences import Language

RederivedState = Literal["testing", "waiting", "accepted", "refused"]
PlainPlan = Mapping[str, Any]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rederive(_Value):
    """How a batch tests its traces: at least `agree` of `tries` blind plans must be the same."""

    tries: int = Field(default=3, ge=1, le=16)
    agree: int = Field(default=2, ge=1, le=16)

    @model_validator(mode="after")
    def _can_agree(self) -> "Rederive":
        if self.agree > self.tries:
            raise PydanticCustomError("agree", "no more can agree than are asked")
        return self


class TraceFault(NamedTuple):
    """What the two tests say that cost nothing; `failure` is a code of the area `synthesis`."""

    failure: str | None
    passage: str | None = None


def trace_fault(
    trace: str | None, plan: PlainPlan, expert_list: ExpertList, spoken: Iterable[str]
) -> TraceFault:
    """Hint-leak test and order test of a trace for a plan.

    Args:
        trace: The trace as it was read; none where the reply holds none.
        plan: The accepted plan (canonical values).
        expert_list: The list that the query is pinned to.
        spoken: Query and dialogue: what the user said betrays nothing.
    """
    if trace is None or not VISIBLE.search(trace):
        return TraceFault("synthesis.rederived_no_trace")
    leak = find_hint_leak(trace, spoken)
    if leak is not None:
        return TraceFault(f"synthesis.rederived_hint_{leak.kind}", leak.passage)
    fault = order_fault(trace, plan, expert_list)
    return TraceFault(None if fault is None else f"synthesis.rederived_{fault}")


def same_experts(accepted: PlainPlan, decoded: PlainPlan | None) -> bool:
    """Whether a blind plan has the experts of each stage, as multisets; wording does not count."""
    return decoded is not None and experts_by_stage(accepted) == experts_by_stage(decoded)


def decode_verdict(agreed: Iterable[bool | None], agree: int) -> bool | None:
    """Whether enough blind plans were the same; None while those without an answer may decide it.

    Args:
        agreed: Of each try whether it was the same; None where no answer came (yet).
        agree: How many must be the same.

    >>> decode_verdict([True, False, True], 2), decode_verdict([True, None, False], 2)
    (True, None)
    >>> decode_verdict([None, False, False], 2)
    False
    """
    tries = list(agreed)
    yes, unknown = tries.count(True), tries.count(None)
    if yes >= agree:
        return True
    return None if yes + unknown >= agree else False


class Prompts(NamedTuple):
    """The two templates of one language: the trace with the hint, and the plan without."""

    write: str
    decode: str

    @property
    def version(self) -> str:
        """What stands on a trace: equal for equal templates."""
        return hashlib.sha256("\0".join(self).encode()).hexdigest()[:12]


@cache
def rederivation_prompts(language: Language) -> Prompts:
    """The templates that ship, in a language."""
    return Prompts(_template("rederive", language), _template("decode", language))


@cache
def own_prompts(language: Language) -> Prompts:
    """The same for a chat that keeps its own prompt: what is asked comes after its messages."""
    return Prompts(_template("rederive_own", language), _template("decode", language))


def names_experts(system: str, plan: PlainPlan, expert_list: ExpertList) -> bool:
    """Whether a prompt that is not ours tells of every expert of a plan, by name or alias."""
    wanted = {step["expert"] for step in plan["steps"]}
    return all(
        any(name in system for name in (each.name, *each.aliases))
        for each in expert_list.experts
        if each.name in wanted
    )


def _template(name: str, language: Language) -> str:
    return (Path(__file__).parent / "prompts" / f"{name}.{language}.txt").read_text("utf-8")


class BlindView(_Value):
    """What somebody made of a trace alone."""

    number: int
    plan: dict[str, Any] | None
    failure: str | None
    agrees: bool | None


class RederivedTrace(_Value):
    """A trace that was written for an accepted plan, with what its tests say.

    `is_current` turns false when the plan has been corrected since. `blind` is empty in a list.
    """

    id: str
    query_id: str
    query: str
    history: tuple[dict[str, str], ...]
    expert_list: str
    plan: dict[str, Any]
    model: str | None
    trace: str | None
    trace_length: int
    state: RederivedState
    is_current: bool
    tries: int
    agree: int
    failure: str | None
    passage: str | None
    reason: str
    created_at: datetime
    blind: tuple[BlindView, ...] = ()
