"""The whole application in this process, with somebody in each role."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from db.durable import Durable
from db.engine import Database, sqlite_url
from labeling import accounts, sign_in
from labeling.ui.session import COOKIE
from labeling.ui.shell import build_app
from schemas.settings import Settings

PASSWORD = "a long password"
CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Real argon2 at the least cost it allows."""


@dataclass
class Door:
    """An application behind its gate; `be` chooses who asks."""

    client: TestClient
    app: FastAPI
    database: Database
    setup_link: str
    tokens: dict[str, str]

    def be(self, role: str | None) -> TestClient:
        """Ask as the person of a role from now on, or as nobody."""
        self.client.cookies.clear()
        if role is not None:
            self.client.cookies.set(COOKIE, self.tokens[role])
        return self.client


@contextmanager
def opened_door(home: Path, migrated_sqlite: Path) -> Generator[Door]:
    """Build the application once; that takes seconds, so a module shares it."""
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "planwright.db")
    settings, database = Settings(home=home), Database(sqlite_url(home / "planwright.db"))
    before, sign_in._hasher = sign_in._hasher, CHEAP_HASHER
    link = accounts.create_setup_link(database)
    assert link
    app = build_app(settings, database, Durable(settings, database, executor_id="serve"))
    with TestClient(app, base_url="http://planwright.test", follow_redirects=False) as client:
        yield Door(client, app, database, link, {})
    sign_in._hasher = before
    database.close()


def add_team(door: Door) -> None:
    """Somebody in each role, named after it; the first admin is Li, unless there is one."""
    if "admin" not in door.tokens:
        door.tokens["admin"] = accounts.use_setup_link(
            door.database, door.setup_link, "Li", PASSWORD
        )
    admin = accounts.find_actor(door.database, door.tokens["admin"])
    assert admin
    for role in ("annotator", "reviewer"):
        accounts.add_person(door.database, admin, role, PASSWORD, role)
        door.tokens[role] = accounts.sign_in(door.database, role, PASSWORD, "1.1.1.1")
