"""The Evaluation page in a browser: two planners side by side, and a wrong answer's way back."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from labeling import accounts
from tests.browser.conftest import ServedApp
from tests.evaluating import made_up
from tests.factories import a_label_query, a_project

PASSWORD = "a long password"


def test_two_planners_are_compared_and_what_is_like_a_wrong_answer_is_brought_forward(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    database = served_app.database()
    admin = a_project(database, "shop")
    made_up(database, admin, 120)
    a_label_query(database, admin, "店铺上周的流量怎么样，有什么办法")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    database.close()

    page = open_as("Li", PASSWORD, "/en/evaluation", width=1280, height=900)
    expect(page.locator("#evaluation-list tbody tr")).to_have_count(2)
    comparison = page.locator("#evaluation-comparison")
    expect(comparison).to_contain_text("qwq-32b-grpo")
    expect(comparison.locator("svg .pw-area")).to_have_count(2)
    expect(comparison.locator("svg .pw-whisker")).not_to_have_count(0)
    shot(page, "evaluation")

    changes = page.locator("#evaluation-changes")
    expect(changes).to_contain_text("Right before, wrong now")
    before = changes.locator(".pw-changed").count()
    page.locator("#evaluation-kind input").click()
    page.get_by_role("option", name="Wrong before, right now").click()
    expect(changes.locator("h3")).to_contain_text("Wrong before, right now")
    assert before

    changes.get_by_role("button", name="Label what is like it").first.click()
    expect(page.locator("#evaluation-sent")).to_contain_text("店铺上周的流量怎么样，有什么办法")
    expect(page.locator(".pw-notice-card")).to_contain_text("wait first now")

    with page.expect_download() as told:
        comparison.get_by_role("link", name="Markdown").click()
    assert told.value.suggested_filename == "comparison.md"

    page.locator("#evaluation-list tbody tr").first.click()
    expect(page.locator("#evaluation-one .pw-matrix")).to_be_visible()
