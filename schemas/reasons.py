"""Why a reviewer sends a plan back: one or more reasons, each about a place of plan or trace."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.comments import Span

REASON_CODES: tuple[str, ...] = (
    "rewrite_inaccurate",
    "wrong_expert",
    "missing_expert",
    "needless_expert",
    "wrong_order",
    "sub_questions",
    "other",
)
LONGEST_REMARK = 2_000
MOST_REASONS = 20


class Reason(BaseModel):
    """One reason, in words and by its code, and the place that it is about.

    `path` is a place of the plan as a JSONPath, `span` a passage of the trace; without either it
    is about the whole. What is discarded has words only, and what went back with its lot a code
    that no reviewer chooses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str | None
    remark: str = ""
    path: str | None = None
    span: Span | None = None


def reasons_of(stored: Mapping[str, Any]) -> tuple[Reason, ...]:
    """The reasons of a verdict from what its row, or the event about it, holds.

    The first stands in `reason_code`, `reason`, `path` and `span`, further ones in `more_reasons`.

    >>> [each.code for each in reasons_of({"reason_code": "wrong_order", "reason": ""})]
    ['wrong_order']
    >>> reasons_of({"reason_code": None, "reason": ""})
    ()
    """
    names = {"code": "reason_code", "remark": "reason", "path": "path", "span": "span"}
    first = {ours: stored.get(theirs) for ours, theirs in names.items()}
    more = stored.get("more_reasons") or ()
    if not any(first.values()):
        return ()
    given = [first | {"remark": first["remark"] or ""}, *more]
    return tuple(Reason.model_validate(each) for each in given)
