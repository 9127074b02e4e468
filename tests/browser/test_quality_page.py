"""The Quality page in a browser: before anybody has worked, and with a team's work on it."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from db.engine import Database
from labeling import accounts, annotate, review
from schemas.people import Actor
from tests.browser.conftest import ServedApp
from tests.factories import A_PLAN, EXPERTS, a_label_query, a_person, a_project, a_suggestion

PASSWORD = "a long password"


def _lead(served_app: ServedApp, *, queries: int = 0) -> None:
    """A lead who can sign in, and so many queries that two people planned and a third decided."""
    database = served_app.database()
    admin = a_project(database, "team")
    accounts.add_person(database, admin, "Lead", PASSWORD, "admin")
    li, wang = (a_person(database, admin.project_id, "annotator", name=n) for n in ("Li", "王芳"))
    chen = a_person(database, admin.project_id, "reviewer", name="Chen")
    for number in range(queries):
        query_id = a_label_query(database, admin, f"第 {number} 个问题", slots=2)
        a_suggestion(database, admin, query_id, plan=A_PLAN)
        for who, expert in ((li, EXPERTS[number % 2]), (wang, EXPERTS[number % 3])):
            _hand_in(database, who, query_id, expert)
            taken = review.take_next(database, chen)
            assert taken
            review.accept(database, chen, taken.annotation_id, taken.revision_id)
    database.close()


def _hand_in(database: Database, who: Actor, query_id: str, expert: str) -> None:
    plan = {**A_PLAN, "steps": [{**A_PLAN["steps"][0], "expert": expert}]}
    item = annotate.open_item(database, who, query_id)
    annotate.submit(
        database,
        who,
        item.annotation_id,
        number=item.draft_number,
        content=plan,
        seconds=12,
    )


def test_the_page_says_so_where_nobody_has_worked_yet(
    served_app: ServedApp, open_as: Callable[..., Page]
) -> None:
    _lead(served_app)
    for language in ("zh", "en"):
        page = open_as("Lead", PASSWORD, f"/{language}/quality")
        figures = page.locator("#quality-figures")
        expect(figures.locator(".pw-figure").first).to_be_visible(timeout=30_000)
        expect(figures.locator(".pw-empty")).to_have_count(5)
        expect(page.locator(".pw-notice-card")).to_have_count(0)


def test_weeks_people_agreement_confusion_and_effort_are_drawn(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    _lead(served_app, queries=6)
    page = open_as("Lead", PASSWORD, "/en/quality", width=1280, height=800)
    figures = page.locator("#quality-figures")
    expect(figures.locator(".pw-chart")).to_have_count(4, timeout=30_000)
    row = figures.locator("tr", has_text="王芳").first
    expect(row).to_contain_text("6")
    expect(row.locator(".pw-interval")).to_be_visible()
    expect(figures).to_contain_text("Krippendorff α")
    expect(figures.locator("tr", has_text="Li · 王芳")).to_be_visible()
    became = figures.locator(".pw-matrix tbody tr", has_text=EXPERTS[3]).first
    expect(became.locator("[class*=pw-heat]")).to_have_text(["5", "5", "2"])
    expect(figures.locator("tr", has_text="deepseek-r1")).to_contain_text("12")
    shot(page, "quality-team")
