"""The exact commands of a chain, to be read or pasted; nothing is started."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from exports.training import launch
from exports.training.ask import tiny_model
from exports.training.beginning import begun_from, files_of
from exports.training.inside.arguments import command_line
from exports.training.recipes import (
    TrainingRecipe,
    TrainingStage,
    get_recipe,
    stage_arguments,
    to_yaml,
)
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
    chosen = get_recipe(recipe, order.variants)
    before: TrainingStage | None = None
    lines: list[str] = []
    for stage in TRAINED:
        if stage not in order.stages:
            continue
        arguments = _arguments(settings, bundle, chosen, order, stage)
        lines += [
            each.beside.replace("{model}", str(arguments["model"]))
            for each in chosen.variants
            if each.beside and each.changes_alone(stage)
        ]
        if before is not None:
            arguments |= begun_from(
                stage,
                model=str(arguments["model"]),
                checkpoint=str(_out(settings) / before / "last-checkpoint"),
                is_adapter=chosen.stage(before)["tuner_type"] == "lora",
            )
        before = stage
        file = _out(settings) / f"{stage}.yaml"
        words = launch.stage_command(
            settings, stage, file, program=chosen.program, arguments=arguments
        )
        if chosen.program == "megatron" and arguments.get("use_ray"):
            lines.append(_with_its_file(words, arguments))
            continue
        on_ray = bool(arguments.get("use_ray"))
        together = [] if on_ray else on_nodes(chosen, order, addresses or {})
        if together and chosen.devices == 0:
            arguments["use_cpu"] = True
        lines += _lines(words[:-1], stage, arguments, together or [("", {})])
    return lines


def _out(settings: Settings) -> Path:
    return (settings.home / "runs" / "by-hand").resolve()


def _arguments(
    settings: Settings,
    bundle: Path,
    recipe: TrainingRecipe,
    order: ChainOrder,
    stage: TrainingStage,
) -> dict[str, Any]:
    """What a stage is given, as if none had trained before it."""
    terms = read_manifest(bundle).get("recipe", {})
    arguments = stage_arguments(
        recipe,
        stage,
        with_thinking=bool(terms.get("with_thinking", True)),
        weights=order.weights or terms.get("weights"),
        overrides=order.overrides.get(stage),
    )
    built = tiny_model(settings, bundle) if recipe.builds_model and not order.model else None
    out = _out(settings)
    arguments |= {
        "model": order.model or str(built or recipe.sft["model"]),
        **files_of(stage, str(bundle)),
        "output_dir": str(out / stage),
        "ENV": arguments.get("ENV", {}) | {"MODELSCOPE_CACHE": str(out / "modelscope")},
    }
    return arguments


def _with_its_file(words: tuple[str, ...], arguments: Mapping[str, Any]) -> str:
    """Ray's groups stand in a file, so the line that a person pastes writes it."""
    assigned = " ".join(f"{name}={shlex.quote(str(v))}" for name, v in arguments["ENV"].items())
    config = {name: value for name, value in arguments.items() if name != "ENV"}
    text, path = to_yaml(config).decode().rstrip(), shlex.quote(words[-1])
    folder = shlex.quote(str(Path(words[-1]).parent))
    file = f"mkdir -p {folder} && cat > {path} <<'PLANWRIGHT'\n{text}\nPLANWRIGHT"
    return f"{file}\n{assigned} {shlex.join(words)}"


def _lines(
    command: Sequence[str],
    stage: TrainingStage,
    arguments: Mapping[str, Any],
    on: Sequence[tuple[str, Mapping[str, str]]],
) -> Iterator[str]:
    words = [*command, *command_line(dict(arguments))]
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
