"""How many rows or completions a step takes, by the names of the program that trains.

Under `swift` a batch is said for each device and accumulated; Megatron is told of a whole step
(`global_batch_size`) and of what a copy of the model takes at a time (`micro_batch_size`).
"""

from collections.abc import Mapping
from typing import Any

_WAYS = ("tensor", "pipeline")


def rows_at_once(arguments: Mapping[str, Any]) -> int:
    """Rows that a device, or a copy of the model, holds at a time."""
    is_megatron = "micro_batch_size" in arguments
    return int(arguments["micro_batch_size" if is_megatron else "per_device_train_batch_size"])


def sampled_together(arguments: Mapping[str, Any], devices: int) -> int:
    """Completions that GRPO samples before it learns from them (ms-swift 4.6.0)."""
    steps = arguments.get("steps_per_generation")
    if "global_batch_size" in arguments:
        return int(arguments["global_batch_size"]) * int(steps or 1)
    at_once = rows_at_once(arguments) * max(1, devices)
    return at_once * int(steps or arguments["gradient_accumulation_steps"])


def devices_of_a_copy(arguments: Mapping[str, Any]) -> int:
    """Devices that share out one copy of the model's layers and matrices; 1 without Megatron."""
    ways = 1
    for each in _WAYS:
        ways *= int(arguments.get(f"{each}_model_parallel_size") or 1)
    return ways
