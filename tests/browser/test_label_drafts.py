"""What is typed on the label page is never lost."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.desk import REWRITE, Desk, field_at, plan_on, wait_saved

TYPED = "上周搜索流量下降后，如何配置“奶茶”关键词"


def test_typing_survives_a_reload(make_desk: Callable[..., Desk]):
    page = make_desk().open("li", "/zh/label")
    field_at(page, REWRITE).fill(TYPED)
    wait_saved(page)
    page.reload()
    expect(field_at(page, REWRITE)).to_have_value(TYPED)


def test_the_last_keys_before_a_crash_of_the_browser_come_back(make_desk: Callable[..., Desk]):
    desk = make_desk()
    page = desk.open("li", "/zh/label")
    field_at(page, REWRITE).fill("第一句")
    wait_saved(page)
    # The server never hears of the next keys: only the browser's own copy has them.
    page.context.route("**/gradio_api/run/**", lambda route: route.abort())
    page.locator("body").evaluate("() => (window.fetch = () => new Promise(() => undefined))")
    field_at(page, REWRITE).fill(TYPED)
    page.context.unroute("**/gradio_api/run/**")
    again = desk.visit(page.context, "/zh/label")
    expect(field_at(again, REWRITE)).to_have_value(TYPED)
    expect(again.locator(".banner.ok")).to_contain_text("已从本浏览器恢复")
    again.keyboard.press("Control+z")
    wait_saved(again)


def test_typing_goes_on_while_the_server_is_killed_and_started_again(
    make_desk: Callable[..., Desk],
):
    desk = make_desk()
    page = desk.open("li", "/zh/label")
    field_at(page, REWRITE).fill("之前")
    wait_saved(page)
    desk.app.kill()
    field_at(page, REWRITE).press_sequentially("，之后", delay=20)
    desk.app.start()
    expect(page.locator("#label-saved")).to_contain_text("草稿已保存")
    expect(field_at(page, REWRITE)).to_have_value("之前，之后")
    page.reload()
    expect(field_at(page, REWRITE)).to_have_value("之前，之后")


def test_two_tabs_are_offered_both_versions(make_desk: Callable[..., Desk]):
    desk = make_desk()
    first = desk.open("li", "/zh/label")
    second = desk.visit(first.context, "/zh/label")
    field_at(first, REWRITE).fill("第一个标签页的版本")
    wait_saved(first)
    field_at(second, REWRITE).fill("第二个标签页的版本")
    banner = second.locator(".banner.bad")
    expect(banner).to_be_visible()
    here = second.evaluate(
        "new Date().toLocaleTimeString('zh-CN', {hour: '2-digit', minute: '2-digit'})"
    )
    expect(banner).to_contain_text("你在另一个标签页或窗口保存了另一个版本")
    expect(banner).to_contain_text(re.compile(rf"日 {here[:3]}\d\d）"))
    second.click("#conflict-compare")
    expect(second.locator(".conflict-differences")).to_contain_text("第一个标签页的版本")
    expect(field_at(second, REWRITE)).to_have_value("第二个标签页的版本")
    second.click("#conflict-theirs")
    expect(field_at(second, REWRITE)).to_have_value("第一个标签页的版本")
    second.click("#plan-undo")
    expect(field_at(second, REWRITE)).to_have_value("第二个标签页的版本")
    wait_saved(second)
    second.reload()
    expect(field_at(second, REWRITE)).to_have_value("第二个标签页的版本")


def test_keeping_mine_in_a_conflict_saves_mine(make_desk: Callable[..., Desk]):
    desk = make_desk()
    first = desk.open("li", "/zh/label")
    second = desk.visit(first.context, "/zh/label")
    field_at(first, REWRITE).fill("甲")
    wait_saved(first)
    field_at(second, REWRITE).fill("乙")
    second.click("#conflict-mine")
    wait_saved(second)
    expect(second.locator(".banner.bad")).to_have_count(0)
    assert plan_on(second)["rewritten_query"] == "乙"


def test_text_that_is_not_json_is_kept_and_its_place_is_named(make_desk: Callable[..., Desk]):
    page = make_desk().open("li", "/zh/label")
    page.click("#plan-tab-json")
    broken = '{\n  "rewritten_query": "一半",\n  "steps": [}\n'
    page.fill("#plan-json", broken)
    expect(page.locator(".json-message")).to_contain_text(re.compile("第 3 行第 13 列"))
    page.keyboard.press("Control+Enter")
    expect(page.locator("#plan-json")).to_have_value(broken)
    page.click("#plan-tab-form")
    expect(page.locator(".form-warning")).to_be_visible()
    page.reload()
    expect(page.locator("#plan-json")).to_have_value(broken)


def test_json_that_looks_like_a_file_is_only_text(make_desk: Callable[..., Desk]):
    page = make_desk().open("li", "/zh/label")
    page.click("#plan-tab-json")
    file = '{"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}'
    page.fill("#plan-json", f'{{"rewritten_query": "甲", "steps": [], "extra": {file}}}')
    wait_saved(page)
    expect(page.locator("#plan-problems")).to_have_text("1 处问题")
    page.reload()
    page.click("#plan-tab-json")
    expect(page.locator("#plan-json")).to_have_value(re.compile("/etc/hostname"))
