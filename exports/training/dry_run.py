"""The exact commands of a chain, to be read or pasted; nothing is started."""

import shlex
from pathlib import Path

from exports.training import launch
from exports.training.ask import tiny_model
from exports.training.inside.arguments import command_line
from exports.training.recipes import TrainingStage, get_recipe, stage_arguments
from exports.training.verify import read_manifest
from schemas.settings import Settings
from schemas.training import ChainOrder


def dry_run(settings: Settings, bundle: Path, recipe: str, order: ChainOrder) -> list[str]:
    """One shell line a training stage; GRPO begins from where the line before will have saved."""
    chosen, terms = get_recipe(recipe), read_manifest(bundle).get("recipe", {})
    out = (settings.home / "runs" / "by-hand").resolve()
    stages: tuple[TrainingStage, ...] = ("sft", "grpo")
    lines: list[str] = []
    for stage in stages:
        if stage not in order.stages:
            continue
        arguments = stage_arguments(
            chosen,
            stage,
            with_thinking=bool(terms.get("with_thinking", True)),
            weights=order.weights or terms.get("weights"),
            overrides=order.overrides.get(stage),
        )
        model = order.model or (
            str(tiny_model(settings, bundle)) if chosen.builds_model else str(chosen.sft["model"])
        )
        arguments |= {
            "model": model,
            "dataset": [str(bundle / f"{stage}.jsonl")],
            "output_dir": str(out / stage),
        }
        if stage == "grpo":
            arguments["external_plugins"] = [str(bundle / "reward_plugin.py")]
            if "sft" in order.stages:
                saved = str(out / "sft" / "last-checkpoint")
                is_adapter = arguments["tuner_type"] == "lora"
                names = ("adapters", "ref_adapters") if is_adapter else ("model",)
                arguments |= dict.fromkeys(names, saved)
        environment = {
            **{name: str(value) for name, value in arguments.get("ENV", {}).items()},
            "MODELSCOPE_CACHE": str(out / "modelscope"),
        }
        words = launch.stage_command(settings, stage, Path())[:-1]
        assigned = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        lines.append(f"{assigned} {shlex.join([*words, *command_line(arguments)])}")
    return lines
