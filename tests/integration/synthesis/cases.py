"""Orders, queries and runs of batches, made by plain functions."""

from sqlmodel import Session, col, select

from db.engine import Database
from db.tables import Suggestion
from labeling.model_endpoints import put_endpoint
from labeling.synthesis.batch import (
    Prepared,
    batch_progress,
    prepare_batch,
)
from labeling.synthesis.work import ask_some
from schemas.model_endpoints import EndpointSettings
from schemas.people import Actor
from schemas.synthesis import BatchProgress, Budget, SynthesisOrder
from tests.factories import a_query
from tests.fakes.endpoint_process import RunningEndpoint


def order_for(endpoint: RunningEndpoint | str, /, **changes: object) -> SynthesisOrder:
    """An order to this endpoint, impatient as tests are."""
    values: dict[str, object] = {
        "endpoint": endpoint if isinstance(endpoint, str) else endpoint.url,
        "model": "fake",
        "concurrency": 8,
        "backoff_s": 0.02,
        "attempts": 3,
        **changes,
    }
    return SynthesisOrder.read(values)


def an_endpoint(
    database: Database, who: Actor, name: str, url: str, /, **changes: object
) -> EndpointSettings:
    """A model endpoint known by name."""
    values: dict[str, object] = {"name": name, "url": url, "model": "fake", **changes}
    return put_endpoint(database, who, EndpointSettings.read(values)).settings


def work_on(database: Database, prepared: Prepared, owner: str = "me") -> None:
    """Work on a batch to its end, here and now."""
    while (
        ask_some(
            database,
            prepared.batch_id,
            owner,
            round_=prepared.round,
            is_closing=lambda: False,
        )
        == "more"
    ):
        pass


def run_order(
    database: Database, who: Actor, order: SynthesisOrder, *, budget: Budget | None = None
) -> BatchProgress:
    """Ask all that an order wants; how it ended."""
    prepared = prepare_batch(database, who, order, budget=budget)
    work_on(database, prepared)
    return batch_progress(database, who, prepared.batch_id)


def add_queries(database: Database, who: Actor, count: int) -> list[str]:
    """Queries that differ in one number; their ids."""
    return [a_query(database, who, f"第{number}家店上周流量如何？") for number in range(count)]


def list_suggestions(session: Session) -> list[Suggestion]:
    """Every suggestion, oldest first."""
    return list(session.exec(select(Suggestion).order_by(col(Suggestion.id))))
