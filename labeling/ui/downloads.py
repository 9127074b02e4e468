"""Files for people: each route checks the role and sends the file without Gradio's cache."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from exports.shelf import bundle_zip
from labeling.import_work import errors_file
from labeling.ui.session import ACTOR_KEY, Services
from schemas.errors import NotAllowed, PlanwrightError
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

    return router


async def _send(find: Callable[[], Path], who: Actor) -> Response:
    """A file as a download, or the sentence of why not."""
    try:
        path = await asyncio.to_thread(find)
    except PlanwrightError as error:
        status = 403 if isinstance(error, NotAllowed) else 404
        return PlainTextResponse(error.sentence(who.language), status)
    return FileResponse(path, filename=path.name, content_disposition_type="attachment")
