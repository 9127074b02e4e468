"""One server process: what it needs at the first start, and how it stops."""

import uvicorn

from db.durable import Durable
from db.engine import Database
from exports.training.sweep import sweep
from labeling.accounts import command_line_actor, create_setup_link
from labeling.ui.shell import build_app
from schemas.settings import Settings

_LEAVE_WITHIN_S = 3


def serve(settings: Settings, database: Database, *, host: str, port: int) -> None:
    """Prepare what is missing, say where to go, and serve until asked to leave."""
    command_line_actor(database, "main")
    if settings.demo:
        from labeling.demo import load_demo  # noqa: PLC0415

        load_demo(database, settings)
    sweep(settings)
    durable = Durable(settings, database, executor_id="serve")
    durable.launch()
    try:
        app = build_app(settings, database, durable)
        _say_where(settings, database, host, port)
        # An open page may hold a stream for minutes; uvicorn would wait for it without a limit.
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_LEAVE_WITHIN_S,
            server_header=False,
        )
    finally:
        durable.close()


def _say_where(settings: Settings, database: Database, host: str, port: int) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  compared, not bound
    url = (settings.public_url or f"http://{shown}:{port}").rstrip("/")
    token = create_setup_link(database)
    if token is None:
        print(f"Planwright: {url}", flush=True)
    else:
        print(f"Planwright: open this once and become the first admin: {url}/setup?token={token}")
        print(f"Planwright: afterwards: {url}", flush=True)
