"""The life of an expert list in a browser: drafted by two, published, compared, rows moved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import labeling.demo
from labeling import accounts, experts, list_drafts, projects, prompts
from tests.browser.conftest import ServedApp
from tests.many_rows import add_decided

PASSWORD = "a long password"
DEMO = Path(labeling.demo.__file__).parent
ADVICE, DATA, CROWD = "策略推荐专家", "数据分析专家", "人群运营专家"
NEWER: dict[str, Any] = json.loads((DEMO / "experts.merchant.v2.json").read_text("utf-8"))


@pytest.fixture
def app(served_app: ServedApp) -> ServedApp:
    """The demo's first version in the main project, with 1,200 decided rows, and two admins."""
    database = served_app.database()
    admin = accounts.command_line_actor(database, "main")
    for name in ("Li", "Wang"):
        accounts.add_person(database, admin, name, PASSWORD, "admin")
    accounts.add_person(database, admin, "Chen", PASSWORD, "reviewer")
    experts.publish(database, admin, (DEMO / "experts.merchant.v1.json").read_bytes())
    prompt = prompts.get_prompt(database, admin, "planner-zh")
    projects.change_settings(database, admin, current_prompt_version_id=prompt.version_id)
    steps = (
        (DATA, "查询近七天的流量"),
        (ADVICE, "圈选老客并发放优惠券"),
        (ADVICE, "推荐新的套餐定价"),
    )
    add_decided(database, admin, 1_200, *steps)
    database.close()
    return served_app


def draft_of(page: Page, tab: str) -> Any:
    page.get_by_role("tab", name=tab, exact=True).click()
    page.locator("#draft-open").click()
    expect(page.locator("#draft-form .ld-expert")).to_have_count(5)
    return page.locator("#draft-form")


def type_newer(page: Page) -> None:
    """The demo's second version, by the form: one described anew, one added."""
    cards = page.locator("#draft-form .ld-expert")
    newer = {each["name"]: each for each in NEWER["experts"]}
    advice = cards.nth(2)
    advice.locator("textarea").fill(newer[ADVICE]["description"])
    advice.locator("label input").first.fill("、".join(newer[ADVICE]["aliases"]))
    page.locator("#draft-add").click()
    expect(cards).to_have_count(6)
    cards.last.locator("input").first.fill(CROWD)
    cards.last.locator("textarea").fill(newer[CROWD]["description"])
    cards.last.locator("label input").first.fill("会员专家，用户运营专家")


def test_a_list_is_drafted_weighed_published_compared_and_its_rows_moved(
    app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page = open_as("Li", PASSWORD, "/zh/experts", width=1280, height=800)
    expect(page.locator("#experts-list")).to_contain_text(ADVICE)  # the newest, before any click
    draft_of(page, "草稿")
    type_newer(page)
    page.mouse.move(400, 500)
    page.mouse.wheel(0, 4_000)
    expect(page.locator("#draft-form .ld-card").last).to_be_in_viewport()
    expect(page.locator("#draft-save")).to_be_in_viewport()
    expect(page.locator("#draft-state")).to_contain_text("尚未保存")
    page.keyboard.press("Control+s")
    expect(page.locator("#draft-state")).to_contain_text("Li 于")
    changes = page.locator("#draft-changes")
    expect(changes.locator(".ld-change")).to_have_count(1)
    expect(changes.locator("select").first).to_have_value("split")
    expect(changes.locator(".ld-chip")).to_have_text([f"{ADVICE}×", f"{ADVICE}×", f"{CROWD}×"])
    page.locator("#draft-weigh").click()
    expect(page.locator("#draft-impact [data-fate=people] b")).to_have_text("400")
    expect(page.locator("#draft-impact")).to_contain_text("1,200")
    shot(page, "experts-draft-zh")
    page.locator("#draft-publish").click()
    expect(page.locator(".pw-notice-card").last).to_contain_text("请确认")
    page.locator("#draft-confirm").click()
    expect(changes.get_by_text("已确认")).to_be_visible()
    page.locator("#draft-note").fill("拆出人群运营专家")
    page.locator("#draft-publish").click()
    expect(page.locator(".pw-notice-card").last).to_contain_text("merchant@2")

    page.get_by_role("tab", name="对比与迁移").click()
    comparison = page.locator("#experts-comparison")
    expect(comparison.get_by_text("按记录")).to_be_visible()
    expect(comparison.locator("tbody tr")).to_have_count(1)
    expect(comparison).to_contain_text(CROWD)
    page.locator("#experts-ask-impact").click()
    expect(page.locator("#experts-impact")).to_contain_text("400")
    shot(page, "experts-impact-zh")
    page.locator("#experts-move").click()
    moves = page.locator("#experts-moves")
    expect(moves.get_by_text("完成")).to_be_visible(timeout=60_000)
    expect(moves).to_contain_text("需要人工 400")
    shot(page, "experts-moved-zh")
    page.locator("#experts-take-back").click()
    expect(page.locator(".pw-notice-card").last).to_contain_text("400")


def test_two_admins_at_one_draft_lose_nothing(
    app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    li = open_as("Li", PASSWORD, "/en/experts", width=1280, height=800)
    wang = open_as("Wang", PASSWORD, "/en/experts", width=1280, height=800, dark=True)
    for page in (li, wang):
        draft_of(page, "Draft")
    li.locator(".ld-expert textarea").first.fill("Li's words")
    li.locator("#draft-save").click()
    expect(li.locator("#draft-state")).to_contain_text("saved by Li")
    wang.locator(".ld-expert textarea").nth(1).fill("Wang's words")
    wang.locator("#draft-save").click()
    conflict = wang.locator("#draft-conflict")
    expect(conflict).to_contain_text("Li saved this draft")
    shot(wang, "experts-conflict-en-dark")
    wang.locator("#draft-theirs").click()
    expect(wang.locator(".ld-expert textarea").first).to_have_value("Li's words")
    wang.locator("#draft-mine summary").click()
    expect(wang.locator("#draft-mine pre")).to_contain_text("Wang's words")
    wang.locator(".ld-expert textarea").nth(1).fill("Wang's words")
    wang.locator("#draft-save").click()
    expect(wang.locator("#draft-state")).to_contain_text("saved by Wang")
    database = app.database()
    admin = accounts.command_line_actor(database, "main")
    (draft,) = list_drafts.list_drafts(database, admin)
    content: Any = list_drafts.get_draft(database, admin, draft.id).content
    database.close()
    said = [each["description"] for each in content["experts"][:2]]
    assert said == ["Li's words", "Wang's words"]


def test_form_and_json_say_the_same_and_problems_lead_to_their_place(
    app: ServedApp, open_as: Callable[..., Page]
) -> None:
    page = open_as("Li", PASSWORD, "/en/experts", width=1280, height=800)
    draft_of(page, "Draft")
    page.locator(".ld-expert input").first.fill(DATA)
    page.locator("#draft-json").click()
    text = page.locator("#draft-text")
    content = json.loads(text.input_value())
    assert [each["name"] for each in content["experts"][:2]] == [DATA, DATA]
    text.fill("{ no list")
    page.locator("#draft-save").click()
    expect(page.get_by_role("alert")).to_contain_text("no JSON object")
    content["tools"] = []
    text.fill(json.dumps(content, ensure_ascii=False))
    page.locator("#draft-json").click()
    expect(page.locator(".ld-expert")).to_have_count(5)
    expect(page.locator(".ld-things").first.locator(".ld-line")).to_have_count(0)
    page.locator("#draft-save").click()
    problems = page.locator("#draft-problems")
    expect(problems).to_contain_text("already a name or alias")
    problems.get_by_role("button").first.click()
    expect(page.locator(".ld-expert").nth(1).locator("input").first).to_be_focused()


def test_a_person_changes_what_was_proposed_before_publishing(
    app: ServedApp, open_as: Callable[..., Page]
) -> None:
    page = open_as("Li", PASSWORD, "/en/experts", width=1280, height=800)
    draft_of(page, "Draft")
    page.locator(".ld-expert").nth(2).locator("textarea").fill("另一件完全不同的事")
    page.locator("#draft-save").click()
    kind = page.locator("#draft-changes select").first
    expect(kind).to_have_value("describe")
    kind.select_option("retire")
    page.locator("#draft-confirm").click()
    expect(page.locator("#draft-changes").get_by_text("confirmed", exact=True)).to_be_visible()
    expect(page.locator("#draft-problems")).to_contain_text("is in the newer list too")
    kind.select_option("describe")
    page.get_by_label("Add an expert of the newer version").select_option(ADVICE)
    page.locator("#draft-confirm").click()
    expect(page.locator("#draft-problems")).to_be_hidden()
    page.locator("#draft-publish").click()
    expect(page.locator(".pw-notice-card").last).to_contain_text("merchant@2")


def test_a_reviewer_reads_drafts_and_edits_none(
    app: ServedApp, open_as: Callable[..., Page]
) -> None:
    page = open_as("Chen", PASSWORD, "/en/experts", width=1280, height=800)
    page.get_by_role("tab", name="Draft").click()
    expect(page.get_by_text("No draft is open.")).to_be_visible()
    expect(page.locator("#draft-open")).to_have_count(0)
    page.get_by_role("tab", name="Compare and move").click()
    page.locator("#experts-move").click()
    expect(page.locator("#experts-moves")).not_to_contain_text("running")
