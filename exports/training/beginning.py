"""What a stage is given beside its recipe: its files, and what it begins from.

A chain, the command lines that are shown and the script in a bundle ask here, so they are alike.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.training_stages import TrainingStage

ADAPTER = "adapter_config.json"
"""The file that tells an adapter from a model."""


def command_of(stage: str) -> str:
    """The command under `swift` or `megatron` that trains a stage."""
    return "sft" if stage == "sft" else "rlhf"


def files_of(stage: TrainingStage, bundle: str) -> dict[str, list[str]]:
    """The arguments that name files of a bundle."""
    files = {"dataset": [f"{bundle}/{stage}.jsonl"]}
    if stage == "grpo":
        files["external_plugins"] = [f"{bundle}/reward_plugin.py"]
    return files


def begun_from(
    stage: TrainingStage, *, model: str, checkpoint: str | None, is_adapter: bool
) -> dict[str, Any]:
    """The arguments by which a stage begins from a model, or from what the one before it saved.

    An adapter is loaded on the model, and is what the stage is compared with too, where it has a
    reference. A full checkpoint is a model.
    """
    if checkpoint is None or not is_adapter:
        return {"model": checkpoint or model}
    adapters = {"adapters": [checkpoint]}
    if command_of(stage) == "rlhf":
        adapters["ref_adapters"] = [checkpoint]
    return {"model": model, **adapters}


def start_from(
    stage: TrainingStage,
    arguments: Mapping[str, Any],
    *,
    model: str,
    checkpoint: str | None,
) -> dict[str, Any]:
    """Arguments that begin from a model, or from a checkpoint as it lies there."""
    is_adapter = checkpoint is not None and (Path(checkpoint) / ADAPTER).exists()
    begun = begun_from(stage, model=model, checkpoint=checkpoint, is_adapter=is_adapter)
    return {**arguments, **begun}
