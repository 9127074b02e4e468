"""Who may order what, and where the key is."""

from typing import Any

import pytest

from db.engine import Database
from labeling.synthesis.batch import (
    batch_progress,
    cancel_batch,
    list_batches,
    prepare_batch,
    preview_batch,
    reopen_failed,
)
from labeling.ui.synthesis_order import SAME_ENDPOINT, read_order
from schemas.errors import (
    InvalidInput,
    ModelServiceError,
    NotAllowed,
    NotFound,
)
from schemas.synthesis import Budget, Repair
from tests.factories import a_person, a_project
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import (
    add_queries,
    an_endpoint,
    order_for,
    run_order,
    work_on,
)


def test_the_key_reaches_the_endpoint(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "sk-very-secret")
    who = a_project(sqlite_database)
    endpoint.configure(key="sk-very-secret")
    add_queries(sqlite_database, who, 2)
    assert run_order(sqlite_database, who, order_for(endpoint, key_env="FAKE_API_KEY")).done == 2


def test_a_missing_key_is_said_before_anything_is_written(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_API_KEY", raising=False)
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 1)
    with pytest.raises(ModelServiceError, match="NO_SUCH_API_KEY is not set"):
        prepare_batch(sqlite_database, who, order_for(endpoint, key_env="NO_SUCH_API_KEY"))
    assert list_batches(sqlite_database, who) == []


def test_a_key_that_is_gone_where_the_batch_runs_stops_it(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "x")
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 1)
    prepared = prepare_batch(sqlite_database, who, order_for(endpoint, key_env="FAKE_API_KEY"))
    monkeypatch.delenv("FAKE_API_KEY")
    work_on(sqlite_database, prepared)
    progress = batch_progress(sqlite_database, who, prepared.batch_id)
    assert (progress.state, progress.open) == ("stopped", 1)
    assert progress.reason == ("synthesis.key_missing", {"name": "FAKE_API_KEY"})


def test_only_admins_ask_and_only_their_own_project(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 1)
    other = a_project(sqlite_database, name="other")
    reviewer = a_person(sqlite_database, who.project_id, "reviewer")
    with pytest.raises(NotAllowed):
        prepare_batch(sqlite_database, reviewer, order_for(endpoint))
    prepared = prepare_batch(sqlite_database, who, order_for(endpoint))
    assert batch_progress(sqlite_database, reviewer, prepared.batch_id).total == 1
    for act in (batch_progress, cancel_batch, reopen_failed):
        with pytest.raises(NotFound):
            act(sqlite_database, other, prepared.batch_id)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"endpoint": "ftp://host/v1"}, "synthesis.endpoint_not_a_url"),
        ({"endpoint": "https://name:secret@host/v1"}, "synthesis.endpoint_not_a_url"),
        ({"key_env": "sk-abcdef123456"}, "synthesis.key_env_not_a_name"),
        ({"key_env": "PLANWRIGHT_ANY_KEY"}, "synthesis.key_env_not_a_name"),
        ({"parameters": {"messages": []}}, "synthesis.parameter_is_ours"),
        ({"n": 0}, "synthesis.order_refused"),
        ({"experts": "nobody@1"}, "experts.list_not_found"),
    ],
)
def test_an_order_that_cannot_be_used_is_refused_without_repeating_secrets(
    sqlite_database: Database, changes: dict[str, Any], code: str
) -> None:
    who = a_project(sqlite_database)
    with pytest.raises((InvalidInput, NotFound)) as caught:
        preview_batch(sqlite_database, who, order_for("http://127.0.0.1:9/v1", **changes))
    assert caught.value.code == code
    assert "sk-abc" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_was_never_unfolded_on_the_page_is_as_if_left_blank(
    sqlite_database: Database,
) -> None:
    who = a_project(sqlite_database)
    asked = [[], "http://127.0.0.1:9/v1", "m", None, "", "waiting", 1, 0]
    folded = [16, 600, None, True, None, None, None, True]
    order, budget = read_order(sqlite_database, who, *asked, *folded)
    assert (order.endpoint, order.model, order.key_env) == ("http://127.0.0.1:9/v1", "m", None)
    assert (order.parameters, order.repair, budget) == ({}, None, None)


def test_the_page_orders_by_name_with_a_budget_and_a_repair(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    an_endpoint(sqlite_database, who, "r1", endpoint.url)
    fields: list[Any] = [["r1"], "", "", "", "", "waiting", 2, 0, 16, 600, "", True]
    order, budget = read_order(sqlite_database, who, *fields, 5, None, SAME_ENDPOINT, False)
    assert (order.endpoint, order.endpoints, order.n) == (endpoint.url, ("r1",), 2)
    assert (order.repair, order.raise_cut_off) == (Repair(endpoint=None), False)
    assert budget == Budget(money=5)
