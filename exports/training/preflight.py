"""Everything that can be known before a device minute is spent, as named checks with reasons."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from exports.checks.sources import Ground
from exports.training.batches import sampled_together
from exports.training.fitting import (
    check_adapters,
    check_lengths,
    check_memory,
    check_ports,
)
from exports.training.fixes import with_fix
from exports.training.launch_plan import Plan, told
from exports.training.probe_check import ProbePlan, check_probes, plan_probes
from exports.training.verify import read_back, rows_request, to_report
from schemas.project import REWARDS
from schemas.settings import Settings
from schemas.training import Check, VerifyReport

LEAKED = "training.row_of_benchmark"
EMPTY_THINK = "<think>\n\n</think>"
__all__ = ["Plan", "Preflight", "preflight"]

SPARE_BYTES = 1 << 30
SMALLEST_GROUP = 2
"""A group of one has nothing to compare with."""
COPIES = {"full": 4, "lora": 1}
"""Model sizes that a checkpoint takes: weights, and for all of them the optimizer's state too."""


class Said(NamedTuple):
    """What the trainer's interpreter said of a plan: the ground of all checks but the first."""

    plan: Plan
    answers: Mapping[str, Any]
    rows: VerifyReport
    probes: ProbePlan | None


class Preflight(NamedTuple):
    """All checks, in the order in which a person would make them, and what they looked at."""

    checks: tuple[Check, ...]
    said: Said | None

    @property
    def rows(self) -> VerifyReport | None:
        """The rows read back; None where the trainer was not asked."""
        return self.said.rows if self.said else None

    @property
    def is_passed(self) -> bool:
        """Whether training may begin."""
        return all(check.is_passed for check in self.checks)


def preflight(plan: Plan, settings: Settings, ground: Ground | None = None) -> Preflight:
    """Check a plan of training; about ten seconds for a small bundle.

    With the project that the bundle was made from, a question that has become one to evaluate with
    since is found too.

    Raises:
        TrainingError: the trainer's interpreter cannot be asked at all.
    """
    first = look_first(plan, settings)
    if not all(check.is_passed for check in first):
        return Preflight(tuple(with_fix(each, plan) for each in first), None)
    request, probes = _request(plan, settings), _probes(plan)
    if probes is not None:
        request["bench"] = probes.request
    answers, found = read_back(plan.bundle, settings, ground, **request)
    rows = to_report(request["rows"], answers["rows"], found)
    said = Said(plan, answers, rows, probes)
    checks = [*first, *look_closer(said)]
    return Preflight(tuple(with_fix(each, plan) for each in checks), said)


def look_first(plan: Plan, settings: Settings) -> list[Check]:
    """The checks that need no trainer."""
    return [check for look in FIRST.values() for check in look(plan, settings)]


def look_closer(said: Said) -> list[Check]:
    """The checks of what the trainer said."""
    is_grpo = "grpo" in said.plan.arguments
    looks = CLOSER | (OF_GRPO if is_grpo else {})
    return [check for look in looks.values() for check in look(said)]


def _request(plan: Plan, settings: Settings) -> dict[str, Any]:
    first = next(iter(plan.arguments.values()))
    rows = rows_request(
        plan.bundle,
        settings,
        model=plan.model,
        model_type=first["model_type"],
        template=first["template"],
        max_length=first["max_length"],
        with_thinking=plan.with_thinking,
    )
    wanted = {"full": ("msgspec",), "lora": ("msgspec", "peft")}[str(first["tuner_type"])]
    every = [*wanted, *(_packages(plan))]
    request: dict[str, Any] = {
        "machine": every,
        "arguments": [
            {
                "stage": stage,
                "arguments": dict(arguments),
                "is_bare": False,
                "program": plan.recipe.program,
                "devices": plan.recipe.devices * plan.recipe.nodes,
            }
            for stage, arguments in plan.arguments.items()
        ],
        "rows": rows,
    }
    if "grpo" in plan.arguments:
        request["plugin"] = {
            "path": str(plan.bundle / "reward_plugin.py"),
            "rewards": plan.arguments["grpo"]["reward_funcs"],
            "rows": str(plan.bundle / "grpo.jsonl"),
            "with_thinking": plan.with_thinking,
        }
    return request


def _probes(plan: Plan) -> ProbePlan | None:
    grpo = plan.arguments.get("grpo")
    if grpo is None:
        return None
    return plan_probes(plan.bundle, list(grpo["reward_funcs"]), list(grpo["reward_weights"]))


def _packages(plan: Plan) -> Iterator[str]:
    if plan.recipe.program == "megatron":
        yield from ("megatron", "mcore_bridge", "transformer_engine")
    for arguments in plan.arguments.values():
        if arguments.get("use_ray"):
            yield "ray"
        if arguments.get("use_vllm"):
            yield "vllm"
        if arguments.get("deepspeed"):
            yield "deepspeed"


def _model(plan: Plan) -> Check:
    folder = Path(plan.model)
    if not folder.is_dir():
        return told("model", "model_missing", model=plan.model)
    if not (folder / "config.json").exists():
        return told("model", "model_incomplete", model=plan.model)
    return told("model", model=folder.name)


def _disk(plan: Plan, settings: Settings) -> Check:
    model = sum(path.stat().st_size for path in Path(plan.model).glob("*.safetensors"))
    needed = SPARE_BYTES + sum(
        model * COPIES.get(str(each["tuner_type"]), 1) * (int(each["save_total_limit"]) + 1)
        for each in plan.arguments.values()
    )
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free
    sizes = {"free": f"{free / 1e9:.1f}", "needed": f"{needed / 1e9:.1f}"}
    return told("disk", None if free >= needed else "disk_too_full", **sizes)


def _nodes(plan: Plan) -> Check:
    wanted, named = plan.recipe.nodes, len(plan.nodes)
    on_ray = [bool(each.get("use_ray")) for each in plan.arguments.values()]
    if any(on_ray) and named:
        return told("nodes", "ray_finds_nodes")
    if any(on_ray) and all(on_ray):
        return told("nodes", nodes=wanted)
    if named == 0:
        return told("nodes", "several_machines" if wanted > 1 else None, nodes=wanted)
    is_refused = wanted > 1 and named != wanted
    if is_refused:
        return told("nodes", "other_number_of_nodes", nodes=wanted, named=named)
    return told("nodes", nodes=named)


def _data(plan: Plan) -> Iterator[Check]:
    for stage in plan.arguments:
        path = plan.bundle / f"{stage}.jsonl"
        is_there = path.exists() and path.stat().st_size > 0
        yield told(f"data_{stage}", None if is_there else "no_rows", file=path.name)


def _missing(said: Said) -> Check:
    missing = ", ".join(said.answers["machine"]["missing"])
    return told("packages", "packages_missing" if missing else None, packages=missing)


def _devices(said: Said) -> Iterator[Check]:
    wanted, found = said.plan.recipe.devices, said.answers["machine"]["devices"]
    if said.plan.nodes:  # each node says itself what it has
        return
    yield told("devices", "too_few_devices" if found < wanted else None, wanted=wanted, found=found)


def _arguments(said: Said) -> Iterator[Check]:
    for stage in said.answers["arguments"]:
        name = f"arguments_{stage['stage']}"
        if stage["unknown"]:
            flag, near = next(iter(stage["unknown"].items()))
            yield told(name, "unknown_argument", stage=stage["stage"], flag=flag, near=near)
        elif stage["error"]:
            yield told(name, "argument_refused", stage=stage["stage"], line=stage["error"])
        else:
            yield told(name)


def _rows(rows: VerifyReport) -> Check:
    count = sum(file.rows_in for file in rows.files.values())
    others = [each for each in rows.differences if each.code != LEAKED]
    if not others:
        return told("rows", rows=count)
    found = rows.count - (len(rows.differences) - len(others))
    return told("rows", "rows_not_true", count=found, file=others[0].file, line=others[0].line)


def _leak(rows: VerifyReport) -> Check:
    leaks = [each for each in rows.differences if each.code == LEAKED]
    if not leaks:
        return told("leak")
    return told("leak", "rows_leak", count=len(leaks), file=leaks[0].file, line=leaks[0].line)


def _thinking(plan: Plan, rows: VerifyReport) -> Check:
    """A rollout must be asked to think exactly when the bundle's answers do."""
    end, template = rows.prompt_end or "", rows.template
    grpo = plan.arguments.get("grpo")
    if grpo is not None and bool(grpo.get("enable_thinking")) != plan.with_thinking:
        problem = "asked_not_to_think" if plan.with_thinking else "asked_to_think"
        return told("thinking", problem, template=template)
    if plan.with_thinking and EMPTY_THINK in end:
        return told("thinking", "asked_not_to_think", template=template)
    if not plan.with_thinking and "<think>" in end.replace(EMPTY_THINK, ""):
        return told("thinking", "asked_to_think", template=template)
    return told("thinking", template=template)


def _of_probes(said: Said) -> Iterator[Check]:
    if said.probes is not None and _plugin(said.answers["plugin"]).is_passed:
        yield check_probes(said.probes, said.answers["bench"])


def _rewards(plan: Plan) -> Check:
    arguments = plan.arguments["grpo"]
    names, weights = list(arguments["reward_funcs"]), list(arguments["reward_weights"])
    unknown = [name for name in names if name not in REWARDS]
    if not names:
        return told("rewards", "no_rewards")
    if unknown:
        return told("rewards", "unknown_reward", reward=unknown[0])
    if len(names) != len(weights):
        return told("rewards", "weights_differ", rewards=len(names), weights=len(weights))
    return told("rewards", rewards=len(names))


def _batch(plan: Plan, devices: int) -> Check:
    """Completions sampled together must be whole groups (ms-swift's arithmetic, 4.6.0)."""
    arguments = plan.arguments["grpo"]
    sampled = sampled_together(arguments, devices if plan.recipe.devices else 1)
    group = int(arguments["num_generations"])
    rows = (plan.bundle / "grpo.jsonl").read_bytes().count(b"\n")
    problem = None
    if group < SMALLEST_GROUP or sampled % group:
        problem = "batch_not_divisible"
    elif rows * group < sampled:
        problem = "too_few_rows"
    return told("batch", problem, sampled=sampled, group=group, rows=rows)


def _plugin(said: dict[str, Any]) -> Check:
    if said.get("error"):
        return told("plugin", "plugin_broken", line=said["error"])
    if said["missing"]:
        return told("plugin", "plugin_incomplete", reward=said["missing"][0])
    for name, scores in said["scores"].items():
        for kind in ("honest", "garbage"):
            if isinstance(scores[kind], str):
                return told("plugin", "reward_broken", reward=name, line=scores[kind])
        if name in _EARNED and min(scores["honest"], default=1) <= max(
            scores["garbage"], default=0
        ):
            return told("plugin", "reward_blind", reward=name)
    return told("plugin")


_EARNED = frozenset(REWARDS) - {"ThinkLengthReward", "ThinkQualityReward"}


def _prompt(plan: Plan, rows: VerifyReport) -> Check:
    """The prompt and its answer must fit together, or the expert list would be cut."""
    arguments = plan.arguments["grpo"]
    file = rows.files.get("grpo.jsonl")
    longest = int(file.lengths["max"]) if file and file.lengths else 0
    room = int(arguments.get("vllm_max_model_len") or arguments["max_length"])
    needed = longest + int(arguments["max_completion_length"])
    return told("prompt", None if needed <= room else "prompt_too_long", needed=needed, room=room)


def _one(look: Callable[[Said], Check]) -> Callable[[Said], Iterable[Check]]:
    return lambda said: (look(said),)


FIRST: Mapping[str, Callable[[Plan, Settings], Iterable[Check]]] = {
    "model": lambda plan, _: (_model(plan),),
    "disk": lambda plan, settings: (_disk(plan, settings),),
    "nodes": lambda plan, _: (_nodes(plan),),
    "data": lambda plan, _: _data(plan),
}
"""Checks by name, before the trainer is asked; `data` is one for each stage."""
CLOSER: dict[str, Callable[[Said], Iterable[Check]]] = {
    "packages": _one(_missing),
    "devices": _devices,
    "arguments": _arguments,
    "ports": _one(lambda said: check_ports(said.plan)),
    "adapters": _one(lambda said: check_adapters(said.plan)),
    "rows": _one(lambda said: _rows(said.rows)),
    "leak": _one(lambda said: _leak(said.rows)),
    "lengths": _one(lambda said: check_lengths(said.plan, said.rows)),
    "memory": _one(lambda said: check_memory(said.plan, said.rows, said.answers["machine"])),
    "thinking": _one(lambda said: _thinking(said.plan, said.rows)),
}
"""Checks by name, of what the trainer said; `arguments` is one for each stage."""
OF_GRPO: dict[str, Callable[[Said], Iterable[Check]]] = {
    "rewards": _one(lambda said: _rewards(said.plan)),
    "batch": _one(lambda said: _batch(said.plan, said.answers["machine"]["devices"])),
    "plugin": _one(lambda said: _plugin(said.answers["plugin"])),
    "probes": _of_probes,
    "prompt": _one(lambda said: _prompt(said.plan, said.rows)),
}
"""And those of GRPO."""
