"""What an editor sends: any JSON object within bounds; it may be wrong as a plan."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from schemas.errors import InvalidInput

MOST_CHARACTERS = 200_000


def to_draft(content: object) -> dict[str, Any]:
    """The content as it may be stored.

    Raises:
        InvalidInput: `annotate.not_an_object`, `annotate.too_large`.
    """
    if not isinstance(content, dict):
        raise InvalidInput("annotate.not_an_object")
    try:
        text = _canonical(cast(dict[str, Any], content))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("annotate.not_an_object") from error
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput("annotate.too_large", most=MOST_CHARACTERS)
    return cast(dict[str, Any], content)


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 over the content with sorted keys."""
    return hashlib.sha256(_canonical(content).encode("ascii")).hexdigest()


def opening_draft(
    plan: Mapping[str, Any] | None, partial_plan: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What an editor opens with: a usable plan, else what there is of one in a plan's shape.

    A partial plan keeps what it has; what is missing is empty, never guessed.
    """
    if plan is not None:
        return dict(plan)
    found = partial_plan or {}
    rewrite, steps = found.get("rewritten_query"), found.get("steps")
    return {
        "rewritten_query": rewrite if isinstance(rewrite, str) else "",
        "steps": [
            _step(cast(dict[str, Any], each), place)
            for place, each in enumerate(cast(list[object], steps), start=1)
            if isinstance(each, dict)
        ]
        if isinstance(steps, list)
        else [],
    }


def _step(found: Mapping[str, Any], place: int) -> dict[str, Any]:
    expert, questions, order = (found.get(key) for key in ("expert", "sub_questions", "order"))
    return {
        "expert": expert if isinstance(expert, str) else "",
        "sub_questions": [each for each in cast(list[object], questions) if isinstance(each, str)]
        if isinstance(questions, list)
        else [],
        "order": order if isinstance(order, int) and not isinstance(order, bool) else place,
    }


def _canonical(content: Mapping[str, Any]) -> str:
    # ASCII escapes carry lone surrogates too, which a browser may send and UTF-8 cannot hold.
    return json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))
