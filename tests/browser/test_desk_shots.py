"""Pictures of both desks for people to look at; each also holds that nothing overlaps."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import NEW_EXPERT, REWRITE, TRACE, Desk, field_at

MakeDesk = Callable[..., Desk]
Shot = Callable[[Page, str], None]
SIZES = {"1280": (1280, 800), "1440": (1440, 900), "1920": (1920, 1080)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_label_page_fits(make_desk: MakeDesk, shot: Shot, language: str, theme: str, size: str):
    width, height = SIZES[size]
    desk = make_desk(queries=2)
    page = desk.open("li", f"/{language}/label", width=width, height=height, dark=theme == "dark")
    field_at(page, REWRITE).fill("如何配置搜索关键词以恢复“奶茶”类曝光，并向老客推送优惠")
    field_at(page, "$.steps[2].expert").fill("人群")
    page.keyboard.press("Enter")
    field_at(page, "$.steps[2].sub_questions[0]").fill("圈选近 90 天复购老客")
    page.keyboard.press("Enter")
    field_at(page, REWRITE).focus()
    expect(page.locator(".plan-form .problem")).to_be_visible()
    shot(page, f"label-{language}-{theme}-{size}-problem")
    field_at(page, "$.steps[2].sub_questions[1]").fill("推送一张 5 元券")
    expect(page.locator(".part-rewards")).to_be_visible()
    _fits(page)
    shot(page, f"label-{language}-{theme}-{size}")
    if size == "1280":
        _more(page, shot, f"{language}-{theme}-{size}")


def _more(page: Page, shot: Shot, name: str) -> None:
    page.click("#plan-tab-compare")
    shot(page, f"label-compare-{name}")
    page.click("#plan-tab-form")
    field_at(page, "$.steps[2].expert").click()
    shot(page, f"label-experts-{name}")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for key, what in (
        ("e", "list"),
        ("g", "guideline"),
        ("?", "keys"),
        ("f", "flag"),
        ("m", "mine"),
    ):
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_be_visible()
        shot(page, f"label-{what}-{name}")
        page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#label-withdraw")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    shot(page, f"label-empty-{name}")


@pytest.mark.parametrize(
    ("language", "theme", "size"),
    [("zh", "light", "1440"), ("en", "dark", "1280"), ("zh", "dark", "1920")],
)
def test_the_review_page_fits(
    make_desk: MakeDesk, shot: Shot, language: str, theme: str, size: str
):
    width, height = SIZES[size]
    desk = make_desk(queries=1, trace=TRACE * 12)
    author = desk.open("li", f"/{language}/label")
    field_at(author, REWRITE).fill("如何配置搜索关键词以恢复“奶茶”类曝光，并向老客推送优惠")
    field_at(author, "$.steps[2].expert").fill(NEW_EXPERT)
    field_at(author, "$.steps[0].sub_questions[0]").click()
    author.keyboard.press("Alt+Shift+ArrowDown")
    author.keyboard.press("Control+Enter")
    expect(author.locator(".empty-card")).to_be_visible()
    page = desk.open(
        "wang",
        f"/{language}/review",
        role="reviewer",
        width=width,
        height=height,
        dark=theme == "dark",
    )
    name = f"{language}-{theme}-{size}"
    expect(page.locator(".part-rewards")).to_be_visible()
    _fits(page)
    shot(page, f"review-{name}")
    page.locator('#review-comparison [data-path="$.steps[1]"]').click()
    page.keyboard.press("r")
    shot(page, f"review-return-{name}")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    shot(page, f"review-fix-{name}")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.keyboard.press("r")
    page.fill("#reason-text", "第二步应由人群运营专家处理，且先后顺序有误")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    shot(page, f"review-empty-{name}")
    author.click("#empty-again")
    expect(author.locator(".banner.warn")).to_be_visible()
    shot(author, f"label-returned-{name}")


def _fits(page: Page) -> None:
    """No sideways scrolling, and the footer on one line inside the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tops = page.locator(".desk-footer button:visible").evaluate_all(
        "all => all.map(one => Math.round(one.getBoundingClientRect().top))"
    )
    assert max(tops) - min(tops) <= 2
    rights = page.locator(".desk-footer button:visible").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().right)"
    )
    assert max(rights) <= page.viewport_size["width"]  # pyright: ignore[reportOptionalSubscript]
    ends = page.locator(".part-status").evaluate("one => one.getBoundingClientRect().right")
    assert ends <= page.viewport_size["width"]  # pyright: ignore[reportOptionalSubscript]
    actions = page.locator(".part-actions").evaluate("one => one.getBoundingClientRect().right")
    status = page.locator(".part-status").evaluate("one => one.getBoundingClientRect().left")
    assert actions <= status
