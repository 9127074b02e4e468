"""Batches: what is asked, started, paused, cancelled, asked again.

The unit of truth is the row of each answer wanted, under a key of everything that decides it:
starting the same order twice meets in one batch, and no answer is ever asked for under two keys.
"""

from typing import NamedTuple

from db import durable
from db.access import batches, suggestions, trace_lengths
from db.access.batch_progress import read_progress
from db.access.batches import Batch
from db.access.events import add_event
from db.durable import Durable, Interrupted, resources
from db.engine import Database, Session
from labeling.model_endpoints import read_lanes, read_repairer
from labeling.synthesis.client import Target
from labeling.synthesis.picking import pick, preview
from labeling.synthesis.work import Outcome, ask_some
from schemas.errors import InvalidInput, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.synthesis import (
    BatchPreview,
    BatchProgress,
    BatchState,
    Budget,
    SuggestionSample,
    SynthesisOrder,
    Thought,
)

_AT_REST: tuple[BatchState, ...] = ("done", "stopped", "paused", "cancelled")


class Prepared(NamedTuple):
    """A running batch, and which time it was set going."""

    batch_id: str
    round: int


@durable.step("synthesis.ask_some")
def _ask_some(batch_id: str, round_: int) -> Outcome:
    have = resources()
    outcome = ask_some(
        have.database,
        batch_id,
        f"{have.executor_id}/{round_}",
        round_=round_,
        is_closing=have.closing.is_set,
    )
    if have.closing.is_set():
        raise Interrupted
    return outcome


@durable.workflow("synthesis.batch")
def run_batch(batch_id: str, round_: int) -> None:
    """Ask everything that a batch wants; goes on where a dead process left off."""
    while _ask_some(batch_id, round_) == "more":
        pass


def preview_batch(database: Database, who: Actor, order: SynthesisOrder) -> BatchPreview:
    """What an order would ask, without asking.

    Raises:
        NotFound: `experts.list_not_found`.
    """
    who.require("admin")
    with database.reading() as session:
        return preview(session, who.project_id, order)


def prepare_batch(
    database: Database, who: Actor, order: SynthesisOrder, *, budget: Budget | None = None
) -> Prepared:
    """Write down what an order wants, for whoever works on it; an unfinished one goes on.

    A budget that is given is the batch's from now on.

    Raises:
        ModelServiceError: `synthesis.key_missing`, where this process would have to ask.
        NotFound: `experts.list_not_found`, `models.not_found`, `prompts.not_found`.
        InvalidInput: `synthesis.nothing_to_ask`, `synthesis.nothing_to_rederive`,
            `synthesis.budget_without_prices`.
    """
    who.require("admin")
    with database.transaction() as session:
        currency = _check_endpoints(session, who.project_id, order, budget)
        unfinished = batches.find_unfinished(session, who.project_id, order)
        if unfinished is not None:
            if budget is not None:
                batches.set_budget(session, unfinished.id, budget)
            return _go_on(session, who, unfinished)
        batch_id = batches.add_batch(
            session, who.project_id, order, who.person_id, budget=budget, currency=currency
        )
        count = 0
        for page in pick(session, who.project_id, order):
            count += batches.adopt_requests(session, batch_id, page.open_elsewhere)
            batches.add_requests(session, who.project_id, batch_id, page.requests)
            count += len(page.requests)
        if not count:
            code = "nothing_to_rederive" if order.rederive else "nothing_to_ask"
            raise InvalidInput(f"synthesis.{code}")
        _note(session, who, batch_id, "started", requests=count)
        return Prepared(batch_id, 1)


def start_batch(
    database: Database,
    durable: Durable,
    who: Actor,
    order: SynthesisOrder,
    *,
    budget: Budget | None = None,
) -> str:
    """Start a batch; a second click, or the same order again, is the same batch.

    Raises:
        ModelServiceError: `synthesis.key_missing`.
        NotFound: `experts.list_not_found`, `models.not_found`, `prompts.not_found`.
        InvalidInput: as `prepare_batch` does.
    """
    prepared = prepare_batch(database, who, order, budget=budget)
    _start(durable, prepared)
    return prepared.batch_id


def resume_batch(
    database: Database,
    durable: Durable,
    who: Actor,
    batch_id: str,
    *,
    budget: Budget | None = None,
) -> None:
    """Go on with a batch that is at rest; one that runs is seen to be worked on.

    A budget that is given is the batch's from now on.

    Raises:
        NotFound: `synthesis.batch_not_found`, `models.not_found`.
        TransitionRefused: `synthesis.batch_not_running`; it is done.
        ModelServiceError: `synthesis.key_missing`.
        InvalidInput: `synthesis.budget_without_prices`.
    """
    _start(durable, go_on(database, who, batch_id, budget=budget))


def go_on(
    database: Database, who: Actor, batch_id: str, *, budget: Budget | None = None
) -> Prepared:
    """Set a batch going again for whoever works on it; raises as `resume_batch`."""
    who.require("admin")
    with database.transaction() as session:
        batch = _get(session, who, batch_id)
        _check_endpoints(session, who.project_id, batch.order, budget)
        if batch.state == "done":
            raise TransitionRefused("synthesis.batch_not_running", state=batch.state)
        if budget is not None:
            batches.set_budget(session, batch_id, budget)
        return _go_on(session, who, batch)


def ask_again(database: Database, durable: Durable, who: Actor, batch_id: str) -> int:
    """Ask for the failed answers of a batch once more; how many. What came before is kept.

    Raises:
        NotFound: `synthesis.batch_not_found`.
        TransitionRefused: `synthesis.batch_is_running`, `synthesis.nothing_failed`.
        ModelServiceError: `synthesis.key_missing`.
    """
    reopened, prepared = reopen_failed(database, who, batch_id)
    _start(durable, prepared)
    return reopened


def reopen_failed(database: Database, who: Actor, batch_id: str) -> tuple[int, Prepared]:
    """Open the failed requests of a batch at rest for whoever works on it."""
    who.require("admin")
    with database.transaction() as session:
        batch = _get(session, who, batch_id)
        _check_endpoints(session, who.project_id, batch.order, None)
        if batch.state == "running":
            raise TransitionRefused("synthesis.batch_is_running")
        reopened = batches.reopen_failed(session, who.project_id, batch_id)
        if not reopened:
            raise TransitionRefused("synthesis.nothing_failed")
        batches.set_state(session, batch_id, "running", only_from=_AT_REST)
        _note(session, who, batch_id, "asked_again", before=batch.state, requests=reopened)
        return reopened, Prepared(batch_id, batch.round + 1)


def pause_batch(database: Database, who: Actor, batch_id: str) -> None:
    """Ask no more for now; what is open stays this batch's own, and it can go on.

    Raises:
        NotFound: `synthesis.batch_not_found`.
        TransitionRefused: `synthesis.batch_not_running`.
    """
    who.require("admin")
    with database.transaction() as session:
        batch = _get(session, who, batch_id)
        if not batches.set_state(session, batch_id, "paused", only_from=["running"]):
            raise TransitionRefused("synthesis.batch_not_running", state=batch.state)
        _note(session, who, batch_id, "paused", before="running", after="paused")


def cancel_batch(database: Database, who: Actor, batch_id: str) -> None:
    """Ask no more; what is under way is paid for, so it is still stored when it comes.

    What is left open is there for other batches to ask.

    Raises:
        NotFound: `synthesis.batch_not_found`.
        TransitionRefused: `synthesis.batch_not_running`.
    """
    who.require("admin")
    with database.transaction() as session:
        batch = _get(session, who, batch_id)
        if not batches.set_state(session, batch_id, "cancelled", only_from=["running", "paused"]):
            raise TransitionRefused("synthesis.batch_not_running", state=batch.state)
        _note(session, who, batch_id, "cancelled", before=batch.state, after="cancelled")


def batch_progress(database: Database, who: Actor, batch_id: str) -> BatchProgress:
    """How far a batch is.

    Raises:
        NotFound: `synthesis.batch_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        progress = read_progress(session, who.project_id, batch_id)
    if progress is None:
        raise NotFound("synthesis.batch_not_found", batch=batch_id)
    return progress


def list_batches(database: Database, who: Actor, *, limit: int = 20) -> list[BatchProgress]:
    """The newest batches first."""
    who.require("reviewer")
    with database.reading() as session:
        ids = batches.list_batch_ids(session, who.project_id, limit)
        found = [read_progress(session, who.project_id, each) for each in ids]
    return [each for each in found if each is not None]


def list_samples(
    database: Database, who: Actor, batch_id: str, *, limit: int = 5
) -> list[SuggestionSample]:
    """The newest answers of a batch."""
    who.require("reviewer")
    with database.reading() as session:
        return suggestions.list_samples(session, who.project_id, batch_id, limit)


def list_thoughts(database: Database, who: Actor, batch_id: str) -> list[Thought]:
    """How long was thought for the newest answers of a batch, beside the size of their plans."""
    who.require("reviewer")
    with database.reading() as session:
        return trace_lengths.list_thoughts(session, who.project_id, batch_id)


def _go_on(session: Session, who: Actor, batch: Batch) -> Prepared:
    if batch.state == "running":
        return Prepared(batch.id, batch.round)
    batches.set_state(session, batch.id, "running", only_from=_AT_REST)
    _note(session, who, batch.id, "resumed", before=batch.state)
    return Prepared(batch.id, batch.round + 1)


def _start(durable: Durable, prepared: Prepared) -> None:
    workflow_id = f"synthesis-{prepared.batch_id}-{prepared.round}"
    durable.start(run_batch, workflow_id, prepared.batch_id, prepared.round)


def _get(session: Session, who: Actor, batch_id: str) -> Batch:
    batch = batches.find_batch(session, who.project_id, batch_id)
    if batch is None:
        raise NotFound("synthesis.batch_not_found", batch=batch_id)
    return batch


def _check_endpoints(
    session: Session, project_id: str, order: SynthesisOrder, budget: Budget | None
) -> str:
    """That every endpoint can be asked, and what a budget is counted in; the currency."""
    lanes = read_lanes(session, project_id, order)
    repairer = read_repairer(session, project_id, order)
    asked = [*lanes, *([repairer] if repairer else [])]
    for each in asked:
        Target(each.url, each.model, each.key_env, order.timeout_s).key()
    currencies = {each.currency for each in asked if each.is_priced}
    if len(currencies) > 1:
        raise InvalidInput("models.currencies_differ", names=", ".join(sorted(currencies)))
    if budget is not None and budget.money is not None:
        unpriced = [each.name for each in asked if not each.is_priced]
        if unpriced:
            raise InvalidInput("synthesis.budget_without_prices", names=", ".join(unpriced))
    return next(iter(currencies), "")


def _note(
    session: Session,
    who: Actor,
    batch_id: str,
    action: str,
    *,
    before: str | None = None,
    after: str = "running",
    requests: int | None = None,
) -> None:
    why: dict[str, object] = {} if requests is None else {"requests": requests}
    add_event(
        session, who, "synthesis_batch", batch_id, action, before=before, after=after, why=why
    )
