"""A real server in a process of its own, and a real Chromium in front of it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from labeling.accounts import sign_in
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from db.engine import Database, open_database
from schemas.settings import Settings
from tests.conftest import _free_port  # pyright: ignore[reportPrivateUsage]

ROOT = Path(__file__).parents[2]
SHOTS = Path(os.environ.get("PLANWRIGHT_SHOTS", ROOT / "build" / "shots"))
COOKIE = "planwright_session"
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


@dataclass
class ServedApp:
    """`python app.py serve` on a home of its own; `kill` is kill -9, `start` starts it again."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home)

    def database(self) -> Database:
        """The same database, opened from the test to look or to prepare."""
        return open_database(self.settings)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "app.py", "serve", "--port", str(self.port)],
            cwd=ROOT,
            env={**os.environ, "PLANWRIGHT_HOME": str(self.home), **self.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/login", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        pytest.fail(f"The server did not start:\n{self.log()}")

    def log(self) -> str:
        return (self.home / "server.log").read_text("utf-8", errors="replace")

    def kill(self) -> None:
        """Kill -9, as a power cut would."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to leave."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        self.process = None


@pytest.fixture
def served_app(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ServedApp]:
    """A server with an empty database; prepare rows through `served_app.database()`."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "planwright.db")
    app = ServedApp(home=home, port=_free_port())
    app.start()
    yield app
    app.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One Chromium for the session; each test has contexts of its own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("The browser tests need Chromium; name one with CHROMIUM=path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_as(chromium: Browser, served_app: ServedApp) -> Iterator[Callable[..., Page]]:
    """Opens a path as a person who has signed in (name and password), in a context of its own."""
    contexts: list[BrowserContext] = []

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
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        context.add_cookies([{"name": COOKIE, "value": token, "url": served_app.url}])
        page = context.new_page()
        page.goto(f"{served_app.url}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keeps a screenshot under its name."""

    def keep(page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(SHOTS / f"{name}.png"))

    return keep
