"""Processes told apart beyond doubt, by `/proc`: pid, start time, a token in the environment."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from schemas.training import ProcessIdentity

TOKEN = "PLANWRIGHT_RUN_TOKEN"  # noqa: S105  the name of a variable
_SCRIPTS = {(room, f"{name}.py") for room in ("cli", "_megatron") for name in ("sft", "rlhf")}
"""What ms-swift's two commands start."""


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has this pid now; None if there is none or only its zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may hold spaces and brackets; state is field 3, start is field 22.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else ProcessIdentity(pid=pid, started=int(fields[19]))


def myself() -> ProcessIdentity:
    """This process."""
    identity = identify(os.getpid())
    assert identity is not None
    return identity


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether this very process still runs."""
    return identify(identity.pid) == identity


def processes_with(token: str) -> list[int]:
    """Pids of all live processes started under a token, however they were forked."""
    entry = f"{TOKEN}={token}".encode()
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:  # another user's, or gone
            continue
        if entry in environment.split(b"\0") and identify(int(folder.name)):
            found.append(int(folder.name))
    return found


def trainers(token: str) -> list[int]:
    """The processes of a run that train, one a device: neither wrappers nor data-loader workers.

    `swift` and torchrun only start other processes; forked workers have the trainer's command line
    but a trainer for a parent.
    """
    training = {pid for pid in processes_with(token) if _is_trainer(pid)}
    return sorted(pid for pid in training if _parent(pid) not in training)


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _is_trainer(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return False
    # Options of the interpreter and of torchrun stand before the script.
    return "torch.distributed.run" not in command and any(
        Path(part).parts[-2:] in _SCRIPTS for part in command[:4]
    )


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])
