"""An admin names an endpoint, probes it, spends a budget and goes on, and tries two prompts."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from labeling import accounts
from labeling.few_shot import publish_prompt
from schemas.people import Actor
from schemas.prompt import built_in_template
from tests.browser.conftest import ServedApp
from tests.exporting import a_pinned_query, a_plan, a_suggestion, an_acceptance
from tests.factories import EXPERTS, a_project
from tests.fakes.endpoint_process import RunningEndpoint, running_endpoint
from tests.integration.synthesis.cases import add_queries

PASSWORD = "a long password"
HOSTILE = "<img src=x onerror=\"document.title='hit'\">${document.title='hit'}"
SHAPES = ((1280, 800, False), (1920, 1080, True))


def _team(served_app: ServedApp) -> Actor:
    """An admin who can sign in, with queries that wait, two prompts, and corrected plans."""
    database = served_app.database()
    admin = a_project(database, "team")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    template = built_in_template("zh")
    publish_prompt(database, admin, template, name="long")
    publish_prompt(database, admin, f"{template}\n思考不超过一百字。", name="short")
    add_queries(database, admin, 40)
    for text in (f"上周流量为什么下降 {HOSTILE}", "怎么给老客发券"):
        query_id = a_pinned_query(database, admin, text)
        own = a_suggestion(database, admin, query_id, a_plan(text))
        an_acceptance(database, admin, query_id, a_plan(text, EXPERTS[1], EXPERTS[2]), own)
    database.close()
    return admin


def _fill(page: Page, name: str, value: str) -> None:
    page.locator(f"#synthesis-{name} textarea, #synthesis-{name} input").first.fill(value)


def _choose(page: Page, name: str, value: str) -> None:
    box = page.locator(f"#synthesis-{name} input").first
    box.click()
    page.get_by_role("option", name=value, exact=True).last.click()


def _add_endpoint(page: Page, endpoint: RunningEndpoint) -> None:
    page.get_by_role("tab", name="Endpoints").click()
    for name, value in (
        ("model-name", "R1 main"),
        ("its-model", f"reasoner {HOSTILE}"),
        ("url", endpoint.url),
        ("input-price", "4"),
        ("output-price", "16"),
        ("currency", "CNY"),
        ("requests-per-minute", "6000"),
    ):
        _fill(page, name, value)
    page.locator("#synthesis-put-model").click()
    row = page.locator("#synthesis-models tbody tr", has_text="R1 main")
    expect(row).to_contain_text("4 / 16 CNY")
    row.click()
    page.locator("#synthesis-probe-model").click()
    detail = page.locator("#synthesis-model-detail")
    expect(detail).to_contain_text("reasoning_content", timeout=30_000)
    expect(detail).to_contain_text("yes")


def _spend_a_budget(page: Page, shot: Callable[[Page, str], None]) -> None:
    page.get_by_role("tab", name="Batches").click()
    _choose(page, "endpoints", "R1 main")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Parameters, budget, repair").click()
    _fill(page, "concurrency", "1")
    _fill(page, "budget-money", "0.06")
    page.locator("#synthesis-start").click()
    batch = page.locator("#synthesis-batch")
    expect(batch).to_contain_text("Stopped by the budget", timeout=30_000)
    expect(batch).to_contain_text("of 0.0600 CNY")
    expect(page.locator("#synthesis-lengths")).to_contain_text("Median by number of steps")
    shot(page, "synthesis-budget-en")
    page.get_by_role("button", name="Go on with another budget").click()
    _fill(page, "new-money", "50")
    page.locator("#synthesis-resume").click()
    expect(batch).to_contain_text("done, ", timeout=30_000)
    expect(page.locator("#synthesis-again")).to_contain_text("failed again")


def _follow_the_answers(page: Page, served_app: ServedApp, admin: Actor) -> None:
    """They come unasked; while somebody reads one that they unfolded, nothing moves."""
    samples = page.locator("#synthesis-samples")
    expect(samples).to_contain_text("Thinking")
    reading = samples.locator("summary").first
    reading.click()
    before = samples.inner_text()
    batch_id = parse_qs(urlsplit(page.url).query)["batch"][0]
    database = served_app.database()
    text = f"刚到的问题 {HOSTILE}"
    query_id = a_pinned_query(database, admin, text)
    a_suggestion(database, admin, query_id, a_plan(text), batch_id=batch_id, candidate=1)
    database.close()
    page.wait_for_timeout(3000)
    assert samples.inner_text() == before
    reading.click()
    expect(samples).to_contain_text("刚到的问题", timeout=10_000)


def _try_two_prompts(page: Page) -> None:
    page.get_by_role("tab", name="Prompts on trial").click()
    expect(page.locator("#synthesis-bank")).to_contain_text("怎么给老客发券")
    _choose(page, "trial-first", "long@1")
    _choose(page, "trial-second", "short@1")
    _choose(page, "trial-endpoints", "R1 main")
    page.keyboard.press("Escape")
    _fill(page, "trial-count", "10")
    page.locator("#synthesis-trial-start").click()
    row = page.locator("#synthesis-trials tbody tr", has_text="long@1 · short@1")
    expect(row).to_have_count(1)
    while "20 / 20" not in row.inner_text():
        page.locator("#synthesis-trial-look").click()
        page.wait_for_timeout(200)
    row.click()
    report = page.locator("#synthesis-report")
    expect(report).to_contain_text("10 queries asked under both")
    expect(report).to_contain_text("McNemar")


def test_an_endpoint_is_named_a_budget_is_kept_and_two_prompts_are_compared(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    admin = _team(served_app)
    with running_endpoint(bad_plan=0.1) as endpoint:
        page = open_as("Li", PASSWORD, "/en/synthesis", width=1280, height=800)
        _add_endpoint(page, endpoint)
        shot(page, "synthesis-endpoints-en")
        _spend_a_budget(page, shot)
        _follow_the_answers(page, served_app, admin)
        _try_two_prompts(page)
        shot(page, "synthesis-trial-en")
        assert page.title() != "hit"
    for width, height, dark in SHAPES:
        for language in ("zh", "en"):
            path = f"/{language}/synthesis"
            page = open_as("Li", PASSWORD, path, width=width, height=height, dark=dark)
            page.locator("#synthesis-batches tbody tr").last.click()
            expect(page.locator("#synthesis-lengths svg").first).to_be_visible()
            shade = "dark" if dark else "light"
            shot(page, f"synthesis-{language}-{width}-{shade}")
            page.get_by_role("tab").nth(1).click()
            page.locator("#synthesis-models tbody tr").first.click()
            expect(page.locator("#synthesis-model-detail dl")).not_to_have_count(0)
            shot(page, f"synthesis-models-{language}-{width}-{shade}")
            page.get_by_role("tab").nth(2).click()
            page.locator("#synthesis-trials tbody tr").first.click()
            expect(page.locator("#synthesis-report table").first).to_be_visible()
            shot(page, f"synthesis-trials-{language}-{width}-{shade}")
