"""Who asks: the session of a browser, looked up once by the gate and read by every handler."""

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import gradio as gr
from starlette.requests import HTTPConnection
from starlette.types import Scope

from db.durable import Durable
from db.engine import Database
from labeling.accounts import find_actor
from schemas.errors import NotAllowed
from schemas.people import Actor, Role
from schemas.settings import Settings

COOKIE = "planwright_session"
ACTOR_KEY = "planwright.actor"
"""Where the gate leaves the actor in the ASGI scope; mounted applications see the same scope."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a page may ask: settings of the installation, the database, long work."""

    settings: Settings
    database: Database
    durable: Durable


def who_asks(request: gr.Request, at_least: Role = "annotator") -> Actor:
    """The person behind an event, as the gate found them.

    Raises:
        NotAllowed: `accounts.role_needed`; `accounts.sign_in_refused` where no gate stands.
    """
    connection = cast(HTTPConnection | None, request.request)
    actor = connection.scope.get(ACTOR_KEY) if connection is not None else None
    if not isinstance(actor, Actor):
        raise NotAllowed("accounts.sign_in_refused")
    actor.require(at_least)
    return actor


def request_of(actor: Actor) -> gr.Request:
    """A request as this person's browser makes it, to call a handler without a server."""
    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": [], ACTOR_KEY: actor}
    return gr.Request(HTTPConnection(scope), username=actor.name)  # pyright: ignore[reportArgumentType]


class Sessions:
    """Looks sessions up, and remembers them for a moment because every event asks.

    A changed role or an ended session counts within `keep_s` seconds, in every process.
    """

    def __init__(self, services: Services, *, keep_s: float = 2.0) -> None:
        self._services = services
        self._keep_s = keep_s
        self._known: dict[str, tuple[float, Actor]] = {}

    async def find(self, token: str | None) -> Actor | None:
        """The actor of a session, or None when it is over."""
        if not token:
            return None
        known = self._known.get(token)
        now = time.monotonic()
        if known is not None and now - known[0] < self._keep_s:
            return known[1]
        language = self._services.settings.language
        actor = await asyncio.to_thread(find_actor, self._services.database, token, language)
        if len(self._known) > 10_000:
            self._known.clear()
        if actor is None:
            self._known.pop(token, None)
        else:
            self._known[token] = (now, actor)
        return actor

    def forget(self, token: str | None) -> None:
        """Look this session up again at the next request."""
        self._known.pop(token or "", None)
