"""A recipe for several machines: named nodes pass preflight, and each node has its own command."""

import subprocess
from pathlib import Path

import pytest

from exports.training.dry_run import dry_run
from exports.training.gangs import Member, verdict
from exports.training.members import node_environment
from exports.training.preflight import Plan, preflight
from exports.training.recipes import get_recipe
from schemas.settings import Settings
from schemas.training import ChainOrder, TrainingStage
from tests.bundles import a_bundle_folder

NO_MODEL = "/nowhere/QwQ-32B"


@pytest.mark.parametrize(
    ("nodes", "code"),
    [
        ((), "training.several_machines"),
        (("a", "b"), "training.other_number_of_nodes"),
        (("a", "b", "c"), "training.passed_nodes"),
    ],
)
def test_a_recipe_for_three_nodes_wants_three_named(
    tmp_path: Path, nodes: tuple[str, ...], code: str
) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle", rows=2)
    recipe = get_recipe("3x8-a100")
    arguments: dict[TrainingStage, dict[str, object]] = {"sft": recipe.sft}
    plan = Plan(bundle, recipe, arguments, NO_MODEL, with_thinking=True)
    checks = preflight(plan._replace(nodes=nodes), Settings(home=tmp_path)).checks
    assert [each.code for each in checks if each.name == "nodes"] == [code]


def test_each_node_has_its_command_and_the_shell_asks_for_an_unknown_address(
    tmp_path: Path,
) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle", rows=2)
    order = ChainOrder(stages=("sft",), model=NO_MODEL)
    lines = dry_run(Settings(home=tmp_path), bundle, "3x8-a100", order)
    assert len(lines) == 3
    for rank, line in enumerate(lines):
        assert line.startswith(f"# SFT, node {rank + 1}\n")
        assert f" NODE_RANK={rank} " in line
        assert "NNODES=3 NPROC_PER_NODE=8 " in line
    asked = subprocess.run(["sh", "-c", lines[0]], capture_output=True, text=True, check=False)
    assert asked.returncode != 0
    assert "the address of the first machine" in asked.stderr


def test_a_known_address_stands_in_the_command(tmp_path: Path) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle", rows=2)
    order = ChainOrder(stages=("sft",), model=NO_MODEL, nodes=("a", "b"))
    lines = dry_run(Settings(home=tmp_path), bundle, "cpu-smoke", order, {"a": "10.0.0.5"})
    assert [line.splitlines()[0] for line in lines] == ["# SFT, a", "# SFT, b"]
    assert all("MASTER_ADDR=10.0.0.5 MASTER_PORT=29500" in line for line in lines)
    assert all("--use_cpu True" in line for line in lines)


def test_one_machine_needs_no_environment_of_nodes(tmp_path: Path) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle", rows=2)
    order = ChainOrder(stages=("sft",), model=NO_MODEL)
    (line,) = dry_run(Settings(home=tmp_path), bundle, "cpu-smoke", order)
    assert "NODE_RANK" not in line


def test_a_member_sees_its_devices_and_starts_one_process_for_each() -> None:
    environment = node_environment(3, 1, "10.0.0.5", 4000, ["2", "3"])
    assert environment == {
        "NNODES": "3",
        "NODE_RANK": "1",
        "MASTER_ADDR": "10.0.0.5",
        "MASTER_PORT": "4000",
        "NPROC_PER_NODE": "2",
        "CUDA_VISIBLE_DEVICES": "2,3",
    }
    assert "CUDA_VISIBLE_DEVICES" not in node_environment(2, 0, "10.0.0.5", 4000, [])


def _member(rank: int, state: str, reason: str | None, ended_at: float, **values: str) -> Member:
    return Member(rank, "abc"[rank], state, reason, values, ended_at)


def test_the_cause_is_told_and_not_its_echo() -> None:
    echo = _member(0, "failed", "training.exited", 1.0, line="Connection closed by peer")
    killed = _member(1, "failed", "training.killed_by_signal", 2.0, signal="SIGKILL")
    ended = _member(2, "failed", "training.killed_by_signal", 0.5, signal="SIGTERM")
    said = verdict([echo, killed, ended], is_stopping=False)
    assert (said.reason, said.values) == (
        "training.member_killed",
        {"node": "b", "signal": "SIGKILL"},
    )


def test_a_lost_node_comes_before_everything() -> None:
    killed = _member(0, "failed", "training.killed_by_signal", 1.0, signal="SIGKILL")
    lost = _member(1, "lost", "training.node_lost", 9.0)
    said = verdict([killed, lost], is_stopping=False)
    assert (said.state, said.reason, said.values) == (
        "failed",
        "training.node_lost",
        {"node": "b"},
    )


def test_all_must_have_succeeded() -> None:
    done = [_member(rank, "succeeded", "training.succeeded", 1.0) for rank in (0, 1)]
    assert verdict(done, is_stopping=False).state == "succeeded"
    saved = _member(0, "stopped", "training.stopped_saved", 1.0, checkpoint="checkpoint-4")
    said = verdict([saved, done[1]], is_stopping=True)
    assert (said.state, said.reason) == ("stopped", "training.stopped_saved")
