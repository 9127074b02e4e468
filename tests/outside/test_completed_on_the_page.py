"""Outside rows without a rewrite are completed on the label page, accepted, exported, verified."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from db.upgrade import upgrade
from labeling.accounts import add_person, command_line_actor, sign_in
from tests.browser.desk import PASSWORD, REWRITE, field_at
from tests.postgresql import free_port
from tests.serving import COOKIE, ROOT, ServedApp

FILES = (
    ("plans_zh_ultratool.jsonl", "ultratool_zh_*.json"),
    ("plans_en_ultratool.jsonl", "ultratool_en_*.json"),
    ("dialogues_zh_crosswoz.jsonl", "crosswoz_zh.json"),
)
COMPLETED = 20


def _command(app: ServedApp, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *words, "--json"],
        cwd=ROOT,
        env={"PLANWRIGHT_HOME": str(app.home), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def complete(page: Page) -> bool:
    """Write the missing rewrite and hand in; a row with another fault is put off with a reason."""
    rewrite = field_at(page, REWRITE)
    expect(rewrite).to_be_visible(timeout=15_000)
    query = page.locator("#query-text").inner_text()
    assert rewrite.input_value() == ""
    rewrite.fill(query)
    judged = page.locator("#plan-problems")
    page.wait_for_timeout(1500)
    is_ready = judged.inner_text() == "ready to submit"
    if is_ready:
        page.keyboard.press("Control+Enter")
    else:
        page.click("#label-later")
    expect(page.locator("#query-text", has_text=query)).to_have_count(0)
    return is_ready


@pytest.mark.outside_data
@pytest.mark.timeout(900)
def test_twenty_outside_rows_are_completed_reviewed_exported_and_verified(
    folder: Path, chromium: Browser, tmp_path: Path
) -> None:
    app = ServedApp(tmp_path / "home", free_port(), environment={"PLANWRIGHT_DEMO": "false"})
    app.home.mkdir()
    database = app.database()
    upgrade(database)
    for rows, lists in FILES:
        for path in sorted((folder / "experts").glob(lists)):
            assert _command(app, "experts", "publish", str(path)).returncode == 0
        mapping = ("--as", "suggestions", "--map", "plan=gold_plan")
        done = _command(app, "import", str(folder / rows), *mapping)
        counts = json.loads(done.stdout)
        print(rows, counts)
        assert counts["added"] == counts["incomplete"] == (200 if "crosswoz" in rows else 240)
    who = command_line_actor(database, "main")
    pages = {}
    app.start()
    try:
        for name, role, path in (
            ("ann", "annotator", "/en/label"),
            ("rev", "reviewer", "/en/review"),
        ):
            add_person(database, who, name, PASSWORD, role)
            context = chromium.new_context(viewport={"width": 1440, "height": 900})
            token = sign_in(database, name, PASSWORD, "127.0.0.1")
            context.add_cookies([{"name": COOKIE, "value": token, "url": app.url}])
            pages[name] = context.new_page()
            pages[name].goto(app.url + path)
        completed = 0
        while completed < COMPLETED:
            completed += complete(pages["ann"])
        for _ in range(COMPLETED):
            page = pages["rev"]
            expect(page.locator("#review-comparison")).to_be_visible(timeout=15_000)
            query = page.locator("#query-text").inner_text()
            page.keyboard.press("a")
            expect(page.locator("#query-text", has_text=query)).to_have_count(0)
    finally:
        app.stop()
        database.close()
    out = tmp_path / "out"
    exported = _command(app, "export", "--recipe", "mixed", "--out", str(out))
    assert exported.returncode == 0, exported.stderr
    answer = json.loads(exported.stdout.splitlines()[-1])
    assert answer["rows"]["grpo"] + answer["rows"].get("grpo_val", 0) > 0, answer
    print(answer)
