"""Wire forms of a plan: the text a model writes, and back without loss.

Each dialect has a version and a JSON Schema (draft 2020-12) beside this module. Keys and renaming
are those of `schemas.scoring.wire`, which travels with bundles; a new dialect begins there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import NotFound
from schemas.plan import Plan
from schemas.scoring import wire
from schemas.scoring.wire import DIALECTS


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of a wire form; immutable, since queries are pinned to it."""

    name: str
    version: int
    schema: Mapping[str, Any]

    @property
    def reference(self) -> str:
        """`NAME@VERSION`, as pins and recipes write it."""
        return f"{self.name}@{self.version}"

    def to_text(self, plan: Plan) -> str:
        r"""The JSON text of a plan, `<` inside strings written `\u003c`."""
        return wire.to_text(plan.to_plain(), self.reference)

    def to_plain(self, value: object) -> object:
        """A parsed wire value with canonical keys, its steps in order; errors in it stay in it."""
        return wire.to_canonical(value, self.reference)


@cache
def get_dialect(reference: str) -> Dialect:
    """The dialect of a reference such as `zh@1`.

    Raises:
        NotFound: `plan.dialect_not_found`.
    """
    if reference not in DIALECTS:
        known = ", ".join(sorted(DIALECTS))
        raise NotFound("plan.dialect_not_found", reference=reference, known=known)
    name, _, version = reference.partition("@")
    return Dialect(name, int(version), _schema(reference))


def canonical_schema() -> Mapping[str, Any]:
    """The JSON Schema of the canonical plan."""
    return _schema("canonical")


def render_answer(plan: Plan, dialect: Dialect, trace: str | None) -> str:
    """The whole text of an answer, in the strict form; `trace` is `None` without thinking.

    Tags inside a trace are written with `‹` and `›`, for each tag may stand but once.
    """
    return render_plain_answer(plan.to_plain(), dialect.reference, trace)


def render_plain_answer(plan: Mapping[str, Any], dialect: str, trace: str | None) -> str:
    """`render_answer` of plain values, without the cost of a model; exports write many."""
    return answer_around(wire.to_text(plan, dialect), trace)


def answer_around(plan_text: str, trace: str | None) -> str:
    """The whole text of an answer around the JSON text of its plan."""
    answer = f"<answer>\n{plan_text}\n</answer>"
    if trace is None:
        return answer
    return render_thinking(trace) + answer


def render_thinking(trace: str) -> str:
    """A trace inside its tags, as it stands before an answer."""
    return f"<think>\n{_without_tags(trace.strip())}\n</think>\n\n"


def _without_tags(trace: str) -> str:
    if "<" not in trace:
        return trace
    for name in ("think", "answer"):
        trace = trace.replace(f"<{name}>", f"‹{name}›").replace(f"</{name}>", f"‹/{name}›")
    return trace


def _schema(name: str) -> Mapping[str, Any]:
    path = Path(__file__).parent / f"{name}.schema.json"
    return json.loads(path.read_text("utf-8"))
