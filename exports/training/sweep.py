"""Orphans: what killed supervisors left running is ended when a server or a worker starts."""

from pathlib import Path

from exports.training import launch
from schemas.settings import Settings


def sweep(settings: Settings) -> list[Path]:
    """Look at every run of this machine that is not over; the folders of those that were orphaned.

    A run whose supervisor lives is left alone. Looking at one whose supervisor was killed ends
    what it left, so that no device is held by a process that nobody watches.
    """
    runs = settings.home / "runs"
    folders = [*runs.glob("*"), *runs.glob("*/members/*")]
    return [folder for folder in folders if _is_orphaned(folder)]


def _is_orphaned(folder: Path) -> bool:
    status = launch.read_status(folder) if folder.is_dir() else None
    if status is None or status.state in launch.OVER:
        return False
    return launch.look(folder).reason == "training.supervisor_lost"
