"""The trace beside a plan: names lead to steps, doubts are marked, long ones stay quick."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import PLAN, TRACE, Desk, expect_highlighted, field_at, highlighted

MakeDesk = Callable[..., Desk]
KNOW, ADVISE, FIND = (step["expert"] for step in PLAN["steps"])
ARGUED = "这也可以由策略推荐专家给出人群策略。"
LINE = "先看数据分析专家能否回答，再考虑策略推荐专家。"


@pytest.fixture
def page(make_desk: MakeDesk) -> Page:
    return make_desk(queries=1).open("li", "/zh/label")


def test_a_name_in_the_trace_leads_to_the_steps_that_call_it(page: Page):
    name = page.locator(f'.trace mark[data-expert="{ADVISE}"]').first
    name.click()
    expect(field_at(page, "$.steps[1].expert")).to_be_focused()
    expect(page.locator(".step.is-flashed, .node.is-flashed")).to_have_count(2)
    page.click("#plan-tab-json")
    page.locator(".trace").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(name).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(field_at(page, "$.steps[0].expert")).to_be_focused()


def test_pointing_at_a_step_lights_its_mentions_and_the_other_way_round(page: Page):
    lit = page.locator(".trace mark.is-lit")
    page.locator(".plan-form .step").nth(1).hover()
    expect(lit).to_have_text([ADVISE] * 4)
    page.locator(".plan-form .step").nth(2).hover()
    expect(lit).to_have_count(0)
    page.locator(f'.trace mark[data-expert="{KNOW}"]').first.hover()
    expect(page.locator(".plan-form .step.is-lit")).to_have_count(1)
    expect(page.locator(".plan-graph .node.is-lit")).to_have_text(KNOW)


def test_sentences_that_argue_for_a_removed_expert_light_up(page: Page):
    expect_highlighted(page, "pw-argued", [])
    page.locator(".plan-form .step").nth(1).get_by_label("删除步骤").click()
    expect(page.locator("#trace-argued")).to_have_text("4 句支持已移除的专家")
    assert ARGUED in highlighted(page, "pw-argued")
    page.click("#trace-argued")
    page.click("#trace-argued")
    expect_highlighted(page, "pw-current", [ARGUED])
    page.click("#plan-undo")
    expect(page.locator("#trace-argued")).to_have_count(0)
    expect_highlighted(page, "pw-argued", [])


def test_repeated_passages_and_banned_words_are_marked(make_desk: MakeDesk):
    page = make_desk(queries=1, trace=f"{TRACE}请加微信。").open("li", "/zh/label")
    expect(page.locator("#trace-banned")).to_have_text("禁用词 1 处")
    expect_highlighted(page, "pw-banned", ["微信"])
    expect(page.locator("#trace-repeated")).to_contain_text("重复")
    again = "再检查一遍：知识问答专家负责配置，策略推荐专家负责选词。"
    expect_highlighted(page, "pw-repeated", [again])


def test_the_length_stands_against_its_target_and_where_the_decision_first_stood(page: Page):
    expect(page.locator(".part-trace .pill.warn").first).to_have_text("199 字 · 目标 60–180")
    gauge = page.locator(".gauge")
    expect(gauge).to_have_attribute("aria-label", "199 字 · 目标 60–180 · 未定案")
    page.locator(".plan-form .step").nth(2).get_by_label("删除步骤").click()
    mark = page.locator(".trace mark.is-settled")
    expect(mark).to_have_text(ADVISE)
    end = TRACE.index(ADVISE) + len(ADVISE)
    words = f"首次定案 {round(100 * end / len(TRACE))}%"
    expect(page.locator("#trace-settled")).to_have_text(words)
    expect(gauge).to_have_attribute("aria-label", f"199 字 · 目标 60–180 · {words}")
    length, settled = gauge.evaluate(
        "one => ['i', 'u'].map(each => parseFloat(one.querySelector(each).style.left))"
    )
    assert settled / length == pytest.approx(end / len(TRACE), abs=0.01)


def test_the_trace_is_searched_and_folded_by_keys(page: Page):
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("检查一遍")
    count = page.locator(".finder .count")
    expect(count).to_have_text("1/2")
    page.keyboard.press("Enter")
    expect(count).to_have_text("2/2")
    expect_highlighted(page, "pw-current", ["检查一遍"])
    page.keyboard.press("Escape")
    expect(page.locator(".trace")).to_be_focused()
    page.keyboard.press("z")
    expect(page.locator("#trace-fold")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("z")
    expect(page.locator("#trace-fold")).to_have_attribute("aria-expanded", "true")


def test_a_trace_is_text_whatever_it_holds(make_desk: MakeDesk):
    trace = "<img src=x onerror='window.ran = true'> ${window.ran = true} {{7*7}} <b>粗</b>"
    page = make_desk(queries=1, trace=trace).open("li", "/zh/label")
    expect(page.locator(".trace")).to_have_text(trace)
    assert page.evaluate("window.ran") is None


@pytest.mark.parametrize("joint", ["\n", ""], ids=["lines", "one line"])
def test_of_200_000_characters_only_what_is_near_the_eye_is_drawn(make_desk: MakeDesk, joint: str):
    lines = [f"{number}：{LINE}" for number in range(7500)]
    page = make_desk(queries=1, trace=joint.join([*lines, "唯一的结尾"])).open("li", "/zh/label")
    body = page.locator(".trace")
    expect(body).to_contain_text("0：先看")
    assert body.locator("mark").count() < 1000
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("唯一的结尾")
    expect(page.locator(".finder .count")).to_have_text("1/1")
    expect(body).to_contain_text("唯一的结尾")
    expect_highlighted(page, "pw-current", ["唯一的结尾"])
    assert body.locator("mark").count() < 1000
    body.evaluate("one => one.scrollTop = one.scrollHeight / 2")
    expect(body).to_contain_text(f"：{LINE}")
    body.evaluate("one => one.scrollTop = 0")
    expect(body).to_contain_text(f"0：{LINE}")
