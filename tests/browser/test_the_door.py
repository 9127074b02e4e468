"""Coming in: the set-up link, signing in, language, theme, a session that ends."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from labeling import accounts
from tests.browser.conftest import ServedApp
from tests.browser.contexts import Contexts

PASSWORD = "a long password"


@pytest.fixture
def another_browser(
    contexts: Contexts, served_app: ServedApp
) -> Iterator[Callable[[], BrowserContext]]:
    """Each call is a browser that nobody has signed in with."""
    taken: list[BrowserContext] = []

    def another() -> BrowserContext:
        taken.append(contexts.take(width=1280, height=800))
        return taken[-1]

    yield another
    for context in taken:
        contexts.give_back(context, served_app.url)


def test_from_the_set_up_link_to_a_page_in_ones_own_language_and_theme(
    served_app: ServedApp,
    another_browser: Callable[[], BrowserContext],
    shot: Callable[[Page, str], None],
) -> None:
    database = served_app.database()
    page = another_browser().new_page()
    page.goto(f"{served_app.url}/setup?token={accounts.create_setup_link(database)}&language=zh")
    shot(page, "setup-zh")
    become_admin(page)
    expect(page).to_have_url(f"{served_app.url}/zh/queries")
    choose_english_and_dark(page)
    page.goto(f"{served_app.url}/")
    expect(page).to_have_url(f"{served_app.url}/en/queries")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    steps = page.locator("#queries-rows ol > li")
    expect(steps.locator("a")).to_have_text(
        ["Publish an expert list", "Let a model answer first", "Add people"]
    )
    expect(page.locator("body")).to_have_class("dark")
    shot(page, "queries-en-dark-empty")
    steps.locator("a").first.click()
    page.wait_for_url("**/en/experts")

    # Another browser of the same person begins with their theme; a wrong password says so.
    other = another_browser()
    second = other.new_page()
    second.goto(f"{served_app.url}/en/team")
    sign_in_at_the_second_try(second)
    expect(second).to_have_url(f"{served_app.url}/en/team")
    expect(second.locator("html")).to_have_attribute("data-theme", "dark")

    # A session that ends while a page is open leads to the door at the next act, and back.
    expect(second.locator("#team-people tr.pw-pick")).to_have_count(1)
    token = next(each["value"] for each in other.cookies() if each["name"] == "planwright_session")
    accounts.sign_out(database, token)
    database.close()
    wait_signed_out(served_app, other)
    second.locator("#team-people tr.pw-pick").click()
    second.wait_for_url("**/login?next=*")
    shot(second, "sign-in-dark")


@pytest.mark.parametrize(
    ("language", "told"), [("zh", "2020年1月2日 17:16"), ("en", "2 Jan 2020, 17:16")]
)
def test_times_are_told_by_the_readers_clock(
    served_app: ServedApp, chromium: Browser, language: str, told: str
) -> None:
    context = chromium.new_context(timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.goto(f"{served_app.url}/login?language={language}")
    for instant in ("2020-01-02T09:16:00+00:00", "2020-01-02T09:16:00.120000Z"):
        text = page.evaluate("text => window.planwright.local(text)", f"Li · ⟨{instant}⟩")
        assert text == f"Li · {told}"
    assert page.evaluate("window.planwright.local('⟨2020-13-41T⟩ 7')") == "⟨2020-13-41T⟩ 7"
    context.close()


def become_admin(page: Page) -> None:
    page.get_by_label("姓名").fill("李")
    page.get_by_label("新密码").fill(PASSWORD)
    page.get_by_label("再输入一次").fill(PASSWORD)
    page.get_by_role("button", name="创建管理员并登录").click()
    expect(page.locator(".pw-menu summary")).to_contain_text("李 · 管理员")


def choose_english_and_dark(page: Page) -> None:
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("link", name="Queries")).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.documentElement.lang") == "en"
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#pw-theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def sign_in_at_the_second_try(page: Page) -> None:
    page.get_by_label("Name").or_(page.get_by_label("姓名")).fill("李")
    page.locator("[name=password]").fill("not this one")
    page.locator("button[type=submit]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()


def wait_signed_out(app: ServedApp, context: BrowserContext) -> None:
    """Until the server knows it too; it believes a session for two seconds."""
    while context.request.get(f"{app.url}/me").status != 401:
        time.sleep(0.1)


def test_an_annotator_finds_their_own_pages_and_no_others(
    served_app: ServedApp, open_as: Callable[..., Page], tmp_path: Path
) -> None:
    database = served_app.database()
    admin = accounts.command_line_actor(database, "main")
    accounts.add_person(database, admin, "Wang", PASSWORD, "annotator")
    database.close()
    page = open_as("Wang", PASSWORD, "/en/label")
    assert page.locator(".pw-nav a").all_inner_texts() == ["Label"]
    page.goto(f"{served_app.url}/en/team")
    expect(page.get_by_text("This page belongs to another role")).to_be_visible()
