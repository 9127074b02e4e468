"""The exact commands of a chain, to be read or pasted; nothing is started."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exports.training import launch
from exports.training.ask import tiny_model
from exports.training.inside.arguments import command_line
from exports.training.recipes import TrainingRecipe, TrainingStage, get_recipe, stage_arguments
from exports.training.verify import read_manifest
from schemas.settings import Settings
from schemas.training import TRAINED, ChainOrder


def dry_run(
    settings: Settings,
    bundle: Path,
    recipe: str,
    order: ChainOrder,
    addresses: Mapping[str, str] | None = None,
) -> list[str]:
    """One shell line a training stage and node; a stage begins from what the one before saves."""
    chosen, terms = get_recipe(recipe, order.variants), read_manifest(bundle).get("recipe", {})
    out = (settings.home / "runs" / "by-hand").resolve()
    before: TrainingStage | None = None
    lines: list[str] = []
    for stage in TRAINED:
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
            lines += [each.beside.format(model=model) for each in chosen.variants if each.beside]
        if before is not None:
            arguments |= _begun_from(chosen, before, out)
        before = stage
        arguments["ENV"] = arguments.get("ENV", {}) | {"MODELSCOPE_CACHE": str(out / "modelscope")}
        together = on_nodes(chosen, order, addresses or {})
        if together and chosen.devices == 0:
            arguments["use_cpu"] = True
        lines += _lines(settings, stage, arguments, together or [("", {})])
    return lines


def _begun_from(recipe: TrainingRecipe, before: TrainingStage, out: Path) -> dict[str, str]:
    is_adapter = recipe.stage(before)["tuner_type"] == "lora"
    names = ("adapters", "ref_adapters") if is_adapter else ("model",)
    return dict.fromkeys(names, str(out / before / "last-checkpoint"))


def _lines(
    settings: Settings,
    stage: TrainingStage,
    arguments: Mapping[str, Any],
    on: Sequence[tuple[str, Mapping[str, str]]],
) -> Iterator[str]:
    words = launch.stage_command(settings, stage, Path())[:-1]
    words = [*words, *command_line(dict(arguments))]
    for title, its_own in on:
        environment = {name: shlex.quote(str(value)) for name, value in arguments["ENV"].items()}
        assigned = [f"{name}={value}" for name, value in {**environment, **its_own}.items()]
        comment = f"# {stage.upper()}, {title}\n" if title else ""
        yield f"{comment}{' '.join(assigned)} {shlex.join(words)}"


def on_nodes(
    recipe: TrainingRecipe, order: ChainOrder, addresses: Mapping[str, str]
) -> list[tuple[str, dict[str, str]]]:
    """Of each node what it is called and what its environment adds; empty for one machine.

    An address that is not known is asked for by the shell.
    """
    names = order.nodes or tuple(f"node {each + 1}" for each in range(recipe.nodes))
    if len(names) == 1:
        return []
    first = addresses.get(names[0])
    address = shlex.quote(first) if first else "${MASTER_ADDR:?the address of the first machine}"
    return [
        (
            name,
            {
                "NNODES": str(len(names)),
                "NODE_RANK": str(rank),
                "MASTER_ADDR": address,
                "MASTER_PORT": "29500",
                "NPROC_PER_NODE": str(max(1, recipe.devices)),
            },
        )
        for rank, name in enumerate(names)
    ]
