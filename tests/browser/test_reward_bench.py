"""The reward bench in a browser: a bundle is picked, measured in the background, and told."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from exports.bundle import create_bundle
from labeling import accounts
from tests.browser.conftest import ServedApp
from tests.exporting import a_recipe, an_accepted_query
from tests.factories import EXPERTS, a_project

PASSWORD = "a long password"
PATIENCE_MS = 120_000


def test_a_bundle_is_benched_and_weights_under_which_a_trick_pays_are_red(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    database = served_app.database()
    accounts.command_line_actor(database, "main")
    admin = a_project(database, "shop")
    for number in range(4):
        an_accepted_query(database, admin, f"第{number}周的流量怎么样", *EXPERTS[: number % 2 + 1])
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    recipe = a_recipe(formats=["grpo"], grpo={"sources": [{"kind": "accepted"}]})
    bundle_id = create_bundle(database, served_app.settings, admin, recipe)
    database.close()

    page = open_as("Li", PASSWORD, f"/en/datasets?bundle={bundle_id}", width=1280, height=900)
    page.locator("#datasets-bundles tbody tr").first.click()
    bench = page.locator("#datasets-bench")
    expect(bench).to_contain_text("have not been benched yet")
    expect(page.locator("#bench-weight-ExpertValidationReward input")).to_have_value("0.3")
    page.click("#bench-start")
    green = bench.locator(".pw-pill.pw-ok", has_text="no trick pays")
    expect(green).to_be_visible(timeout=PATIENCE_MS)
    expect(bench).to_contain_text("No query has two answers of models")
    shot(page, "reward-bench")

    page.fill("#bench-weight-StrictFormatReward input", "1")
    for reward in ("JSONValid", "ThinkLength", "ThinkQuality", "Correctness", "ExpertValidation",
                   "ProcessingQuality"):  # fmt: skip
        page.fill(f"#bench-weight-{reward}Reward input", "0")
    page.click("#bench-start")
    red = bench.locator(".pw-pill.pw-bad", has_text="a trick pays: no launch")
    expect(red).to_be_visible(timeout=PATIENCE_MS)
    expect(bench).to_contain_text("all experts listed beside the honest steps")
