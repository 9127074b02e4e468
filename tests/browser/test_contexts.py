"""A browser that somebody had before is as empty as a new one to the next person."""

from tests.browser.contexts import Contexts
from tests.serving import ServedApp

KEEP = """async () => {
    localStorage.setItem("draft", "mine");
    sessionStorage.setItem("draft", "mine");
    document.cookie = "who=me";
    await new Promise(done => {
        const asked = indexedDB.open("drafts");
        asked.onsuccess = () => { asked.result.close(); done(); };
    });
}"""
FOUND = """async () => [
    localStorage.length, sessionStorage.length, document.cookie,
    (await indexedDB.databases()).length,
]"""


def test_who_takes_a_browser_finds_nothing_of_who_had_it_before(
    contexts: Contexts, desk_app: ServedApp
) -> None:
    context = contexts.take(width=801, height=601)
    page = context.new_page()
    page.goto(f"{desk_app.url}/login")
    empty = page.evaluate(FOUND)
    page.evaluate(KEEP)
    context.route("**/login", lambda route: route.abort())
    assert page.evaluate(FOUND) != empty
    contexts.give_back(context, desk_app.url)
    again = contexts.take(width=801, height=601)
    assert again == context
    assert [each.url for each in again.pages] == ["about:blank"]
    page = again.new_page()
    page.goto(f"{desk_app.url}/login")
    assert page.evaluate(FOUND) == empty
    contexts.give_back(again, desk_app.url)
