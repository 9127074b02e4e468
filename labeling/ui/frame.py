"""Gradio's pages in our frame: header, early script and style sheet are in the page as it arrives.

Gradio adds its own `head=` by script after the page has loaded, which is too late for the theme,
for the calls that must survive a restart, and for a header that does not flicker.
"""

import asyncio
import gzip
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labeling.accounts import set_preferences
from labeling.ui.assets_version import asset
from labeling.ui.header import document_attributes, header_html, render
from labeling.ui.i18n import LANGUAGES, Words
from labeling.ui.pages import PAGES, home_of, pages_of
from labeling.ui.session import ACTOR_KEY, COOKIE, Services, Sessions
from schemas.people import Actor

_PAGE = re.compile(r"^/(?P<language>zh|en)(?:/(?P<page>[a-z]*))?/?$")
_OPENING = re.compile(rb"<html\s+lang=\"en\"")
_FOREIGN_META = re.compile(rb"<meta\s+(?:property=\"og:|name=\"twitter:)[^>]*/>\s*")
_BODY = re.compile(rb"<body[^>]*>")
LANGUAGE_COOKIE = "planwright_language"


class Frame:
    """Puts the header into every page of Gradio, and sends people only where they belong."""

    def __init__(self, app: ASGIApp, *, services: Services, sessions: Sessions) -> None:
        self._app = app
        self._services = services
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Frame a page, redirect, refuse, or pass on."""
        found = _PAGE.match(scope["path"]) if scope["type"] == "http" else None
        who = scope.get(ACTOR_KEY)
        if found is None or not isinstance(who, Actor) or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        words = next(Words(each) for each in LANGUAGES if each == found["language"])
        page = found["page"]
        if not page:
            target = RedirectResponse(f"/{words.language}/{home_of(who)}", 303)
            return await target(scope, receive, send)
        head, header = await asyncio.to_thread(self._parts, who, words, page)
        if who.language != words.language:
            self._sessions.forget(HTTPConnection(scope).cookies.get(COOKIE))
        if page not in [entry.name for entry in pages_of(who)]:
            is_known = page in [entry.name for entry in PAGES]
            body = render(
                "refused.html",
                words,
                attributes=document_attributes(words, is_signed_in=True),
                asset=asset,
                header=header,
                sentence=words("shell.not_yours" if is_known else "shell.no_such_page"),
                home=f"/{words.language}/{home_of(who)}",
            )
            answer = HTMLResponse(body, 403 if is_known else 404)
            return await answer(scope, receive, send)
        return await self._framed(scope, receive, send, words, (head, header))

    def _parts(self, who: Actor, words: Words, page: str) -> tuple[str, str]:
        if who.language != words.language:
            set_preferences(self._services.database, who, language=words.language)
        head = render("head.html", words, asset=asset)
        return head, header_html(self._services, who, words, page)

    async def _framed(
        self, scope: Scope, receive: Receive, send: Send, words: Words, parts: tuple[str, str]
    ) -> None:
        accepts_gzip = "gzip" in HTTPConnection(scope).headers.get("accept-encoding", "")
        plain = dict(scope, headers=[h for h in scope["headers"] if h[0] != b"accept-encoding"])
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(plain, receive, collect)
        page = bytes(body)
        if "text/html" in Headers(raw=start["headers"]).get("content-type", ""):
            page = _in_frame(page, words, *parts)
        headers = MutableHeaders(raw=list(start["headers"]))
        if accepts_gzip:
            page = await asyncio.to_thread(gzip.compress, page, 5)
            headers["content-encoding"] = "gzip"
            headers.add_vary_header("accept-encoding")
        headers["content-length"] = str(len(page))
        headers.append(
            "set-cookie",
            f"{LANGUAGE_COOKIE}={words.language}; Path=/; Max-Age=31536000; SameSite=Lax",
        )
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": page})


def _in_frame(page: bytes, words: Words, head: str, header: str) -> bytes:
    attributes = f"<html {document_attributes(words, is_signed_in=True)}".encode()
    page = _OPENING.sub(lambda _: attributes, page, count=1)
    page = _FOREIGN_META.sub(b"", page)
    page = page.replace(b"<head>", b"<head>" + head.encode(), 1)
    return _BODY.sub(lambda found: found[0] + header.encode(), page, count=1)
