"""Comments stand at their places, follow them, and are said once."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.desk import PLAN, REWRITE, Desk, field_at, wait_saved

MakeDesk = Callable[..., Desk]
HOSTILE = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>${window.hacked=1}"
SUB = "$.steps[1].sub_questions[0]"
SELECT = """([from, to]) => {
    const walker = document.createTreeWalker(document.querySelector('.trace'), 4);
    const nodes = [];
    while (walker.nextNode()) nodes.push(walker.currentNode);
    const all = nodes.map(node => node.data).join('');
    const range = document.createRange();
    const put = (at, set) => {
        for (const node of nodes) {
            if (at < node.length) return set(node, at);
            at -= node.length;
        }
    };
    put(all.indexOf(from), (node, at) => range.setStart(node, at));
    put(all.indexOf(to) + to.length - 1, (node, at) => range.setEnd(node, at + 1));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""


def say(page: Page, text: str) -> None:
    """Write into the comment that was begun, and send it."""
    expect(page.locator("#comment-text")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said p", has_text=text)).to_be_visible()


def comment_at(page: Page, path: str, text: str) -> None:
    field_at(page, path).focus()
    page.keyboard.press("Alt+c")
    say(page, text)


def coloured(page: Page) -> int:
    """How many passages of the trace are marked."""
    return page.evaluate("CSS.highlights.get('pw-commented')?.size ?? 0")


def test_a_passage_is_commented_answered_and_resolved(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    author = desk.open("li", "/zh/label")
    author.locator(".trace").focus()
    author.evaluate(SELECT, ["光会配置还不够", "两者可以并行"])
    author.keyboard.press("c")
    say(author, "先想清楚老客是谁")
    expect(author.locator(".thread-quote")).to_contain_text("由策略推荐专家负责；两者可以并行")
    assert coloured(author) == 1
    author.locator("#label-submit").click()
    expect(author.locator(".empty-card")).to_be_visible()

    reviewer = desk.open("wang", "/zh/review", role="reviewer")
    expect(reviewer.locator("#review-comments")).to_contain_text("1")
    assert coloured(reviewer) == 1
    reviewer.keyboard.press("c")
    expect(reviewer.locator(".thread")).to_be_focused()
    reviewer.keyboard.press("r")
    say(reviewer, "同意，请改")

    author.reload()
    expect(author.locator("#pw-comments")).to_have_text("给你的批注（1）")
    author.locator("#pw-comments").click()
    author.locator(".mine-row").click()
    expect(author.locator("dialog[open]")).to_have_count(0)
    expect(author.locator("#label-comments")).to_contain_text("1")
    author.keyboard.press("c")
    expect(author.locator(".said")).to_have_count(2)
    author.keyboard.press("v")
    expect(author.locator("#comments-resolved")).to_contain_text("已解决（1）")
    expect(author.locator("#pw-comments")).to_be_hidden()
    assert coloured(author) == 0
    author.click("#comments-resolved")
    expect(author.locator(".thread.is-resolved")).to_contain_text("解决")
    author.locator(".thread").focus()
    author.keyboard.press("v")
    expect(author.locator("#label-comments")).to_contain_text("1")


def test_a_comment_follows_its_words_and_says_when_they_have_changed(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    comment_at(page, SUB, "只看“奶茶”吗？")
    mark = page.locator(".comment-mark:not(.is-hint)")
    expect(mark).to_have_attribute("data-at", SUB)
    field_at(page, "$.steps[2].expert").focus()
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".thread")).to_contain_text("位置已变")
    moved = mark.get_attribute("data-at")
    assert moved
    assert moved != SUB
    expect(field_at(page, moved)).to_have_value(PLAN["steps"][1]["sub_questions"][0])
    page.locator(".thread").focus()
    page.keyboard.press("Enter")
    expect(field_at(page, moved)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("推荐饮品类关键词")
    expect(page.locator(".thread")).to_contain_text("文字已改动")
    expect(page.locator(".thread-quote")).to_have_text(PLAN["steps"][1]["sub_questions"][0])
    page.keyboard.press("Control+z")
    expect(page.locator(".thread")).not_to_contain_text("文字已改动")


def test_a_reviewer_comments_on_a_chosen_part_and_the_author_is_led_there(make_desk: MakeDesk):
    desk = make_desk(queries=1)
    author = desk.open("li", "/zh/label")
    author.locator("#label-submit").click()
    expect(author.locator(".empty-card")).to_be_visible()
    reviewer = desk.open("wang", "/zh/review", role="reviewer")
    reviewer.locator('#review-comparison [data-path="$.steps[1]"]').click()
    reviewer.keyboard.press("c")
    say(reviewer, "这一步给错了专家")
    reviewer.keyboard.press("Escape")
    expect(reviewer.locator("#comments")).to_be_hidden()
    reviewer.keyboard.press("r")
    reviewer.keyboard.press("Control+Enter")
    expect(reviewer.locator(".empty-card")).to_be_visible()
    author.click("#empty-again")
    mark = author.locator(".comment-mark:not(.is-hint)")
    mark.click()
    expect(author.locator(".thread")).to_contain_text("第 2 步")
    author.locator(".thread .thread-place button").click()
    expect(field_at(author, "$.steps[1].expert")).to_be_focused()


def test_what_is_typed_and_not_sent_is_there_after_a_reload(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    field_at(page, REWRITE).focus()
    page.keyboard.press("Alt+c")
    page.keyboard.type("写到一半")
    page.reload()
    expect(page.locator("#comment-text")).to_have_value("写到一半")
    page.click("#comment-send")
    expect(page.locator(".said p")).to_have_text("写到一半")
    page.reload()
    expect(page.locator("#label-comments")).to_contain_text("1")
    expect(page.locator("#comment-text")).to_have_count(0)


def test_a_comment_whose_answer_was_lost_is_said_once(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.click("#comment-whole")
    page.keyboard.type("只说一次")
    lost: list[str] = []

    def lose(route: Route) -> None:
        body = route.request.post_data or ""
        if "只说一次" not in body or lost:
            return route.continue_()
        lost.append(body)
        route.fetch()
        return route.abort()

    page.route("**/gradio_api/run/**", lose)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said p")).to_have_text("只说一次")
    assert lost
    page.reload()
    expect(page.locator("#label-comments")).to_contain_text("1")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.locator(".said")).to_have_count(1)


def test_keys_of_the_page_do_nothing_in_a_comment_and_its_words_stay_text(make_desk: MakeDesk):
    page = make_desk(queries=2).open("li", "/zh/label")
    wait = page.locator("#query-text").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.click("#comment-whole")
    page.keyboard.type("slfa]c?")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#comment-text")).to_have_value("slfa]c?")
    page.locator("#comment-text").fill(HOSTILE)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".said p")).to_have_text(HOSTILE)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#comments script, #comments img").count() == 0
    expect(page.locator("#query-text")).to_have_text(wait)
    assert page.locator("#label-withdraw").is_hidden()  # Ctrl+Enter sent the comment only


def test_a_plan_that_waits_for_review_can_be_talked_about(make_desk: MakeDesk):
    page = make_desk(queries=1).open("li", "/zh/label")
    field_at(page, REWRITE).fill("先提交")
    wait_saved(page)
    page.locator("#label-submit").click()
    page.click("#empty-mine")
    page.click("#mine-submitted")
    page.locator(".mine-row").click()
    expect(page.locator(".banner")).to_contain_text("等待验收")
    row = page.locator(".plan-form section.rewrite")
    box = row.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 10)
    page.locator(".comment-mark.is-hint").click()
    say(page, "这里我不确定")
    expect(page.locator(".comment-mark:not(.is-hint)")).to_have_attribute("data-at", REWRITE)
