"""Twenty outside rows from file to bundle: completed on the page, reviewed, exported, verified."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from labeling.accounts import add_person, command_line_actor
from labeling.queue import list_queries
from schemas.plan_import import find_dialect
from schemas.scoring.wire import to_canonical
from tests.browser.desk import PASSWORD, REWRITE, field_at, plan_on, stages_of
from tests.serving import ROOT, ServedApp

pytestmark = pytest.mark.outside_data
Shot = Callable[[Page, str], None]
Plan = dict[str, Any]


class Outside(NamedTuple):
    """A file of rows, the lists it needs, and how many of its rows are completed."""

    name: str
    rows: int
    incomplete: int
    lists: str
    completed: int
    experts: str | None = None


FILES = (
    # The rewrite is missing.
    Outside("plans_zh_ultratool", 240, 240, "ultratool_zh_*.json", completed=7),
    # The rewrite is missing, and one expert may stand twice in a stage; each row has its own list.
    Outside("traces_en_toolrl", 150, 146, "per_row_toolrl.jsonl", completed=7),
    # The rewrite is there, the steps are missing.
    Outside("rewrite_en", 300, 300, "taskbench_daily*.json", 6, "taskbench_dailylifeapis@1"),
)
# These plans were not what a trace led to, so SFT takes the answers alone.
RECIPE = """
name: outside
formats: [sft, grpo]
sft: {sources: [{kind: accepted}]}
grpo: {sources: [{kind: accepted}]}
with_thinking: false
verification: {model: tiny}
"""
ON_DESK = ".part-dialogue .card-head .right"
STEP_EXPERT = "book_restaurant"


@pytest.mark.timeout(1500)
def test_twenty_outside_rows_are_completed_reviewed_exported_and_verified(
    served_app: ServedApp,
    open_as: Callable[..., Page],
    folder: Path,
    tmp_path: Path,
    shot: Shot,
) -> None:
    chosen = import_files(served_app, folder)
    addresses = two_people(served_app)
    ann, rev = open_as("ann", PASSWORD, "/en/label"), open_as("rev", PASSWORD, "/zh/review")
    written: dict[str, Plan] = {}
    for each, names in zip(FILES, chosen, strict=True):
        for name in names:
            if name not in ann.locator(ON_DESK).inner_text():
                ann.goto(f"{served_app.url}/en/label?query={addresses[name]}")
            written[name] = complete(ann, name)
        shot(ann, f"outside-label-{each.name}")
    assert len(written) == 20
    review(rev, written, shot)
    bundle, recipe = tmp_path / "bundle", tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE, "utf-8")
    command(served_app, "export", "--recipe", str(recipe), "--out", str(bundle))
    verdict = command(served_app, "verify", str(bundle))
    assert verdict["differences"] == []
    assert plans_in(bundle) == sorted(map(as_text, written.values()))


def import_files(app: ServedApp, folder: Path) -> list[list[str]]:
    """Ids of the rows to complete, by file; every row of a file comes in with its gap counted."""
    chosen: list[list[str]] = []
    for each in FILES:
        for path in sorted((folder / "experts").glob(each.lists)):
            command(app, "experts", "publish", str(path))
        options = ("--experts", each.experts) if each.experts else ()
        path = folder / f"{each.name}.jsonl"
        words = ("--as", "suggestions", "--map", "plan=gold_plan", *options)
        counts = command(app, "import", str(path), *words)
        assert (counts["added"], counts["incomplete"]) == (each.rows, each.incomplete), each.name
        with path.open(encoding="utf-8") as rows:
            chosen.append([json.loads(next(rows))["id"] for _ in range(each.completed)])
    return chosen


def two_people(app: ServedApp) -> dict[str, str]:
    """An annotator and a reviewer; the id of each query by the name that its file gives it."""
    database = app.database()
    admin = command_line_actor(database, "main")
    add_person(database, admin, "ann", PASSWORD, "annotator")
    add_person(database, admin, "rev", PASSWORD, "reviewer")
    found: dict[str, str] = {}
    after: str | None = None
    while True:
        page = list_queries(database, admin, after=after, limit=200)
        found |= {each.external_id: each.id for each in page.rows if each.external_id}
        after = page.next_after
        if after is None:
            database.close()
            return found


def complete(page: Page, name: str) -> Plan:
    """What is missing is written, what is wrong is mended, the plan is handed in."""
    expect(page.locator(ON_DESK)).to_contain_text(name)
    rewrite = field_at(page, REWRITE)
    expect(rewrite).to_be_focused()
    if not rewrite.input_value():
        rewrite.fill(page.locator("#query-text").inner_text())
    elif not page.locator(".plan-form .step").count():
        page.click("#plan-add-step")
        page.keyboard.type(STEP_EXPERT)
        page.keyboard.press("Enter")
        page.keyboard.type(rewrite.input_value())
    part_twins(page)
    expect(page.locator("#plan-problems")).to_have_text("ready to submit")
    plan = plan_on(page)
    page.keyboard.press("Control+Enter")
    expect(page.locator(ON_DESK)).not_to_contain_text(name)
    return plan


def part_twins(page: Page) -> None:
    """Of two steps of one stage for the same expert, the later one goes into a stage of its own."""
    while (twin := later_twin(stages_of(page))) is not None:
        field_at(page, f"$.steps[{twin}].expert").press("Alt+p")


def later_twin(stages: list[list[str]]) -> int | None:
    """The last step whose expert stands earlier in the same stage too."""
    first = 0
    found: list[int] = []
    for names in stages:
        found += [first + at for at, name in enumerate(names) if name in names[:at]]
        first += len(names)
    return max(found, default=None)


def review(page: Page, written: dict[str, Plan], shot: Shot) -> None:
    """Every plan is accepted by its key, in whatever order they come."""
    seen: list[str] = []
    for number in range(len(written)):
        expect(page.locator("#review-comparison")).to_be_visible()
        about = page.locator(ON_DESK).inner_text()
        seen.append(next(name for name in written if name in about))
        if number in (0, 10, 19):
            shot(page, f"outside-review-{number}")
        page.keyboard.press("a")
        if number < len(written) - 1:
            expect(page.locator(ON_DESK)).not_to_contain_text(seen[-1])
    expect(page.locator(".empty-card")).to_be_visible()
    assert sorted(seen) == sorted(written)


def command(app: ServedApp, *words: str) -> dict[str, Any]:
    """What a command of the product says, beside the running server."""
    done = subprocess.run(
        [sys.executable, "app.py", *words, "--json"],
        cwd=ROOT,
        env={**os.environ, "PLANWRIGHT_HOME": str(app.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def plans_in(bundle: Path) -> list[str]:
    """Every plan of a bundle in canonical form, from whichever file holds it."""
    answers = [row["solution"] for row in rows_of(bundle, "grpo*.jsonl")]
    for row in rows_of(bundle, "sft*.jsonl"):
        answers.append(re.search(r"<answer>\n(.*)\n</answer>", row["messages"][-1]["content"])[1])
    return sorted(as_text(json.loads(each)) for each in answers)


def as_text(plan: Plan) -> str:
    return json.dumps(to_canonical(plan, find_dialect(plan) or "none"), sort_keys=True)


def rows_of(bundle: Path, files: str) -> list[dict[str, Any]]:
    paths = sorted(bundle.glob(files))
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
