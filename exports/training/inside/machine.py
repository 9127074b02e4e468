"""What the trainer's machine has: devices, memory, and packages that recipes may need."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def answer(packages: list[str]) -> dict[str, Any]:
    """CUDA devices, free bytes on each (of the machine without any), and missing packages."""
    cuda = import_module("torch").cuda
    devices = int(cuda.device_count())
    memory = [int(cuda.mem_get_info(device)[0]) for device in range(devices)]
    return {
        "devices": devices,
        "memory": memory or [_available()],
        "missing": [name for name in packages if find_spec(name) is None],
    }


def _available() -> int:
    for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
