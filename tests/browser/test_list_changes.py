"""What became of the experts since the list before, told on the label page where one is chosen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import select

from db.access.list_changes import add_changes
from db.tables import ListVersion
from schemas.list_changes import ListChange
from tests.browser.desk import (
    ITS_OLD_NAME,
    NEW_EXPERT,
    OTHER_PLAN,
    RENAMED_EXPERT,
    REWORDED_EXPERT,
    Desk,
    field_at,
)

MakeDesk = Callable[..., Desk]
SPLIT_EXPERT = "知识问答专家"


@pytest.fixture
def desk(make_desk: MakeDesk) -> Desk:
    return make_desk(queries=1, plans=(OTHER_PLAN,))


def _record(desk: Desk, *changes: ListChange) -> None:
    """An admin has recorded what became of whom; before anybody has read the list."""
    with desk.database.transaction() as session:
        found = session.exec(
            select(ListVersion).where(ListVersion.project_id == desk.admin.project_id)
        )
        ids = {row.version: row.id for row in found}
        who = desk.admin
        add_changes(session, who.project_id, ids[1], ids[2], changes, confirmed_by=who.person_id)


def _choice(page: Page, name: str) -> Locator:
    return page.locator(".expert-box [role=option]", has_text=name)


def test_new_renamed_and_reworded_experts_say_so_where_one_is_chosen(desk: Desk):
    page = desk.open("li", "/zh/label")
    field_at(page, "$.steps[0].expert").click()
    expect(_choice(page, NEW_EXPERT).locator(".pill.ok")).to_have_text("本版新增")
    expect(_choice(page, RENAMED_EXPERT).locator(".pill")).to_have_text(f"原名 {ITS_OLD_NAME}")
    expect(_choice(page, REWORDED_EXPERT).locator(".pill.warn")).to_have_text("说明有变")
    expect(_choice(page, SPLIT_EXPERT).locator(".pill")).to_have_count(0)
    _choice(page, REWORDED_EXPERT).hover()
    about = page.locator(".expert-about:visible")
    expect(about.locator("del")).to_contain_text("退款")
    expect(about.locator("ins")).to_contain_text(["售后与申诉"])


def test_the_badge_of_a_step_follows_its_expert_and_leads_to_what_changed(desk: Desk):
    page = desk.open("li", "/zh/label")
    step = page.locator(".plan-form .step").nth(1)
    badge = step.locator(".badges button")
    expect(badge).to_have_text("本版新增")
    field_at(page, "$.steps[1].expert").fill(REWORDED_EXPERT)
    expect(badge).to_have_text("说明有变")
    badge.click()
    shown = page.locator("dialog .expert-row", has_text=REWORDED_EXPERT)
    expect(shown.locator("del")).to_contain_text("退款")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    field_at(page, "$.steps[1].expert").fill(SPLIT_EXPERT)
    expect(badge).to_have_count(0)


def test_what_an_admin_recorded_counts_before_what_the_lists_tell(desk: Desk):
    _record(
        desk,
        ListChange(kind="split", before=(SPLIT_EXPERT,), after=(SPLIT_EXPERT, NEW_EXPERT)),
        ListChange(kind="merge", before=(ITS_OLD_NAME, REWORDED_EXPERT), after=(RENAMED_EXPERT,)),
    )
    page = desk.open("li", "/zh/label")
    badges = page.locator(".plan-form .step .badges button")
    expect(badges).to_have_text(["部分职责已拆出", f"拆自 {SPLIT_EXPERT}"])
    field_at(page, "$.steps[0].expert").click()
    merged = _choice(page, RENAMED_EXPERT)
    expect(merged.locator(".pill")).to_have_text(f"由 {ITS_OLD_NAME} + {REWORDED_EXPERT} 合并")
    merged.hover()
    expect(page.locator(".expert-about:visible")).to_contain_text(
        f"承接上一版列表中 {ITS_OLD_NAME} + {REWORDED_EXPERT} 的职责"
    )


def test_the_words_of_the_badges_are_those_of_the_page(desk: Desk):
    _record(desk, ListChange(kind="rename", before=(ITS_OLD_NAME,), after=(NEW_EXPERT,)))
    page = desk.open("li", "/en/label")
    expect(page.locator(".plan-form .step").nth(1).locator(".badges button")).to_have_text(
        f"was {ITS_OLD_NAME}"
    )


def test_the_list_of_experts_is_never_under_the_bar_at_the_foot(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label", width=1280, height=720)
    for step in range(3):
        field_at(page, f"$.steps[{step}].expert").click()
        popup = page.locator(".expert-popup:visible").bounding_box()
        bar = page.locator(".desk-footer").bounding_box()
        assert popup and bar
        assert 0 <= popup["y"] <= popup["y"] + popup["height"] <= bar["y"]
        page.keyboard.press("Escape")
