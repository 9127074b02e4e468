"""The form of a recipe in a browser: pairs, twins, rows without thinking, and a recipe as text."""

from collections.abc import Callable

import pytest
import yaml
from playwright.sync_api import Page, expect

from labeling import accounts
from tests.browser.conftest import ServedApp
from tests.exporting import a_pinned_query, a_plan, a_suggestion, an_acceptance
from tests.factories import EXPERTS, a_project

PASSWORD = "a long password"
THINGS = ("退款率", "客单价", "复购率", "物流超时的订单")
FORMS = ("上个月华东地区的{}是多少", "请问上个月华东地区的{}是多少", "{}掉了这么多，应该怎么办")
TEXT = """
name: spring
formats: [sft, dpo]
sft: {sources: [{kind: accepted}]}
grpo: {sources: [{kind: accepted}]}
plain_share: 0.25
dpo_pairs: [siblings]
augmentation: {share: 0.3, drop_unused: 0.4, decoys: 2}
verification: {model: tiny}
"""


@pytest.fixture
def admin(served_app: ServedApp) -> None:
    """An admin, and accepted queries of which some are nearly the same; each was corrected once."""
    database = served_app.database()
    accounts.command_line_actor(database, "main")
    who = a_project(database, "shop")
    for text in (form.format(thing) for form in FORMS for thing in THINGS):
        query_id = a_pinned_query(database, who, text)
        own = a_suggestion(database, who, query_id, a_plan(text))
        a_suggestion(database, who, query_id, a_plan(text, EXPERTS[2]), candidate=2)
        an_acceptance(database, who, query_id, a_plan(text), own)
    accounts.add_person(database, who, "Li", PASSWORD, "admin")
    database.close()


@pytest.mark.usefixtures("admin")
def test_pairs_twins_and_plain_rows_are_asked_for_and_previewed(
    open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page = open_as("Li", PASSWORD, "/en/datasets", width=1280, height=900)
    page.locator("#datasets-formats").get_by_label("dpo", exact=True).check()
    page.locator("#datasets-dpo-pairs").get_by_label("every wrong sibling").check()
    page.fill("#datasets-twin-share input", "50")
    page.fill("#datasets-twin-decoys input", "1")
    page.fill("#datasets-plain-share input", "25")
    page.fill("#datasets-val-share input", "40")
    page.click("#datasets-ask")
    preview = page.locator("#datasets-preview")
    expect(preview).to_contain_text("rows ask what another asks, or nearly")
    expect(preview).to_contain_text("dpo.jsonl")
    preview.get_by_text("recipe.yaml").click()
    recipe = yaml.safe_load(preview.locator("details[open] pre").last.inner_text())
    assert recipe["augmentation"] == {"share": 0.5, "decoys": 1}
    assert recipe["dpo_pairs"] == ["corrected", "siblings"]
    assert recipe["plain_share"] == 0.25
    shot(page, "recipe-form-preview")


@pytest.mark.usefixtures("admin")
def test_a_recipe_as_text_is_put_into_the_form_or_refused(
    open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page = open_as("Li", PASSWORD, "/en/datasets", width=1280, height=900)
    page.locator("#datasets-as-text").get_by_text("From a file or text").click()
    page.fill("#datasets-recipe-text textarea", TEXT + "expert_quota: 3\n")
    page.click("#datasets-fill")
    expect(page.locator(".pw-notice-card").last).to_contain_text(
        "no field for what this recipe says"
    )
    expect(page.locator(".pw-notice-card").last).to_contain_text("expert_quota")
    expect(page.locator("#datasets-name input, #datasets-name textarea").first).to_have_value(
        "mixed"
    )
    page.fill("#datasets-recipe-text textarea", TEXT)
    page.click("#datasets-fill")
    expect(page.locator(".pw-notice-card").last).to_contain_text("The form holds this recipe")
    for name, value in (
        ("twin-share", "30"),
        ("twin-drop", "40"),
        ("twin-decoys", "2"),
        ("plain-share", "25"),
        ("sft-accepted", "0"),
        ("think-min", "0"),
    ):
        expect(page.locator(f"#datasets-{name} input")).to_have_value(value)
    takes = page.locator("#datasets-sft-takes")
    expect(takes.get_by_label("accepted")).to_be_checked()
    expect(takes.get_by_label("suggestions")).not_to_be_checked()
    pairs = page.locator("#datasets-dpo-pairs")
    expect(pairs.get_by_label("every wrong sibling")).to_be_checked()
    expect(pairs.get_by_label("first plan that was corrected")).not_to_be_checked()
    page.click("#datasets-ask")
    expect(page.locator("#datasets-preview")).to_contain_text("dpo.jsonl")
    shot(page, "recipe-form-filled")
