"""The impact of a version counts what was decided, and changes nothing."""

import json
from pathlib import Path

import pytest

from db.engine import Database
from labeling import annotate, review
from labeling.accounts import command_line_actor
from labeling.demo import load_demo
from labeling.experts import get_list, publish
from labeling.impact import impact, impact_of_file
from schemas.errors import NotAllowed, NotFound
from schemas.people import Actor
from schemas.settings import Settings
from tests.factories import A_PLAN, EXPERTS, a_label_query


def decide_plan(database: Database, admin: Actor, li: Actor, chen: Actor, asked: str) -> str:
    query_id = a_label_query(database, admin)
    item = annotate.open_item(database, li, query_id)
    step = {"expert": EXPERTS[2], "sub_questions": [asked], "order": 1}
    content = {**A_PLAN, "steps": [step]}
    annotate.submit(database, li, item.annotation_id, number=0, content=content, seconds=1)
    taken = review.take_next(database, chen)
    assert taken
    review.accept(database, chen, taken.annotation_id, taken.revision_id)
    return query_id


def split_off(database: Database, admin: Actor) -> dict[str, object]:
    """The current list as a file, with an expert more."""
    _, now = get_list(database, admin, "merchant")
    experts = [each.model_dump(mode="json") for each in now.experts]
    crowd = {"name": "人群运营专家", "description": "圈选老客、会员，发放优惠券，提升复购"}
    return {"name": "merchant", "experts": [*experts, crowd]}


def test_rows_are_counted_by_what_they_would_take(
    database: Database, admin: Actor, li: Actor, chen: Actor
) -> None:
    decide_plan(database, admin, li, chen, "推荐新的定价")
    moved = decide_plan(database, admin, li, chen, "圈选老客并发放优惠券")
    publish(database, admin, json.dumps(split_off(database, admin)).encode())
    found = impact(database, chen, "merchant@1", "merchant@2")
    assert (found.rows.untouched, found.rows.people, found.rows.touched) == (1, 1, 1)
    (affected,) = found.affected
    assert affected.query_id == moved
    assert affected.candidates == (("人群运营专家", EXPERTS[2]),)
    assert found.planners == ()


def test_a_list_is_weighed_before_it_is_published(
    database: Database, admin: Actor, li: Actor, chen: Actor, tmp_path: Path
) -> None:
    decide_plan(database, admin, li, chen, "圈选老客并发放优惠券")
    content = json.dumps(split_off(database, admin)).encode()
    assert impact_of_file(database, admin, "merchant@1", content).rows.people == 1
    with pytest.raises(NotFound):
        get_list(database, admin, "merchant@2")


def test_impact_is_for_reviewers_and_of_lists_that_are_there(
    database: Database, admin: Actor, li: Actor
) -> None:
    with pytest.raises(NotAllowed):
        impact(database, li, "merchant@1", "merchant@1")
    with pytest.raises(NotFound):
        impact(database, admin, "merchant@1", "merchant@9")
    assert impact(database, admin, "merchant@1", "merchant@1").rows.total == 0


def test_historical_answers_count_as_they_were_given(
    database: Database, settings: Settings
) -> None:
    load_demo(database, settings)
    found = impact(database, command_line_actor(database, "demo"), "merchant@1", "merchant@2")
    assert found.rows.total == 14
    assert found.rows.untouched == 11
    assert {each.text for each in found.affected} >= {"把半年没来的客人拉回来"}
