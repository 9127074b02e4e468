"""Coming in: the set-up link, signing in, language, theme, a session that ends."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from labeling import accounts
from tests.browser.conftest import ServedApp

PASSWORD = "a long password"


def test_from_the_set_up_link_to_a_page_in_ones_own_language_and_theme(
    served_app: ServedApp, chromium: Browser, shot: Callable[[Page, str], None]
) -> None:
    database = served_app.database()
    link = accounts.create_setup_link(database)
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{served_app.url}/setup?token={link}&language=zh")
    shot(page, "setup-zh")
    page.get_by_label("姓名").fill("李")
    page.get_by_label("新密码").fill(PASSWORD)
    page.get_by_label("再输入一次").fill(PASSWORD)
    page.get_by_role("button", name="创建管理员并登录").click()
    expect(page.locator(".pw-menu summary")).to_contain_text("李 · 管理员")
    expect(page).to_have_url(f"{served_app.url}/zh/queries")

    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.get_by_role("link", name="Queries")).to_have_attribute("aria-current", "page")
    assert page.evaluate("document.documentElement.lang") == "en"

    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#pw-theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.goto(f"{served_app.url}/")
    expect(page).to_have_url(f"{served_app.url}/en/queries")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#queries-rows .pw-card")).to_be_visible()
    expect(page.locator("body")).to_have_class("dark")
    shot(page, "queries-en-dark-empty")

    # Another browser of the same person begins with their theme; a wrong password says so.
    other = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    second = other.new_page()
    second.goto(f"{served_app.url}/en/team")
    second.get_by_label("Name").or_(second.get_by_label("姓名")).fill("李")
    second.locator("[name=password]").fill("not this one")
    second.locator("button[type=submit]").click()
    expect(second.get_by_role("alert")).to_be_visible()
    second.locator("[name=password]").fill(PASSWORD)
    second.locator("button[type=submit]").click()
    expect(second).to_have_url(f"{served_app.url}/en/team")
    expect(second.locator("html")).to_have_attribute("data-theme", "dark")

    # A session that ends while a page is open leads to the door at the next act, and back.
    expect(second.locator("#team-people tr.pw-pick")).to_have_count(1)
    token = next(each["value"] for each in other.cookies() if each["name"] == "planwright_session")
    accounts.sign_out(database, token)
    second.wait_for_timeout(2500)
    second.locator("#team-people tr.pw-pick").click()
    second.wait_for_url("**/login?next=*")
    shot(second, "sign-in-dark")
    database.close()
    context.close()
    other.close()


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
