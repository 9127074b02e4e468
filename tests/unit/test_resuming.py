"""A training goes on from a checkpoint that is whole, and its attempts are one curve."""

import json
from pathlib import Path

import pytest

from exports.training.follow import one_curve_each
from exports.training.outcome import judge
from exports.training.resuming import find_resume_point
from schemas.training import Point, RunOrder


def _checkpoint(folder: Path, step: int, *, steps: int = 100, lacks: str = "") -> Path:
    path = folder / "output" / f"checkpoint-{step}"
    path.mkdir(parents=True)
    state = json.dumps({"global_step": step, "max_steps": steps})
    files = {"model.safetensors": "", "optimizer.pt": "", "trainer_state.json": state}
    for name, content in files.items():
        if name != lacks:
            (path / name).write_text(content)
    return path


@pytest.mark.parametrize("lacks", ["optimizer.pt", "trainer_state.json"])
def test_a_checkpoint_that_was_being_written_is_passed_over(tmp_path: Path, lacks: str) -> None:
    whole = _checkpoint(tmp_path, 20)
    _checkpoint(tmp_path, 30, lacks=lacks)
    assert find_resume_point([tmp_path]) == (str(whole), 20, 100)


def test_a_half_written_state_is_no_checkpoint(tmp_path: Path) -> None:
    (_checkpoint(tmp_path, 20) / "trainer_state.json").write_text('{"global_st')
    assert find_resume_point([tmp_path]) is None


def test_an_attempt_that_saved_nothing_does_not_lose_what_was_saved_before(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    saved = _checkpoint(first, 40)
    second.mkdir()
    assert find_resume_point([first, second]) == (str(saved), 40, 100)


@pytest.mark.parametrize(("step", "state"), [(100, "succeeded"), (40, "failed")])
def test_only_a_training_that_had_been_done_succeeds_without_saving(
    tmp_path: Path, step: int, state: str
) -> None:
    saved = _checkpoint(tmp_path / "first", step)
    (tmp_path / "second").mkdir()
    order = RunOrder(command=("swift",), token="t", resumed_from=str(saved))
    verdict = judge(tmp_path / "second", order, 0, was_asked_to_stop=False)
    assert verdict.state == state
    assert verdict.checkpoint == (str(saved) if step == 100 else None)


def test_what_a_later_attempt_trained_again_replaces_what_was_there() -> None:
    first = {"loss": (Point(1, 3.0), Point(2, 2.0), Point(3, 1.9)), "kl": (Point(3, 0.1),)}
    second = {"loss": (Point(3, 1.5), Point(4, 1.0))}
    assert one_curve_each([first, {}, second]) == {
        "loss": (Point(1, 3.0), Point(2, 2.0), Point(3, 1.5), Point(4, 1.0)),
        "kl": (),
    }
