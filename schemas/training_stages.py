"""The stages of a chain of training, in order, and those that train."""

from typing import Literal, get_args

TrainingStage = Literal["sft", "dpo", "kto", "grpo"]
Program = Literal["swift", "megatron"]
"""The command of ms-swift that trains; each has arguments of its own names."""
TRAINED: tuple[TrainingStage, ...] = ("sft", "dpo", "kto", "grpo")
"""The stages that train, in order; each begins from what the one before it saved."""
Stage = Literal[
    "preflight",
    "freeze",
    "sft",
    "evaluate_sft",
    "dpo",
    "evaluate_dpo",
    "kto",
    "evaluate_kto",
    "pass_rate",
    "grpo",
    "evaluate_grpo",
    "compare",
]
STAGES: tuple[Stage, ...] = get_args(Stage)
PREFERENCES: tuple[TrainingStage, ...] = ("dpo", "kto")
ON_REQUEST: tuple[Stage, ...] = ("dpo", "evaluate_dpo", "kto", "evaluate_kto")
"""Preferences are learned only where somebody asks for it, and the bundle has the file."""
USUAL: tuple[Stage, ...] = tuple(stage for stage in STAGES if stage not in ON_REQUEST)


def to_training_stage(name: str) -> TrainingStage:
    """A stage that trains, by the name that a row or a command holds.

    Raises:
        ValueError: it is none.
    """
    for stage in TRAINED:
        if stage == name:
            return stage
    raise ValueError(name)


def trained_by(stage: Stage) -> TrainingStage:
    """The training that an evaluation looks at."""
    return to_training_stage(stage.removeprefix("evaluate_"))
