"""The bank of examples: the most corrected plans, and nothing that is evaluated with."""

import pytest

from db.engine import Database
from labeling.few_shot import list_examples, publish_prompt
from labeling.prompts import get_prompt
from schemas.few_shot import read_examples
from schemas.people import Actor
from tests.exporting import a_pinned_query, a_plan, a_suggestion, an_acceptance, an_accepted_query
from tests.factories import EXPERTS, a_project
from tests.gold_work import a_gold_query

TEMPLATE = "专家\n{experts}\n\n例子\n{few_shot:2}\n格式\n{example}"


@pytest.fixture
def who(database: Database) -> Actor:
    return a_project(database)


def a_corrected_query(database: Database, who: Actor, text: str, *experts: str) -> str:
    """A query whose model asked the first expert alone, and was corrected to these."""
    query_id = a_pinned_query(database, who, text)
    suggestion_id = a_suggestion(database, who, query_id, a_plan(text))
    an_acceptance(database, who, query_id, a_plan(text, *experts), suggestion_id)
    return query_id


def test_the_most_corrected_come_first_and_what_was_right_never(
    database: Database, who: Actor
) -> None:
    an_accepted_query(database, who, "昨天的订单有多少")
    little = a_corrected_query(database, who, "上周流量为什么下降", EXPERTS[0], EXPERTS[1])
    much = a_corrected_query(database, who, "怎么给老客发券", EXPERTS[1], EXPERTS[2])
    found = list_examples(database, who)
    assert [each.query_id for each in found] == [much, little]
    assert found[0].distance > found[1].distance > 0


def test_of_examples_that_are_alike_one_is_taken(database: Database, who: Actor) -> None:
    a_corrected_query(database, who, "第1家店上周流量为什么下降", EXPERTS[1])
    a_corrected_query(database, who, "第2家店上周流量为什么下降", EXPERTS[1])
    assert len(list_examples(database, who)) == 1


def test_what_is_evaluated_with_never_becomes_an_example(database: Database, who: Actor) -> None:
    a_corrected_query(database, who, "流量为何下滑？", EXPERTS[1])
    assert len(list_examples(database, who)) == 1
    a_gold_query(database, who, "流量为何下滑")
    assert list_examples(database, who) == []


def test_what_needs_its_dialogue_is_no_example(database: Database, who: Actor) -> None:
    text = "那上个月呢"
    turns = [{"role": "user", "content": "流量如何"}, {"role": "assistant", "content": "下降"}]
    query_id = a_pinned_query(database, who, text, history=turns)
    suggestion_id = a_suggestion(database, who, query_id, a_plan(text))
    an_acceptance(database, who, query_id, a_plan(text, EXPERTS[1]), suggestion_id)
    assert list_examples(database, who) == []


def test_a_published_prompt_keeps_the_examples_of_its_day(database: Database, who: Actor) -> None:
    a_corrected_query(database, who, "怎么给老客发券", EXPERTS[1], EXPERTS[2])
    first = publish_prompt(database, who, TEMPLATE)
    again = publish_prompt(database, who, TEMPLATE)
    assert (again.reference, again.is_new) == (first.reference, False)
    a_corrected_query(database, who, "上周流量为什么下降", EXPERTS[1])
    later = publish_prompt(database, who, TEMPLATE)
    assert later.is_new
    counts = [
        len(read_examples(get_prompt(database, who, each.reference).template))
        for each in (first, later)
    ]
    assert counts == [1, 2]
