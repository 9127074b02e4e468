"""The Planners page in a browser: two planners asked at once, one answer sent to annotation."""

from collections.abc import Callable
from secrets import token_hex

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from db.access import training
from exports.evaluate import external_planner
from labeling import accounts
from labeling.prompts import publish_prompt
from schemas.prompt import built_in_template
from tests.browser.conftest import ServedApp
from tests.bundles import a_benchmark, a_bundle
from tests.factories import a_project
from tests.fakes.endpoint_process import running_endpoint
from tests.training_files import a_chain, a_decided_query, a_line_of

PASSWORD = "a long password"
QUERY = "上周的流量怎么样，退款为什么变多了<img src=x>"


def grave(page: Page, theme: str) -> list[str]:
    """What axe calls serious or critical on the playground."""
    page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
    found = Axe().run(page, context="#playground").response["violations"]
    return [
        f"{theme} {each['id']}: {node['target']} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"][:4]
    ]


def test_two_planners_are_asked_and_an_answer_goes_to_annotation(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    database = served_app.database()
    admin = a_project(database, "shop")
    publish_prompt(database, admin, built_in_template("zh"))
    accounts.add_person(database, admin, "Chen", PASSWORD, "reviewer")
    with running_endpoint() as one, running_endpoint() as two:
        one.configure(trace_length=120)
        two.configure(trace_length=400, shape="inline")
        external_planner(database, admin, one.url, "qwq-32b-grpo")
        external_planner(database, admin, two.url, "qwq-32b-sft")
        database.close()

        page = open_as("Chen", PASSWORD, "/en/planners", width=1280, height=1000)
        expect(page.locator("#planners-list tbody tr")).to_have_count(2)
        page.locator("#play-add-turn").click()
        for place, said in enumerate(("你好", "请讲")):
            page.locator(".play-turn textarea").nth(place).fill(said)
        page.locator("#play-query").fill(QUERY)
        page.locator("#play-planner").select_option(label="qwq-32b-grpo")
        page.locator("#play-beside").select_option(label="qwq-32b-sft")
        page.keyboard.press("Control+Enter")
        answers = page.locator(".play-answer")
        expect(answers).to_have_count(2)
        for answer, length in zip(answers.all(), ("120 chars", "400 chars"), strict=True):
            expect(answer).to_contain_text(length)
            expect(answer).to_contain_text("valid plan")
            expect(answer.locator(".play-rewritten")).to_have_text(QUERY)
            expect(answer.locator(".side.step")).not_to_have_count(0)
        assert page.locator(".play-answer img").count() == 0
        shot(page, "planners")
        assert grave(page, "light") + grave(page, "dark") == []

        answers.first.get_by_role("button", name="Send to annotation").click()
        link = answers.first.get_by_role("link", name="In the queue: open the query")
        expect(link).to_be_visible()
        page.reload()
        expect(page.locator("#play-query")).to_have_value(QUERY)
        page.locator(".play-recent summary").click()
        expect(page.locator(".play-past")).to_have_count(2)
        page.locator(".play-past").filter(has_text="grpo").click()
        link.click()
        expect(page.locator("body")).to_contain_text("退款为什么变多了")


def test_a_question_that_is_left_is_followed_again_and_drops_no_other_turn(
    served_app: ServedApp, open_as: Callable[..., Page]
) -> None:
    database = served_app.database()
    admin = a_project(database, "shop")
    publish_prompt(database, admin, built_in_template("zh"))
    accounts.add_person(database, admin, "Chen", PASSWORD, "reviewer")
    with running_endpoint(latency_s=4.0) as endpoint:
        external_planner(database, admin, endpoint.url, "planner")
        database.close()

        page = open_as("Chen", PASSWORD, "/en/planners")
        turns = page.locator(".play-turn textarea")
        page.locator("#play-add-turn").click()
        turns.first.fill("你好")
        page.locator("#play-query").fill(QUERY)
        page.locator("#play-ask").click()
        expect(page.locator(".play-answer")).to_have_count(1)
        page.reload()
        page.locator(".play-recent summary").click()
        page.locator(".play-past").click()
        expect(page.locator(".play-answer")).to_contain_text("valid plan")

        expect(turns).to_have_count(1)  # nothing was answered, so nothing was sent
        page.locator("#play-add-turn").click()
        turns.nth(1).fill("还有一句")
        page.get_by_role("button", name="Take this turn out").first.click()
        expect(turns.first).to_have_value("还有一句")


def test_a_question_of_a_benchmark_stays_and_reviewers_serve_nothing(
    served_app: ServedApp, open_as: Callable[..., Page]
) -> None:
    database = served_app.database()
    admin = a_project(database, "shop")
    benchmark_id = a_benchmark(database, admin, 1)
    with database.reading() as session:
        question = training.list_questions(session, benchmark_id, 1)[0].text
    for name, role in (("Chen", "reviewer"), ("Li", "admin")):
        accounts.add_person(database, admin, name, PASSWORD, role)  # pyright: ignore[reportArgumentType]
    with running_endpoint() as endpoint:
        planner_id = external_planner(database, admin, endpoint.url, "planner")
        database.close()

        page = open_as("Chen", PASSWORD, f"/en/planners?planner={planner_id}")
        expect(page.locator("#planners-one")).to_contain_text("It was not trained here")
        expect(page.locator("#planners-acts")).to_be_hidden()
        page.locator("#play-query").fill(question)
        page.locator("#play-ask").click()
        page.get_by_role("button", name="Send to annotation").click()
        expect(page.locator(".pw-notice-card")).to_contain_text("there to evaluate")

        other = open_as("Li", PASSWORD, f"/en/planners?planner={planner_id}")
        expect(other.locator("#planners-serve")).to_be_visible()
        other.locator("#planners-serve").click()
        expect(other.locator(".pw-notice-card")).to_contain_text("is served elsewhere")
        other.locator("#planners-promote").click()
        expect(other.locator("#planners-list")).to_contain_text("promoted")


def test_a_regression_check_is_a_button_and_a_recalled_query_names_what_holds_it(
    served_app: ServedApp, open_as: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    database = served_app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    name = f"merchants {token_hex(4)}"  # the server keeps its files from test to test
    bundle_id = a_bundle(database, served_app.settings, admin, name=name)
    query_id = a_decided_query(database, admin, "上周的流量怎么样")
    a_line_of(database, served_app.settings, admin, bundle_id, query_id)
    _, run_id = a_chain(database, served_app.settings, admin, bundle_id)
    planner_id = external_planner(database, admin, "http://127.0.0.1:9/v1", "planner")
    database.close()

    page = open_as("Li", PASSWORD, f"/en/planners?planner={planner_id}", width=1280)
    page.locator("#planners-general-file input, #planners-general-file textarea").fill("a.csv")
    page.click("#planners-general")
    expect(page.locator(".pw-notice-card")).to_contain_text("Run make evalscope")
    shot(page, "planners-general")

    page = open_as("Li", PASSWORD, "/zh/datasets", width=1280, dark=True)
    asked = page.locator("#datasets-recall-query input, #datasets-recall-query textarea")
    asked.fill("nothing of ours")
    asked.press("Enter")
    found = page.locator("#datasets-recalled")
    expect(found).to_contain_text("没有任何数据包的行来自这条问题")
    asked.fill(query_id)
    page.click("#datasets-recall")
    expect(found).to_contain_text("grpo.jsonl:1")
    expect(found.get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(found).to_contain_text(run_id[-6:])
    found.scroll_into_view_if_needed()
    shot(page, "datasets-recalled")
