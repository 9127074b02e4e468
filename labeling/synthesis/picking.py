"""Which answers an order wants that nobody has asked for yet, page by page."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from heapq import nsmallest
from typing import NamedTuple

from db.access import batches, prompts
from db.access.batches import NewRequest
from db.engine import Session
from labeling.experts import find_reference
from labeling.synthesis.forecasting import forecast
from labeling.synthesis.stale import Wanted, list_wanted
from schemas.errors import InvalidInput, NotFound
from schemas.synthesis import BatchPreview, PromptTrial, QueryPins, SynthesisOrder, Which

_AT_ONCE = 1000
_SAMPLE = 100
_STATES: dict[Which, tuple[str, ...]] = {
    "waiting": ("waiting",),
    "undecided": ("waiting", "ready"),
}


class Picked(NamedTuple):
    """A page of new requests, and the keys of those left open by a batch that has let them go.

    `left_out` counts what cannot be asked, by the code of its reason.
    """

    queries: int
    known: int
    requests: list[NewRequest]
    open_elsewhere: list[str]
    left_out: Counter[str]


def pick(session: Session, project_id: str, order: SynthesisOrder) -> Iterator[Picked]:
    """The answers wanted, query by query until the order's limit; a page is all that is held.

    Raises:
        NotFound: `experts.list_not_found`, `prompts.not_found`.
    """
    list_version_id = _find_list(session, project_id, order)
    pages = list_wanted if order.rederive else _list_trial if order.trial else _list_unanswered
    queries = 0
    for wanted in pages(session, project_id, list_version_id, order):
        requests: list[NewRequest] = []
        adoptable: list[str] = []
        here, known, is_last = 0, 0, False
        keys = [each.request_key for one in wanted for each in one.requests]
        states = batches.known_requests(session, keys)
        left_out = Counter(each.left_out for each in wanted if each.left_out)
        for _, some, _ in wanted:
            new = [each for each in some if each.request_key not in states]
            left = [each.request_key for each in some if states.get(each.request_key) == "left"]
            known += len(some) - len(new) - len(left)
            if not new and not left:
                continue
            here += 1
            requests += new
            adoptable += left
            if queries + here == order.limit:
                is_last = True
                break
        queries += here
        yield Picked(here, known, requests, adoptable, left_out)
        if is_last:
            return


def preview(session: Session, project_id: str, order: SynthesisOrder) -> BatchPreview:
    """What an order would ask."""
    queries, count, known, left_out = 0, 0, 0, Counter[str]()
    for page in pick(session, project_id, order):
        queries += page.queries
        known += page.known
        left_out += page.left_out
        count += len(page.requests) + len(page.open_elsewhere)
    return BatchPreview(
        queries=queries,
        requests=count,
        known=known,
        left_out=dict(left_out),
        forecast=forecast(session, project_id, order, count),
    )


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


def _list_trial(
    session: Session, project_id: str, list_version_id: str | None, order: SynthesisOrder
) -> Iterator[list[Wanted]]:
    """The sample of a trial: by a hash of the query, first those whose plan is accepted.

    The same project gives the same sample, so two trials are of the same queries as far as they go;
    at most half of it is left to queries without an accepted plan where there are enough others.
    """
    assert order.trial is not None
    versions = _find_prompts(session, project_id, order.trial)
    most = order.limit or _SAMPLE
    decided, others = (
        nsmallest(most, _all(session, project_id, list_version_id, is_accepted), key=_chance)
        for is_accepted in (True, False)
    )
    kept = decided[: max(most - len(others), (most + 1) // 2)]
    yield [
        Wanted(pins, _trials_of(pins, versions, order))
        for pins in [*kept, *others[: most - len(kept)]]
    ]


def _all(
    session: Session, project_id: str, list_version_id: str | None, is_accepted: bool
) -> Iterator[QueryPins]:
    after = ""
    while page := batches.sample_queries(
        session, project_id, list_version_id, is_accepted=is_accepted, after=after
    ):
        after = page[-1].query_id
        yield from page


def _chance(pins: QueryPins) -> bytes:
    return hashlib.sha256(pins.query_id.encode()).digest()


def _trials_of(
    pins: QueryPins, versions: tuple[str, str], order: SynthesisOrder
) -> list[NewRequest]:
    changed = [pins.model_copy(update={"prompt_version_id": each}) for each in versions]
    return [
        NewRequest(
            pins.query_id,
            candidate,
            order.trial_key(each, candidate),
            "trial",
            prompt_version_id=each.prompt_version_id,
        )
        for each in changed
        for candidate in range(1, order.n + 1)
    ]


def _find_prompts(session: Session, project_id: str, trial: PromptTrial) -> tuple[str, str]:
    found: list[str] = []
    for reference in (trial.first, trial.second):
        name, _, version = reference.strip().partition("@")
        number = int(version) if version.isdecimal() else None
        row = prompts.find_prompt(session, project_id, name, number)
        if row is None or (version and number is None):
            raise NotFound("prompts.not_found", reference=reference)
        found.append(row.id)
    if found[0] == found[1]:
        raise InvalidInput("synthesis.same_prompt", first=trial.first, second=trial.second)
    return found[0], found[1]


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
