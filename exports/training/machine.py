"""This machine: its name, and the devices that runs on it may be given."""

import os
import platform
import subprocess
from functools import cache

from schemas.settings import Settings


def this_machine() -> str:
    """The name under which this machine is known; processes and devices are told apart by it."""
    return platform.node()


def device_ids(settings: Settings) -> tuple[str, ...]:
    """Ids of the GPUs to hand out, as `CUDA_VISIBLE_DEVICES` takes them; empty without any.

    The setting says how many, else all that this process may see.
    """
    found = _visible()
    if settings.devices is None:
        return found
    if len(found) >= settings.devices:
        return found[: settings.devices]
    return tuple(str(number) for number in range(settings.devices))


@cache
def _visible() -> tuple[str, ...]:
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return tuple(each.strip() for each in named.split(",") if each.strip())
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in answer.stdout.splitlines() if line.strip())
