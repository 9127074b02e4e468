"""What the trainer's machine has: devices, and packages that recipes may need."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def answer(packages: list[str]) -> dict[str, Any]:
    """Number of CUDA devices, and which of the packages are missing."""
    return {
        "devices": int(import_module("torch").cuda.device_count()),
        "missing": [name for name in packages if find_spec(name) is None],
    }
