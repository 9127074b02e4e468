"""Model endpoints by name: what is kept of them, what a probe finds, what an order makes of it."""

import json
from dataclasses import replace

import pytest
from sqlmodel import select

from app import main  # noqa: TID251  (a test comes in by the front door)
from db.access.events import list_events
from db.engine import Database
from db.tables import ModelEndpoint
from labeling.model_endpoints import (
    get_endpoint,
    list_endpoints,
    named_order,
    put_endpoint,
    remove_endpoint,
)
from labeling.synthesis.probe_work import probe_now
from labeling.synthesis.probing import probe_endpoint
from schemas.errors import InvalidInput, NotAllowed, NotFound
from schemas.model_endpoints import EndpointSettings
from schemas.people import Actor
from schemas.settings import Settings
from schemas.synthesis import QueryPins
from tests.factories import a_person, a_project
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import add_queries, an_endpoint, order_for, run_order

PINS = QueryPins(query_id="q", list_version_id="l", prompt_version_id="p", dialect="zh@1", window=3)

KEY_BEFORE = "ee50c640a2ec58b577b80d0a2cc020be85b5627177937e490f6709990b7fc7f1"
HASH_BEFORE = "efe8f95b11e5f0696eeed4cf7e87a387d3b39684e6b42136d036231a7c84ff65"


def test_an_endpoint_is_kept_changed_and_forgotten_with_an_event_each(
    database: Database, who: Actor
) -> None:
    settings = EndpointSettings(
        name="R1 官方", url="https://host/v1", model="r1", key_env="FAKE_API_KEY", currency="CNY"
    )
    added = put_endpoint(database, who, settings)
    changed = settings.model_copy(update={"weight": 3.0, "requests_per_minute": 60})
    assert put_endpoint(database, who, changed).settings == changed
    assert list_endpoints(database, who) == [get_endpoint(database, who, "R1 官方")]
    with pytest.raises(InvalidInput, match="another address or model another name"):
        put_endpoint(database, who, changed.model_copy(update={"model": "v3"}))
    remove_endpoint(database, who, "R1 官方")
    with pytest.raises(NotFound):
        get_endpoint(database, who, "R1 官方")
    with database.reading() as session:
        events = list_events(session, who.project_id, "model_endpoint", added.id)
    assert [each.action for each in events] == ["added", "changed", "removed"]


def test_a_key_is_known_by_its_name_alone(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_API_KEY", "sk-very-secret")
    who = a_project(sqlite_database)
    values = {"name": "r1", "url": "https://host/v1", "model": "m"}
    found = put_endpoint(
        sqlite_database, who, EndpointSettings.read({**values, "key_env": "FAKE_API_KEY"})
    )
    assert found.has_key
    monkeypatch.delenv("FAKE_API_KEY")
    assert not get_endpoint(sqlite_database, who, "r1").has_key
    with sqlite_database.reading() as session:
        rows = [each.model_dump() for each in session.exec(select(ModelEndpoint))]
    assert "sk-very-secret" not in repr(rows)
    with pytest.raises(InvalidInput) as caught:
        EndpointSettings.read({**values, "key_env": "sk-very-secret"})
    assert "sk-very-secret" not in str(caught.value)


def test_only_admins_know_endpoints_and_only_their_own(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    put_endpoint(sqlite_database, who, EndpointSettings(name="a", url="https://h/v1", model="m"))
    with pytest.raises(NotAllowed):
        list_endpoints(sqlite_database, a_person(sqlite_database, who.project_id, "reviewer"))
    assert list_endpoints(sqlite_database, a_project(sqlite_database, name="other")) == []


def test_who_helps_does_not_change_what_is_asked_for(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    for name in ("a", "b"):
        settings = EndpointSettings(name=name, url=f"https://{name}/v1", model="m")
        put_endpoint(sqlite_database, who, settings)
    plain = order_for("https://a/v1", model="m")
    alone, both = (
        named_order(sqlite_database, who, names, {"concurrency": 8})
        for names in (["a"], ["a", "b"])
    )
    keys = {order.request_key(PINS, 1) for order in (plain, alone, both)}
    assert len(keys) == 1
    other = named_order(sqlite_database, who, ["b", "a"], {})
    assert other.request_key(PINS, 1) not in keys


def test_an_order_as_it_was_before_endpoints_had_names_is_the_same_order() -> None:
    order = order_for("https://a/v1", parameters={"temperature": 0.6})
    assert order.to_plain().keys() == {
        "endpoint", "model", "key_env", "experts", "n", "concurrency", "limit", "which",
        "with_thinking", "parameters", "timeout_s", "attempts", "backoff_s",
    }  # fmt: skip
    # As they were computed and stored by the version before.
    assert order.request_key(PINS, 1) == KEY_BEFORE
    assert order.order_hash == HASH_BEFORE


def test_prices_in_two_currencies_are_not_added_up(sqlite_database: Database) -> None:
    who = a_project(sqlite_database)
    for name, currency in (("a", "CNY"), ("b", "USD")):
        an_endpoint(
            sqlite_database, who, name, "https://h/v1",
            input_price=1, output_price=2, currency=currency,
        )  # fmt: skip
    with pytest.raises(InvalidInput, match="different currencies"):
        named_order(sqlite_database, who, ["a", "b"], {})


def test_a_batch_whose_endpoint_is_forgotten_stops_and_says_so(
    sqlite_database: Database, endpoint: RunningEndpoint
) -> None:
    who = a_project(sqlite_database)
    add_queries(sqlite_database, who, 2)
    an_endpoint(sqlite_database, who, "r1", endpoint.url)
    order = named_order(sqlite_database, who, ["r1"], {"backoff_s": 0.02})
    remove_endpoint(sqlite_database, who, "r1")
    with pytest.raises(NotFound, match="no model endpoint r1"):
        run_order(sqlite_database, who, order)


@pytest.mark.parametrize("shape", ["reasoning_content", "reasoning", "inline"])
def test_a_probe_finds_the_field_of_the_thinking(endpoint: RunningEndpoint, shape: str) -> None:
    endpoint.configure(shape=shape)
    settings = EndpointSettings(name="f", url=endpoint.url, model="fake")
    assert probe_endpoint(settings).thinking == shape


def test_a_probe_finds_what_is_honoured_and_what_is_not(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    an_endpoint(database, who, "f", endpoint.url)
    endpoint.configure(keep_alives=2)
    good = probe_now(database, who, "f")
    assert (good.json_mode, good.json_schema, good.temperature) == ("yes", "yes", "yes")
    assert (good.streams, good.keep_alives, good.problem) == ("yes", True, None)
    assert get_endpoint(database, who, "f").probe == good
    endpoint.configure(obeys=False, keep_alives=0)
    deaf = probe_now(database, who, "f")
    assert (deaf.json_mode, deaf.json_schema, deaf.temperature) == ("no", "no", "no")
    assert not deaf.keep_alives


def test_a_probe_of_an_endpoint_that_refuses_says_why(
    sqlite_database: Database, endpoint: RunningEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = a_project(sqlite_database)
    monkeypatch.setenv("FAKE_API_KEY", "sk-very-secret")
    an_endpoint(sqlite_database, who, "f", endpoint.url, key_env="FAKE_API_KEY")
    endpoint.configure(key="another")
    probe = probe_now(sqlite_database, who, "f")
    assert probe.problem is not None
    assert probe.problem[0] == "synthesis.key_refused"
    assert "sk-very-secret" not in probe.model_dump_json()
    monkeypatch.delenv("FAKE_API_KEY")
    probe = probe_now(sqlite_database, who, "f")
    assert probe.problem is not None
    assert probe.problem[0] == "synthesis.key_missing"


def test_endpoints_are_managed_and_used_from_the_command_line(
    sqlite_database: Database,
    settings: Settings,
    endpoint: RunningEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    who = replace(a_project(sqlite_database), language="en")
    add_queries(sqlite_database, who, 3)
    monkeypatch.setenv("PLANWRIGHT_HOME", str(settings.home))
    monkeypatch.setenv("PLANWRIGHT_LANGUAGE", "en")

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(arguments) == 0
        return capsys.readouterr().out

    priced = ["--input-price", "4", "--output-price", "16", "--currency", "CNY"]
    run("models", "add", "r1", "--url", endpoint.url, "--model", "fake", *priced)
    assert json.loads(run("models", "list", "--json"))[0]["settings"]["output_price"] == 16
    assert "thinking in reasoning_content" in run("models", "probe", "r1")
    out = run("synthesize", "--use", "r1", "--budget", "5")
    assert out.startswith("3 answers with a plan, 0 without.\n")
    assert " CNY for " in out
    run("models", "remove", "r1")
    assert json.loads(run("models", "list", "--json")) == []
