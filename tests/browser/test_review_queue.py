"""The review queue: filters, batches, lots, histories; and two people at one thing at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from labeling import annotate, pauses
from labeling.accounts import add_person
from schemas.people import Actor
from schemas.sampling import sampling_plan
from tests.browser.desk import OTHER_PLAN, PASSWORD, PLAN, REWRITE, Desk, field_at, wait_saved
from tests.factories import decide

MakeDesk = Callable[..., Desk]
SAMPLING = {"tolerated_rate": 0.4, "confidence": 0.8}


def _somebody(desk: Desk, who: str) -> Actor:
    """A member who acts through the services, and may open pages too."""
    name = f"{who} {desk.admin.project}"
    if who not in desk.people:
        desk.people[who] = add_person(desk.database, desk.admin, name, PASSWORD, "annotator")
    return replace(desk.admin, person_id=desk.people[who], name=name, role="annotator")


def _hand_in(desk: Desk, who: str, query_id: str, plan: Any = PLAN) -> str:
    author = _somebody(desk, who)
    item = annotate.open_item(desk.database, author, query_id)
    annotate.submit(
        desk.database,
        author,
        item.annotation_id,
        number=item.draft_number,
        content=plan,
        seconds=30,
    )
    return item.annotation_id


def _reviewer(desk: Desk, who: str = "wang") -> Page:
    return desk.open(who, "/zh/review", role="reviewer")


def test_the_next_item_follows_the_filter_until_it_is_cleared(make_desk: MakeDesk):
    desk = make_desk(queries=4)
    for query_id, who in zip(desk.queries, ("li", "li", "zhou", "zhou"), strict=True):
        _hand_in(desk, who, query_id, OTHER_PLAN if query_id == desk.queries[3] else PLAN)
    page = _reviewer(desk)
    expect(page.locator("#review-facts")).to_contain_text("li desk")
    page.keyboard.press("l")
    expect(page.locator("#waiting-total")).to_contain_text("共 4 条")
    page.select_option("#waiting-author", label=f"zhou {desk.admin.project}")
    expect(page.locator("#waiting-rows li")).to_have_count(2)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#review-narrowed")).to_contain_text("zhou desk")
    expect(page.locator("#review-facts")).to_contain_text("zhou desk")
    page.keyboard.press("a")
    expect(page.locator("#review-comparison")).to_contain_text("圈选近 90 天复购老客")
    expect(page.locator("#review-facts")).to_contain_text("zhou desk")
    page.keyboard.press("a")
    expect(page.locator(".empty-card")).to_be_visible()
    page.click("#review-clear")
    expect(page.locator("#review-facts")).to_contain_text("li desk")


def test_an_item_is_opened_from_the_list_by_keys(make_desk: MakeDesk):
    desk = make_desk(queries=2)
    _hand_in(desk, "li", desk.queries[0])
    _hand_in(desk, "zhou", desk.queries[1])
    page = _reviewer(desk)
    page.keyboard.press("l")
    expect(page.locator("#waiting-rows")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#review-facts")).to_contain_text("zhou desk")


def test_a_hidden_author_is_nowhere_in_the_list(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    decide(desk.database, desk.admin, hide_author=True)
    _hand_in(desk, "li", desk.queries[0])
    page = _reviewer(desk)
    page.keyboard.press("l")
    expect(page.locator("#waiting-rows li")).to_have_count(1)
    expect(page.locator("#waiting-author")).to_have_count(0)
    assert "li desk" not in page.inner_text("body")


def test_the_rest_of_a_batch_is_accepted_only_after_its_sample(make_desk: MakeDesk):
    desk = make_desk(queries=8)
    decide(desk.database, desk.admin, sampling=SAMPLING)
    for query_id in desk.queries:
        _hand_in(desk, "li", query_id)
    page = _reviewer(desk)
    page.keyboard.press("b")
    expect(page.locator("dialog")).to_contain_text("8 条可以成批处理")
    page.keyboard.press("Enter")
    progress = page.locator("#review-batch-progress")
    expect(progress).to_contain_text("抽检 0/")
    expect(page.locator("#review-batch")).to_be_disabled()
    page.reload()
    sample = sampling_plan(8, 0.4, 0.8).sample_size
    for seen in range(1, sample + 1):
        expect(progress).to_contain_text(f"抽检 {seen - 1}/{sample}")
        page.keyboard.press("a")
    expect(page.locator("#batch-card")).to_have_attribute("data-state", "done")
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    expect(page.locator("#batch-outcome")).to_contain_text(f"已通过 {8 - sample} 条")
    page.keyboard.press("Escape")
    expect(page.locator(".empty-card")).to_contain_text("没有待验收的标注")


def test_a_lot_is_drawn_by_hand_and_the_item_says_so(make_desk: MakeDesk):
    desk = make_desk(queries=2)
    decide(desk.database, desk.admin, sampling={"is_on": True, "lot_size": 5})
    for query_id in desk.queries:
        _hand_in(desk, "li", query_id)
    page = _reviewer(desk)
    expect(page.locator(".empty-card")).to_be_visible()
    page.keyboard.press("o")
    expect(page.locator(".lot")).to_contain_text("2/5 条")
    page.keyboard.press("Enter")
    expect(page.locator(".lot")).to_contain_text("正在抽检")
    page.keyboard.press("Escape")
    expect(page.locator(".part-banners")).to_contain_text("第 1 批 · 已看 0/2")
    page.keyboard.press("a")
    expect(page.locator(".part-banners")).to_contain_text("已看 1/2")
    page.keyboard.press("a")
    page.keyboard.press("o")
    expect(page.locator(".lot")).to_contain_text("已通过")


def test_what_waits_in_lots_is_told_and_reviewed_singly_when_sampling_is_off(make_desk: MakeDesk):
    desk = make_desk(queries=2)
    decide(desk.database, desk.admin, sampling={"is_on": True, "lot_size": 5})
    for query_id in desk.queries:
        _hand_in(desk, "li", query_id)
    page = _reviewer(desk)
    expect(page.locator(".empty-card")).to_be_visible()
    expect(page.locator("#lots-dissolve")).to_have_count(0)
    decide(desk.database, desk.admin, sampling={"is_on": False})
    page.click("#empty-again")
    expect(page.locator(".empty-card .banner")).to_contain_text("其中 2 条目前不在任何人的队列里")
    page.click("#lots-open")
    expect(page.locator("dialog .banner")).to_contain_text("还没有结论的批次有 1 个")
    page.locator("dialog #lots-dissolve").click()
    expect(page.locator("dialog .banner")).to_have_count(0)
    expect(page.locator("dialog .lot")).to_contain_text("已解散")
    page.keyboard.press("Escape")
    expect(page.locator("#review-facts")).to_contain_text("li desk")
    page.keyboard.press("a")
    page.keyboard.press("a")
    expect(page.locator(".empty-card")).to_contain_text("没有待验收的标注")


def _select_in_trace(page: Page, start: int, end: int) -> str:
    """Select so many characters of the first line of the trace, as dragging over it does."""
    return page.evaluate(
        """([start, end]) => {
            const line = document.querySelector(".trace p");
            const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
            const at = (offset) => {
                walker.currentNode = line;
                let [node, from] = [walker.nextNode(), 0];
                for (; offset > from + node.length; node = walker.nextNode()) from += node.length;
                return [node, offset - from];
            };
            const range = document.createRange();
            range.setStart(...at(start));
            range.setEnd(...at(end));
            getSelection().removeAllRanges();
            getSelection().addRange(range);
            return range.toString();
        }""",
        [start, end],
    )


def test_a_return_marks_the_selected_thinking_for_the_author(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    _hand_in(desk, "li", desk.queries[0])
    page = _reviewer(desk)
    expect(page.locator(".trace p").first).to_be_visible()
    page.locator('#review-comparison [data-path="$.steps[1]"]').click()
    said = _select_in_trace(page, 6, 16)
    page.keyboard.press("r")
    expect(page.locator(".choice.passage")).to_contain_text(said)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    author = desk.open("li", "/zh/label")
    expect(author.locator("[data-go=passage]")).to_contain_text(said)
    expect(author.locator(".is-returned")).to_have_attribute("data-path", "$.steps[1]")
    author.wait_for_function("CSS.highlights.get('pw-returned')?.size === 1")
    author.click("[data-go=passage]")
    expect(author.locator(".trace p").first).to_be_in_viewport()


def test_an_author_gets_an_older_version_back_and_what_was_typed_is_kept(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    _hand_in(desk, "li", desk.queries[0])
    page = _reviewer(desk)
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    author = desk.open("li", "/zh/label")
    field_at(author, REWRITE).fill("另一种说法")
    wait_saved(author)
    author.keyboard.press("Escape")
    author.keyboard.press("h")
    story = author.locator("#story")
    expect(story).to_contain_text("退回")
    author.locator("[data-restore]").click()
    expect(field_at(author, REWRITE)).to_have_value(PLAN["rewritten_query"])
    author.keyboard.press("Escape")
    author.keyboard.press("h")
    expect(story).to_contain_text("恢复旧版本")
    expect(story.locator(".story-entry[data-action=restored]")).to_contain_text("另一种说法")
    author.keyboard.press("Escape")
    author.reload()
    expect(field_at(author, REWRITE)).to_have_value(PLAN["rewritten_query"])


def test_a_reviewer_reads_both_versions_of_a_fix_and_puts_one_back(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    annotation_id = _hand_in(desk, "li", desk.queries[0])
    page = _reviewer(desk)
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    assert _hand_in(desk, "li", desk.queries[0], OTHER_PLAN) == annotation_id
    page.click("#empty-again")
    expect(page.locator("#review-comparison")).to_contain_text("圈选近 90 天复购老客")
    page.keyboard.press("h")
    first = page.locator(".story-entry[data-action=submitted]").first
    first.locator("summary").click()
    expect(first.locator(".comparison")).to_contain_text(PLAN["rewritten_query"])
    first.locator("[data-restore]").click()
    expect(page.locator("#review-comparison")).not_to_contain_text("圈选近 90 天复购老客")
    page.keyboard.press("h")
    expect(page.locator("#story")).to_contain_text("恢复旧版本")


def test_a_verdict_on_what_was_withdrawn_meanwhile_says_so_and_keeps_the_fix(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    annotation_id = _hand_in(desk, "li", desk.queries[0])
    page = _reviewer(desk)
    page.keyboard.press("x")
    field_at(page, REWRITE).fill("验收人的改法")
    second = desk.visit(page.context, "/zh/review")
    expect(field_at(second, REWRITE)).to_have_value("验收人的改法")
    second.keyboard.press("Escape")
    second.keyboard.press("x")
    second.click("#review-skip")
    second.click("#reason-done")
    expect(second.locator(".empty-card")).to_be_visible()
    annotate.withdraw(desk.database, _somebody(desk, "li"), annotation_id)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#review-lost")).to_contain_text("作者已撤回")
    expect(field_at(page, REWRITE)).to_have_value("验收人的改法")
    expect(page.locator(".conflict-differences")).to_contain_text("你的修改还在这里")
    page.click("#review-next-item")
    expect(page.locator(".empty-card")).to_be_visible()


def test_a_verdict_in_a_second_tab_is_told_who_decided_in_the_first(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    _hand_in(desk, "li", desk.queries[0])
    page = _reviewer(desk)
    other = desk.visit(page.context, "/zh/review")
    expect(other.locator("#review-facts")).to_contain_text("li desk")
    page.keyboard.press("a")
    expect(page.locator(".empty-card")).to_be_visible()
    other.keyboard.press("d")
    other.fill("#reason-text", "不要")
    other.click("#reason-done")
    expect(other.locator("#review-lost")).to_contain_text("在另一个标签页处理了这条标注")
    expect(other.locator("#review-lost")).not_to_contain_text("UTC")


@pytest.mark.parametrize("act", ["accept", "return"])
def test_an_author_who_types_in_two_tabs_is_shown_both_after_a_return(
    make_desk: MakeDesk, act: str
):
    desk = make_desk(queries=1)
    page = desk.open("li", "/zh/label")
    field_at(page, REWRITE).fill("第一页的说法")
    wait_saved(page)
    other = desk.visit(page.context, "/zh/label")
    expect(field_at(other, REWRITE)).to_have_value("第一页的说法")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
    reviewer = _reviewer(desk)
    reviewer.keyboard.press("a" if act == "accept" else "r")
    if act == "return":
        reviewer.keyboard.press("Control+Enter")
    expect(reviewer.locator(".empty-card")).to_be_visible()
    field_at(other, REWRITE).fill("第二页的说法")
    if act == "return":
        expect(other.locator("#conflict-compare")).to_be_visible()
    else:
        expect(other.get_by_text("对这份规划作出结论")).to_be_visible()
    expect(field_at(other, REWRITE)).to_have_value("第二页的说法")
    other.keyboard.press("Escape")
    other.keyboard.press("h")
    expect(other.locator("#story")).to_contain_text("内容已留存")


def test_a_paused_reviewer_reads_why_and_whom_to_ask(make_desk: MakeDesk, shot):
    desk = make_desk(queries=1)
    _hand_in(desk, "li", desk.queries[0])
    name = f"wang {desk.admin.project}"
    desk.people["wang"] = add_person(desk.database, desk.admin, name, PASSWORD, "reviewer")
    boss = f"zhao {desk.admin.project}"
    boss_id = add_person(desk.database, desk.admin, boss, PASSWORD, "admin")
    admin = replace(desk.admin, person_id=boss_id, name=boss)
    pauses.pause(desk.database, admin, desk.people["wang"], reason="先读新的规范")
    page = _reviewer(desk)
    paused = page.locator("#review-paused")
    expect(paused).to_contain_text("暂时没有新的验收")
    expect(paused).to_contain_text("先读新的规范")
    expect(paused).to_contain_text(boss)
    shot(page, "review-paused-zh")
    pauses.lift(desk.database, admin, desk.people["wang"])
    paused.get_by_role("button").click()
    expect(page.locator("#review-facts")).to_contain_text("li desk")
