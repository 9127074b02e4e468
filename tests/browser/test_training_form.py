"""The training page in a browser: an order is filled in, checked, mended, waits and goes on."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, Page, expect

from exports.training.machine import this_machine
from exports.training.places import Wish, ask_for_places
from labeling import accounts
from schemas.people import Actor
from tests.bundles import a_bundle
from tests.factories import a_project
from tests.postgresql import free_port
from tests.serving import ServedApp

PASSWORD = "a long password"
PREFLIGHT_MS = 120_000
HOLDER = "runs/holder"
Shot = Callable[[Page, str], None]


class Shop(NamedTuple):
    """One project on a server of its own, whose CPU another run holds: nothing ever trains."""

    app: ServedApp
    admin: Actor


@pytest.fixture(scope="module")
def shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("training-form")
    shutil.copy(migrated_sqlite, home / "planwright.db")
    app = ServedApp(home=home, port=free_port(), environment={"PLANWRIGHT_DEVICES": "0"})
    app.start()
    database = app.database()
    admin = a_project(database, "shop")
    accounts.add_person(database, admin, "Li", PASSWORD, "admin")
    a_bundle(database, app.settings, admin, name="merchants")
    holder = Wish(HOLDER, "visitors · cpu-smoke · SFT", 0, this_machine())
    ask_for_places(database, admin.project_id, "serve", [holder])
    database.close()
    yield Shop(app, admin)
    app.stop()


@pytest.fixture
def served_app(shop: Shop) -> ServedApp:
    return shop.app


@pytest.fixture
def form(open_as: Callable[..., Page]) -> Callable[..., Page]:
    """The page, once the bundle and the recipe have filled it in."""

    def open_form(language: str = "en", **look: object) -> Page:
        page = open_as("Li", PASSWORD, f"/{language}/training", **look)
        expect(page.locator("#training-weight-StrictFormatReward input")).not_to_have_value("")
        expect(page.locator("#training-about p")).to_be_visible()
        return page

    return open_form


def choose(page: Page, field: str, name: str) -> None:
    """Pick an entry of a Gradio dropdown, and leave it."""
    page.click(f"#{field} input")
    page.get_by_role("option", name=name, exact=True).click()
    page.locator(f"#{field} input").blur()


def only(page: Page, *stages: str) -> None:
    """Leave these stages on."""
    for box in page.locator("#training-stages label").all():
        box.locator("input").set_checked(box.inner_text().strip() in stages)


def knob(page: Page, name: str) -> Locator:
    return page.locator(f"#training-{name} input")


def stage_of(run: Locator, name: str) -> Locator:
    title = run.page.locator("b", has_text=re.compile(f"^{name}$"))
    return run.locator(".pw-stage").filter(has=title)


def test_variants_are_chosen_by_name_and_say_what_they_change(
    form: Callable[..., Page], shot: Shot
) -> None:
    page = form(width=1280)
    choose(page, "training-recipe", "3x8-a100")
    expect(page.locator("#training-about")).to_contain_text("QwQ-32B")
    choose(page, "training-variants", "lora")
    expect(page.locator("#training-about")).to_contain_text("trains small adapters")
    choose(page, "training-variants", "vllm-server")
    expect(page.locator("#training-about pre")).to_contain_text("swift rollout --model Qwen")
    choose(page, "training-variants", "no-vllm")
    chosen = page.locator("#training-variants .token")
    expect(chosen).to_have_text(["lora", "no-vllm"])
    expect(page.locator("#training-about pre")).to_have_count(0)
    choose(page, "training-variants", "direct-grpo")
    expect(page.locator("#training-stages").get_by_label("SFT", exact=True)).not_to_be_checked()
    shot(page, "training-variants")


def test_what_a_stage_that_is_off_would_be_given_is_not_asked_for(
    form: Callable[..., Page],
) -> None:
    page = form(width=1280)
    only(page, "GRPO", "KTO")
    expect(knob(page, "grpo-beta")).to_be_visible()
    expect(knob(page, "kto-beta")).to_be_visible()
    expect(knob(page, "sft-max-steps")).to_be_hidden()
    only(page, "SFT")
    expect(knob(page, "sft-max-steps")).to_be_visible()
    expect(knob(page, "kto-beta")).to_be_hidden()


def test_the_search_of_arguments_follows_the_recipe(form: Callable[..., Page]) -> None:
    page = form(width=1280)
    page.locator("#training-arguments button").first.click()
    page.fill("#training-arguments-search textarea, #training-arguments-search input", "batch size")
    page.keyboard.press("Enter")
    names = page.locator("#training-arguments-found tr.pw-pick b")
    expect(names.get_by_text("per_device_train_batch_size", exact=True)).to_be_visible(
        timeout=30_000
    )
    choose(page, "training-recipe", "3x8-megatron")
    expect(names.get_by_text("micro_batch_size", exact=True)).to_be_visible()
    expect(names.get_by_text("per_device_train_batch_size", exact=True)).to_have_count(0)


def test_every_argument_is_found_by_search_and_a_typo_names_the_nearest(
    form: Callable[..., Page], shot: Shot
) -> None:
    page = form("zh", width=1280, dark=True)
    page.locator("#training-arguments button").first.click()
    page.fill("#training-arguments-search textarea, #training-arguments-search input", "epsilon")
    page.keyboard.press("Enter")
    found = page.locator("#training-arguments-found tr.pw-pick")
    expect(found.filter(has_text="epsilon_high")).to_be_visible(timeout=30_000)
    found.filter(has_text="epsilon_high").click()
    lines = page.locator("#training-arguments-set textarea")
    expect(lines).to_have_value("grpo.epsilon_high=")
    shot(page, "training-arguments")
    lines.fill("grpo.epsilon_hi=0.28")
    page.click("#training-show")
    expect(page.locator(".pw-notice-card")).to_contain_text("epsilon_high")
    lines.fill("grpo.epsilon_high=0.28")
    page.click("#training-show")
    command = page.locator("#training-commands pre").last
    expect(command).to_contain_text("--epsilon_high 0.28")


def test_where_no_worker_may_run_each_node_has_its_exact_command(
    form: Callable[..., Page], shot: Shot
) -> None:
    page = form(width=1920, height=1080)
    page.fill("#training-nodes input, #training-nodes textarea", "left, right")
    only(page, "SFT", "GRPO")
    page.click("#training-show")
    commands = page.locator("#training-commands .pw-command")
    expect(commands).to_have_count(4)
    expect(commands.first).to_contain_text("# SFT, left")
    for place, (rank, stage) in enumerate([(0, "sft"), (1, "sft"), (0, "rlhf"), (1, "rlhf")]):
        line = commands.nth(place).locator("pre")
        expect(line).to_contain_text(f"NNODES=2 NODE_RANK={rank} MASTER_ADDR=")
        expect(line).to_contain_text(re.compile(rf"swift {stage} .*--use_cpu True"))
        button = commands.nth(place).get_by_role("button", name="Copy")
        expect(button).to_be_visible()
    shot(page, "training-per-node")


def test_a_fault_is_shown_and_mended_by_one_click_and_its_run_waits_stops_and_goes_on(
    form: Callable[..., Page], shop: Shop, shot: Shot
) -> None:
    page = form(width=1280)
    only(page, "GRPO")
    knob(page, "grpo-num-generations").fill("3")
    page.click("#training-train")
    run = page.locator("#training-run")
    fault = run.locator(".pw-check", has_text="whole groups of 3")
    expect(fault).to_be_visible(timeout=PREFLIGHT_MS)
    expect(run.locator(".pw-card h3")).to_contain_text("failed")
    shot(page, "training-fault")
    first = page.url
    fix = fault.locator("xpath=..").get_by_role("button")
    fix.click()
    preflight = stage_of(run, "Preflight")
    expect(page.locator("#training-runs tr.pw-pick")).to_have_count(2)
    expect(preflight.locator(".pw-pill").first).to_have_text("succeeded", timeout=PREFLIGHT_MS)
    assert page.url != first

    training = stage_of(run, "GRPO")
    waits = "Number 1 in the queue for a device, behind visitors · cpu-smoke · SFT"
    expect(training).to_contain_text(waits)
    shot(page, "training-waits")
    page.click("#training-stop")
    state = run.locator(".pw-card h3")
    expect(state).to_contain_text("stopped")
    expect(run).to_contain_text("“Go on”")
    shot(page, "training-stopped")
    page.click("#training-resume")
    expect(training).to_contain_text(waits)
    page.reload()
    expect(training).to_contain_text(waits)
    page.click("#training-stop-at-once")
    expect(state).to_contain_text("stopped")
