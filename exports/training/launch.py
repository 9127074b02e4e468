"""Starting, finding and stopping runs; all that the app knows of one it reads from its folder.

Starting is idempotent, and nothing here holds a pipe or a child: the app may be killed at any
moment, the run goes on, and the next app finds it again.
"""

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import JsonValue

from exports.training.beginning import command_of
from exports.training.machine import this_machine
from exports.training.outcome import LOG, find_checkpoint, rows_kept
from exports.training.process import is_alive, processes_with, signal_all
from exports.training.supervisor import LOCK, ORDER, STATUS, STOP
from schemas.settings import Settings
from schemas.training import RunOrder, RunState, RunStatus
from schemas.training_stages import Program

LOST_S = 180
"""A supervisor on another machine that wrote nothing for so long is lost; NFS shows files late."""
OVER: tuple[RunState, ...] = ("succeeded", "failed", "stopped")
ROOT = Path(__file__).resolve().parents[2]


class Look(NamedTuple):
    """A run as its folder shows it now; `status` is absent before the supervisor has begun."""

    state: RunState
    reason: str | None
    values: dict[str, JsonValue]
    status: RunStatus | None


def trainer_python(settings: Settings) -> Path:
    """The interpreter that has ms-swift."""
    return settings.trainer_python or Path(sys.executable)


def stage_command(
    settings: Settings,
    stage: str,
    config: Path,
    *,
    program: Program = "swift",
    arguments: Mapping[str, object] | None = None,
) -> tuple[str, ...]:
    """`swift sft|rlhf CONFIG`, by the trainer's own environment rather than by PATH.

    On Ray Megatron's command wants two words more before the file.
    """
    command = str(trainer_python(settings).with_name(program))
    on_ray = program == "megatron" and bool((arguments or {}).get("use_ray"))
    before = ("--use_ray", "true", "--config") if on_ray else ()
    return (command, command_of(stage), *before, str(config))


def command_here(settings: Settings, command: tuple[str, ...], config: Path) -> tuple[str, ...]:
    """A command that another machine wrote down, by this machine's environment and for a file."""
    first = trainer_python(settings).with_name(Path(command[0]).name)
    return (str(first), *command[1:-1], str(config))


def copyable(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """One line that a person can paste into a shell to do the same."""
    assigned = [f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    return " ".join([*assigned, shlex.join(command)])


def prepare(folder: Path, order: RunOrder, config: Mapping[str, object] | None = None) -> None:
    """Write a run folder; doing it again once the run has its supervisor changes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    if config is not None and not (folder / "config.yaml").exists():
        text = yaml.safe_dump(dict(config), allow_unicode=True, sort_keys=False)
        (folder / "config.yaml").write_text(text, "utf-8")
    if not (folder / STATUS).exists() and not is_supervised(folder):
        unfinished = folder / f"{ORDER}.new"
        unfinished.write_text(order.model_dump_json(indent=1), "utf-8")
        unfinished.rename(folder / ORDER)


def ensure_started(folder: Path, secrets: Mapping[str, str] | None = None) -> None:
    """Give the run its supervisor, unless it has or had one.

    Secrets go on through the environment and stand in no file.
    """
    if (folder / STATUS).exists():
        return
    subprocess.run(
        [sys.executable, "-m", "exports.training.supervisor", str(folder.resolve())],
        cwd=ROOT,
        env={**os.environ, **(secrets or {})},
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def ask_to_stop(folder: Path, *, at_once: bool = False) -> None:
    """Ask the supervisor to let the trainer save and leave, or leave without saving."""
    (folder / STOP).write_text("now" if at_once else "save", "utf-8")


def look(folder: Path) -> Look:
    """What a run is doing, or how it ended.

    A run whose supervisor was killed is told as failed; what it left running is killed, so that it
    cannot write beside a later attempt. One on another machine is judged by its heartbeat.
    """
    status = read_status(folder)
    if status is None:
        return Look("starting", None, {}, None)
    if status.state not in OVER and not _is_supervisor_alive(status):
        status = read_status(folder) or status  # it may have finished since it was read
        if status.state not in OVER:
            return _lost(folder, status)
    if status.state in OVER:
        return Look(status.state, status.reason, status.values, status)
    return Look(status.state, None, {}, status)


def _is_here(status: RunStatus) -> bool:
    return status.machine in ("", this_machine())


def _is_supervisor_alive(status: RunStatus) -> bool:
    if _is_here(status):
        return is_alive(status.supervisor)
    return time.time() - status.heartbeat < LOST_S


def _lost(folder: Path, status: RunStatus) -> Look:
    found = {"checkpoint": find_checkpoint(folder), "rows_kept": rows_kept(folder)}
    status = status.model_copy(update=found)
    if not _is_here(status):
        return Look("failed", "training.machine_lost", {"machine": status.machine}, status)
    signal_all(processes_with(status.token), signal.SIGKILL)
    return Look("failed", "training.supervisor_lost", {}, status)


def read_status(folder: Path) -> RunStatus | None:
    """What the supervisor last wrote."""
    try:
        return RunStatus.model_validate_json((folder / STATUS).read_bytes())
    except FileNotFoundError:
        return None


def is_supervised(folder: Path) -> bool:
    """Whether a supervisor holds the folder right now."""
    if not (folder / LOCK).exists():
        return False
    with (folder / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def log_path(folder: Path) -> Path:
    """Where the trainer's output goes."""
    return folder / LOG
