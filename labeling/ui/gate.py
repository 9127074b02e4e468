"""The gate in front of everything: who asks, from where, and what a browser may load.

Raw ASGI, so that streams keep flowing. Gradio checks neither the Origin of a request nor a session
on all of its routes, so nothing reaches it from elsewhere or from nobody, and of its own interface
only what the pages use is open.
"""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labeling.ui.session import ACTOR_KEY, COOKIE, Services, Sessions

OPEN_PATHS = frozenset({"/login", "/setup", "/health", "/favicon.ico"})
OPEN_FOLDER = "/assets/"
BODY_MAX_BYTES = 8 * 1024 * 1024
# Gradio's scripts are inline and evaluate page scripts; what matters is that no host but ours is
# ever asked for anything and that nobody frames us.
CONTENT_SECURITY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not `no-referrer`: with that, browsers send our own forms with the Origin `null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_GRADIO_CALL = re.compile(r"^/(?:zh|en)/(?:gradio_api/)?(?P<call>[^/?]*)")
_USED_CALLS = frozenset({"run", "upload", "upload_progress", "startup-events", "app_id", "info"})


class _BodyTooLarge(Exception):
    pass


class Gate:
    """Lets a request through to the application, or answers it."""

    def __init__(self, app: ASGIApp, *, services: Services, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions
        self._max_upload = services.settings.max_upload_mb * 1024 * 1024
        public_url = services.settings.public_url
        self._public_host = urlsplit(public_url).netloc if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that may not pass; harden the answers to those that do."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":  # no page uses websockets
            return await Response(status_code=404)(scope, receive, send)
        refusal = await self._refusal(scope)
        if refusal is not None:
            return await refusal(scope, receive, _hardened(send))
        is_upload = scope["path"].endswith("/gradio_api/upload")
        limit = self._max_upload + 1024 * 1024 if is_upload else BODY_MAX_BYTES
        try:
            return await self._app(scope, _bounded(receive, limit), _hardened(send))
        except _BodyTooLarge:
            return await PlainTextResponse("too large", 413)(scope, receive, _hardened(send))

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        connection = HTTPConnection(scope)
        path: str = scope["path"]
        origin = connection.headers.get("origin")
        if origin and urlsplit(origin).netloc not in (
            connection.headers.get("host"),
            self._public_host,
        ):
            return PlainTextResponse("cross-site request refused", 403)
        actor = await self._sessions.find(connection.cookies.get(COOKIE))
        scope[ACTOR_KEY] = actor
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
            return None
        if actor is None:
            wants_page = scope["method"] == "GET" and "text/html" in connection.headers.get(
                "accept", ""
            )
            query = scope["query_string"].decode("latin-1")
            here = path + (f"?{query}" if query else "")
            return (
                RedirectResponse(f"/login?next={quote(here)}", 303)
                if wants_page
                else PlainTextResponse("sign in first", 401)
            )
        if "/gradio_api/" in path:
            call = _GRADIO_CALL.match(path)
            if call is None or call["call"] not in _USED_CALLS:
                return PlainTextResponse("not in use", 404)
            if call["call"].startswith("upload") and actor.role != "admin":
                return PlainTextResponse("only admins upload", 403)
        return None


def _hardened(send: Send) -> Send:
    """Add the security headers to every answer; pages and data are never kept by caches."""

    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            kind = headers.get("content-type", "")
            if kind.startswith(("text/html", "application/json", "text/plain")):
                headers["cache-control"] = "no-store"
        await send(message)

    return hardened


def _bounded(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    """Refuse a body beyond the limit while it arrives, whatever its headers claim."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _BodyTooLarge
        return message

    return bounded
