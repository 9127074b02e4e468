"""A weight that was typed stays, whenever the answer for a bundle that was chosen comes."""

from collections.abc import Callable
from secrets import token_hex

from playwright.sync_api import Page, Route, expect

from db.tables import Bundle
from labeling import accounts
from schemas.project import REWARDS
from tests.browser.conftest import ServedApp
from tests.bundles import a_bundle
from tests.factories import a_project

PASSWORD = "a long password"
LATER = {**dict.fromkeys(REWARDS, 0.125), "CorrectnessReward": 0.25}


def two_bundles(app: ServedApp) -> dict[str, str]:
    """A project with the bundles `plain` and `other`, the latter with weights of its own; ids."""
    database = app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    ids: dict[str, str] = {}
    for name in ("other", "plain"):
        ids[name] = a_bundle(database, app.settings, admin, name=f"{name} {token_hex(4)}")
    with database.transaction() as session:
        bundle = session.get_one(Bundle, ids["other"])
        bundle.recipe = bundle.recipe | {"weights": LATER}
        session.add(bundle)
    database.close()
    return ids


def choose(page: Page, name: str) -> None:
    page.click("#training-bundle input")
    page.get_by_role("option", name=name).click()
    page.locator("#training-bundle input").blur()


def test_a_late_answer_for_a_bundle_leaves_what_was_typed_meanwhile(
    open_as: Callable[..., Page], served_app: ServedApp
) -> None:
    ids = two_bundles(served_app)
    page = open_as("Li", PASSWORD, "/en/training", width=1280)

    def weight(reward: str) -> str:
        return f"#training-weight-{reward} input"

    expect(page.locator(weight("StrictFormatReward"))).to_have_value("0.1")
    held: list[Route] = []

    def hold(route: Route) -> None:
        is_asked = f'"{ids["other"]}"' in (route.request.post_data or "") and not held
        held.append(route) if is_asked else route.continue_()

    page.route("**/run/**", hold)
    with page.expect_request(lambda asked: ids["other"] in (asked.post_data or "")):
        choose(page, "other")
    page.fill(weight("ExpertValidationReward"), "0.75")
    with page.expect_response(lambda answer: ids["other"] in answer.text()):
        held[0].continue_()
    expect(page.locator(weight("StrictFormatReward"))).to_have_value("0.125")
    expect(page.locator(weight("CorrectnessReward"))).to_have_value("0.25")
    expect(page.locator(weight("ExpertValidationReward"))).to_have_value("0.75")
    choose(page, "plain")
    expect(page.locator(weight("ExpertValidationReward"))).to_have_value("0.3")
    expect(page.locator(weight("StrictFormatReward"))).to_have_value("0.1")
