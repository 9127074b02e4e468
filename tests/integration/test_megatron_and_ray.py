"""Megatron and Ray: what starts them, what preflight says where they are missing, what is read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from exports.training import launch
from exports.training.ask import tiny_model
from exports.training.columns import columns_of
from exports.training.dry_run import dry_run
from exports.training.outcome import judge
from exports.training.preflight import Plan, preflight
from exports.training.recipes import get_recipe, stage_arguments
from exports.training.resuming import find_resume_point
from schemas.settings import Settings
from schemas.training import ChainOrder, Check, RunOrder, TrainingStage
from tests.bundles import a_bundle_folder

NO_MODEL = "/nowhere/QwQ-32B"
MEGATRON = "megatron, mcore_bridge, transformer_engine"
ECHO = f"""#!{sys.executable}
import json, os, sys
print(json.dumps({{"words": sys.argv[1:], "caches": os.environ["MODELSCOPE_CACHE"]}}))
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A trainer's environment whose commands say what they were started with."""
    room = tmp_path / "trainer"
    room.mkdir()
    for name in ("swift", "megatron", "ray"):
        (room / name).write_text(ECHO, "utf-8")
        (room / name).chmod(0o755)
    return Settings(home=tmp_path / "home", trainer_python=room / "python")


def shown(settings: Settings, folder: Path, recipe: str, order: ChainOrder) -> list[str]:
    bundle = a_bundle_folder(folder / "bundle", rows=2)
    return dry_run(settings, bundle, recipe, order.model_copy(update={"model": NO_MODEL}))


def run(line: str) -> list[str]:
    """The words that the command of a pasted line was started with."""
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["words"]


def test_megatron_is_started_by_its_own_command_on_every_node(
    settings: Settings, tmp_path: Path
) -> None:
    order = ChainOrder(stages=("sft", "grpo"), nodes=("a", "b", "c"))
    lines = shown(settings, tmp_path, "3x8-megatron", order)
    assert len(lines) == 6
    command = str(settings.trainer_python.with_name("megatron")) if settings.trainer_python else ""
    assert all(command in line for line in lines)
    first, later = (run(f"MASTER_ADDR=10.0.0.1; {lines[at]}") for at in (0, 3))
    assert (first[0], later[0]) == ("sft", "rlhf")
    assert first[first.index("--tensor_model_parallel_size") + 1] == "8"
    assert later[later.index("--model") + 1].endswith("sft/last-checkpoint")
    config = tmp_path / "config.yaml"
    started = launch.stage_command(settings, "sft", config, program="megatron")
    assert started == (command, "sft", str(config))


def test_on_ray_one_command_with_its_file_is_started(settings: Settings, tmp_path: Path) -> None:
    order = ChainOrder(stages=("grpo",), variants=("ray",))
    beside, line = shown(settings, tmp_path, "3x8-megatron", order)
    assert beside.startswith("ray start --head")
    words = run(line)
    assert words[:4] == ["rlhf", "--use_ray", "true", "--config"]
    config = yaml.safe_load(Path(words[4]).read_text("utf-8"))
    assert config["train"] == config["rollout"] == {"gpus": 24}
    assert config["model"] == NO_MODEL
    assert "ENV" not in config
    recipe = get_recipe("3x8-megatron", ["ray"])
    path = tmp_path / "config.yaml"
    started = launch.stage_command(
        settings, "grpo", path, program=recipe.program, arguments=recipe.grpo
    )
    assert started[1:] == (*words[:4], str(path))


def test_sft_on_ray_is_one_command_with_its_groups(settings: Settings, tmp_path: Path) -> None:
    order = ChainOrder(stages=("sft",), variants=("ray",))
    beside, line = shown(settings, tmp_path, "3x8-a100", order)
    assert beside.startswith("ray start --head")
    words = run(line)
    groups = json.loads(words[words.index("--device_groups") + 1])
    assert groups["nproc_per_node"] == 8
    assert groups["default"]["ranks"] == "list(range(0, 24))"
    assert "NNODES" not in line


def test_a_node_starts_the_command_of_the_leader_by_its_own_environment(
    settings: Settings, tmp_path: Path
) -> None:
    written = ("/elsewhere/bin/megatron", "rlhf", "/elsewhere/config.yaml")
    here = launch.command_here(settings, written, tmp_path / "config.yaml")
    assert here == (str(tmp_path / "trainer/megatron"), "rlhf", str(tmp_path / "config.yaml"))


def checks(tmp_path: Path, variants: tuple[str, ...], *nodes: str) -> dict[str, Check]:
    """What preflight says to GRPO by Megatron on this machine."""
    settings = Settings(home=tmp_path / "home")
    bundle = a_bundle_folder(tmp_path / "bundle", rows=12)
    recipe, model = get_recipe("3x8-megatron", variants), str(tiny_model(settings, bundle))
    given = stage_arguments(recipe, "grpo") | {
        "model": model,
        "model_type": "qwen3",
    }
    given |= {"template": "qwen3", "external_plugins": [str(bundle / "reward_plugin.py")]}
    given |= {"dataset": [str(bundle / "grpo.jsonl")]}
    arguments: dict[TrainingStage, dict[str, Any]] = {"grpo": given}
    plan = Plan(bundle, recipe, arguments, model, with_thinking=True, nodes=nodes)
    return {each.name: each for each in preflight(plan, settings).checks}


@pytest.mark.parametrize(
    ("variants", "nodes", "missing"),
    [((), ("a", "b", "c"), f"{MEGATRON}, vllm"), (("ray",), (), f"{MEGATRON}, ray, vllm")],
)
def test_preflight_says_what_the_machine_lacks_for_megatron_and_ray(
    tmp_path: Path, variants: tuple[str, ...], nodes: tuple[str, ...], missing: str
) -> None:
    said = checks(tmp_path, variants, *nodes)
    assert said["packages"].code == "training.packages_missing"
    assert said["packages"].values["packages"] == missing
    failing = {name for name, check in said.items() if not check.is_passed}
    # A machine without devices, and too few questions for 24 of them at once.
    assert failing - {"devices", "batch"} == {"packages"}, said


def test_ray_finds_its_nodes_itself(tmp_path: Path) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle", rows=2)
    recipe = get_recipe("3x8-megatron", ["ray"])
    both: dict[TrainingStage, dict[str, object]] = {"sft": recipe.sft, "grpo": recipe.grpo}
    plan = Plan(bundle, recipe, {"grpo": recipe.grpo}, NO_MODEL, with_thinking=True)

    def code(plan: Plan) -> str:
        result = preflight(plan, Settings(home=tmp_path / "home"))
        return next(each.code for each in result.checks if each.name == "nodes")

    assert code(plan) == "training.passed_nodes"
    assert code(plan._replace(nodes=("a", "b", "c"))) == "training.ray_finds_nodes"
    assert code(plan._replace(arguments=both)) == "training.several_machines"


def test_what_megatron_writes_is_read(tmp_path: Path) -> None:
    output = tmp_path / "output"
    (output / "checkpoint-20").mkdir(parents=True)
    (output / "checkpoint-20" / "model.safetensors").touch()
    (output / "checkpoint-20-merged").mkdir()
    (output / "checkpoint-20-merged" / "model.safetensors").touch()
    lines = [{"loss": 1 / step, "iteration": f"{step}/20"} for step in (10, 20)]
    (output / "logging.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n", "utf-8")
    assert columns_of(tmp_path).steps == [10, 20]
    assert find_resume_point([tmp_path]) is None, "it begins anew"
    order = RunOrder(command=("megatron",), environment={}, token="t", expected_rows=None)
    verdict = judge(tmp_path, order, 0, was_asked_to_stop=True)
    assert verdict.state == "succeeded", "its last step was done"
    assert verdict.checkpoint == str(output / "checkpoint-20")
