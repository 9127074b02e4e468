"""Finding an item, giving one back, and the list of one's own work."""

from collections.abc import Callable

from playwright.sync_api import expect

from db.tables import Query
from tests.browser.desk import PLAN, QUERY, REWRITE, Desk, field_at

MakeDesk = Callable[..., Desk]


def name_last(desk: Desk, text: str, external_id: str) -> None:
    """Give the last query of the desk a text and an id of its own."""
    with desk.database.transaction() as session:
        query = session.get_one(Query, desk.queries[-1])
        query.text, query.external_id = text, external_id


def test_an_item_is_found_by_its_text_or_id_and_opened(make_desk: MakeDesk):
    desk = make_desk(queries=3)
    name_last(desk, "退款超时怎么处理", "ticket-77")
    page = desk.open("li", "/zh/label")
    field_at(page, REWRITE).fill("写了一半")
    page.keyboard.press("Control+k")
    page.keyboard.type("关键词")
    expect(page.locator(".find-list li")).to_have_count(2)
    expect(page.locator(".find-list li").first).to_contain_text("我的")
    page.locator("#find-text").fill("没有这样的问题")
    expect(page.locator("dialog p.faint")).to_contain_text("没有匹配的内容")
    page.locator("#find-text").fill("ticket-77")
    expect(page.locator(".find-list li")).to_contain_text("退款超时怎么处理")
    page.keyboard.press("Enter")
    expect(page.locator("#query-text")).to_have_text("退款超时怎么处理")
    page.keyboard.press("Control+k")
    page.keyboard.type("关键词")
    expect(page.locator(".find-list li")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("#query-text")).to_have_text(QUERY)
    expect(field_at(page, REWRITE)).to_have_value("写了一半")


def test_a_reviewer_finds_a_submission_and_learns_who_has_it(make_desk: MakeDesk):
    desk = make_desk(queries=2)
    name_last(desk, "退款超时怎么处理", "ticket-77")
    author = desk.open("li", "/zh/label")
    for done in (1, 2):
        expect(author.locator("#plan-problems")).to_have_text("可以提交")
        author.locator("#label-submit").click()
        expect(author.locator("#pw-today")).to_have_text(f"今日 {done} / 120")
    expect(author.locator(".empty-card")).to_be_visible()
    first = desk.open("wang", "/zh/review", role="reviewer")
    expect(first.locator("#query-text")).to_have_text(QUERY)
    first.keyboard.press("Control+k")
    first.keyboard.type("退款")
    expect(first.locator(".find-list li")).to_have_count(1)
    first.keyboard.press("Enter")
    expect(first.locator("#query-text")).to_have_text("退款超时怎么处理")
    second = desk.open("zhao", "/zh/review", role="reviewer")
    second.keyboard.press("Control+k")
    second.keyboard.type("退款")
    expect(second.locator(".find-list li")).to_contain_text("其他验收员处理中")


def test_what_is_given_back_is_free_for_others_and_keeps_its_draft(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    page = desk.open("li", "/zh/label")
    field_at(page, REWRITE).fill("做到一半要走了")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    expect(page.locator(".empty-card")).to_contain_text("已放回")
    other = desk.open("zhao", "/zh/label")
    expect(other.locator("#query-text")).to_have_text(QUERY)
    expect(field_at(other, REWRITE)).to_have_value(PLAN["rewritten_query"])
    other.keyboard.press("Escape")
    other.keyboard.press("b")
    expect(other.locator(".empty-card")).to_contain_text("已放回")
    page.click("#empty-again")
    expect(field_at(page, REWRITE)).to_have_value("做到一半要走了")


def test_my_work_shows_progress_time_and_what_can_still_be_withdrawn(make_desk: MakeDesk):
    desk = make_desk(queries=3)
    page = desk.open("li", "/zh/label")
    for number in range(2):
        field_at(page, REWRITE).fill(f"第 {number + 1} 条的问题")
        page.wait_for_timeout(2100)  # time worked on it, told in whole seconds
        page.locator("#label-submit").click()
        expect(field_at(page, REWRITE)).to_have_value(PLAN["rewritten_query"])
    reviewer = desk.open("wang", "/zh/review", role="reviewer")
    expect(reviewer.locator("#query-text")).to_have_text(QUERY)
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator(".mine-progress")).to_contain_text("你今天：2 / 120")
    expect(page.locator(".mine-progress")).to_contain_text("已定 0 / 3")
    page.click("#mine-submitted")
    rows = page.locator(".mine-item")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("用时 0:0")
    expect(rows.last).to_contain_text("验收中")
    expect(rows.last.locator(".mine-withdraw")).to_have_count(0)
    rows.first.locator(".mine-withdraw").click()
    expect(field_at(page, REWRITE)).to_have_value("第 2 条的问题")


def test_the_count_of_returned_ones_is_on_every_page_and_leads_to_them(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    page = desk.open("li", "/zh/label")
    page.locator("#label-submit").click()
    expect(page.locator(".empty-card")).to_be_visible()
    reviewer = desk.open("wang", "/zh/review", role="reviewer")
    reviewer.keyboard.press("r")
    reviewer.keyboard.press("Control+Enter")
    expect(reviewer.locator(".empty-card")).to_be_visible()
    page.reload()
    expect(page.locator("#pw-returned")).to_have_text("退回给你（1）")
    page.locator("#pw-returned").click()
    expect(page.locator("dialog .mine-row")).to_have_count(1)
