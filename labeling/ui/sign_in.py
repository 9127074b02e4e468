"""Small pages of our own outside Gradio: signing in and out, the first admin, choices."""

import asyncio
from dataclasses import asdict
from typing import cast
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from labeling import accounts
from labeling.ui.assets_version import asset
from labeling.ui.errors import present
from labeling.ui.frame import LANGUAGE_COOKIE
from labeling.ui.header import document_attributes, header_counts, render
from labeling.ui.i18n import LANGUAGES, Language, Words
from labeling.ui.session import ACTOR_KEY, COOKIE, Services, Sessions
from schemas.errors import NotAllowed, PlanwrightError
from schemas.people import Actor

_YEAR = 31_536_000
THEME_COOKIE = "planwright_theme"


def sign_in_routes(services: Services, sessions: Sessions) -> APIRouter:
    """The routes that people use before and beside the pages."""
    router = APIRouter()
    desk = _Door(services, sessions)
    router.add_api_route("/", desk.home, methods=["GET"])
    router.add_api_route("/health", desk.health, methods=["GET"])
    router.add_api_route("/login", desk.show_sign_in, methods=["GET"])
    router.add_api_route("/login", desk.sign_in, methods=["POST"])
    router.add_api_route("/logout", desk.sign_out, methods=["POST"])
    router.add_api_route("/setup", desk.show_setup, methods=["GET"])
    router.add_api_route("/setup", desk.set_up, methods=["POST"])
    router.add_api_route("/password", desk.show_password, methods=["GET"])
    router.add_api_route("/password", desk.change_password, methods=["POST"])
    router.add_api_route("/project", desk.switch_project, methods=["POST"])
    router.add_api_route("/preferences", desk.keep_preferences, methods=["POST"])
    router.add_api_route("/me", desk.me, methods=["GET"])
    return router


class _Door:
    """What each route does; blocking work runs in threads."""

    def __init__(self, services: Services, sessions: Sessions) -> None:
        self._services = services
        self._database = services.database
        self._sessions = sessions

    async def home(self, request: Request) -> Response:
        """Lead to the person's own language."""
        who = _who(request)
        return RedirectResponse(f"/{who.language}", 303)

    async def health(self) -> Response:
        """Whether the server answers."""
        return JSONResponse({"status": "ok"})

    async def show_sign_in(self, request: Request) -> Response:
        """The sign-in form."""
        if request.scope.get(ACTOR_KEY) is not None:
            return RedirectResponse(_next(request.query_params.get("next")), 303)
        return self._form(request, "sign_in.html", next=_next(request.query_params.get("next")))

    async def sign_in(self, request: Request) -> Response:
        """Open a session and go where the person wanted to go."""
        name, password, to = await _fields(request, "name", "password", "next")
        address = request.client.host if request.client else ""
        try:
            token = await asyncio.to_thread(
                accounts.sign_in, self._database, name, password, address
            )
        except PlanwrightError as error:
            status = 429 if error.code.endswith("too_many_attempts") else 403
            return self._form(request, "sign_in.html", error, status, name=name, next=_next(to))
        return await self._welcome(request, token, _next(to))

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        token = request.cookies.get(COOKIE, "")
        await asyncio.to_thread(accounts.sign_out, self._database, token)
        self._sessions.forget(token)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    async def show_setup(self, request: Request) -> Response:
        """The form that makes the first admin, as long as there is none."""
        if await asyncio.to_thread(accounts.is_set_up, self._database):
            return RedirectResponse("/login", 303)
        return self._form(request, "setup.html", token=request.query_params.get("token", ""))

    async def set_up(self, request: Request) -> Response:
        """Make the first admin and sign them in."""
        token, name, password, again = await _fields(request, "token", "name", "password", "again")
        if password != again:
            sentence = self._words(request)("shell.passwords_differ")
            return self._form(
                request, "setup.html", None, 400, sentence=sentence, token=token, name=name
            )
        try:
            signed_in = await asyncio.to_thread(
                accounts.use_setup_link, self._database, token, name, password
            )
        except PlanwrightError as error:
            return self._form(request, "setup.html", error, 403, token=token, name=name)
        return await self._welcome(request, signed_in, "/")

    async def show_password(self, request: Request) -> Response:
        """The form for one's own password."""
        return self._form(request, "password.html")

    async def change_password(self, request: Request) -> Response:
        """Replace one's own password; every session ends and a new one begins."""
        who = _who(request)
        old, new, again = await _fields(request, "old", "password", "again")
        if new != again:
            sentence = self._words(request)("shell.passwords_differ")
            return self._form(request, "password.html", None, 400, sentence=sentence)
        try:
            await asyncio.to_thread(accounts.change_password, self._database, who, old, new)
            address = request.client.host if request.client else ""
            token = await asyncio.to_thread(
                accounts.sign_in, self._database, who.name, new, address
            )
        except PlanwrightError as error:
            return self._form(request, "password.html", error, 403)
        self._sessions.forget(request.cookies.get(COOKIE))
        return await self._welcome(request, token, "/")

    async def switch_project(self, request: Request) -> Response:
        """Work in another project."""
        (project_id,) = await _fields(request, "project")
        who, token = _who(request), request.cookies.get(COOKIE, "")
        try:
            await asyncio.to_thread(accounts.switch_project, self._database, who, token, project_id)
        except NotAllowed as error:
            return Response(str(error), 403)
        self._sessions.forget(token)
        return RedirectResponse("/", 303)

    async def keep_preferences(self, request: Request) -> Response:
        """Keep the chosen theme."""
        (theme,) = await _fields(request, "theme")
        if theme in ("light", "dark"):
            await asyncio.to_thread(
                accounts.set_preferences, self._database, _who(request), theme=theme
            )
        return Response(status_code=204)

    async def me(self, request: Request) -> Response:
        """The counts of the header."""
        counts = await asyncio.to_thread(
            header_counts, self._services, _who(request), self._words(request)
        )
        return JSONResponse(asdict(counts))

    async def _welcome(self, request: Request, token: str, to: str) -> Response:
        who = await self._sessions.find(token)
        answer = RedirectResponse(to, 303)
        is_secure = request.url.scheme == "https" or (
            self._services.settings.public_url or ""
        ).startswith("https:")
        answer.set_cookie(
            COOKIE,
            token,
            max_age=accounts.SESSION_DAYS * 86_400,
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )
        if who is not None:
            chosen = await asyncio.to_thread(accounts.get_preferences, self._database, who)
            if chosen.theme is not None:
                answer.set_cookie(THEME_COOKIE, chosen.theme, max_age=_YEAR, samesite="lax")
            if chosen.language is None:
                await asyncio.to_thread(
                    accounts.set_preferences,
                    self._database,
                    who,
                    language=self._words(request).language,
                )
                self._sessions.forget(token)
        return answer

    def _words(self, request: Request) -> Words:
        wanted = request.query_params.get("language") or request.cookies.get(LANGUAGE_COOKIE)
        known: dict[str, Language] = {each: each for each in LANGUAGES}
        return Words(known.get(wanted or "", self._services.settings.language))

    def _form(
        self,
        request: Request,
        template: str,
        error: Exception | None = None,
        status: int = 200,
        **values: object,
    ) -> Response:
        words = self._words(request)
        values = {"sentence": "", "token": "", "name": "", "next": "/"} | values
        if error is not None:
            values["sentence"] = present(error, words)["text"]
        body = render(
            template,
            words,
            attributes=document_attributes(words, is_signed_in=False),
            asset=asset,
            other="en" if words.language == "zh" else "zh",
            path=request.url.path,
            **values,
        )
        answer = HTMLResponse(body, status)
        answer.set_cookie(LANGUAGE_COOKIE, words.language, max_age=_YEAR, samesite="lax")
        return answer


def _who(request: Request) -> Actor:
    return cast(Actor, request.scope[ACTOR_KEY])


async def _fields(request: Request, *names: str) -> tuple[str, ...]:
    form = await request.form(max_files=0, max_fields=16)
    return tuple(str(form.get(name, "")) for name in names)


def _next(wanted: str | None) -> str:
    """A place in this application; anything else leads home."""
    parts = urlsplit(wanted or "/")
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    is_plain = wanted is not None and "\\" not in wanted and not wanted.startswith("//")
    return wanted if wanted and is_ours and is_plain and wanted.isprintable() else "/"
