"""Several suggestions of one query side by side: adopted whole, merged; what the rewards say."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import NEW_EXPERT, OTHER_PLAN, PLAN, REWRITE, Desk, field_at, plan_on

MakeDesk = Callable[..., Desk]
KNOW, ADVISE, FIND = (step["expert"] for step in PLAN["steps"])
DATA = "数据分析专家"
THIRD = {
    "rewritten_query": "如何配置关键词",
    "steps": [
        PLAN["steps"][0],
        {"expert": DATA, "sub_questions": ["哪些词掉得最多"], "order": 1},
        {"expert": NEW_EXPERT, "sub_questions": ["圈选老客并推送"], "order": 2},
    ],
}


@pytest.fixture
def page(make_desk: MakeDesk) -> Page:
    page = make_desk(queries=1, plans=(PLAN, OTHER_PLAN, THIRD)).open("li", "/zh/label")
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    expect(page.locator("dialog .candidates")).to_be_visible()
    return page


def _cells(page: Page, row: int):
    return page.locator(".candidates .row").nth(row).locator(".cell")


def _done(page: Page) -> None:
    page.click("#candidates-done")
    expect(page.locator("dialog")).to_have_count(0)


def test_candidates_stand_side_by_side_with_what_differs_marked(page: Page):
    heads = _cells(page, 0)
    expect(heads.nth(0)).to_contain_text("你的规划")
    expect(heads.nth(1)).to_contain_text("与你的规划相同")
    expect(heads.nth(2)).to_contain_text("2 步 · 思考 199 字")
    for number in (1, 2, 3):
        expect(heads.nth(number)).to_contain_text("综合 .")
    expect(_cells(page, 1).nth(2).locator("ins").first).to_have_text("以恢复“奶茶”类曝光")
    first, second, third = (_cells(page, row) for row in (2, 3, 4))
    expect(first.nth(0)).to_contain_text("3/3 个候选")
    expect(second.nth(0)).to_contain_text("1/3 个候选")
    expect(second.nth(2)).to_have_text("没有对应的步骤")
    expect(third.nth(2).locator("del").first).to_have_text(FIND)
    expect(third.nth(2).locator("ins").first).to_have_text(NEW_EXPERT)


def test_one_candidate_is_adopted_whole(page: Page):
    _cells(page, 0).nth(2).get_by_role("button", name="整体采用").click()
    expect(_cells(page, 0).nth(2)).to_contain_text("与你的规划相同")
    expect(page.locator("#candidates-undo")).to_be_focused()
    _done(page)
    assert plan_on(page) == OTHER_PLAN


def test_the_rewrite_of_one_and_a_step_of_another_are_merged_and_undone(page: Page):
    _cells(page, 1).nth(2).get_by_role("button", name="取用这个改写").click()
    _cells(page, 4).nth(3).get_by_role("button", name="替换为这一步").click()
    _done(page)
    merged = plan_on(page)
    assert merged["rewritten_query"] == OTHER_PLAN["rewritten_query"]
    assert merged["steps"][2] == THIRD["steps"][2]
    assert merged["steps"][:2] == PLAN["steps"][:2]
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    _done(page)
    assert plan_on(page) == PLAN


def test_a_step_that_only_a_candidate_has_is_added_beside_its_company(make_desk: MakeDesk):
    mine = {"rewritten_query": "如何配置关键词", "steps": [PLAN["steps"][0], THIRD["steps"][2]]}
    page = make_desk(queries=1, plans=(mine, THIRD)).open("li", "/zh/label")
    page.click("#plan-candidates")
    expect(page.locator(".candidates")).to_contain_text("你的规划中没有的步骤")
    page.get_by_role("button", name="加入这一步").click()
    _done(page)
    assert plan_on(page) == THIRD


def test_the_rewards_follow_what_is_typed_and_say_what_they_mean(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    rewrite = page.get_by_role("meter", name="改写")
    expect(rewrite).to_have_attribute("aria-valuetext", "改写：你的规划 1.0，模型原回答 1.0")
    field_at(page, REWRITE).fill("上周的订单有多少")
    expect(rewrite).to_have_attribute("aria-valuenow", "1.00")
    expect(rewrite).not_to_have_attribute("aria-valuetext", "改写：你的规划 1.0，模型原回答 1.0")
    expect(page.locator(".part-rewards")).to_contain_text("思考已过时")
    rewrite.focus()
    expect(page.get_by_role("tooltip")).to_contain_text("补全后的问题与你的有多接近")
    described = rewrite.get_attribute("aria-describedby")
    expect(page.locator(f"#{described}")).to_contain_text("文字相似度占 70%")
    expect(page.locator(".part-rewards .reward")).to_have_count(7)
