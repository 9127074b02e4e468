"""Completions in a browser: of all attempts and nodes, one of them sent to people."""

from collections.abc import Callable
from secrets import token_hex

from playwright.sync_api import Page, expect

from labeling import accounts
from tests.browser.conftest import ServedApp
from tests.bundles import a_bundle
from tests.factories import a_project
from tests.training_files import (
    a_chain,
    a_completion,
    a_decided_query,
    a_line_of,
    a_run_folder,
    an_attempt,
    write_advantages,
    write_completions,
)

PASSWORD = "a long password"
HOSTILE = "<img src=x onerror=\"document.title='hit'\">"


def a_chain_of_two_attempts(app: ServedApp) -> str:
    """The first trained on one machine; of the second the files of one of three nodes are gone."""
    database = app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    name = f"run {token_hex(4)}"  # the server keeps its files from test to test
    bundle_id = a_bundle(database, app.settings, admin, name=name)
    query_id = a_decided_query(database, admin, "上周的流量怎么样")
    a_line_of(database, app.settings, admin, bundle_id, query_id)
    chain_id, first = a_chain(database, app.settings, admin, bundle_id, steps=3)
    write_completions(app.home / "runs" / first, [a_completion(1, query_id, "first")])
    _, inside = an_attempt(database, first, nodes=("a", "b", "c"))
    folder = a_run_folder(app.home / inside, 3)
    write_completions(folder, [a_completion(2, query_id, "second")])
    member = folder / "members" / "1-b"
    member.mkdir(parents=True)
    write_completions(member, [a_completion(2, query_id, HOSTILE, ExpertValidationReward=0)])
    write_advantages(folder, 2, {"second": 0.5, HOSTILE: -1.25})
    database.close()
    return chain_id


def test_completions_of_all_attempts_and_nodes_are_found_and_one_goes_to_people(
    open_as: Callable[..., Page], served_app: ServedApp, shot: Callable[[Page, str], None]
) -> None:
    chain_id = a_chain_of_two_attempts(served_app)
    page = open_as("Li", PASSWORD, f"/en/training?run={chain_id}", width=1280)
    listed = page.locator("#training-rollouts")
    expect(listed.locator("tbody tr")).to_have_count(3, timeout=30_000)
    expect(listed).to_contain_text("The folder of node c (attempt 2) cannot be read")
    worst = listed.locator("tbody tr").first
    expect(worst.locator("td").nth(1)).to_have_text("2")
    expect(worst.locator("td").nth(2)).to_have_text("b")
    expect(worst).to_contain_text("-1.250")
    expect(worst).to_contain_text(HOSTILE)
    listed.scroll_into_view_if_needed()
    shot(page, "rollouts-of-all-attempts")
    worst.click()
    expect(page.locator("#training-rollout")).to_contain_text("Advantage")
    page.reload()
    expect(page.locator("#training-rollout")).to_contain_text("-1.250")
    page.fill("#training-look-reason textarea, #training-look-reason input", "专家选错了")
    page.click("#training-look-ask")
    expect(page.locator(".pw-notice-card")).to_contain_text("Asked.")
    assert page.title() != "hit"
