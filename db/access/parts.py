"""Queries span by span, with what was said to them, from whatever can fetch rows.

Apart from `db.access.exports`, so that a process which only reads need not import what makes SQL.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from schemas.parts import QueryPart, Span, SuggestionPart, by_query

Wanted = Literal["queries", "suggestions", "discarded"]


Fetch = Callable[[Wanted, Mapping[str, object]], Sequence[tuple[Any, ...]]]
"""The rows of one statement for some values, as the driver gives them."""


class Asked(NamedTuple):
    """A query, the suggestions to it in their order, whether a reviewer discarded its plan."""

    query: QueryPart
    suggestions: list[SuggestionPart]
    is_discarded: bool


def read_span(fetch: Fetch, span: Span) -> Iterator[Asked]:
    """The queries of a span, by id."""
    queries = list(map(QueryPart._make, fetch("queries", span._asdict())))
    if not queries:
        return
    ends = {"first": queries[0].id, "last": queries[-1].id}
    suggestions = by_query(fetch("suggestions", ends))
    discarded = {row[0] for row in fetch("discarded", ends)}
    for query in queries:
        yield Asked(query, suggestions.get(query.id, []), query.id in discarded)
