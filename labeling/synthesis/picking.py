"""Which answers an order wants that nobody has asked for yet."""

from collections.abc import Iterator
from typing import NamedTuple

from db.access import batches
from db.access.batches import NewRequest
from db.engine import Session
from labeling.experts import find_reference
from labeling.synthesis.stale import Wanted, list_wanted
from schemas.errors import NotFound
from schemas.synthesis import BatchPreview, QueryPins, SynthesisOrder, Which

_AT_ONCE = 1000
_STATES: dict[Which, tuple[str, ...]] = {
    "waiting": ("waiting",),
    "undecided": ("waiting", "ready"),
}


class Picked(NamedTuple):
    """New requests, and the keys of those left open by a batch that is not running any more."""

    preview: BatchPreview
    requests: list[NewRequest]
    open_elsewhere: list[str]


def pick(session: Session, project_id: str, order: SynthesisOrder) -> Picked:
    """The answers wanted, query by query until the order's limit.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    list_version_id = _find_list(session, project_id, order)
    requests: list[NewRequest] = []
    adoptable: list[str] = []
    queries, known = 0, 0
    pages = list_wanted if order.rederive else _list_unanswered
    for wanted in pages(session, project_id, list_version_id, order):
        keys = [each.request_key for one in wanted for each in one.requests]
        states = batches.known_requests(session, keys)
        for _, some in wanted:
            new = [each for each in some if each.request_key not in states]
            left = [each.request_key for each in some if states.get(each.request_key) == "left"]
            known += len(some) - len(new) - len(left)
            if not new and not left:
                continue
            queries += 1
            requests += new
            adoptable += left
            if queries == order.limit:
                return _picked(queries, known, requests, adoptable)
    return _picked(queries, known, requests, adoptable)


def _list_unanswered(
    session: Session, project_id: str, list_version_id: str | None, order: SynthesisOrder
) -> Iterator[list[Wanted]]:
    """Queries that nobody has decided on, page by page."""
    after = ""
    while page := batches.pick_queries(
        session, project_id, list_version_id, _STATES[order.which], after=after, count=_AT_ONCE
    ):
        after = page[-1].query_id
        yield [Wanted(pins, _requests_of(pins, order)) for pins in page]


def _picked(queries: int, known: int, requests: list[NewRequest], adoptable: list[str]) -> Picked:
    count = len(requests) + len(adoptable)
    preview = BatchPreview(queries=queries, requests=count, known=known)
    return Picked(preview, requests, adoptable)


def _find_list(session: Session, project_id: str, order: SynthesisOrder) -> str | None:
    if order.experts is None:
        return None
    found = find_reference(session, project_id, order.experts)
    if found is None:
        raise NotFound("experts.list_not_found", reference=order.experts)
    return found[0]


def _requests_of(pins: QueryPins, order: SynthesisOrder) -> list[NewRequest]:
    return [
        NewRequest(pins.query_id, candidate, order.request_key(pins, candidate))
        for candidate in range(1, order.n + 1)
    ]
