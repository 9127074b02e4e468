"""A planner held against a small general benchmark by EvalScope, to see what training cost it.

EvalScope lives in an environment of its own (`PLANWRIGHT_EVALSCOPE_PYTHON`): its `opencompass`
extra pulls numpy back to 1.26. It is started by the same supervisor as a training, asks the
planner where it is served, and downloads nothing: the benchmark is a file of multiple-choice
questions (`question, A, B, …, answer`) that is copied into the check's folder.
"""

import csv
import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

from db.access import serving as access
from db.access.events import add_event
from db.engine import Database
from db.tables import GeneralCheck, Planner
from db.tables.base import new_id, now
from exports.training import launch
from exports.training.ask import INSIDE
from exports.training.deployments import find_standing
from exports.training.examine import key_of
from exports.training.outcome import last_lines
from exports.training.planners import find_planner
from exports.training.serve import Endpoint
from exports.training.stages import file_hash
from schemas.errors import InvalidInput, NotFound, TransitionRefused
from schemas.people import Actor
from schemas.serving import GeneralCheckView, GeneralOrder
from schemas.settings import Settings
from schemas.training import RunOrder

FOLDER = "general"
_NEEDED = {"question", "answer", "A", "B"}


def start_general_check(
    database: Database, settings: Settings, who: Actor, order: GeneralOrder
) -> str:
    """Start EvalScope against a planner that is served; the check's id.

    Raises:
        NotFound: `evaluate.planner_not_found`, `files.not_found`.
        InvalidInput: `serving.no_evalscope`, `serving.general_form`.
        TransitionRefused: `serving.not_served`.
    """
    who.require("admin")
    python = settings.evalscope_python
    if python is None or not python.exists():
        raise InvalidInput("serving.no_evalscope")
    benchmark = Path(order.benchmark)
    _check_form(benchmark)
    planner = find_planner(database, who, order.planner)
    endpoint = _endpoint(database, settings, planner)
    check_id = new_id()
    folder = settings.home / FOLDER / check_id
    _prepare(folder, python, benchmark, endpoint, order)
    with database.transaction() as session:
        row = GeneralCheck(
            id=check_id,
            project_id=who.project_id,
            planner_id=planner.id,
            benchmark=benchmark.name,
            benchmark_hash=file_hash(benchmark),
            folder=f"{FOLDER}/{check_id}",
            machine=platform.node(),
            order=order.model_dump(mode="json"),
            created_by=who.person_id,
        )
        session.add(row)
        session.flush()
        add_event(session, who, "general check", check_id, "started")
    launch.ensure_started(folder, secrets={"CHECK_KEY": endpoint.key})
    return check_id


def list_general_checks(
    database: Database, settings: Settings, who: Actor, *, planner_id: str | None = None
) -> list[GeneralCheckView]:
    """General checks, newest first; those that are over by now are read and written down."""
    who.require("reviewer")
    with database.reading() as session:
        rows = access.list_general_checks(session, who.project_id, planner_id)
    for row, _ in rows:
        if row.state == "running" and row.machine == platform.node():
            _settle(database, settings, row.id)
    with database.reading() as session:
        rows = access.list_general_checks(session, who.project_id, planner_id)
    return [_view(row, name) for row, name in rows]


def _check_form(benchmark: Path) -> None:
    if not benchmark.is_file():
        raise NotFound("files.not_found", name=str(benchmark))
    try:
        with benchmark.open(encoding="utf-8-sig", newline="") as file:
            columns = set(next(csv.reader(file), ()))
    except (UnicodeDecodeError, csv.Error):
        columns = set[str]()
    if not columns >= _NEEDED:
        raise InvalidInput("serving.general_form", name=benchmark.name)


def _endpoint(database: Database, settings: Settings, planner: Planner) -> Endpoint:
    if planner.is_external:
        return Endpoint(str(planner.endpoint), key_of(planner.key_env), str(planner.model))
    standing = find_standing(database, settings, planner.id)
    if standing is None:
        raise TransitionRefused("serving.not_served", planner=planner.name)
    return standing


def _prepare(
    folder: Path, python: Path, benchmark: Path, endpoint: Endpoint, order: GeneralOrder
) -> None:
    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copyfile(benchmark, data / "questions_val.csv")
    request = folder / "request.json"
    asked = {
        "model": endpoint.model,
        "url": endpoint.url,
        "data": str(data.resolve()),
        "name": "questions",
        "work": str((folder / "work").resolve()),
        "max_tokens": order.max_tokens,
        "limit": order.limit,
    }
    request.write_text(json.dumps(asked, ensure_ascii=False), "utf-8")
    script = str(INSIDE / "general.py")
    launch.prepare(
        folder,
        RunOrder(
            command=(str(python), "-I", script, str(request.resolve())),
            environment={
                "HF_HUB_OFFLINE": "1",
                "MODELSCOPE_CACHE": str((folder / "modelscope").resolve()),
                "PYTHONUNBUFFERED": "1",
            },
            token=token_hex(16),
            needs_checkpoint=False,
            saving_s=1,
            leaving_s=3,
        ),
    )


def _settle(database: Database, settings: Settings, check_id: str) -> None:
    """Read what the tool wrote, once it has left."""
    with database.reading() as session:
        folder = settings.home / session.get_one(GeneralCheck, check_id).folder
    seen = launch.look(folder)
    if seen.state not in launch.OVER:
        return
    figures = _read_report(folder) if seen.state == "succeeded" else None
    with database.transaction() as session:
        row = session.get_one(GeneralCheck, check_id)
        if figures is None:
            row.state = "failed"
            row.reason = {"code": "serving.check_failed", "values": {"line": last_lines(folder, 1)}}
        else:
            row.state, row.figures = "done", figures
        row.finished_at = now()
        session.add(row)


def _read_report(folder: Path) -> dict[str, object] | None:
    """Accuracy and questions of EvalScope's report (schema version 2, of EvalScope 1.14)."""
    for path in (folder / "work" / "reports").glob("*/general_mcq.json"):
        try:
            report = cast(Mapping[str, Any], json.loads(path.read_text("utf-8")))
            metric = report["metrics"][0]
            return {"accuracy": float(metric["score"]), "questions": int(metric["num"])}
        except (ValueError, KeyError, IndexError, TypeError):
            return None
    return None


def _view(row: GeneralCheck, planner: str) -> GeneralCheckView:
    reason = row.reason or {}
    return GeneralCheckView.model_validate(
        {
            "id": row.id,
            "planner_id": row.planner_id,
            "planner": planner,
            "benchmark": row.benchmark,
            "benchmark_hash": row.benchmark_hash,
            "state": row.state,
            "accuracy": row.figures.get("accuracy"),
            "questions": row.figures.get("questions"),
            "reason": reason.get("code"),
            "values": reason.get("values", {}),
            "created_at": row.created_at,
            "finished_at": row.finished_at,
        }
    )
