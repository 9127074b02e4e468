"""Historical chats get new thinking under the prompt that they came with."""

import json

import pytest
from sqlmodel import select

from db.engine import Database
from db.tables import Query, Rederivation
from labeling import rederived
from labeling.synthesis.batch import prepare_batch, preview_batch
from schemas.errors import InvalidInput
from schemas.people import Actor
from schemas.settings import Settings
from tests.exporting import (
    a_historical_chat,
    a_plan,
    a_recipe,
    a_suggestion,
    a_zh_answer,
    an_acceptance,
    rows_of,
    written,
)
from tests.factories import EXPERTS, a_person
from tests.fakes.endpoint_process import RunningEndpoint
from tests.integration.synthesis.cases import order_for, run_order

ASKED = "上周流量为什么下降？"
OWN_PROMPT = f"  旧的提示：\t可请{EXPERTS[0]}；\n{EXPERTS[3]}。\u3000 "
CORRECTED = a_plan("店铺流量", EXPERTS[0], EXPERTS[3])
TESTS = {"rederive": {"tries": 3, "agree": 2}}


def a_corrected_chat(database: Database, who: Actor, system: str, text: str = ASKED) -> str:
    query_id = a_historical_chat(database, who, text, a_zh_answer("店铺流量"), system)
    own = a_suggestion(database, who, query_id, a_plan("店铺流量", EXPERTS[0]))
    an_acceptance(database, who, query_id, CORRECTED, own)
    return query_id


def test_a_chat_is_asked_and_taught_under_its_own_messages_byte_for_byte(
    database: Database, who: Actor, settings: Settings, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(keep_bodies=True)
    query_id = a_corrected_chat(database, who, OWN_PROMPT)
    progress = run_order(database, who, order_for(endpoint, **TESTS))
    assert (progress.state, progress.done, progress.failed) == ("done", 4, 0)
    own = [{"role": "system", "content": OWN_PROMPT}, {"role": "user", "content": ASKED}]
    asked, *blindly = [each["messages"] for each in endpoint.counts()["bodies"]]
    assert asked[:2] == own
    assert [each["role"] for each in asked[2:]] == ["assistant", "user"]
    assert EXPERTS[3] in asked[2]["content"]
    assert len(blindly) == 3
    assert all(OWN_PROMPT not in str(each) and ASKED not in str(each) for each in blindly)

    reviewer = a_person(database, who.project_id, "reviewer")
    (found,) = rederived.list_waiting(database, reviewer)
    rederived.accept_trace(database, reviewer, found.id)
    recipe = a_recipe(
        formats=["sft"], sft={"sources": [{"kind": "accepted"}]}, stale_traces="rederived"
    )
    _, folder = written(database, settings, who, recipe)
    (row,) = rows_of(folder, "sft.jsonl")
    assert row["messages"][:-1] == own
    assert found.trace
    assert found.trace in row["messages"][-1]["content"]
    with database.reading() as session:
        assert json.loads(session.get_one(Query, query_id).messages or "") == own


def test_a_trace_under_its_own_prompt_that_betrays_the_plan_is_refused(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(hint_leak=1.0)
    a_corrected_chat(database, who, OWN_PROMPT)
    progress = run_order(database, who, order_for(endpoint, **TESTS))
    assert progress.failures == (("synthesis.rederived_hint_phrase", 1),)


def test_a_trace_under_its_own_prompt_that_leads_elsewhere_is_refused(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    endpoint.configure(dissent=1.0)
    a_corrected_chat(database, who, OWN_PROMPT)
    progress = run_order(database, who, order_for(endpoint, **TESTS))
    assert progress.failures == (("synthesis.rederived_blind", 1),)


def test_a_chat_whose_prompt_does_not_tell_of_an_expert_is_counted_with_its_reason(
    database: Database, who: Actor, endpoint: RunningEndpoint
) -> None:
    a_corrected_chat(database, who, f"只有{EXPERTS[0]}")
    order = order_for(endpoint, **TESTS)
    found = preview_batch(database, who, order)
    assert (found.queries, found.left_out) == (0, {"synthesis.rederived_other_experts": 1})
    with pytest.raises(InvalidInput, match="nothing to ask"):
        prepare_batch(database, who, order)
    a_corrected_chat(database, who, OWN_PROMPT, "转化率为什么下降？")
    found = preview_batch(database, who, order)
    assert (found.queries, found.left_out) == (1, {"synthesis.rederived_other_experts": 1})
    with database.reading() as session:
        assert not session.exec(select(Rederivation)).all()
