"""Whether ms-swift's own argument classes take a stage's arguments."""

import dataclasses
import difflib
import json
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any


def answer(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each stage: flags that do not exist with the nearest that does, and what is refused.

    `is_bare` leaves out what depends on the machine (devices, packages), so that arguments for a
    cluster can be judged on a laptop. `program` is `megatron` for its arguments, whose batches must
    fit `devices` in all.
    """
    return [
        _judge(
            each["stage"],
            each["arguments"],
            is_bare=each["is_bare"],
            devices=each.get("devices", 1) if each.get("program") == "megatron" else None,
        )
        for each in stages
    ]


def _judge(
    stage: str, given: dict[str, Any], *, is_bare: bool, devices: int | None
) -> dict[str, Any]:
    is_megatron = devices is not None
    kind = class_of("sft" if stage == "sft" else "rlhf", is_megatron=is_megatron)
    try:
        given = _of_one_process(given)
    except Exception as error:  # noqa: BLE001  whatever ms-swift raises is its refusal
        return {"stage": stage, "unknown": {}, "error": f"{type(error).__name__}: {error}"}
    names = [field.name for field in dataclasses.fields(kind)]
    # argparse would take an abbreviation for the whole flag; a recipe spells them out.
    unknown = {
        name: next(iter(difflib.get_close_matches(name, names, 1)), "")
        for name in given
        if name not in names and name != "ENV"
    }
    if unknown:
        return {"stage": stage, "unknown": unknown, "error": None}
    if is_bare:
        bare = {"__post_init__": _accept}
        kind = dataclasses.make_dataclass(kind.__name__, [], bases=(kind,), namespace=bare)
    with tempfile.TemporaryDirectory() as folder:
        given = {**given, "output_dir": folder, "add_version": False}
        if is_megatron:
            given |= {"skip_megatron_init": True}
        try:
            read, rest = import_module("swift.utils").parse_args(kind, command_line(given))
            if devices is not None and not is_bare:
                _judge_batches(kind, read, devices)
        except SystemExit:
            return {"stage": stage, "unknown": {}, "error": "argparse refuses a value"}
        except Exception as error:  # noqa: BLE001  whatever ms-swift raises is its refusal
            return {"stage": stage, "unknown": {}, "error": f"{type(error).__name__}: {error}"}
    return {"stage": stage, "unknown": {}, "error": f"not understood: {rest}" if rest else None}


def class_of(command: str, *, is_megatron: bool) -> Any:
    """The class that reads the arguments of `swift`, or `megatron`, `sft` or `rlhf`."""
    name = {"sft": "SftArguments", "rlhf": "RLHFArguments"}[command]
    if is_megatron:
        return getattr(import_module("declared").megatron_classes(), f"Megatron{name}")
    return getattr(import_module("swift.arguments"), name)


def _of_one_process(given: dict[str, Any]) -> dict[str, Any]:
    """On Ray: what all processes share with what each group adds, as ms-swift's driver reads it."""
    if "train" not in given:
        return given
    driver = import_module("swift.ray.megatron.driver_utils")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(json.dumps(given), "utf-8")  # JSON is YAML
        _, groups, shared = driver.parse_ray_yaml(str(path))
    for group in groups.values():
        shared = driver.merge_group_dict(shared, group)
    return shared


def _judge_batches(kind: Any, read: Any, devices: int) -> None:
    """What Megatron finds out once its processes know of each other (`_init_distributed`, 4.6.0).

    Raises:
        ValueError: the devices are no whole copies of the model, or a batch does not divide.
    """
    ways = (
        read.tensor_model_parallel_size
        * read.pipeline_model_parallel_size
        * read.context_parallel_size
    )
    if devices % ways:
        raise ValueError(f"{devices} devices do not hold whole copies of a model on {ways}")
    copies = devices // ways
    if read.global_batch_size % (read.micro_batch_size * copies):
        raise ValueError(
            f"global_batch_size {read.global_batch_size} is not divisible by micro_batch_size "
            f"{read.micro_batch_size} times {copies} copies of the model"
        )
    if read.rlhf_type == "grpo":
        kind.validate_batch_dp_alignment(
            read.generation_batch_size,
            read.num_generations,
            copies,
            read.micro_batch_size,
            devices,
        )


def _accept(_arguments: object) -> None:
    """What a machine would have to say to the arguments: nothing."""


def command_line(given: dict[str, Any]) -> list[str]:
    """The words that `swift` makes of a config file (`swift/cli/main.py`, 4.6.0)."""
    words: list[str] = []
    for name, value in given.items():
        if name != "ENV":
            given_as = json.dumps(value) if isinstance(value, dict) else value
            words += [f"--{name}", *map(str, given_as if isinstance(value, list) else [given_as])]
    return words
