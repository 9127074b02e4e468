"""The label page in Chromium: loading, opening, typing and scrolling, with a plan of 60 steps.

Every item has a trace of 200,000 characters. Waits are taken inside the page, from the event to the
frame after it. Floors come from the same Chromium in the same run: a page of the same server that
holds nothing, and a bare textarea on it. Beside other work waits grow and processor time does not,
so that of server, browser and driver together stands there too.

Usage: `python -m tests.bench.desk_in_browser [rounds]`
"""

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from db.upgrade import upgrade
from tests.bench.figures import Figure, report
from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.browser.contexts import Contexts
from tests.browser.desk import EXPERTS, REWRITE, Desk, a_desk, field_at
from tests.postgresql import free_port
from tests.serving import ServedApp

KEYS = 60
NAMES = [name for name, _ in EXPERTS]
PLAN = {
    "rewritten_query": "很多步骤的问题",
    "steps": [
        {
            "expert": NAMES[number % len(NAMES)],
            "sub_questions": [f"第 {number} 个问题怎么处理", "再核对一次数据"],
            "order": number // 2 + 1,
        }
        for number in range(60)
    ],
}
TRACE = "\n".join(
    f"第 {number} 点：先看{NAMES[number % len(NAMES)]}能做什么，再看数据，曝光变化为 {number}%，"
    "需要结合词表逐一核对后再决定。"
    for number in range(3800)
)
WATCH = """
window.bench = {
  long: [],
  /** Milliseconds from here until the frame after `isThere()` is on screen. */
  until: (isThere, began = performance.now()) => new Promise(done => {
    const look = () => requestAnimationFrame(() => {
      if (!isThere()) return look();
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => done(performance.now() - began);
      port2.postMessage(null);
    });
    look();
  }),
};
new PerformanceObserver(list => bench.long.push(...list.getEntries().map(each => each.duration)))
  .observe({ type: 'longtask' });
"""
USABLE = "document.activeElement?.id === 'plan-rewritten'"
NEXT_ITEM = f"""id => {{
  const form = document.querySelector('.plan-form');
  const old = form.firstElementChild;
  const shown = bench.until(() => form.firstElementChild !== old && {USABLE});
  document.getElementById(id).click();
  return shown;
}}"""
LISTEN = """field => {
  bench.work = [];
  bench.painted = [];
  let began = 0;
  field.focus();
  addEventListener('keydown', event => (began = event.timeStamp), { capture: true });
  addEventListener('input', () => {
    document.body.offsetHeight;
    bench.work.push(performance.now() - began);
    const from = began;
    bench.until(() => true, from).then(waited => bench.painted.push(waited));
  });
}"""


def loads(desk: Desk, page: Page, rounds: int) -> tuple[list[float], list[float]]:
    """From the start of the navigation until one can type, in ms; and the same of an empty page."""
    ours, empty = [], []
    for _ in range(rounds):
        page.goto(f"{desk.app.url}/health")
        empty.append(page.evaluate(f"{WATCH} bench.until(() => true, 0)"))
        page.goto(f"{desk.app.url}/zh/label", wait_until="commit")
        ours.append(page.evaluate(f"{WATCH} bench.until(() => {USABLE}, 0)"))
    return ours, empty


def processor_ms() -> float:
    """Processor time of all processes that this one has started."""
    times = [each.cpu_times() for each in psutil.Process().children(recursive=True)]
    return 1000 * sum(each.user + each.system for each in times)


def items(page: Page, rounds: int) -> tuple[list[float], list[float], float]:
    """Waits after submitting and after withdrawing, until one can type; processor time of one."""
    submitted, opened = [], []
    began = processor_ms()
    for _ in range(rounds):
        submitted.append(page.evaluate(NEXT_ITEM, "label-submit"))
        page.wait_for_timeout(400)
        opened.append(page.evaluate(NEXT_ITEM, "label-withdraw"))
        page.wait_for_timeout(400)
    return submitted, opened, (processor_ms() - began) / (2 * rounds)


def typing(page: Page, selector: str) -> tuple[list[float], list[float], list[float]]:
    """Of each key its script and layout and its wait until painted; and what took over 50 ms."""
    page.locator(selector).evaluate(LISTEN)
    page.evaluate("bench.long.length = 0")
    for number in range(KEYS):
        page.keyboard.press("abcdefghij"[number % 10])
        page.wait_for_timeout(30)
    page.wait_for_timeout(600)
    found = page.evaluate("[bench.work, bench.painted, bench.long]")
    return found[0], found[1], found[2]


def scrolling(page: Page, selector: str) -> list[float]:
    """Tasks of more than 50 ms while something long is scrolled to its end and back."""
    page.hover(selector)
    page.evaluate("bench.long.length = 0")
    for by in (900,) * 40 + (-900,) * 40:
        page.mouse.wheel(0, by)
        page.wait_for_timeout(16)
    page.wait_for_timeout(300)
    return page.evaluate("bench.long")


def bare(browser: Browser, url: str) -> tuple[list[float], list[float], list[float]]:
    """Typing into a textarea on a page that holds nothing else."""
    page = browser.new_page()
    page.goto(f"{url}/health")
    page.evaluate(WATCH)
    page.evaluate("document.body.replaceChildren(document.createElement('textarea'))")
    found = typing(page, "textarea")
    page.close()
    return found


def measure(desk: Desk, rounds: int) -> list[Figure]:
    """All figures of one run."""
    floor_work, floor_painted, _ = bare(desk.browsers.browser, desk.app.url)
    page = desk.open("li", "/zh/label")
    page.evaluate(WATCH)
    submitted, opened, processor = items(page, rounds)
    in_trace, in_form = scrolling(page, ".trace"), scrolling(page, ".plan-form")
    field_at(page, REWRITE).focus()
    work, painted, long = typing(page, f'textarea[data-path="{REWRITE}"]')
    ours, empty = loads(desk, page, rounds)
    middle, textarea = statistics.median, "a bare textarea"
    nothing, health = "an empty page", middle(empty)
    most = "the longest task of"
    return [
        Figure("page load → usable", middle(ours), "ms", "≤ 1,500", health, nothing),
        Figure("submit → next item on screen", middle(submitted), "ms", "≤ 300", health, nothing),
        Figure("open an item → editable", middle(opened), "ms", "≤ 300", health, nothing),
        Figure("processor time of one item, all told", processor, "ms", "no promise"),
        Figure(
            "a key: script and layout", middle(work), "ms", "≤ 16", middle(floor_work), textarea
        ),
        Figure("the same, p95", _p95(work), "ms", "≤ 16", _p95(floor_work), textarea),
        Figure("key → painted", middle(painted), "ms", "≤ 16", middle(floor_painted), textarea),
        Figure(f"{most} typing {KEYS} keys", max(long, default=0), "ms", "none over 50"),
        Figure(f"{most} scrolling the trace", max(in_trace, default=0), "ms", "none over 50"),
        Figure(f"{most} scrolling the plan", max(in_form, default=0), "ms", "none over 50"),
    ]


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def main(rounds: int) -> None:
    """Serve an empty home, fill a desk, look at it."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        app = ServedApp(home=Path(folder), port=free_port(), environment={"PLANWRIGHT_DEMO": "0"})
        database = app.database()
        upgrade(database)
        database.close()
        app.start()
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        try:
            desk = a_desk(app, Contexts(browser), queries=rounds + 2, plans=(PLAN,), trace=TRACE)
            report(__name__, measure(desk, rounds))
            desk.close()
        finally:
            browser.close()
            app.stop()


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["7"])[0]))
