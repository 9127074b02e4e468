"""What an order will take is said before anything is asked, and never more than is known."""

from typing import Any

import pytest

from db.engine import Database
from labeling.synthesis.batch import preview_batch
from labeling.synthesis.forecasting import forecast_sentence
from schemas.people import Actor
from schemas.sentences import sentence
from schemas.synthesis import Forecast, Rederive, SynthesisOrder
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import add_queries, an_endpoint, order_for, run_order

PRICES: dict[str, Any] = {"input_price": 4, "output_price": 16, "currency": "CNY"}


def _named(endpoint: RunningEndpoint, **changes: Any) -> SynthesisOrder:
    return order_for(endpoint, endpoints=["r1"], **changes)


def _forecast(database: Database, who: Actor, order: SynthesisOrder) -> Forecast:
    found = preview_batch(database, who, order).forecast
    assert found is not None
    return found


def test_earlier_answers_say_what_the_next_will_take(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    an_endpoint(database, who, "r1", endpoint.url, **PRICES)
    add_queries(database, who, 6)
    done = run_order(database, who, _named(endpoint))
    add_queries(database, who, 12)
    found = _forecast(database, who, _named(endpoint))
    assert found.answers == 6
    assert found.tokens == pytest.approx(2 * done.spent_tokens, rel=0.02)
    assert found.money == pytest.approx(2 * done.spent_money, rel=0.02)
    assert found.currency == "CNY"
    assert found.seconds is not None


def test_without_prices_there_is_no_sum(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 2)
    run_order(database, who, order_for(endpoint))
    add_queries(database, who, 2)
    found = _forecast(database, who, order_for(endpoint))
    assert (found.answers, found.money) == (2, None)
    assert "prices are not known" in sentence(*forecast_sentence(found), "en")


def test_where_nothing_was_asked_only_the_limit_is_said(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 3)
    for raises, most in ((False, 300), (True, 900)):
        limited = {"parameters": {"max_tokens": 100}, "raise_cut_off": raises}
        found = _forecast(database, who, order_for(endpoint, **limited))
        assert found == Forecast(tokens=most)
        assert f"at most {most} tokens" in sentence(*forecast_sentence(found), "en")
    assert preview_batch(database, who, order_for(endpoint)).forecast is None


def test_other_parameters_and_other_models_say_nothing_of_this_one(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    add_queries(database, who, 2)
    run_order(database, who, order_for(endpoint))
    add_queries(database, who, 2)
    for changes in ({"parameters": {"temperature": 0.1}}, {"model": "other"}):
        assert preview_batch(database, who, order_for(endpoint, **changes)).forecast is None


def test_the_limits_of_the_endpoints_make_it_last(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    an_endpoint(database, who, "r1", endpoint.url)
    add_queries(database, who, 2)
    run_order(database, who, _named(endpoint))
    add_queries(database, who, 30)
    assert (_forecast(database, who, _named(endpoint)).seconds or 0) < 60
    an_endpoint(database, who, "r1", endpoint.url, requests_per_minute=10)
    assert _forecast(database, who, _named(endpoint)).seconds == pytest.approx(180)


def test_new_traces_are_not_forecast(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    order = order_for(endpoint, rederive=Rederive(), parameters={"max_tokens": 100})
    assert preview_batch(database, who, order).forecast is None
