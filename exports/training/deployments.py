"""Endpoints that outlive the page and the app: a planner's server under a supervisor of its own.

What is true of a server stands in its folder (`home/endpoints/ID`), where any process finds it
again: its supervisor writes the state, its port and its key lie beside it. The row says who started
what; of a planner at most one is not over, so two clicks are one endpoint.

The key is shown to whom started it and lies in a file of mode 0600 beside the server's log until
the server is over. A hash alone would not do: the playground and evaluations ask the endpoint too,
also after the app has been started again. Whoever reads that file can read the weights beside it.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from db.access import places as place_rows
from db.access import serving as access
from db.access.events import add_event
from db.engine import Database, Session, take_turns
from db.tables import Deployment, Person, Planner
from db.tables.base import new_id, now
from exports.training import launch, places
from exports.training.machine import this_machine
from exports.training.outcome import last_lines
from exports.training.planners import find_planner, find_trained, served_of
from exports.training.serve import (
    MODEL,
    Endpoint,
    Place,
    Served,
    answers,
    find_key,
    find_url,
    forget_key,
    is_free,
    keep_key,
    new_key,
    server_order,
    start_server,
)
from schemas.errors import InvalidInput, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.serving import Deployed, DeployOrder, EndpointState, EndpointView
from schemas.settings import Settings
from schemas.training import RunOrder

FOLDER = "endpoints"
BEGINS_WITHIN_S = 60
HEARD_WITHIN_S = 60
"""A server on another machine whose supervisor wrote nothing for so long is lost."""
STOPS_WITHIN_S = 20
_LOG_LINES = 40


def deploy(
    database: Database,
    settings: Settings,
    who: Actor,
    reference: str,
    order: DeployOrder | None = None,
) -> Deployed:
    """Serve a planner (by id or name, or by its run); one that is served is the answer.

    Raises:
        NotFound: `evaluate.planner_not_found`, `evaluate.planner_without_checkpoint`.
        TransitionRefused: `serving.no_checkpoint`, `serving.is_external`, `serving.devices_taken`.
        InvalidInput: `serving.port_taken`.
    """
    who.require("admin")
    wanted = order or DeployOrder()
    planner = find_planner(database, who, reference)
    with database.reading() as session:
        trained = find_trained(session, settings, planner)
    if trained is None:
        raise TransitionRefused("serving.is_external", planner=planner.name)
    served = served_of(planner, trained)
    with database.transaction() as session:
        take_turns(session, f"endpoint of {planner.id}")
        row = access.find_live(session, planner.id)
        if row is not None and _look(settings, row).state in launch.OVER:
            access.end_deployment(session, row.id, now())
            place_rows.take_back(session, [row.folder])
            forget_key(settings.home / row.folder)
            row = None
        if row is None:
            row = _add(session, settings, who, planner, order=wanted, served=served)
        folder, is_here = settings.home / row.folder, row.machine == this_machine()
    key = find_key(folder) if is_here and launch.read_status(folder) is None else None
    if key is not None:
        start_server(folder, key)
    with database.reading() as session:
        found = session.get_one(Deployment, row.id)
        return Deployed(endpoint=_view(session, settings, found, planner.name), key=key)


def stop_endpoint(database: Database, settings: Settings, who: Actor, reference: str) -> str:
    """Ask a server to leave; it finishes no request that is under way. Its id.

    Raises:
        NotFound: `serving.endpoint_not_found`.
        TransitionRefused: `serving.endpoint_is_over`.
    """
    who.require("admin")
    with database.transaction() as session:
        row = access.find_deployment(session, who.project_id, reference)
        if row is None:
            raise NotFound("serving.endpoint_not_found", endpoint=reference)
        if row.ended_at is not None:
            raise TransitionRefused("serving.endpoint_is_over")
        add_event(session, who, "endpoint", row.id, "stop asked")
        folder = settings.home / row.folder
    if folder.is_dir():
        launch.ask_to_stop(folder, at_once=True)
    return row.id


def wait_until(
    database: Database,
    settings: Settings,
    who: Actor,
    endpoint_id: str,
    *states: EndpointState,
    within_s: float,
) -> EndpointView:
    """An endpoint once it is in one of these states or over, or as it is after so long."""
    deadline = time.monotonic() + within_s
    while True:
        view = get_endpoint(database, settings, who, endpoint_id)
        if view.state in states or not view.is_live or time.monotonic() > deadline:
            return view
        time.sleep(0.2)


def list_endpoints(
    database: Database, settings: Settings, who: Actor, *, planner_id: str | None = None
) -> list[EndpointView]:
    """Endpoints, those that are not over first, newest first."""
    who.require("reviewer")
    with database.reading() as session:
        rows = access.list_deployments(session, who.project_id, planner_id=planner_id)
        views = [_view(session, settings, row, name) for row, name in rows]
    _settle(database, settings, [row for row, _ in rows], views)
    return views


def get_endpoint(
    database: Database, settings: Settings, who: Actor, reference: str
) -> EndpointView:
    """One endpoint with the end of its log; by the name of a planner its newest.

    Raises:
        NotFound: `serving.endpoint_not_found`.
    """
    who.require("reviewer")
    with database.reading() as session:
        row = access.find_deployment(session, who.project_id, reference)
        if row is None:
            raise NotFound("serving.endpoint_not_found", endpoint=reference)
        name = access.name_of_planner(session, row.planner_id)
        view = _view(session, settings, row, name)
    _settle(database, settings, [row], [view])
    return view.model_copy(update={"log_tail": last_lines(settings.home / row.folder, _LOG_LINES)})


def find_standing(database: Database, settings: Settings, planner_id: str) -> Endpoint | None:
    """The endpoint where a planner answers right now."""
    with database.reading() as session:
        row = access.find_live(session, planner_id)
    if row is None:
        return None
    folder = settings.home / row.folder
    url, key = find_url(folder, row.host), find_key(folder)
    is_up = _look(settings, row).state == "running"
    return Endpoint(url, key, MODEL) if is_up and url and key and answers(url) else None


class _Look(NamedTuple):
    state: str
    reason: str | None
    values: Mapping[str, JsonValue]


def _add(
    session: Session,
    settings: Settings,
    who: Actor,
    planner: Planner,
    *,
    order: DeployOrder,
    served: Served,
) -> Deployment:
    """The row of a server that is to be started, its devices, and its folder with its key."""
    place = Place(order.host or settings.serving_host, order.port, order.backend, order.devices)
    if place.port is not None and not is_free(place.host, place.port):
        raise InvalidInput("serving.port_taken", host=place.host, port=place.port)
    deployment_id, key = new_id(), new_key()
    name = f"{FOLDER}/{deployment_id}"
    if not served.is_on_cpu:  # on the CPU it holds nothing
        wish = places.Wish(name, f"{planner.name} · swift deploy", 0, this_machine())
        named = order.devices.split(",") if order.devices else ()
        given = places.take_free(session, settings, who.project_id, wish, named)
        place = place._replace(devices=",".join(given) or None)
    row = Deployment(
        id=deployment_id,
        project_id=who.project_id,
        planner_id=planner.id,
        folder=name,
        machine=this_machine(),
        host=place.host,
        port=place.port or 0,
        key_end=key[-4:],
        order=order.model_dump(mode="json"),
        created_by=who.person_id,
    )
    session.add(row)
    session.flush()
    add_event(session, who, "endpoint", row.id, "started", why={"planner": planner.id})
    folder = settings.home / name
    keep_key(folder, key)
    launch.prepare(folder, server_order(settings, folder, served, place))
    return row


def _look(settings: Settings, row: Deployment) -> _Look:
    """A server as its folder shows it: by its processes on this machine, by heartbeat elsewhere."""
    folder = settings.home / row.folder
    if row.machine == this_machine():
        seen = launch.look(folder)
        is_late = (now() - row.created_at).total_seconds() > BEGINS_WITHIN_S
        if seen.status is None and is_late and not launch.is_supervised(folder):
            return _Look("failed", "serving.never_begun", {})
        return _Look(seen.state, seen.reason, seen.values)
    status = launch.read_status(folder)
    if status is not None and status.state in launch.OVER:
        return _Look(status.state, status.reason, status.values)
    heard = status.heartbeat if status else row.created_at.timestamp()
    if time.time() - heard > HEARD_WITHIN_S:
        return _Look("failed", "serving.machine_lost", {"machine": row.machine})
    return _Look(status.state if status else "starting", None, {})


def _view(session: Session, settings: Settings, row: Deployment, name: str) -> EndpointView:
    folder, seen = settings.home / row.folder, _look(settings, row)
    url = find_url(folder, row.host)
    state: str = seen.state
    if state == "running":
        marker = folder / "answered"
        if url is not None and answers(url):
            state = "ready"
            marker.touch()
        else:
            state = "silent" if marker.exists() else "starting"
    author = session.get(Person, row.created_by) if row.created_by else None
    reason, values = _said(seen, folder)
    return EndpointView.model_validate(
        {
            "id": row.id,
            "planner_id": row.planner_id,
            "planner": name,
            "state": state,
            "reason": reason,
            "values": values,
            "url": url,
            "model": MODEL,
            "key_end": row.key_end,
            "machine": row.machine,
            "folder": str(folder),
            "command": _command(folder),
            "created_by": author.name if author else None,
            "created_at": row.created_at,
            "ended_at": row.ended_at,
        }
    )


def _said(seen: _Look, folder: Path) -> tuple[str | None, dict[str, Any]]:
    """Why a server is over, in words of serving."""
    values = dict(seen.values)
    match seen.reason:
        case "training.stopped" | "training.stopped_saved":
            return "serving.stopped", {}
        case "training.killed_by_signal":
            return "serving.killed_by_signal", values
        case "training.exited" | "training.succeeded":
            return "serving.left", {"line": last_lines(folder, 1)}
        case "training.supervisor_lost":
            return "serving.supervisor_lost", {}
        case _:
            return seen.reason, values


def _settle(
    database: Database,
    settings: Settings,
    rows: list[Deployment],
    views: list[EndpointView],
) -> None:
    """Write down which servers are over, and let their keys go."""
    over = [
        row
        for row, view in zip(rows, views, strict=True)
        if row.ended_at is None and not view.is_live
    ]
    if not over:
        return
    with database.transaction() as session:
        for row in over:
            access.end_deployment(session, row.id, datetime.now(UTC))
        place_rows.take_back(session, [row.folder for row in over])
    for row in over:
        forget_key(settings.home / row.folder)


def _command(folder: Path) -> str:
    path = folder / "order.json"
    if not path.exists():
        return ""
    order = RunOrder.model_validate_json(path.read_bytes())
    return launch.copyable(order.command, order.environment)
