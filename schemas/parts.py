"""What an export reads of a query and of what was said to it: values only, as rows give them.

A process that only judges and renders needs these and not the database.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Span(NamedTuple):
    """Queries by their ids: after one, until another (which belongs to it)."""

    after: str
    until: str


class QueryPart(NamedTuple):
    """A query as it stands in a row, with its chosen plan where it has one.

    `history`, `messages` and `plan` are JSON text, days YYYY-MM-DD in UTC. `answer` is the old
    answer of a historical chat, byte for byte.
    """

    id: str
    kind: str
    text: str
    history: str
    messages: str | None
    answer: str | None
    cluster: str
    list_version_id: str
    prompt_version_id: str
    dialect: str
    window: int
    content_hash: str
    created_on: str
    revision_id: str | None
    plan: str | None
    plan_hash: str | None
    own_suggestion_id: str | None
    decided_on: str | None
    revision_kind: str | None


class SuggestionPart(NamedTuple):
    """One suggestion; `plan` is JSON text.

    `rederived_for` is the revision that its trace was written for, accepted by a reviewer.
    """

    id: str
    query_id: str
    origin: str
    candidate: int
    model: str | None
    plan: str | None
    trace: str | None
    trace_length: int
    failure: str | None
    is_repaired: bool
    created_on: str
    rederived_for: str | None = None


class RevisionText(NamedTuple):
    """A revision's plan as JSON text, and its hash."""

    plan: str
    content_hash: str


class PinnedPrompt(NamedTuple):
    """A version of a prompt; `reference` is NAME@N."""

    reference: str
    template: str
    content_hash: str


def by_query(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[SuggestionPart]]:
    """Rows of suggestions by their query, each query's in order."""
    found: dict[str, list[SuggestionPart]] = {}
    for row in rows:
        part = SuggestionPart._make(row)
        others = found.get(part.query_id)
        if others is None:
            found[part.query_id] = [part]
        else:
            others.append(part)
    for parts in found.values():
        if len(parts) > 1:
            parts.sort(key=lambda part: (part.candidate, part.id))
    return found
