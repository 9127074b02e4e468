"""The page of a run in a browser: 2,000 steps found again, curves, completions, another look."""

import json
import time
from collections.abc import Callable
from secrets import token_hex
from urllib.parse import urljoin

import pytest
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
    log_steps,
    plan_ids,
    write_completions,
)

PASSWORD = "a long password"
STEPS = 2_000
HOSTILE = "<img src=x onerror=\"document.title='hit'\">${document.title='hit'}"
THINKING = "用户想看流量，先查数据，再诊断原因。" * 4
PLAN = {
    "补全后的问题": "查看上周的流量",
    "plan": [{"专家": "诊断专家", "处理问题": ["流量为什么下降"]}],
}


def prepare(app: ServedApp) -> tuple[str, str, str]:
    """A project with two runs, the first with completions; ids of chain, run and other chain."""
    database = app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    name = f"run {token_hex(4)}"  # the server keeps its files from test to test
    bundle_id = a_bundle(database, app.settings, admin, name=name)
    query_id = a_decided_query(database, admin, "上周的流量怎么样")
    a_line_of(database, app.settings, admin, bundle_id, query_id)
    other, _ = a_chain(database, app.settings, admin, bundle_id, steps=300, beta=0.1)
    chain_id, run_id = a_chain(database, app.settings, admin, bundle_id, steps=STEPS - 30)
    folder = app.home / "runs" / run_id
    log_steps(folder, range(STEPS - 29, STEPS + 1), kl=7.5)
    ids = plan_ids(app.home / "bundles" / name)
    answer = json.dumps(PLAN, ensure_ascii=False)
    good = f"<think>\n{THINKING}\n</think>\n\n<answer>\n{answer}\n</answer>"
    lines = [
        a_completion(n // 4 + 1, ids[n % 8], good, CorrectnessReward=n / 100) for n in range(60)
    ]
    bad = f"<think>\n{HOSTILE}\n</think>\n\n<answer>\n{answer}\n</answer>"
    lines.append(a_completion(16, query_id, bad, ExpertValidationReward=0.0))
    write_completions(folder, lines)
    database.close()
    return chain_id, run_id, other


@pytest.fixture
def ids(served_app: ServedApp) -> tuple[str, str, str]:
    return prepare(served_app)


def opened(open_as: Callable[..., Page], path: str, **how: object) -> Page:
    page = open_as("Li", PASSWORD, path, **how)
    expect(page.locator("[data-chart=rewards] .pw-thick")).to_be_visible(timeout=30_000)
    return page


def test_a_run_of_2000_steps_is_drawn_again_within_two_seconds_and_a_tick_is_small(
    open_as: Callable[..., Page], ids: tuple[str, str, str], served_app: ServedApp
) -> None:
    page = opened(open_as, f"/en/training?run={ids[0]}", width=1280)
    expect(page.locator("[data-chart=kl]")).to_be_visible()
    page.reload(wait_until="commit")
    page.locator("#training-runs tr.pw-pick").first.wait_for()
    began = time.monotonic()  # Gradio stands, which takes as long on every page
    line = page.locator("[data-chart=rewards] .pw-thick")
    line.wait_for()
    seconds = time.monotonic() - began
    assert seconds < 2, f"{seconds:.2f} s"
    assert page.locator("[data-chart=loss] .pw-plot-area").get_attribute("aria-valuemax") == "2000"
    page.wait_for_timeout(2500)  # what came with the load is over
    sizes = [size_of_tick(page) for _ in range(2)]
    assert max(sizes) < 2_500, sizes
    drawn = line.get_attribute("d")
    plot = page.locator("[data-chart=loss] .pw-plot-area")
    plot.press("Home")
    log_steps(served_app.home / "runs" / ids[1], range(STEPS + 1, STEPS + 2), kl=7.5)
    expect(plot).to_have_attribute("aria-valuemax", "2001")
    expect(plot).to_be_focused()
    expect(plot).to_have_attribute("aria-valuenow", "1")
    assert line.get_attribute("d") != drawn


def size_of_tick(page: Page) -> int:
    """Bytes of a request of the timer and of its answer."""
    with page.expect_response(lambda answer: "/run/" in answer.url) as told:
        pass
    request = told.value.request
    return len(told.value.body()) + len(request.post_data or "")


def test_curves_are_read_by_key_and_switched_off_line_by_line(
    open_as: Callable[..., Page], ids: tuple[str, str, str], shot: Callable[[Page, str], None]
) -> None:
    page = opened(open_as, f"/en/training?run={ids[0]}", width=1280)
    chart = page.locator("[data-chart=rewards]")
    expect(chart.locator(".pw-curve-line:not(.pw-raw)")).to_have_count(8)
    chart.get_by_role("button", name="Rewrite").click()
    expect(chart.locator(".pw-curve-line:not(.pw-raw)")).to_have_count(7)
    plot = page.locator("[data-chart=learning_rate] .pw-plot-area")
    plot.focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        plot.press(key)
    expect(plot).to_have_attribute("aria-valuetext", "3: 0.000001")
    expect(page.locator("[data-chart=learning_rate] h4")).to_contain_text("step 3")
    expect(chart.locator(".pw-raw")).to_have_count(7)
    page.get_by_role("button", name="Smooth").first.click()
    expect(chart.locator(".pw-raw")).to_have_count(0)
    expect(page.locator("#alarm-kl_explosion")).to_contain_text("7.5")
    expect(page.locator("#alarm-kl_explosion")).to_contain_text("lower learning rate")
    shot(page, "run-curves")


def test_other_runs_are_laid_over_and_what_differs_is_told(
    open_as: Callable[..., Page], ids: tuple[str, str, str], shot: Callable[[Page, str], None]
) -> None:
    page = opened(open_as, f"/en/training?run={ids[0]}", width=1280)
    page.click("#training-beside input")
    page.locator("#training-beside [role=option]", has_text=ids[2][-6:]).click()
    differing = page.locator("#training-differences tr", has_text="GRPO · beta")
    expect(differing).to_contain_text("0.04")
    expect(differing).to_contain_text("0.1")
    expect(page.locator("[data-chart=rewards] .pw-curve-line:not(.pw-raw)")).to_have_count(2)
    expect(page.locator("[data-chart=kl] .pw-curve-line:not(.pw-raw)")).to_have_count(2)
    shot(page, "run-beside")
    page.locator("#training-runs tr.pw-pick").last.click()
    expect(page.locator("#training-differences tr")).to_have_count(0)
    expect(page.locator("[data-chart=kl] .pw-curve-line:not(.pw-raw)")).to_have_count(1)


def test_a_bad_completion_is_found_read_and_sent_to_annotation(
    open_as: Callable[..., Page], ids: tuple[str, str, str], shot: Callable[[Page, str], None]
) -> None:
    page = opened(open_as, f"/en/training?run={ids[0]}", width=1280)
    rows = page.locator("#training-rollouts tbody tr")
    expect(rows).to_have_count(20)
    page.locator("#training-rollouts-next").click()
    expect(page.locator("#training-rollouts")).to_contain_text("page 2 of 4")
    page.click("#training-by input")
    page.locator("#training-by [role=option]", has_text="Experts").click()
    page.click("#training-find")
    expect(rows.first).to_contain_text("上周的流量怎么样")
    rows.first.click()
    detail = page.locator("#training-rollout")
    expect(detail).to_contain_text("The accepted plan")
    experts = detail.locator(".pw-scores tr", has_text="Experts").first
    expect(experts).to_contain_text("0.000")
    expect(experts).to_contain_text("Too many: 诊断专家")
    expect(detail).to_contain_text("流量为什么下降")
    detail.get_by_text("Show the thinking").click()
    expect(detail).to_contain_text(HOSTILE)
    assert page.title() != "hit"
    shot(page, "run-rollout")
    page.reload()
    expect(detail).to_contain_text("The accepted plan")
    page.fill("#training-look-reason textarea, #training-look-reason input", "专家选错了")
    page.click("#training-look-ask")
    expect(page.locator(".pw-notice-card")).to_contain_text("Asked.")
    link = str(detail.locator("a.pw-button").get_attribute("href"))
    page.goto(urljoin(page.url, link))
    expect(page.locator("#queries-detail")).to_contain_text("专家选错了")
