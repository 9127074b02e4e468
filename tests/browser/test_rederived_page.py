"""Thinking that was written anew, in a browser: a reviewer reads it beside its plan and decides."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling import accounts
from tests.at_once import at_once
from tests.browser.conftest import ServedApp
from tests.exporting import a_pinned_query, a_plan, a_suggestion, an_acceptance
from tests.factories import EXPERTS, a_project
from tests.fakes.endpoint_process import running_endpoint
from tests.integration.synthesis.cases import order_for, run_order

PASSWORD = "a long password"
TURNS = [
    {"role": "user", "content": "看看店铺 <b>周报</b>"},
    {"role": "assistant", "content": "周报已经生成。"},
]


def _team(served_app: ServedApp) -> None:
    """A reviewer who can sign in, and three corrected plans with new thinking."""
    database = served_app.database()
    admin = a_project(database, "team")
    accounts.add_person(database, admin, "Chen", PASSWORD, "reviewer")
    for text in ("上周流量为什么下降？", "退款率怎么突然高了？", "怎样报名大促？"):
        query_id = a_pinned_query(database, admin, text, history=TURNS)
        own = a_suggestion(database, admin, query_id, a_plan(text))
        plan = a_plan(text, EXPERTS[0], EXPERTS[3])
        an_acceptance(database, admin, query_id, plan, own)
    with running_endpoint(dissent=0.3) as endpoint:
        tests = {"tries": 3, "agree": 1}
        order = order_for(endpoint, rederive=tests, model="deepseek-reasoner", concurrency=1)
        (progress,) = at_once(lambda: run_order(database, admin, order))  # no loop runs there
    assert progress.failed == 0
    database.close()


def test_a_reviewer_accepts_one_refuses_one_with_a_reason_and_leaves_one(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    _team(served_app)
    page = open_as("Chen", PASSWORD, "/en/queries")
    page.get_by_role("tab", name="New thinking").click()
    listing, detail = page.locator("#queries-rederived"), page.locator("#queries-rederived-detail")
    expect(listing).to_contain_text("Thinking written anew · 3", timeout=30_000)
    expect(detail).to_contain_text("上周流量为什么下降")
    expect(detail).to_contain_text("<b>周报</b>")
    expect(detail).to_contain_text(f"请{EXPERTS[3]}处理")
    expect(detail.locator(".pw-named", has_text=EXPERTS[3])).not_to_have_count(0)
    expect(listing.locator("tr.pw-on")).to_contain_text("上周流量为什么下降")
    expect(detail.locator("details")).to_have_count(3)
    expect(page.get_by_role("tab", name="New thinking")).to_have_count(1)
    shot(page, "rederived-en")
    page.locator("#queries-rederived-accept").click()
    expect(listing).to_contain_text("Thinking written anew · 2")
    expect(detail).to_contain_text("退款率怎么突然高了")
    page.locator("#queries-rederived-refuse").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    page.locator("#queries-rederived-reason textarea, #queries-rederived-reason input").fill("thin")
    page.locator("#queries-rederived-refuse").click()
    expect(listing).to_contain_text("Thinking written anew · 1")
    expect(detail).to_contain_text("怎样报名大促")
    page = open_as("Chen", PASSWORD, "/zh/queries")
    page.get_by_role("tab", name="重写的思考").click()
    expect(page.locator("#queries-rederived")).to_contain_text("重写的思考过程 · 1", timeout=30_000)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.emulate_media(color_scheme="dark")
    shot(page, "rederived-zh")
