"""Completions of several files in one order, their places, and the advantages beside them."""

import json
from pathlib import Path

import pytest

from exports.training.advantages import Advantages, Wanted
from exports.training.rollout_sources import Place, to_place
from exports.training.rollouts import RolloutChoice, Rollouts, page_of
from tests.training_files import a_completion, a_run_folder, write_advantages, write_completions


def a_file(folder: Path, run_folder: Path, *lines: str) -> Rollouts:
    folder.mkdir(parents=True, exist_ok=True)
    write_completions(folder, list(lines))
    rollouts = Rollouts(folder, run_folder)
    rollouts.read_on()
    return rollouts


def test_completions_of_several_files_come_in_one_order_with_the_weights_of_their_run(
    tmp_path: Path,
) -> None:
    run = a_run_folder(tmp_path / "run")
    first = a_file(
        run,
        run,
        a_completion(1, "a", "x", ExpertValidationReward=0.9),
        a_completion(2, "b", "x", ExpertValidationReward=0.2),
    )
    other = a_file(
        run / "members" / "1-b", run, a_completion(1, "c", "x", ExpertValidationReward=0.4)
    )
    choice = RolloutChoice(by="total")
    page = page_of([first, other], choice)
    assert [(row.plan_id, row.source, row.line) for row in page.rows] == [
        ("b", 0, 1),
        ("c", 1, 0),
        ("a", 0, 0),
    ]
    assert page.rows[1].total == pytest.approx(0.7 * 0.5 + 0.3 * 0.4, abs=1e-6)
    assert (page.found, page.written) == (3, 3)
    later = page_of([first, other], choice.model_copy(update={"page": 1}), size=2)
    assert [row.plan_id for row in later.rows] == ["a"]
    assert page_of([], choice).rows == ()


def test_a_place_is_read_back_and_nothing_else_is_one() -> None:
    assert Place("01a2", 7).text == "01a2:7"  # as links in comments have it
    for place in (Place("01a2", 7), Place("01a2", 0, 2)):
        assert to_place(place.text) == place
    for text in ("", "01a2", ":7", "01a2:x", "01a2:-1", "01a2:1:2:3", "01a2:²", "01a2:" + "9" * 40):
        assert to_place(text) is None


def test_an_advantage_is_found_by_step_and_text(tmp_path: Path) -> None:
    a_run_folder(tmp_path)
    write_advantages(tmp_path, 1, {"one": 1.5, "two": -0.5})
    write_advantages(tmp_path, 2, {"one": float("nan")})
    write_advantages(tmp_path, 2, {"one": 9.0})  # ms-swift writes the last step twice
    advantages = Advantages(tmp_path)
    advantages.read_on()
    wanted = [
        Wanted(1, "two"),
        Wanted(1, "one"),
        Wanted(2, "one"),
        Wanted(1, "x"),
        Wanted(3, "one"),
    ]
    assert advantages.of(wanted) == [-0.5, 1.5, None, None, None]
    write_advantages(tmp_path, 3, {"one": 0.25})
    advantages.read_on()
    assert advantages.of(wanted[-1:]) == [0.25]


def test_equal_texts_with_other_advantages_have_none_and_megatron_counts_from_0(
    tmp_path: Path,
) -> None:
    source = a_run_folder(tmp_path) / "output" / "completions.jsonl"
    said = {
        "gen_step": [4] * 4,
        "completion": ["same", "same", "equal", "equal"],
        "advantages": [1.0, -1.0, 0.5, 0.5],
    }
    ray = {"gen_step": 0, "prompt": "p", "completion": "same", "reward": 1.0}
    source.write_text(
        f'{json.dumps(ray)}\n[1]\n{{"step": ["1\n{json.dumps(said)}\n{{"step": [', "utf-8"
    )
    advantages = Advantages(tmp_path)
    advantages.read_on()
    wanted = [Wanted(5, "same"), Wanted(5, "equal"), Wanted(1, "same")]
    assert advantages.of(wanted) == [None, 0.5, None]
    source.unlink()
    advantages.read_on()
    assert advantages.of(wanted) == [None, None, None]
