"""A day at the label page: submit, put aside, ask, look up; text stays text."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.desk import PLAN, QUERY, REWRITE, Desk, field_at, plan_on

MakeDesk = Callable[..., Desk]
HOSTILE = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>${window.hacked=1}"


def test_the_next_query_is_on_the_desk_within_300_ms_of_submitting(make_desk: MakeDesk):
    page = make_desk(queries=6).open("li", "/zh/label")
    times = []
    for _ in range(5):
        expect(page.locator("#plan-problems")).to_have_text("可以提交")
        times.append(
            page.evaluate(
                """() => new Promise(done => {
                    const editor = document.querySelector('.plan-form');
                    const start = performance.now();
                    const seen = new MutationObserver(() => requestAnimationFrame(() => {
                        seen.disconnect();
                        done(performance.now() - start);
                    }));
                    seen.observe(editor, { childList: true });
                    document.getElementById('label-submit').click();
                })"""
            )
        )
        expect(field_at(page, REWRITE)).to_be_focused()
    print(f"submit → next: {sorted(round(each) for each in times)} ms")
    assert sorted(times)[2] <= 300
    expect(page.locator("#pw-today")).to_contain_text("5")


def test_text_of_queries_and_traces_stays_text(make_desk: MakeDesk):
    plan = {**PLAN, "rewritten_query": HOSTILE}
    page = make_desk(text=HOSTILE, trace=HOSTILE + TRACE_TAIL, plans=(plan,)).open(
        "li", "/zh/label"
    )
    expect(page.locator("#query-text")).to_have_text(HOSTILE)
    expect(page.locator(".trace")).to_contain_text("<script>")
    field_at(page, REWRITE).fill(HOSTILE + "！")
    page.click("#plan-tab-compare")
    expect(page.locator(".comparison")).to_contain_text("<script>")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".pw-desk script, .pw-desk img").count() == 0


TRACE_TAIL = "\n知识问答专家 ${window.hacked=1} {{window.hacked=1}}"


def test_a_trace_of_200_000_characters_is_shown_at_once_and_searched(make_desk: MakeDesk):
    line = "先看数据分析专家能否回答，再考虑策略推荐专家。"
    trace = "\n".join(f"{number}：{line}" for number in range(7500)) + "\n唯一的结尾"
    page = make_desk(queries=2, trace=trace).open("li", "/zh/label")
    assert len(trace) > 200_000
    expect(page.locator(".trace mark").first).to_be_visible()
    shown_ms = page.evaluate(
        """() => new Promise(done => {
            const start = performance.now();
            const seen = new MutationObserver(() => requestAnimationFrame(() => {
                seen.disconnect();
                done(performance.now() - start);
            }));
            seen.observe(document.querySelector('.plan-form'), { childList: true });
            document.getElementById('label-submit').click();
        })"""
    )
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("唯一的结尾")
    expect(page.locator(".finder .count")).to_have_text("1/1")
    print(f"a trace of {len(trace)} characters: next item after {shown_ms:.0f} ms")
    assert shown_ms < 6000  # a third of a second on a quiet machine


def test_keys_of_the_page_do_nothing_while_somebody_types(make_desk: MakeDesk):
    page = make_desk().open("li", "/zh/label")
    field_at(page, REWRITE).fill("")
    page.keyboard.type("slfa]n?")
    expect(page.locator("dialog")).to_have_count(0)
    assert plan_on(page)["rewritten_query"] == "slfa]n?"


def test_skip_later_and_flag_are_three_acts(make_desk: MakeDesk):
    desk = make_desk(queries=3)
    page = desk.open("li", "/zh/label")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog")).to_have_count(0)
    expect(field_at(page, REWRITE)).to_be_focused()
    field_at(page, REWRITE).fill("放到稍后的草稿")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    expect(field_at(page, REWRITE)).to_have_value(PLAN["rewritten_query"])
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.type("问题与图片有关，文字不全")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".banner")).to_contain_text("问题与图片有关")
    page.keyboard.press("Control+Enter")
    # What was put aside comes back when nothing else is there, its draft kept.
    expect(field_at(page, REWRITE)).to_have_value("放到稍后的草稿")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_contain_text("暂时没有要标注的问题了")


def test_a_submission_is_withdrawn_by_its_key(make_desk: MakeDesk):
    page = make_desk(queries=2).open("li", "/zh/label")
    field_at(page, REWRITE).fill("先提交再撤回")
    page.keyboard.press("Control+Enter")
    expect(field_at(page, REWRITE)).to_have_value(PLAN["rewritten_query"])
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    expect(field_at(page, REWRITE)).to_have_value("先提交再撤回")


def test_an_item_is_labelled_by_keyboard_alone(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    page.keyboard.press("End")
    page.keyboard.type("给老客")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("人群")
    page.keyboard.press("Enter")
    page.keyboard.type("圈选老客")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()


def test_list_guideline_keys_and_own_work_are_one_key_away(make_desk: MakeDesk):
    page = make_desk().open("li", "/zh/label")
    page.keyboard.press("Escape")
    for key, words in (("e", "搜索推广"), ("g", "必须能脱离上下文看懂"), ("?", "离开输入框")):
        page.keyboard.press(key)
        expect(page.locator("dialog")).to_contain_text(words)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("m")
    page.click("#mine-draft")
    page.locator(".mine-row").first.click()
    expect(page.locator("#query-text")).to_have_text(QUERY)


@pytest.mark.parametrize(("language", "submit"), [("zh", "提交"), ("en", "Submit")])
def test_the_page_speaks_both_languages(make_desk: MakeDesk, language: str, submit: str):
    page = make_desk().open("li", f"/{language}/label")
    expect(page.locator("#label-submit")).to_contain_text(submit)
    field_at(page, REWRITE).fill("")
    page.keyboard.press("Tab")
    words = {"zh": "1 处问题", "en": "1 to mend"}[language]
    expect(page.locator("#plan-problems")).to_have_text(words)


def test_a_query_without_suggestions_is_planned_from_the_start(make_desk: MakeDesk):
    page = make_desk(queries=1, plans=()).open("li", "/zh/label")
    expect(page.locator(".trace")).to_contain_text("还没有模型的合成结果")
    page.keyboard.type("查看经营周报")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".empty-card")).to_be_visible()
