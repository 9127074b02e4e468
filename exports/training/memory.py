"""How much memory a training takes on each device: an estimate, with its formula said.

Of a model with P parameters, of which T are trained, b bytes a number, on n devices:

    weights      P·b, shared out by n under ZeRO-3, in the machine's memory if offloaded
    gradients    T·b, shared out by n under ZeRO-2 and ZeRO-3
    optimizer    T·8 (two moments of Adam in float32), and T·4 more for a float32 copy of the
                 weights where b is 2; shared out under every ZeRO, elsewhere with its offloading
    reference    P·b where all weights are trained against a reference (DPO, KTO, GRPO with beta)
    activations  B·L·H·2·b for each layer (one saved tensor and what it is computed from) with
                 gradient checkpointing, B·L·H·17·b without, and B·L·V·8 for the logits
    sampling     the share of the device that vLLM is given beside the training (colocate)

Megatron splits the model over W devices: P/W and T/W stand for P and T, its gradients are float32,
and the optimizer is shared out among the copies of the model. L and H are not split here.

B rows a device, L tokens of the longest row with its completion, H the hidden size, V the
vocabulary. What is fragmented, cached or borrowed by kernels is not in it: a tenth is added.
"""

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from exports.training.batches import devices_of_a_copy, rows_at_once
from exports.training.weights import Shapes, count_parameters

SPARE = 1.1
MOMENTS, COPY, LOGITS = 8, 4, 8
CHECKPOINTED, WHOLE = 2, 17


class Need(NamedTuple):
    """Bytes on one device."""

    weights: float
    gradients: float
    optimizer: float
    reference: float
    activations: float
    sampling: float

    @property
    def total(self) -> float:
        """All of it, with a tenth for what no formula knows."""
        return SPARE * sum(self[:-1]) + self.sampling


def estimate(
    arguments: Mapping[str, Any],
    shapes: Shapes,
    model: Path,
    *,
    tokens: int,
    devices: int,
    device_bytes: float,
) -> Need:
    """The need of one device; `tokens` of the longest row, with its completion in GRPO."""
    width = 4 if arguments["torch_dtype"] == "float32" else 2
    parameters = count_parameters(shapes)
    is_lora = arguments["tuner_type"] == "lora"
    trained = (
        _adapter_parameters(shapes, int(arguments.get("lora_rank", 8))) if is_lora else parameters
    )
    ways = devices_of_a_copy(arguments)
    parameters, trained = parameters / ways, trained / ways
    copies = max(1, devices // ways)
    is_megatron = "micro_batch_size" in arguments
    sharding = str(arguments.get("deepspeed") or ("zero1" if is_megatron else ""))
    is_offloaded = sharding.endswith("_offload")
    stage = int(sharding.removesuffix("_offload").removeprefix("zero") or 0) if sharding else 0
    shared = {least: copies if stage >= least else 1 for least in (1, 2, 3)}
    weights = 0.0 if is_offloaded and stage == 3 else parameters * width / shared[3]
    has_reference = (
        "rlhf_type" in arguments and not is_lora and float(arguments.get("beta") or 0) > 0
    )
    of_one = MOMENTS + (COPY if width < COPY else 0)
    is_beside = arguments.get("vllm_mode") == "colocate" or "colocate_groups" in arguments
    uses_vllm = arguments.get("use_vllm") and is_beside
    share = float(arguments.get("vllm_gpu_memory_utilization") or 0.9) if uses_vllm else 0.0
    return Need(
        weights=weights,
        gradients=trained * (COPY if is_megatron else width) / shared[2],
        optimizer=0.0 if is_offloaded else trained * of_one / shared[1],
        reference=weights if has_reference else 0.0,
        activations=_activations(arguments, model, tokens, width),
        sampling=share * device_bytes,
    )


def _adapter_parameters(shapes: Shapes, rank: int) -> int:
    """LoRA on all linear layers: two thin matrices beside each, none beside the embeddings."""
    return sum(
        rank * sum(shape)
        for name, shape in shapes.items()
        if len(shape) == 2 and "embed" not in name and "lm_head" not in name
    )


def _activations(arguments: Mapping[str, Any], model: Path, tokens: int, width: int) -> float:
    config = json.loads((model / "config.json").read_text("utf-8"))
    hidden, layers, words = (
        int(config.get(name) or 0) for name in ("hidden_size", "num_hidden_layers", "vocab_size")
    )
    rows = rows_at_once(arguments)
    is_whole = arguments.get("recompute_granularity") == "none"
    each = WHOLE if is_whole or not arguments.get("gradient_checkpointing", True) else CHECKPOINTED
    return float(prod((rows, tokens, hidden, layers, each, width)) + rows * tokens * words * LOGITS)
