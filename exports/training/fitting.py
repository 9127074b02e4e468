"""Whether model, adapters, lengths, ports and devices fit what is about to be trained."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from exports.training.launch_plan import Plan, told
from exports.training.memory import estimate
from exports.training.weights import Shapes, read_shapes
from schemas.training import Check, VerifyReport

DEFAULT_PORT = 29500
ANSWERS_WITHIN_S = 2
_LORA_A = ".lora_A.weight"


def check_adapters(plan: Plan) -> Check:
    """An adapter must have been made for this model, and no stage may forget one it begins from."""
    learned: str | None = None
    base = read_shapes(Path(plan.model))
    for stage, arguments in plan.arguments.items():
        is_lora = arguments["tuner_type"] == "lora"
        if learned is not None and not is_lora:
            return told("adapters", "adapter_forgotten", stage=stage.upper(), before=learned)
        learned = stage.upper() if is_lora else None
        for given in _listed(arguments.get("adapters")):
            if not (Path(given) / "adapter_config.json").exists():
                return told("adapters", "adapter_missing", folder=given)
            layer = _unfitting(read_shapes(Path(given)), base)
            if layer is not None:
                values = {"folder": Path(given).name, "model": Path(plan.model).name}
                return told("adapters", "adapter_misfit", layer=layer, **values)
    return told("adapters")


def _listed(given: object) -> list[str]:
    if isinstance(given, list):
        return [str(each) for each in given]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return [str(given)] if given else []


def _unfitting(adapter: Shapes, base: Shapes) -> str | None:
    """A layer that the model lacks, or has in another width."""
    for name, shape in adapter.items():
        if name.endswith(_LORA_A):
            layer = name.removeprefix("base_model.model.").removesuffix(_LORA_A)
            known = base.get(f"{layer}.weight")
            if known is None or known[-1] != shape[-1]:
                return layer
    return None


def check_lengths(plan: Plan, rows: VerifyReport) -> Check:
    """Every row must fit the stage that trains on it, and none may be cut: its head is the list."""
    for stage, arguments in plan.arguments.items():
        file = rows.files.get(f"{stage}.jsonl")
        longest = int(file.lengths["max"]) if file and file.lengths else 0
        room = int(arguments["max_length"])
        values = {"stage": stage.upper(), "longest": longest, "room": room}
        if longest > room:
            return told("lengths", "rows_longer", **values)
        cut = arguments.get("truncation_strategy") or ("left" if stage == "grpo" else "delete")
        if cut not in ("delete", "raise"):
            return told("lengths", "rows_cut", cut=cut, **values)
    return told("lengths")


def check_ports(plan: Plan) -> Check:
    """Processes must find each other, and a rollout server must answer."""
    for stage, arguments in plan.arguments.items():
        environment: Mapping[str, Any] = arguments.get("ENV") or {}
        several = any(int(environment.get(name) or 1) > 1 for name in ("NPROC_PER_NODE", "NNODES"))
        port = int(environment.get("MASTER_PORT") or DEFAULT_PORT)
        if several and not plan.nodes and not _is_free(port):
            return told("ports", "port_taken", port=port, stage=stage.upper())
        if arguments.get("vllm_mode") == "server":
            for host, asked in _servers(arguments):
                if not _answers(host, asked):
                    return told("ports", "rollout_silent", host=host, port=asked)
    return told("ports")


def _servers(arguments: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    hosts, ports = (_listed(arguments.get(f"vllm_server_{each}")) for each in ("host", "port"))
    yield from ((host, int(port)) for host, port in zip(hosts, ports or ["8000"], strict=False))


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError:
            return False
    return True


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=ANSWERS_WITHIN_S):
            return True
    except OSError:
        return False


def check_memory(plan: Plan, rows: VerifyReport, machine: Mapping[str, Any]) -> Check:
    """The largest need of a stage against what the smallest device has free."""
    free = float(min(machine["memory"], default=0))
    shapes, model = read_shapes(Path(plan.model)), Path(plan.model)
    most, worst = 0.0, ""
    for stage, arguments in plan.arguments.items():
        file = rows.files.get(f"{stage}.jsonl")
        longest = int(file.lengths["max"]) if file and file.lengths else 0
        tokens = longest + int(arguments.get("max_completion_length") or 0)
        devices = max(1, plan.recipe.devices) * max(1, plan.recipe.nodes)
        need = estimate(arguments, shapes, model, tokens=tokens, devices=devices, device_bytes=free)
        if need.total > most:
            most, worst = need.total, stage
    values = {"needed": f"{most / 1e9:.1f}", "free": f"{free / 1e9:.1f}", "stage": worst.upper()}
    return told("memory", "memory_short" if most > free else None, **values)
