"""A real server in a process of its own, and a real Chromium in front of it."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from labeling.accounts import sign_in
from tests.browser.contexts import Contexts
from tests.browser.desk import Desk, a_desk
from tests.postgresql import free_port
from tests.serving import COOKIE, ServedApp

ROOT = Path(__file__).parents[2]
AT_ITS_START = "at-its-start.db"
SHOTS = Path(os.environ.get("PLANWRIGHT_SHOTS", ROOT / "build" / "shots"))
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]


@pytest.fixture(scope="session")
def desk_app(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedApp]:
    """One server for all tests, with the demo; each test of a desk has a project of its own."""
    home = tmp_path_factory.mktemp("desk")
    shutil.copy(migrated_sqlite, home / "planwright.db")
    app = ServedApp(home=home, port=free_port())
    app.start()
    copy_database(home / "planwright.db", home / AT_ITS_START)
    yield app
    app.stop()


@pytest.fixture
def served_app(desk_app: ServedApp) -> ServedApp:
    """The server, with its rows as after its first start; prepare more by `.database()`."""
    copy_database(desk_app.home / AT_ITS_START, desk_app.home / "planwright.db")
    return desk_app


def copy_database(source: Path, target: Path) -> None:
    """All of it in one transaction, also where a server is at work."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        other.execute("PRAGMA busy_timeout = 30000")
        one.backup(other)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the session."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("The browser tests need Chromium; name one with CHROMIUM=path.")
    # On a busy machine a page may need long; what is not so at all is found out all the same.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def contexts(chromium: Browser) -> Contexts:
    """Browsers of people; whoever takes one finds it empty."""
    return Contexts(chromium, is_keeping=True)


@pytest.fixture
def open_as(contexts: Contexts, served_app: ServedApp) -> Iterator[Callable[..., Page]]:
    """Opens a path as a person who has signed in (name and password), in a context of its own."""
    taken: list[BrowserContext] = []

    def open_page(
        name: str,
        password: str,
        path: str,
        *,
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
    ) -> Page:
        database = served_app.database()
        token = sign_in(database, name, password, "127.0.0.1")
        database.close()
        context = contexts.take(width=width, height=height, dark=dark)
        taken.append(context)
        context.add_cookies([{"name": COOKIE, "value": token, "url": served_app.url}])
        page = context.new_page()
        page.goto(f"{served_app.url}{path}")
        return page

    yield open_page
    for context in taken:
        contexts.give_back(context, served_app.url)


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keeps a screenshot under its name."""

    def keep(page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SHOTS / f"{name}.png"))

    return keep


@pytest.fixture
def make_desk(desk_app: ServedApp, contexts: Contexts) -> Iterator[Callable[..., Desk]]:
    """Makes desks (`tests.browser.desk.a_desk`) and closes their pages afterwards."""
    desks: list[Desk] = []

    def make(**options: Any) -> Desk:
        desks.append(a_desk(desk_app, contexts, **options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()
