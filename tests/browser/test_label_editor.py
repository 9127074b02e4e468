"""The plan editor: form, raw JSON and comparison are one plan, by mouse and by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.desk import (
    ITS_OLD_NAME,
    NEW_EXPERT,
    PLAN,
    RENAMED_EXPERT,
    REWORDED_EXPERT,
    REWRITE,
    Desk,
    experts_of,
    field_at,
    plan_on,
    stages_of,
)

MakeDesk = Callable[..., Desk]
KNOW, ADVISE, FIND = (step["expert"] for step in PLAN["steps"])


@pytest.fixture
def page(make_desk: MakeDesk) -> Page:
    return make_desk(queries=1).open("li", "/zh/label")


def test_the_editor_opens_with_the_model_s_plan_and_the_caret_in_the_first_field(page: Page):
    expect(field_at(page, REWRITE)).to_be_focused()
    assert plan_on(page) == PLAN
    assert stages_of(page) == [[KNOW, ADVISE], [FIND]]


def test_steps_move_by_keys_and_stages_stay_contiguous(page: Page):
    field_at(page, "$.steps[2].expert").focus()
    page.keyboard.press("Alt+ArrowUp")
    assert stages_of(page) == [[FIND], [KNOW, ADVISE]]
    expect(field_at(page, "$.steps[0].expert")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+p")
    assert stages_of(page) == [[KNOW, ADVISE, FIND]]
    page.keyboard.press("Alt+p")
    assert [step["order"] for step in plan_on(page)["steps"]] == [1, 1, 2]


def test_a_step_is_dragged_into_a_stage_of_its_own_and_beside_others(page: Page):
    grips = page.locator(".plan-form .grip")
    stages = page.locator(".plan-form .stage")
    _drag(page, grips.nth(1), stages.nth(1).bounding_box(), at=1.0)
    assert stages_of(page) == [[KNOW], [FIND], [ADVISE]]
    _drag(page, grips.nth(2), stages.nth(0).bounding_box(), at=0.3)
    assert stages_of(page) == [[ADVISE, KNOW], [FIND]]


def test_an_expert_is_found_by_typing_and_taken_by_enter(page: Page):
    box = field_at(page, "$.steps[2].expert")
    box.fill("老客")
    expect(page.locator(".expert-choices:visible li")).to_have_text(
        [f"{NEW_EXPERT}本版新增圈选人群并触达：新客、老客、流失客；短信、优惠券、会员。"]
    )
    page.keyboard.press("Enter")
    expect(box).to_have_value(NEW_EXPERT)
    expect(field_at(page, "$.steps[2].sub_questions[0]")).to_be_focused()
    step = page.locator(".plan-form .step").nth(2)
    expect(step).to_contain_text("本版新增")
    expect(step).to_contain_text(f"R1：{FIND}")
    step.get_by_label("还原为 R1 的步骤").click()
    assert experts_of(page) == [KNOW, ADVISE, FIND]


def test_what_changed_of_an_expert_since_the_last_list_is_told_where_one_is_chosen(page: Page):
    box, about = field_at(page, "$.steps[2].expert"), page.locator(".expert-about:visible")
    box.fill(NEW_EXPERT)
    expect(about).to_contain_text("上一版列表中没有这位专家")
    box.fill(REWORDED_EXPERT)
    expect(page.locator(".expert-choices:visible li")).to_contain_text("说明有变")
    expect(about.locator("del")).to_have_text("与退款")
    expect(about.locator("ins")).to_have_text("、售后与申诉")
    box.fill(ITS_OLD_NAME)
    expect(page.locator(".expert-choices:visible li b")).to_have_text(
        [f"{RENAMED_EXPERT}原名 {ITS_OLD_NAME}"]
    )
    page.keyboard.press("Enter")
    expect(box).to_have_value(RENAMED_EXPERT)
    page.locator(".plan-form .step").nth(2).get_by_title("查看说明与变化").click()
    row = page.locator("dialog .expert-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"上一版列表中名为“{ITS_OLD_NAME}”")


def test_stages_are_drawn_as_a_graph_that_leads_to_the_steps(page: Page):
    columns = page.locator(".plan-graph .column")
    assert columns.evaluate_all(
        "all => all.map(one => [...one.querySelectorAll('.node')].map(node => node.textContent))"
    ) == [[KNOW, ADVISE], [FIND]]
    page.get_by_role("button", name=f"第 3 步 · {FIND} · 第 2 阶段").click()
    expect(field_at(page, "$.steps[2].expert")).to_be_focused()
    expect(columns.nth(1).locator(".node")).to_have_attribute("aria-current", "step")
    page.keyboard.type("X")
    expect(columns.nth(1).locator(".node")).to_have_text(f"{FIND}X")
    field_at(page, REWRITE).focus()
    # Where the pointer rests on it, it is lit as well.
    expect(columns.nth(1).locator(".node")).to_contain_class("is-wrong")
    columns.nth(1).locator(".node").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    expect(columns.nth(0).locator(".node").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(field_at(page, "$.steps[1].expert")).to_be_focused()


def test_a_grip_moves_its_step_by_arrows_and_says_where_it_stands(page: Page):
    page.get_by_label("移动第 3 步").focus()
    page.keyboard.press("ArrowUp")
    assert stages_of(page) == [[FIND], [KNOW, ADVISE]]
    expect(page.get_by_label("移动第 1 步")).to_be_focused()
    expect(page.get_by_text(f"{FIND} 现为第 1 步，在第 1 阶段。")).to_be_attached()


def test_a_sub_question_is_dragged_within_its_step_and_into_another(page: Page):
    field_at(page, "$.steps[0].sub_questions[0]").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("第二问")
    numbers = page.locator(".plan-form .subs button.number")
    _drag(page, numbers.nth(1), page.locator(".subs > li").nth(0).bounding_box(), at=0.1)
    first = PLAN["steps"][0]["sub_questions"][0]
    assert plan_on(page)["steps"][0]["sub_questions"] == ["第二问", first]
    _drag(page, numbers.nth(0), page.locator(".subs > li").nth(3).bounding_box(), at=0.9)
    steps = plan_on(page)["steps"]
    assert steps[0]["sub_questions"] == [first]
    assert steps[2]["sub_questions"] == [*PLAN["steps"][2]["sub_questions"], "第二问"]


def test_escape_lets_a_dragged_step_go_where_it_was(page: Page):
    box = page.locator(".plan-form .grip").nth(0).bounding_box()
    assert box
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 250, steps=4)
    expect(page.locator(".drop-line")).to_be_visible()
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".drop-line")).to_have_count(0)
    assert plan_on(page) == PLAN


def test_sub_questions_are_added_removed_and_moved_by_keys(page: Page):
    first = field_at(page, "$.steps[0].sub_questions[0]")
    first.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("第二问")
    page.keyboard.press("Alt+ArrowUp")
    texts = plan_on(page)["steps"][0]["sub_questions"]
    assert texts == ["第二问", PLAN["steps"][0]["sub_questions"][0]]
    field_at(page, "$.steps[0].sub_questions[0]").fill("")
    page.keyboard.press("Backspace")
    assert plan_on(page)["steps"][0]["sub_questions"] == PLAN["steps"][0]["sub_questions"]


def test_undo_goes_back_over_the_form_and_the_raw_json(page: Page):
    field_at(page, REWRITE).fill("改过的问题")
    page.locator(".plan-form .step").nth(0).get_by_label("删除步骤").click()
    page.click("#plan-tab-json")
    text = page.input_value("#plan-json")
    page.fill("#plan-json", text.replace(FIND, NEW_EXPERT))
    page.click("#plan-tab-form")
    assert experts_of(page) == [ADVISE, NEW_EXPERT]
    for expected in ([ADVISE, FIND], [KNOW, ADVISE, FIND]):
        page.click("#plan-undo")
        assert experts_of(page) == expected
    page.click("#plan-undo")
    assert plan_on(page) == PLAN
    for _ in range(3):
        page.click("#plan-redo")
    assert experts_of(page) == [ADVISE, NEW_EXPERT]


def test_what_differs_from_the_model_is_shown_while_it_is_typed_and_any_field_goes_back(page: Page):
    sub = field_at(page, "$.steps[2].sub_questions[0]")
    sub.fill("给出面向新客的策略")
    marks = page.locator(".typed", has=sub).locator(".typed-marks")
    expect(marks.locator("ins")).to_have_text("新")
    page.keyboard.press("Alt+r")
    expect(sub).to_have_value("给出面向老客的策略")
    expect(marks.locator("ins")).to_have_count(0)
    rewrite, line = field_at(page, REWRITE), page.locator(".rewrite-diff")
    expect(line).to_contain_text("与 R1 相同")
    rewrite.fill("如何配置搜索关键词，并推送优惠")
    expect(line.locator("del")).to_have_text("荐")
    expect(line.locator("ins")).to_have_text("送")
    page.keyboard.press("Alt+r")
    expect(rewrite).to_have_value(PLAN["rewritten_query"])
    page.keyboard.press("Control+z")
    expect(rewrite).to_have_value("如何配置搜索关键词，并推送优惠")


def test_nothing_moves_when_problems_appear_or_vanish(page: Page):
    places = "all => all.map(one => one.getBoundingClientRect().toJSON())"
    rows = page.locator(".rewrite, .plan-graph, .step, .subs > li, .add-step, .part-rewards")
    expect(page.locator(".part-rewards")).to_be_visible()
    before = rows.evaluate_all(places)
    field_at(page, REWRITE).fill("")
    field_at(page, "$.steps[0].sub_questions[0]").fill("")
    field_at(page, "$.steps[1].expert").fill("没有这位")
    field_at(page, "$.steps[2].expert").focus()
    expect(page.locator("#plan-problems")).to_have_text("3 处问题")
    expect(page.locator(".plan-form .problem:visible")).to_have_count(3)
    page.click("#plan-problems")
    assert rows.evaluate_all(places) == before
    expect(page.locator(".part-rewards")).to_contain_text("暂不计分")


def test_a_list_of_problems_and_a_key_lead_to_each_of_them(page: Page):
    field_at(page, REWRITE).fill("")
    field_at(page, "$.steps[1].expert").fill("没有这位")
    field_at(page, "$.steps[2].expert").focus()
    page.click("#plan-problems")
    page.locator(".problem-list").get_by_text("第 2 步 · 没有这位").click()
    expect(page.locator(".problem-list")).to_be_hidden()
    expect(field_at(page, "$.steps[1].expert")).to_be_focused()
    page.keyboard.press("F8")
    expect(field_at(page, REWRITE)).to_be_focused()
    page.keyboard.press("Shift+F8")
    expect(field_at(page, "$.steps[1].expert")).to_be_focused()


def test_problems_stand_at_their_field_and_a_submission_is_refused(page: Page):
    field_at(page, "$.steps[0].sub_questions[0]").fill("")
    field_at(page, REWRITE).focus()
    problem = page.locator(".plan-form li .problem")
    expect(problem).to_be_visible()
    expect(page.locator("#plan-problems")).to_have_text("1 处问题")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".problem-list")).to_contain_text(f"第 1 步 · {KNOW} · 子问题 1")
    expect(field_at(page, "$.steps[0].sub_questions[0]")).to_be_focused()
    page.keyboard.type("怎么配置")
    expect(problem).to_have_count(0)
    expect(page.locator("#plan-problems")).to_have_text("可以提交")


def test_the_comparison_marks_what_changed_to_the_character(page: Page):
    field_at(page, REWRITE).fill("如何配置搜索关键词，并推送优惠")
    page.click("#plan-tab-compare")
    side = page.locator(".comparison .rewritten")
    expect(side.nth(0).locator("del")).to_have_text("荐")
    expect(side.nth(1).locator("ins")).to_have_text("送")
    page.click("#plan-tab-form")
    page.get_by_label("还原为 R1 的文字").click()
    assert plan_on(page) == PLAN


def test_the_next_candidate_is_shown_and_adopted_as_one_step_back(page: Page):
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(page.locator(".part-dialogue")).to_contain_text("候选 2/2")
    assert plan_on(page) == PLAN
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    assert experts_of(page) == [KNOW, NEW_EXPERT]
    page.keyboard.press("Control+z")
    assert experts_of(page) == [KNOW, ADVISE, FIND]


def test_sixty_steps_stay_quick(make_desk: MakeDesk):
    plan = {
        "rewritten_query": "很多步骤",
        "steps": [
            {"expert": KNOW, "sub_questions": [f"问题 {number}", "再问"], "order": number}
            for number in range(1, 61)
        ],
    }
    page = make_desk(queries=1, plans=(plan,)).open("li", "/zh/label")
    expect(page.locator(".plan-form .step")).to_have_count(60)
    moved_ms = page.evaluate(
        """() => {
            const step = document.querySelectorAll('.plan-form .step')[30];
            const tool = step.querySelector('.step-tools .tool');
            const start = performance.now();
            tool.click();
            document.querySelector('.plan-form').offsetHeight;
            return performance.now() - start;
        }"""
    )
    typed = field_at(page, "$.steps[40].sub_questions[0]")
    typed_ms = typed.evaluate(
        """field => {
            field.focus();
            const start = performance.now();
            for (let n = 0; n < 20; n++) document.execCommand('insertText', false, '字');
            return (performance.now() - start) / 20;
        }"""
    )
    print(f"60 steps: a step moved in {moved_ms:.0f} ms, a key in {typed_ms:.1f} ms")
    assert moved_ms < 1500
    assert typed_ms < 30


def test_a_page_at_rest_asks_for_no_frames(page: Page):
    page.add_init_script(
        """window.frames_asked = 0;
        const ask = window.requestAnimationFrame.bind(window);
        window.requestAnimationFrame = run => (frames_asked++, ask(run));"""
    )
    page.reload()
    expect(field_at(page, REWRITE)).to_be_focused()
    # The loading sign swings to its end before it rests.
    page.wait_for_function(
        """async () => {
            const before = frames_asked;
            await new Promise(done => setTimeout(done, 500));
            return frames_asked === before;
        }""",
        timeout=20_000,
    )


def test_the_list_of_experts_reaches_out_of_a_step_of_a_long_plan(make_desk: MakeDesk):
    steps = [
        {"expert": KNOW, "sub_questions": [f"问题 {number}"], "order": number}
        for number in range(1, 31)
    ]
    desk = make_desk(queries=1, plans=({"rewritten_query": "问", "steps": steps},))
    page = desk.open("li", "/zh/label")
    field_at(page, "$.steps[15].expert").click()
    page.keyboard.press("ArrowDown")
    last = page.get_by_role("option").last
    last.scroll_into_view_if_needed()
    last.click()
    assert experts_of(page)[15] != KNOW


def _drag(page: Page, grip: Locator, box: Any, *, at: float) -> None:
    start = grip.bounding_box()
    assert start
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    target = box["y"] + at * box["height"]
    page.mouse.move(start["x"] + 5, target - 20)
    page.mouse.move(start["x"] + 5, target + (4 if at == 1.0 else 0), steps=4)
    page.mouse.up()
