"""Files for people: each route checks the role and sends the file without Gradio's cache."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from exports.comparison_report import comparison_csv, comparison_markdown
from exports.shelf import bundle_zip
from labeling.import_work import errors_file
from labeling.ui.session import ACTOR_KEY, Services
from schemas.errors import NotAllowed, NotFound, PlanwrightError
from schemas.people import Actor


def download_routes(services: Services) -> APIRouter:
    """The routes under `/download`."""
    router = APIRouter(prefix="/download")

    @router.get("/import-errors/{import_id}")
    async def import_errors(import_id: str, request: Request) -> Response:
        who = cast(Actor, request.scope[ACTOR_KEY])
        return await _send(
            lambda: errors_file(services.database, services.settings, who, import_id), who
        )

    @router.get("/bundle/{bundle_id}")
    async def bundle(bundle_id: str, request: Request) -> Response:
        who = cast(Actor, request.scope[ACTOR_KEY])
        return await _send(
            lambda: bundle_zip(services.database, services.settings, who, bundle_id), who
        )

    @router.get("/comparison/{before}/{after}.{form}")
    async def comparison(before: str, after: str, form: str, request: Request) -> Response:
        who = cast(Actor, request.scope[ACTOR_KEY])
        return await _write(lambda: _compared(services, who, before, after, form), form, who)

    return router


def _compared(services: Services, who: Actor, before: str, after: str, form: str) -> str:
    who.require("admin")
    if form == "csv":
        return comparison_csv(services.database, who, before, after)
    if form == "md":
        return comparison_markdown(services.database, who, before, after, who.language)
    raise NotFound("evaluate.no_such_form", form=form)


async def _write(make: Callable[[], str], form: str, who: Actor) -> Response:
    """A text as a download, or the sentence of why not; spreadsheets know UTF-8 by its mark."""
    try:
        text = await asyncio.to_thread(make)
    except PlanwrightError as error:
        return _refused(error, who)
    kind = "text/csv" if form == "csv" else "text/markdown"
    mark = "\ufeff" if form == "csv" else ""
    named = {"Content-Disposition": f'attachment; filename="comparison.{form}"'}
    return Response(f"{mark}{text}", media_type=f"{kind}; charset=utf-8", headers=named)


def _refused(error: PlanwrightError, who: Actor) -> Response:
    status = 403 if isinstance(error, NotAllowed) else 404
    return PlainTextResponse(error.sentence(who.language), status)


async def _send(find: Callable[[], Path], who: Actor) -> Response:
    """A file as a download, or the sentence of why not."""
    try:
        path = await asyncio.to_thread(find)
    except PlanwrightError as error:
        return _refused(error, who)
    return FileResponse(path, filename=path.name, content_disposition_type="attachment")
