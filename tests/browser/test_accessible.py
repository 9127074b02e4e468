"""Both desks for people who hear or do not see colours: axe finds nothing serious."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.desk import NEW_EXPERT, OTHER_PLAN, PLAN, REWRITE, TRACE, Desk, field_at

MakeDesk = Callable[..., Desk]
GRAVE = {"serious", "critical"}
COLOURS_ARRIVED = """() => Promise.allSettled(
    document.getAnimations()
        .filter(each => Number.isFinite(each.effect.getComputedTiming().endTime))
        .map(each => each.finished))"""
LOOKS = [(language, theme) for language in ("zh", "en") for theme in ("light", "dark")]
looks = pytest.mark.parametrize(("language", "theme"), LOOKS, ids=["-".join(one) for one in LOOKS])


def _grave(page: Page, where: str) -> list[str]:
    """What axe calls serious or critical, in a line each."""
    page.evaluate(COLOURS_ARRIVED)
    found: dict[str, Any] = Axe().run(page).response
    return [
        f"{where}: {each['id']} ({each['help']}): {node['target']} {node['failureSummary'][:200]}"
        for each in found["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"][:3]
    ]


def _dialogs(page: Page, keys: str) -> list[str]:
    found: list[str] = []
    for key in keys:
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_be_visible()
        found += _grave(page, f"dialog of {key}")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    return found


@looks
def test_the_label_page_has_nothing_serious(make_desk: MakeDesk, language: str, theme: str):
    desk = make_desk(queries=1, plans=(PLAN, OTHER_PLAN))
    page = desk.open("li", f"/{language}/label", dark=theme == "dark", width=1280, height=800)
    expect(page.locator(".part-rewards")).to_be_visible()
    found = _grave(page, "full")
    field_at(page, REWRITE).fill("")
    field_at(page, "$.steps[0].sub_questions[0]").fill("")
    field_at(page, "$.steps[1].expert").fill(NEW_EXPERT)
    found += _grave(page, "choosing an expert")
    field_at(page, "$.steps[2].sub_questions[0]").fill("圈选近 90 天复购老客")
    expect(page.locator(".plan-form .problem")).to_have_count(2)
    page.click("#plan-problems")
    found += _grave(page, "with problems")
    page.keyboard.press("Escape")
    for tab in ("json", "compare", "form"):
        page.click(f"#plan-tab-{tab}")
        found += _grave(page, tab)
    page.locator(".reward").first.focus()
    found += _grave(page, "a reward explained")
    page.keyboard.press("Escape")
    found += _dialogs(page, "vegm?fs")
    assert not found, "\n".join(found)


@looks
def test_the_empty_label_page_has_nothing_serious(make_desk: MakeDesk, language: str, theme: str):
    desk = make_desk(queries=0)
    page = desk.open("li", f"/{language}/label", dark=theme == "dark")
    expect(page.locator(".empty-card")).to_be_visible()
    found = _grave(page, "empty")
    assert not found, "\n".join(found)


@looks
def test_the_review_page_has_nothing_serious(make_desk: MakeDesk, language: str, theme: str):
    desk = make_desk(queries=1, trace=TRACE * 12)
    author = desk.open("li", "/zh/label")
    field_at(author, "$.steps[2].expert").fill(NEW_EXPERT)
    author.keyboard.press("Control+Enter")
    expect(author.locator(".empty-card")).to_be_visible()
    page = desk.open("wang", f"/{language}/review", role="reviewer", dark=theme == "dark")
    expect(page.locator(".part-rewards")).to_be_visible()
    found = _grave(page, "full")
    page.locator('#review-comparison [data-path="$.steps[1]"]').click()
    found += _grave(page, "a step chosen")
    found += _dialogs(page, "rde?")
    page.keyboard.press("x")
    expect(page.locator("#review-editor")).to_be_visible()
    found += _grave(page, "fixing")
    page.keyboard.press("Escape")
    page.click("#review-accept")
    expect(page.locator(".empty-card")).to_be_visible()
    found += _grave(page, "empty")
    assert not found, "\n".join(found)
