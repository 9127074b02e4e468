"""Keys are each person's own, follow them to every browser, and never fire where somebody types."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import OTHER_PLAN, PLAN, REWRITE, Desk, field_at, plan_on

MakeDesk = Callable[..., Desk]
PRESS = """init => document.body.dispatchEvent(
    new KeyboardEvent('keydown', { bubbles: true, ...init })
)"""


def choose(page: Page, action: str, key: str) -> None:
    """Give an action another key, in the open sheet."""
    page.locator(f'[data-action="{action}"] .key-choose').click()
    page.keyboard.press(key)


def open_sheet(page: Page) -> None:
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()


def key_of(page: Page, action: str) -> str:
    return page.locator(f'[data-action="{action}"] .key-choose').inner_text().strip()


def test_a_chosen_key_works_in_another_browser_and_is_printed_there(make_desk: MakeDesk):
    desk = make_desk(queries=2)
    page = desk.open("li", "/zh/label")
    open_sheet(page)
    choose(page, "adopt", "q")
    expect(page.locator(".key-told")).to_have_text("已保存。")
    page.keyboard.press("Escape")
    expect(page.locator("#label-adopt kbd")).to_have_text("Q")

    other = desk.open("li", "/en/label")
    expect(other.locator("#label-adopt kbd")).to_have_text("Q")
    other.keyboard.press("Escape")
    other.keyboard.press("]")  # the second suggestion
    other.keyboard.press("a")
    expect(field_at(other, REWRITE)).to_have_value(PLAN["rewritten_query"])
    other.keyboard.press("q")
    expect(field_at(other, REWRITE)).to_have_value(OTHER_PLAN["rewritten_query"])
    stranger = desk.open("zhao", "/zh/label")
    expect(stranger.locator("#label-adopt kbd")).to_have_text("A")


def test_a_key_in_use_and_a_key_of_the_browser_are_told_and_not_taken(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    open_sheet(page)
    choose(page, "adopt", "s")
    expect(page.locator(".key-told")).to_contain_text("S 已用于“跳过”")
    page.keyboard.press("Control+s")
    expect(page.locator(".key-told")).to_contain_text("由浏览器或规划表单占用")
    assert key_of(page, "adopt") == "A"
    page.locator('[data-action="adopt"] .key-choose').click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_visible()
    assert key_of(page, "adopt") == "A"


def test_one_key_and_all_keys_can_be_the_first_again(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    open_sheet(page)
    for action, key in (("adopt", "q"), ("skip", "F2"), ("undo", "Alt+u")):
        choose(page, action, key)
        expect(page.locator(f'[data-action="{action}"].is-own')).to_be_visible()
    assert [key_of(page, each) for each in ("adopt", "skip", "undo")] == ["Q", "F2", "Alt+U"]
    page.locator('[data-action="skip"] .key-first').click()
    expect(page.locator('[data-action="skip"].is-own')).to_have_count(0)
    assert key_of(page, "skip") == "S"
    page.click("#keys-reset")
    expect(page.locator(".is-own")).to_have_count(0)
    assert key_of(page, "undo") == "Ctrl+Z"


def test_a_key_chosen_for_one_page_leaves_the_other_as_it_was(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    author = desk.open("li", "/zh/label")
    author.locator("#label-submit").click()
    page = desk.open("wang", "/zh/review", role="reviewer")
    open_sheet(page)
    choose(page, "accept", "y")
    expect(page.locator(".key-told")).to_have_text("已保存。")
    page.keyboard.press("Escape")
    page.keyboard.press("y")
    expect(page.locator(".empty-card")).to_be_visible()
    page.goto(page.url.replace("/review", "/label"))
    page.wait_for_selector(".pw-desk:not(.is-loading)")
    page.keyboard.press("?")
    assert key_of(page, "adopt") == "A"


@pytest.mark.parametrize("key", ["a", "s", "b", "c", "?"])
def test_a_letter_typed_in_a_field_is_a_letter(make_desk: MakeDesk, key: str):
    page = make_desk(queries=1).open("li", "/zh/label")
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    field_at(page, REWRITE).fill("")
    page.keyboard.press(key)
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#comments")).to_be_hidden()
    assert plan_on(page)["rewritten_query"] == key
    assert len(plan_on(page)["steps"]) == 3


def test_nothing_fires_while_an_input_method_composes(make_desk: MakeDesk):
    page = make_desk(queries=2).open("li", "/zh/label")
    field_at(page, REWRITE).fill("")
    session = page.context.new_cdp_session(page)
    session.send(
        "Input.imeSetComposition", {"text": "jiang", "selectionStart": 5, "selectionEnd": 5}
    )
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Alt+c")
    session.send("Input.insertText", {"text": "讲清楚"})
    expect(field_at(page, REWRITE)).to_have_value("讲清楚")
    expect(page.locator("#label-withdraw")).to_be_hidden()
    expect(page.locator("#comments")).to_be_hidden()
    page.keyboard.press("Escape")
    for event in ({"key": "s", "isComposing": True}, {"key": "s", "keyCode": 229}):
        page.evaluate(PRESS, event)
    expect(page.locator("dialog")).to_have_count(0)


def test_signs_of_a_chinese_keyboard_are_the_same_keys_and_altgr_is_none(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    page.keyboard.press("Escape")
    page.evaluate(PRESS, {"key": "】", "code": "BracketRight"})
    expect(page.locator("#query-about, .part-dialogue")).to_contain_text("候选 2/2")
    page.evaluate(
        PRESS,
        {"key": "ć", "code": "KeyC", "ctrlKey": True, "altKey": True, "modifierAltGraph": True},
    )
    expect(page.locator("#comments")).to_be_hidden()
    page.evaluate(PRESS, {"key": "？", "code": "Slash", "shiftKey": True})
    expect(page.locator("dialog.keys")).to_be_visible()
