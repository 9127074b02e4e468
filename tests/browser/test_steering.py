"""Who gets what next, as admins steer it in a browser and annotators see it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from pydantic import JsonValue

from db.engine import Database
from labeling import accounts, annotate, experts, gold, projects
from labeling.sign_in import find_actor, sign_in
from schemas.people import Actor, Role
from tests.browser.conftest import ServedApp
from tests.factories import A_PLAN, EXPERTS, a_label_query, a_suggestion

PASSWORD = "a long password"
HOSTILE = "<img src=x onerror=\"document.title='hit'\">${document.title='hit'}"
TEXTS = ("上周的流量怎么掉了", "昨天的退款率", "618 怎么报名", f"新品 {HOSTILE}")


@pytest.fixture
def queries(served_app: ServedApp) -> list[str]:
    """Four queries, an admin Li, a reviewer Chen and an annotator Wang."""
    database = served_app.database()
    admin = accounts.command_line_actor(database, "main")
    people: dict[str, Role] = {"Li": "admin", "Chen": "reviewer", "Wang": "annotator"}
    for name, role in people.items():
        accounts.add_person(database, admin, name, PASSWORD, role)
    entries: list[JsonValue] = [{"name": each, "description": "负责"} for each in EXPERTS]
    experts.publish(database, admin, {"name": "merchant", "experts": entries})
    found = [a_label_query(database, admin, text) for text in TEXTS]
    for query in found:
        a_suggestion(database, admin, query, plan=A_PLAN)
    database.close()
    return found


def _actor(database: Database, name: str) -> Actor:
    actor = find_actor(database, sign_in(database, name, PASSWORD, "127.0.0.1"))
    assert actor
    return actor


def _choose(page: Page, elem_id: str, option: str) -> None:
    page.locator(f"#{elem_id} input").first.click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.usefixtures("queries")
def test_a_paused_annotator_reads_why_and_gets_work_again_when_it_is_lifted(
    open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    admin = open_as("Li", PASSWORD, "/en/team", width=1280, height=800)
    admin.get_by_role("tab", name=re.compile("^Gold")).click()
    expect(admin.locator("#team-paused")).to_contain_text("Nobody is paused.")
    _choose(admin, "team-whom", "Wang")
    admin.locator("#team-pause-reason textarea, #team-pause-reason input").fill(f"谈 {HOSTILE}")
    admin.locator("#team-pause").click()
    expect(admin.locator("#team-paused tr", has_text="Wang")).to_contain_text(HOSTILE)
    annotator = open_as("Wang", PASSWORD, "/zh/label", width=1280, height=800)
    paused = annotator.locator("#label-paused")
    expect(paused).to_contain_text("暂时没有新的问题")
    expect(paused).to_contain_text(HOSTILE)
    expect(paused).to_contain_text("Li")
    shot(annotator, "label-paused-zh")
    admin.locator("#team-paused button", has_text="Lift").click()
    expect(admin.locator("#team-paused")).to_contain_text("Nobody is paused.")
    annotator.locator("#empty-again").click()
    expect(annotator.locator(".pw-desk")).to_contain_text(TEXTS[0])
    assert (admin.title(), annotator.title()) != ("hit", "hit")


def test_a_batch_is_made_for_somebody_and_its_items_come_first_with_its_name(
    queries: list[str], open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    admin = open_as("Li", PASSWORD, "/en/queries", width=1280, height=800)
    admin.get_by_role("tab", name="What comes first").click()
    count = admin.locator("#queries-steer-count")
    expect(count).to_contain_text("Queries meant: 4")
    admin.locator("#queries-steer-wanted textarea, #queries-steer-wanted input").fill("退款")
    expect(count).to_contain_text("Queries meant: 1")
    day = f"{datetime.now(UTC).date() + timedelta(days=2)}"
    admin.locator("#queries-batch-name textarea, #queries-batch-name input").fill("售后")
    admin.locator("#queries-due input").first.fill(day)
    _choose(admin, "queries-batch-for", "Wang")
    admin.locator("#queries-batch-make").click()
    row = admin.locator("#queries-batches tr", has_text="售后")
    expect(row).to_contain_text("Wang")
    expect(row).to_contain_text("0 / 1")
    expect(row).to_contain_text("in 2 d")
    row.click()
    expect(admin.locator("#queries-batch-due input").first).to_have_value(day)
    shot(admin, "queries-batches-en")
    annotator = open_as("Wang", PASSWORD, "/en/label", width=1280, height=800)
    expect(annotator.locator(".pw-desk")).to_contain_text(f"售后, due {day}")
    expect(annotator.locator(".pw-desk")).to_contain_text(TEXTS[1])
    shot(annotator, "label-batch-en")
    admin.locator("#queries-batch-close").click()
    expect(row).to_contain_text("closed")
    assert len(queries) == 4


def test_a_priority_moves_queries_and_a_reviewer_sees_no_forms_of_admins(
    queries: list[str], open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    reviewer = open_as("Chen", PASSWORD, "/zh/queries", width=1920, height=1080, dark=True)
    reviewer.get_by_role("tab", name="安排").click()
    expect(reviewer.locator("#queries-steer-count")).to_contain_text("共 4 个")
    expect(reviewer.locator("#queries-set-overlap")).to_have_count(0)
    expect(reviewer.locator("#queries-batch-make")).to_have_count(0)
    reviewer.locator("#queries-steer-ids textarea").fill(queries[2])
    expect(reviewer.locator("#queries-steer-count")).to_contain_text("共 1 个")
    reviewer.locator("#queries-priority input").fill("7")
    reviewer.locator("#queries-set-priority").click()
    expect(reviewer.locator(".pw-notice-card")).to_contain_text("1 个问题的优先级")
    shot(reviewer, "queries-steer-zh-dark-1920")
    annotator = open_as("Wang", PASSWORD, "/zh/label", width=1280, height=800)
    expect(annotator.locator(".pw-desk")).to_contain_text(TEXTS[2])


def test_a_query_becomes_a_gold_item_is_answered_and_seen_on_the_team_page(
    queries: list[str],
    served_app: ServedApp,
    open_as: Callable[..., Page],
    shot: Callable[[Page, str], None],
) -> None:
    admin = open_as("Li", PASSWORD, f"/en/queries?query={queries[3]}", width=1280, height=800)
    plan = admin.locator("#queries-gold-json textarea")
    expect(plan).to_have_value(json.dumps(A_PLAN, ensure_ascii=False, indent=2))
    expect(admin.locator("#queries-gold-retire")).to_have_count(0)
    plan.fill("{ no plan")
    admin.locator("#queries-gold-set").click()
    expect(admin.get_by_role("alert")).to_contain_text("not valid JSON")
    plan.fill(json.dumps(A_PLAN, ensure_ascii=False))
    admin.locator("#queries-gold-set").click()
    expect(admin.locator("#queries-gold-state")).to_contain_text("gold item")
    shot(admin, "queries-gold-en")
    database = served_app.database()
    projects.change_settings(database, _actor(database, "Li"), gold={"onboarding": 1})
    wang = _actor(database, "Wang")
    item = annotate.open_next(database, wang)
    assert item
    assert item.query_id == queries[3]
    annotate.submit(database, wang, item.annotation_id, number=0, content=A_PLAN, seconds=1)
    assert gold.list_items(database, _actor(database, "Li"))[0].answered == 1
    database.close()
    admin.goto(f"{served_app.url}/zh/team")
    admin.get_by_role("tab", name=re.compile("^金标")).click()
    expect(admin.locator("#team-gold-onboarding input")).to_have_value("1")
    admin.locator("#team-gold-every input").fill("20")
    admin.locator("#team-gold-save").click()
    expect(admin.locator(".pw-notice-card")).to_contain_text("已保存")
    expect(admin.locator("#team-records tr", has_text="Wang")).to_contain_text("1/1")
    admin.locator("#team-gold-items tr", has_text="新品").click()
    expect(admin.locator("#team-gold-answers")).to_contain_text(HOSTILE)
    shot(admin, "team-trust-zh")
    assert admin.title() != "hit"
    assert admin.locator("#team-gold-items img, #team-gold-answers img").count() == 0
    admin.goto(f"{served_app.url}/zh/queries?query={queries[3]}")
    admin.locator("#queries-gold-retire").click()
    expect(admin.locator("#queries-gold-state")).to_contain_text("已停用")
