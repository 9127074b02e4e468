"""The arguments that a run was started with, read once: `config.yaml` is never written again."""

from functools import lru_cache
from pathlib import Path
from typing import cast

import yaml
from pydantic import JsonValue


def run_config(folder: Path) -> dict[str, JsonValue]:
    """The arguments that a run was started with; empty before there are any."""
    path = folder / "config.yaml"
    try:
        known = path.stat()
    except OSError:
        return {}
    return _read(path, known.st_mtime_ns, known.st_size)


def weights_of(folder: Path) -> dict[str, float]:
    """The weight of each reward of a GRPO run; empty for another stage."""
    config = run_config(folder)
    names, weights = config.get("reward_funcs"), config.get("reward_weights")
    if not isinstance(names, list) or not isinstance(weights, list):
        return {}
    return {
        str(name): float(weight)
        for name, weight in zip(names, weights, strict=False)
        if isinstance(weight, int | float)
    }


@lru_cache(maxsize=256)
def _read(path: Path, _written: int, _size: int) -> dict[str, JsonValue]:
    found = yaml.safe_load(path.read_text("utf-8"))
    return cast(dict[str, JsonValue], found) if isinstance(found, dict) else {}
