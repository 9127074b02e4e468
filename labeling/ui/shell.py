"""The application as a browser meets it: gate, frame, small pages, one Gradio per language.

The order matters: the gate stands outermost and finds out who asks; the frame puts the header into
Gradio's pages; our routes come before the mounts, because Gradio has some of the same names.
"""

import warnings

import gradio as gr
from fastapi import FastAPI, Request
from starlette.staticfiles import StaticFiles

from db.durable import Durable
from db.engine import Database
from labeling.ui.assets_version import modules_version
from labeling.ui.downloads import download_routes
from labeling.ui.frame import Frame
from labeling.ui.gate import Gate
from labeling.ui.i18n import LANGUAGES, Words
from labeling.ui.pages import PAGES
from labeling.ui.session import ACTOR_KEY, Services, Sessions
from labeling.ui.sign_in import sign_in_routes
from labeling.ui.theme import ASSETS, planwright_theme
from schemas.people import Actor
from schemas.settings import Settings


def build_app(settings: Settings, database: Database, durable: Durable) -> FastAPI:
    """Everything that is served, ready for uvicorn."""
    services = Services(settings, database, durable)
    sessions = Sessions(services)
    app = FastAPI(title="Planwright", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Frame, services=services, sessions=sessions)
    app.add_middleware(Gate, services=services, sessions=sessions)
    app.mount(f"/assets/{modules_version()}", StaticFiles(directory=ASSETS), name="modules")
    app.mount("/assets", StaticFiles(directory=ASSETS), name="assets")
    app.include_router(sign_in_routes(services, sessions))
    app.include_router(download_routes(services))
    for language in LANGUAGES:
        _mount(app, build_pages(services, Words(language)), f"/{language}", settings)
    return app


def build_pages(services: Services, words: Words) -> gr.Blocks:
    """All pages in one language.

    The same as `blocks.route` for each page, which would make a web application of all pages so far
    after every one of them: two seconds of a start.
    """
    blocks = gr.Blocks(title="Planwright", analytics_enabled=False, fill_width=True)
    with blocks:
        for page in PAGES:
            blocks.pages.append((page.name, words(f"shell.page_{page.name}"), False))
            blocks.current_page = page.name
            page.build(services, words)
            blocks.fill_expected_parents()
            blocks.default_config.attach_load_events()
    return blocks


def _mount(app: FastAPI, blocks: gr.Blocks, path: str, settings: Settings) -> None:
    with warnings.catch_warnings():
        # Gradio tells that it switches off what we do not ask for either.
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        gr.mount_gradio_app(
            app,
            blocks,
            path=path,
            auth_dependency=_name_of,
            theme=planwright_theme(),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            show_error=False,
            enable_monitoring=False,
            max_file_size=f"{settings.max_upload_mb}mb",
            app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        )


async def _name_of(request: Request) -> str | None:
    """Gradio's own check, answered by what the gate found; costs nothing."""
    who = request.scope.get(ACTOR_KEY)
    return who.name if isinstance(who, Actor) else None
