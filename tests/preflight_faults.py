"""Faults of what is about to be trained, each by name, with the check that must find it."""

import json
import shutil
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

from schemas.project import REWARDS
from schemas.training import ChainOrder, Stage
from tests.bundles import write_manifest

Damage = Callable[[Path, Path], None]
"""Of a copy of the bundle, and of a copy of the model."""
STAGES: tuple[Stage, ...] = ("preflight", "sft", "dpo", "kto", "grpo")
ORDER = ChainOrder(stages=STAGES)


def _nothing(_bundle: Path, _model: Path) -> None:
    """The fault is in the order."""


@dataclass(frozen=True)
class PlanFault:
    """One fault; `check` is the name of the check that finds it, `code` its sentence."""

    name: str
    check: str
    code: str
    order: dict[str, Any] = field(default_factory=dict[str, Any])
    damage: Damage = _nothing
    has_fix: bool = False
    beside: Callable[[], Any] = nullcontext
    """What must be so on the machine meanwhile."""
    also: tuple[str, ...] = ()
    """Checks that cannot pass either."""


def an_order(fault: PlanFault) -> ChainOrder:
    return ChainOrder.model_validate(ORDER.model_dump() | fault.order)


def _grpo(**arguments: Any) -> dict[str, Any]:
    return {"overrides": {"grpo": arguments}}


def _rewrite_plugin(text: Callable[[str], str]) -> Damage:
    def damage(bundle: Path, _model: Path) -> None:
        path = bundle / "reward_plugin.py"
        path.write_text(text(path.read_text("utf-8")), "utf-8")

    return damage


def _lose_a_row(bundle: Path, _model: Path) -> None:
    lines = (bundle / "sft.jsonl").read_text("utf-8").splitlines()
    row = json.loads(lines[3])
    row["messages"][1]["role"] = "robot"
    lines[3] = json.dumps(row, ensure_ascii=False)
    (bundle / "sft.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    write_manifest(bundle)


def _without_kto(bundle: Path, _model: Path) -> None:
    (bundle / "kto.jsonl").unlink()
    write_manifest(bundle)


def _without_config(_bundle: Path, model: Path) -> None:
    (model / "config.json").unlink()


def _huge(_bundle: Path, model: Path) -> None:
    """A model file that would fill any disk; it holds nothing, and takes none."""
    with (model / "more.safetensors").open("wb") as file:
        file.truncate(1 << 43)


def _other_adapter(bundle: Path, _model: Path) -> None:
    """An adapter of a model that is twice as wide."""
    layer = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    head = {layer: {"dtype": "F32", "shape": [8, 128], "data_offsets": [0, 8 * 128 * 4]}}
    text = json.dumps(head).encode()
    folder = bundle / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}", "utf-8")
    weights = struct.pack("<Q", len(text)) + text + bytes(8 * 128 * 4)
    (folder / "adapter_model.safetensors").write_bytes(weights)


@contextmanager
def _taken_port() -> Generator[None]:
    with socket() as listener:
        listener.bind(("", PORT))
        listener.listen()
        yield


PORT = 29417
PLAN_FAULTS = (
    PlanFault("a model that is no model", "model", "model_incomplete", damage=_without_config),
    PlanFault("a disk too small", "disk", "disk_too_full", damage=_huge),
    PlanFault("a stage without rows", "data_kto", "no_rows", damage=_without_kto, has_fix=True),
    PlanFault(
        "a typo in an argument",
        "arguments_sft",
        "unknown_argument",
        {"overrides": {"sft": {"learning_rat": 0.001}}},
        has_fix=True,
    ),
    PlanFault(
        "a value that is no value",
        "arguments_dpo",
        "argument_refused",
        {"overrides": {"dpo": {"lr_scheduler_type": "sometimes"}}},
        has_fix=True,
    ),
    PlanFault(
        "completions that are no whole groups",
        "batch",
        "batch_not_divisible",
        _grpo(num_generations=3, gradient_accumulation_steps=1),
        has_fix=True,
        also=("arguments_grpo",),
    ),
    PlanFault(
        "too few rows for one batch",
        "batch",
        "too_few_rows",
        _grpo(per_device_train_batch_size=400),
        has_fix=True,
    ),
    PlanFault(
        "a reward that does not exist",
        "rewards",
        "unknown_reward",
        _grpo(reward_funcs=["NiceReward"], reward_weights=[1.0]),
        has_fix=True,
        also=("plugin",),
    ),
    PlanFault(
        "fewer weights than rewards",
        "rewards",
        "weights_differ",
        _grpo(reward_weights=[1.0]),
        has_fix=True,
    ),
    PlanFault(
        "no reward at all",
        "rewards",
        "no_rewards",
        _grpo(reward_funcs=[], reward_weights=[]),
        has_fix=True,
        also=("arguments_grpo",),
    ),
    PlanFault(
        "weights under which a trick pays",
        "probes",
        "probe_pays",
        {"weights": dict.fromkeys(REWARDS, 0.0) | {"ThinkLengthReward": 1.0}},
        has_fix=True,
    ),
    PlanFault(
        "a plugin that needs the application",
        "plugin",
        "plugin_broken",
        damage=_rewrite_plugin(lambda _: "import schemas.plan\n"),
        also=("rows", "arguments_grpo"),
    ),
    PlanFault(
        "a plugin without its rewards",
        "plugin",
        "plugin_incomplete",
        damage=_rewrite_plugin(lambda _: "REWARDS = {}\n"),
        also=("rows",),
    ),
    PlanFault(
        "a reward that gives no number",
        "plugin",
        "reward_broken",
        damage=_rewrite_plugin(
            lambda text: (
                text + "\n\ndef _broken(*_a, **_k):\n    return [float('inf')] * 8\n\n\n"
                "for _name in REWARDS:\n    orms[_name].__call__ = _broken\n"
            )
        ),
        also=("rows",),
    ),
    PlanFault(
        "a reward that is blind",
        "plugin",
        "reward_blind",
        damage=_rewrite_plugin(
            lambda text: (
                text + "\n\ndef _blind(_self, completions, **_k):\n"
                "    return [1.0] * len(completions)\n\n\n"
                "for _name in REWARDS:\n    orms[_name].__call__ = _blind\n"
            )
        ),
        also=("rows",),
    ),
    PlanFault(
        "a rollout that is asked not to think",
        "thinking",
        "asked_not_to_think",
        _grpo(enable_thinking=False),
        has_fix=True,
    ),
    PlanFault(
        "a prompt that leaves no room for the answer",
        "prompt",
        "prompt_too_long",
        _grpo(max_completion_length=9000),
        has_fix=True,
    ),
    PlanFault(
        "rows longer than max_length",
        "lengths",
        "rows_longer",
        {"overrides": {"kto": {"max_length": 20}}},
        has_fix=True,
    ),
    PlanFault(
        "a prompt whose expert list would be cut",
        "lengths",
        "rows_cut",
        _grpo(truncation_strategy="left"),
        has_fix=True,
    ),
    PlanFault("a row that is dropped without a word", "rows", "rows_not_true", damage=_lose_a_row),
    PlanFault(
        "a port that is taken",
        "ports",
        "port_taken",
        {"overrides": {"sft": {"ENV": {"NPROC_PER_NODE": "2", "MASTER_PORT": str(PORT)}}}},
        beside=_taken_port,
    ),
    PlanFault(
        "a rollout server that is not there",
        "ports",
        "rollout_silent",
        _grpo(
            use_vllm=True,
            vllm_mode="server",
            vllm_server_host=["127.0.0.1"],
            vllm_server_port=[PORT],
        ),
        also=("packages", "arguments_grpo"),
    ),
    PlanFault(
        "more than the memory holds",
        "memory",
        "memory_short",
        {"overrides": {"sft": {"per_device_train_batch_size": 1 << 20}}},
        has_fix=True,
    ),
    PlanFault(
        "an adapter of another model",
        "adapters",
        "adapter_misfit",
        {"overrides": {"sft": {"adapters": ["@bundle/adapter"]}}},
        damage=_other_adapter,
        has_fix=True,
    ),
    PlanFault(
        "all weights after an adapter",
        "adapters",
        "adapter_forgotten",
        {"overrides": {"sft": {"tuner_type": "lora"}}},
        has_fix=True,
    ),
    PlanFault(
        "a package that is missing",
        "packages",
        "packages_missing",
        _grpo(use_vllm=True, vllm_mode="colocate"),
    ),
)


def damaged(fault: PlanFault, bundle: Path, model: Path, folder: Path) -> tuple[Path, Path]:
    """Copies of bundle and model with the fault in them."""
    copies = folder / "bundle", folder / model.name
    for source, copy in zip((bundle, model), copies, strict=True):
        shutil.copytree(source, copy)
    fault.damage(*copies)
    return copies
