"""The whole walk on the demo project, by three people: from queries to a trained planner."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from schemas.project import REWARDS
from tests.browser.conftest import SHOTS
from tests.browser.desk import REWRITE, field_at, wait_saved
from tests.browser.trained import (
    assert_points_are_the_trainers,
    assert_rewards_move,
    assert_trained_on_the_bundle,
    curves_on,
    rows_logged,
    runs_of,
)
from tests.fakes.endpoint_process import running_endpoint
from tests.postgresql import free_port
from tests.serving import ServedApp

PASSWORD = "a long enough password"
LABELLED = 9
PATIENCE_MS = 60_000
TRAINING_MS = 900_000
WEIGHTS = dict.fromkeys(REWARDS, 1) | {"ThinkLengthReward": 3}
Shot = Callable[[Page, str], None]


@pytest.fixture
def first_start(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ServedApp]:
    """An installation that starts for the first time, with the demo project."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "planwright.db")
    app = ServedApp(home=home, port=free_port(), environment={"NO_PROXY": "127.0.0.1"})
    app.start()
    yield app
    app.stop()


@pytest.fixture
def browsers(chromium: Browser) -> Iterator[Callable[[], Page]]:
    """Each call is another person's browser."""
    contexts: list[BrowserContext] = []

    def another() -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1440, "height": 900}))
        return contexts[-1].new_page()

    yield another
    for context in contexts:
        context.close()


@pytest.mark.timeout(1500)
def test_three_people_walk_from_queries_to_a_trained_planner(
    first_start: ServedApp, browsers: Callable[[], Page], shot: Shot, tmp_path: Path
) -> None:
    app = first_start
    admin = browsers()
    become_admin(app, admin)
    look_at_the_lists(app, admin, shot)
    import_queries(app, admin, tmp_path, shot)
    synthesize(app, admin, shot)
    add_people(app, admin, shot)
    annotator, reviewer = browsers(), browsers()
    sign_in(app, annotator, "王芳")
    sign_in(app, reviewer, "赵强")
    label(app, annotator, shot)
    review(app, reviewer, shot)
    answer_the_return(app, annotator, reviewer)
    bundle = export(app, admin, tmp_path, shot)
    train(app, admin, shot)
    runs = runs_of(app)
    assert_trained_on_the_bundle(runs, bundle)
    assert_rewards_move(rows_logged(runs["GRPO"]), WEIGHTS)
    drawn = curves_on(admin)
    assert_points_are_the_trainers(drawn, runs)
    app.stop()
    app.start()
    admin.reload()
    line = admin.locator("#training-curves .pw-curve").first
    expect(line).to_be_visible(timeout=PATIENCE_MS)
    assert curves_on(admin) == drawn
    shot(admin, "walk-training-found-again")


def become_admin(app: ServedApp, page: Page) -> None:
    """The one-time link, a name, the demo project."""
    link = re.search(r"http://\S+/setup\?token=\S+", app.log())
    assert link, app.log()
    page.goto(link.group())
    page.fill("input[name=name]", "李佳")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=again]", PASSWORD)
    page.click("button[type=submit], form button:not([id])")
    page.wait_for_url("**/zh/**")
    page.select_option(".pw-project select", label="demo")
    expect(page.locator(".pw-project select")).to_have_value(re.compile(".+"))
    page.goto(link.group())
    expect(page.locator("body")).not_to_contain_text("再输入一次")


def look_at_the_lists(app: ServedApp, page: Page, shot: Shot) -> None:
    """Two versions side by side: an expert has been split off."""
    page.goto(f"{app.url}/zh/experts")
    expect(page.locator("#experts-tabs")).to_contain_text("merchant@2")
    page.get_by_role("tab", name="对比").click()
    choose(page, "#experts-before", "merchant@1")
    choose(page, "#experts-after", "merchant@2")
    expect(page.locator("#experts-tabs")).to_contain_text("人群运营专家")
    shot(page, "walk-experts-compare")


def import_queries(app: ServedApp, page: Page, folder: Path, shot: Shot) -> None:
    """Two good rows and a bad one, from a file with other people's column names."""
    rows = folder / "new_queries.jsonl"
    lines: list[dict[str, Any]] = [
        {"id": "walk-1", "question": "这个月新客比上个月少了多少？"},
        {"id": "walk-2", "question": "How do I set up a coupon for first-time customers?"},
        {"id": "walk-3", "question": ""},
    ]
    rows.write_text("\n".join(json.dumps(each, ensure_ascii=False) for each in lines), "utf-8")
    page.goto(f"{app.url}/zh/queries")
    page.get_by_role("tab", name="导入").click()
    page.set_input_files("#queries-file input[type=file]", str(rows))
    choose(page, "#queries-map-query", "question")
    shot(page, "walk-import-preview")
    page.click("#queries-start-import")
    imported = page.locator("#queries-imports tbody tr", has_text=rows.name)
    expect(imported).to_contain_text("完成", timeout=PATIENCE_MS)
    figures = imported.locator("td").all_inner_texts()[1:]
    assert figures == ["3", "2", "0", "0", "0", "1"], "read, added, known, changed, gaps, refused"
    shot(page, "walk-imported")


def synthesize(app: ServedApp, page: Page, shot: Shot) -> None:
    """A model is asked about every query without an answer."""
    with running_endpoint() as endpoint:
        page.goto(f"{app.url}/zh/synthesis")
        page.fill("#synthesis-endpoint textarea, #synthesis-endpoint input", endpoint.url)
        page.fill("#synthesis-model textarea, #synthesis-model input", "planner-of-the-test")
        page.click("#synthesis-start")
        batch = page.locator("#synthesis-batches tbody tr", has_text="planner-of-the-test")
        expect(batch).to_contain_text("完成", timeout=PATIENCE_MS)
        asked = endpoint.counts()["asked"].values()
        expect(batch).to_contain_text(f"{len(asked)} / {len(asked)}")
        shot(page, "walk-synthesized")
        assert set(asked) == {1}


def add_people(app: ServedApp, page: Page, shot: Shot) -> None:
    """An annotator and a reviewer."""
    page.goto(f"{app.url}/zh/team")
    for name, role in (("王芳", "标注员"), ("赵强", "验收员")):
        page.fill("#team-name textarea, #team-name input", name)
        page.fill("#team-password input", PASSWORD)
        choose(page, "#team-new-role", role)
        page.click("#team-add")
        expect(page.locator(".pw-view").first).to_contain_text(name)
    shot(page, "walk-team")


def sign_in(app: ServedApp, page: Page, name: str) -> None:
    """By name and password; a new person begins in the only project they hold a role in."""
    page.goto(f"{app.url}/login")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/zh/**")


def label(app: ServedApp, page: Page, shot: Shot) -> None:
    """Some plans as the model had them, some corrected; the seven rewards move with the plan."""
    page.goto(f"{app.url}/zh/label")
    shot(page, "walk-label")
    for number in range(LABELLED):
        rewrite = field_at(page, REWRITE)
        expect(rewrite).to_be_visible()
        query = page.locator("#query-text").inner_text()
        if number % 3 == 2 or not rewrite.input_value():
            rewrite.fill(query.rstrip("？?") + "（本店）")
        if not page.locator(".plan-form .step").count():
            page.keyboard.press("Escape")
            page.click("text=添加步骤")
            field_at(page, "$.steps[0].expert").fill("数据分析专家")
            page.keyboard.press("Enter")
            field_at(page, "$.steps[0].sub_questions[0]").fill(query)
        expect(page.locator("#plan-problems")).to_have_text("可以提交")
        if number == 2:
            wait_saved(page)
            shot(page, "walk-label-corrected")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#query-text")).not_to_have_text(query)


def review(app: ServedApp, page: Page, shot: Shot) -> None:
    """One is returned, one fixed and accepted, the rest accepted."""
    page.goto(f"{app.url}/zh/review")
    expect(page.locator("#review-comparison")).to_be_visible(timeout=PATIENCE_MS)
    shot(page, "walk-review")
    with another_comes(page):
        page.keyboard.press("r")
        page.keyboard.press("1")
        page.fill("#reason-text", "请写明是哪一周")
        page.keyboard.press("Control+Enter")
    with another_comes(page):
        page.keyboard.press("x")
        rewrite = field_at(page, REWRITE)
        expect(rewrite).to_be_focused()
        rewrite.fill(rewrite.input_value() + "（修订）")
        page.keyboard.press("Control+Enter")
    for _ in range(LABELLED - 3):
        with another_comes(page):
            page.keyboard.press("a")
    page.keyboard.press("a")
    expect(page.locator(".empty-card")).to_be_visible()


@contextmanager
def another_comes(page: Page) -> Generator[None]:
    """What is done in the block ends the work on this item; the next one comes."""
    query = page.locator("#query-text").inner_text()
    yield
    expect(page.locator("#query-text")).not_to_have_text(query)
    expect(page.locator("#review-comparison")).to_be_visible()


def answer_the_return(app: ServedApp, annotator: Page, reviewer: Page) -> None:
    """The returned plan comes back first, is mended and accepted."""
    annotator.goto(f"{app.url}/zh/label")
    returned = annotator.locator("#pw-returned")
    expect(returned).to_contain_text("1")
    returned.click()
    annotator.wait_for_url("**/label?show=returned")
    annotator.locator(".mine-row").click()
    expect(annotator.locator(".banner.warn")).to_contain_text("请写明是哪一周")
    rewrite = field_at(annotator, REWRITE)
    rewrite.fill(rewrite.input_value() + "（上周）")
    annotator.keyboard.press("Control+Enter")
    expect(annotator.locator(".banner.warn")).to_have_count(0)
    reviewer.click("#empty-again")
    expect(reviewer.locator("#review-comparison")).to_be_visible()
    reviewer.keyboard.press("a")
    expect(reviewer.locator(".empty-card")).to_be_visible()


def export(app: ServedApp, page: Page, folder: Path, shot: Shot) -> Path:
    """Historical and new rows in one bundle, read back by ms-swift, downloaded as a zip."""
    page.goto(f"{app.url}/zh/datasets")
    page.click("#datasets-ask")
    expect(page.locator("#datasets-preview")).to_contain_text("grpo", timeout=30_000)
    shot(page, "walk-datasets-preview")
    page.click("#datasets-export")
    link = page.locator("#datasets-bundle a[href*='zip'], #datasets-bundle a[download]").first
    expect(link).to_be_visible(timeout=180_000)
    shot(page, "walk-datasets")
    with page.expect_download() as download:
        link.click()
    target = folder / "bundle"
    with zipfile.ZipFile(str(download.value.path())) as archive:
        archive.extractall(target)
    return next(target.rglob("manifest.json")).parent


def train(app: ServedApp, page: Page, shot: Shot) -> None:
    """One click, weights changed; the run is found again after a reload."""
    page.goto(f"{app.url}/zh/training")
    expect(page.locator("#training-bundle input")).not_to_have_value("")
    page.wait_for_load_state("networkidle")  # each time it is told its bundle it asks for weights
    for reward, weight in WEIGHTS.items():
        field = page.locator(f"#training-weight-{reward} input")
        expect(field).not_to_have_value("")  # those of the bundle come once it is chosen
        field.fill(str(weight))
    page.click("#training-show")
    shown = page.locator("#training-commands")
    typed = " ".join(str(float(weight)) for weight in WEIGHTS.values())
    expect(shown).to_contain_text(f"--reward_weights {typed} ")
    page.click("#training-train")
    expect(page.locator("#training-run .pw-stage").first).to_be_visible(timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("#training-curves .pw-curve").first).to_be_visible(timeout=TRAINING_MS)
    shot(page, "walk-training-live")
    verdict = page.locator("#training-run .pw-card > h3 :is(.pw-ok, .pw-bad, .pw-warn)")
    expect(verdict).to_be_visible(timeout=TRAINING_MS)
    expect(verdict).to_have_text("成功")
    shot(page, "walk-training-done")
    page.locator("#training-run").screenshot(path=str(SHOTS / "walk-training-run.png"))


def choose(page: Page, selector: str, words: str) -> None:
    """Pick an entry of a Gradio dropdown by its words."""
    page.click(f"{selector} input")
    page.locator(f"{selector} [role=option]", has_text=words).first.click()
