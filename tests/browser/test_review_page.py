"""The review page: both plans side by side, a verdict, and what comes of it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import REWRITE, Desk, experts_of, field_at

MakeDesk = Callable[..., Desk]
CHANGED = "如何配置搜索关键词，并向老客推送优惠"


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    """One submission in which the rewrite was changed and a step removed."""
    desk = make_desk(queries=1)
    page = desk.open("li", "/zh/label")
    field_at(page, REWRITE).fill(CHANGED)
    page.locator(".plan-form .step").nth(2).get_by_label("删除步骤").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    return desk


@pytest.fixture
def page(desk: Desk) -> Page:
    return desk.open("wang", "/zh/review", role="reviewer")


def test_what_the_annotator_changed_is_marked(page: Page):
    comparison = page.locator("#review-comparison")
    expect(comparison.locator("ins")).to_have_text("向老客推送")
    expect(comparison.locator(".comparison-summary")).to_contain_text("删除 1 步")
    expect(comparison.locator(".side.is-gone")).to_contain_text("诊断专家")
    expect(page.locator("#review-facts")).to_contain_text("li desk")


def test_a_plan_is_accepted_by_one_key(page: Page):
    page.keyboard.press("a")
    expect(page.locator(".empty-card")).to_contain_text("没有待验收的标注")


def test_a_plan_is_fixed_and_accepted_in_the_same_editor(page: Page, desk: Desk):
    page.keyboard.press("x")
    expect(field_at(page, REWRITE)).to_be_focused()
    field_at(page, REWRITE).fill(CHANGED + "券")
    page.reload()
    expect(field_at(page, REWRITE)).to_have_value(CHANGED + "券")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    author = desk.open("li", f"/zh/label?query={desk.queries[0]}")
    expect(author.locator(".banner")).to_contain_text("已通过验收")


def test_a_fix_with_problems_is_refused_at_its_field(page: Page):
    page.keyboard.press("x")
    field_at(page, REWRITE).fill("")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".problem-list")).to_contain_text("补全后的问题")
    expect(page.locator(".empty-card")).to_be_hidden()


def test_a_returned_plan_comes_back_to_its_author_with_the_place_marked(page: Page, desk: Desk):
    page.locator('#review-comparison [data-path="$.steps[1]"]').click()
    page.keyboard.press("r")
    page.keyboard.press("2")
    page.fill("#reason-text", "应由人群运营专家处理")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    author = desk.open("li", "/zh/label")
    expect(author.locator(".banner.warn")).to_contain_text("应由人群运营专家处理")
    expect(author.locator(".banner.warn")).to_contain_text("专家选择错误")
    expect(author.locator(".is-returned")).to_have_attribute("data-path", "$.steps[1]")
    field_at(author, "$.steps[1].expert").fill("人群")
    author.keyboard.press("Enter")
    author.keyboard.press("Control+Enter")
    expect(author.locator(".empty-card")).to_be_visible()
    page.click("#empty-again")
    expect(page.locator(".banner")).to_contain_text("应由人群运营专家处理")


def test_several_reasons_are_noted_while_reading_and_go_back_in_one_return(page: Page, desk: Desk):
    page.locator('#review-comparison [data-path="$.steps[1]"]').click()
    page.keyboard.press("r")
    page.keyboard.press("2")
    page.fill("#reason-text", "应由人群运营专家处理")
    page.keyboard.press("Alt+Enter")
    noted = page.locator("#noted-reasons")
    expect(noted).to_contain_text("应由人群运营专家处理")
    expect(page.locator("#review-comparison .is-noted")).to_have_attribute(
        "data-path", "$.steps[1]"
    )
    page.keyboard.press("a")
    expect(page.locator(".pw-notice-card")).to_contain_text("你记下了退回理由")
    page.reload()
    expect(noted).to_contain_text("第 2 步")
    page.locator('#review-comparison [data-path="$.rewritten_query"]').click()
    page.keyboard.press("r")
    expect(page.locator("dialog .reasons")).to_contain_text("应由人群运营专家处理")
    page.keyboard.press("Alt+Enter")
    expect(page.locator("dialog .choices.is-missing")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    author = desk.open("li", "/zh/label")
    reasons = author.locator(".banner.warn .reasons li")
    expect(reasons).to_have_count(2)
    expect(reasons.nth(1)).to_contain_text("补全后的问题不准确")
    expect(author.locator(".is-returned")).to_have_count(2)
    reasons.nth(1).locator("[data-go=place]").click()
    expect(field_at(author, REWRITE)).to_be_focused()
    reasons.nth(0).locator("[data-go=place]").click()
    expect(field_at(author, "$.steps[1].expert")).to_be_focused()
    author.click("#label-history")
    told = author.locator(".story-entry[data-action=returned] .reasons li")
    expect(told).to_have_count(2)


def test_a_noted_reason_is_taken_back(page: Page):
    page.keyboard.press("r")
    page.keyboard.press("Alt+Enter")
    page.locator("#noted-reasons").get_by_label("去掉这条理由").click()
    expect(page.locator("#noted-reasons")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator(".empty-card")).to_contain_text("没有待验收的标注")


def test_a_plan_is_discarded_only_with_a_reason(page: Page):
    page.keyboard.press("d")
    page.click("#reason-done")
    expect(page.locator("dialog")).to_be_visible()
    page.fill("#reason-text", "与业务无关")
    page.click("#reason-done")
    expect(page.locator(".empty-card")).to_be_visible()


def test_a_reviewer_is_never_given_their_own_work(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    page = desk.open("wang", "/zh/label", role="reviewer")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    review = desk.visit(page.context, "/zh/review")
    expect(review.locator(".empty-card")).to_contain_text("你自己的标注不会由你验收")


def test_dropping_a_fix_shows_the_annotator_s_plan_again(page: Page):
    page.keyboard.press("x")
    field_at(page, REWRITE).fill("改了又放弃")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.locator("#review-comparison")).to_contain_text(CHANGED)
    page.keyboard.press("x")
    expect(field_at(page, REWRITE)).to_have_value(CHANGED)
    assert len(experts_of(page)) == 2
