"""What one click mends: for each check that did not pass, the change of the order that would."""

from collections.abc import Callable, Mapping
from math import ceil, gcd, log2
from typing import Any

from pydantic import JsonValue

from exports.training.batches import devices_of_a_copy, rows_at_once
from exports.training.launch_plan import Plan
from exports.training.variants import list_variants, one_of_each_group
from schemas.project import DEFAULT_WEIGHTS, REWARDS
from schemas.training import ChainOrder, Check, Fix, TrainingStage
from schemas.training_stages import STAGES, TRAINED, Stage, to_training_stage

_STEP = 256
_REWARDS = ("reward_funcs", "reward_weights")


def with_fix(check: Check, plan: Plan) -> Check:
    """The check with its fix, where it has one."""
    maker = None if check.is_passed else _MAKERS.get(check.code.removeprefix("training."))
    return check if maker is None else check.model_copy(update={"fix": maker(check, plan)})


def mended(order: ChainOrder, recipe: str, fix: Fix) -> ChainOrder:
    """The order with the change of a fix."""
    overrides = {stage: dict(given) for stage, given in order.overrides.items()}
    if fix.stage is not None:
        kept = {
            name: value
            for name, value in overrides.get(fix.stage, {}).items()
            if name not in fix.drop
        }
        overrides[fix.stage] = kept | fix.arguments
    variants = order.variants
    if fix.variant is not None:
        variants = one_of_each_group(recipe, [*variants, fix.variant])
    changes = {
        "overrides": {stage: given for stage, given in overrides.items() if given},
        "variants": variants,
        "weights": fix.weights or order.weights,
        "stages": tuple(each for each in order.stages if each not in fix.without),
    }
    return order.model_copy(update=changes)


def _stage_of(check: Check) -> TrainingStage:
    return to_training_stage(str(check.values.get("stage", "grpo")).lower())


def _set(stage: TrainingStage, **arguments: Any) -> Fix:
    values: dict[str, JsonValue] = {
        "stage": stage.upper(),
        "change": ", ".join(f"{name} = {value}" for name, value in arguments.items()),
    }
    return Fix(code="training.fix_set", values=values, stage=stage, arguments=arguments)


def _drop(stage: TrainingStage, *names: str) -> Fix:
    values: dict[str, JsonValue] = {"stage": stage.upper(), "names": ", ".join(names)}
    return Fix(code="training.fix_drop", values=values, stage=stage, drop=names)


def _rename(check: Check, plan: Plan) -> Fix:
    stage, flag = _stage_of(check), str(check.values["flag"])
    near = str(check.values["near"])
    if not near:
        return _drop(stage, flag)
    value = plan.arguments[stage][flag]
    named: dict[str, JsonValue] = {"stage": stage.upper(), "flag": flag, "near": near}
    arguments = {near: value}
    return Fix(
        code="training.fix_rename", values=named, stage=stage, drop=(flag,), arguments=arguments
    )


def _reset(check: Check, plan: Plan) -> Fix:
    """Back to what the recipe says."""
    stage = _stage_of(check)
    known = plan.recipe.stage(stage)
    filled = ("model", "dataset", "external_plugins", "enable_thinking", "output_dir", *_REWARDS)
    changed = [
        name
        for name, value in plan.arguments[stage].items()
        if name not in filled and known.get(name) != value
    ]
    return _drop(stage, *changed)


def _whole_groups(_check: Check, plan: Plan) -> Fix:
    """The smallest accumulation under which completions come in whole groups."""
    grpo = plan.arguments["grpo"]
    group = int(grpo["num_generations"])
    if plan.recipe.program == "megatron":
        return _whole_questions(plan)
    at_once = int(grpo["per_device_train_batch_size"]) * max(1, plan.recipe.devices)
    if group < 2:
        return _set("grpo", num_generations=2, per_device_train_batch_size=2)
    needed = group // gcd(at_once, group)
    have = int(grpo["gradient_accumulation_steps"])
    return _set("grpo", gradient_accumulation_steps=ceil(have / needed) * needed)


def _whole_questions(plan: Plan) -> Fix:
    """The next batch of Megatron with as many whole questions for each copy of the model."""
    grpo = plan.arguments["grpo"]
    group, step = max(2, int(grpo["num_generations"])), _step_of_megatron(plan)
    have = ceil(int(grpo["global_batch_size"]) / (group * step)) * group * step
    return _set("grpo", num_generations=group, global_batch_size=have)


def _step_of_megatron(plan: Plan) -> int:
    grpo = plan.arguments["grpo"]
    devices = plan.recipe.devices * plan.recipe.nodes
    return rows_at_once(grpo) * max(1, devices // devices_of_a_copy(grpo))


def _fewer(_check: Check, plan: Plan) -> Fix:
    if plan.recipe.program == "megatron":
        return _whole_questions(plan)
    group = int(plan.arguments["grpo"]["num_generations"])
    return _set("grpo", per_device_train_batch_size=group, gradient_accumulation_steps=1)


def _own_weights(_check: Check, _plan: Plan) -> Fix:
    weights = dict(zip(REWARDS, DEFAULT_WEIGHTS, strict=True))
    return Fix(code="training.fix_weights", stage="grpo", drop=_REWARDS, weights=weights)


def _room(check: Check, plan: Plan) -> Fix:
    """Room for the longest row, and its completion."""
    stage = _stage_of(check)
    needed = int(str(check.values.get("needed") or check.values.get("longest")))
    rounded = ceil(needed / _STEP) * _STEP
    names = [name for name in ("max_length", "vllm_max_model_len") if name in plan.arguments[stage]]
    return _set(stage, **dict.fromkeys(names, rounded))


def _never_cut(check: Check, _plan: Plan) -> Fix:
    return _set(_stage_of(check), truncation_strategy="delete")


def _without_packages(check: Check, plan: Plan) -> Fix | None:
    missing = str(check.values["packages"]).split(", ")
    for package, variant in (("vllm", "no-vllm"), ("deepspeed", "no-deepspeed")):
        if package in missing:
            return _variant(plan, variant)
    return None


def _less_memory(check: Check, plan: Plan) -> Fix | None:
    """Fewer rows at a time for as many more times, where that is enough; else less to train."""
    stage = _stage_of(check)
    arguments = plan.arguments[stage]
    rows = rows_at_once(arguments)
    needed, free = (float(str(check.values[each])) for each in ("needed", "free"))
    times = 2 ** ceil(log2(needed / free)) if free > 0 else 0
    if 0 < times <= rows and rows % times == 0:
        if plan.recipe.program == "megatron":
            return _set(stage, micro_batch_size=rows // times)
        steps = int(arguments["gradient_accumulation_steps"]) * times
        fewer = {"per_device_train_batch_size": rows // times}
        return _set(stage, **fewer, gradient_accumulation_steps=steps)
    return _variant(plan, "lora") or _variant(plan, "zero3-offload")


def _variant(plan: Plan, name: str) -> Fix | None:
    is_on = name in {each.name for each in plan.recipe.variants}
    if is_on or name not in {each.name for each in list_variants(plan.recipe.name)}:
        return None
    return Fix(code="training.fix_variant", values={"variant": name}, variant=name)


def _leave_out(check: Check, _plan: Plan) -> Fix:
    stage = str(check.values["file"]).removesuffix(".jsonl")
    out: tuple[Stage, ...] = tuple(e for e in STAGES if e in (stage, f"evaluate_{stage}"))
    return Fix(code="training.fix_leave_out", values={"stage": stage.upper()}, without=out)


def _no_adapters(_check: Check, plan: Plan) -> Fix:
    given: list[TrainingStage] = [each for each in TRAINED if each in plan.arguments]
    stage: TrainingStage = next(each for each in given if plan.arguments[each].get("adapters"))
    return _drop(stage, "adapters", "ref_adapters")


def _one_way(check: Check, plan: Plan) -> Fix:
    """The stage that departs from its recipe comes back to it."""
    before = to_training_stage(str(check.values["before"]).lower())
    departs = plan.arguments[before]["tuner_type"] != plan.recipe.stage(before)["tuner_type"]
    return _drop(before if departs else _stage_of(check), "tuner_type")


def _own_thinking(_check: Check, plan: Plan) -> Fix | None:
    grpo = plan.arguments.get("grpo", {})
    is_own = bool(grpo.get("enable_thinking")) == plan.with_thinking
    return None if is_own else _drop("grpo", "enable_thinking")


_MAKERS: Mapping[str, Callable[[Check, Plan], Fix | None]] = {
    "unknown_argument": _rename,
    "argument_refused": _reset,
    "batch_not_divisible": _whole_groups,
    "too_few_rows": _fewer,
    "unknown_reward": _own_weights,
    "weights_differ": _own_weights,
    "no_rewards": _own_weights,
    "probe_pays": _own_weights,
    "prompt_too_long": _room,
    "rows_longer": _room,
    "rows_cut": _never_cut,
    "packages_missing": _without_packages,
    "memory_short": _less_memory,
    "no_rows": _leave_out,
    "adapter_missing": _no_adapters,
    "adapter_misfit": _no_adapters,
    "adapter_forgotten": _one_way,
    "asked_not_to_think": _own_thinking,
    "asked_to_think": _own_thinking,
}
