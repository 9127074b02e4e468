"""Completions are found by offset, whatever the end of their file looks like."""

import time
from pathlib import Path

import pytest

from exports.training.bundle_lines import find_row, prompt_of, query_of
from exports.training.log_lines import LONGEST
from exports.training.rollouts import INDEX, RolloutChoice, Rollouts
from schemas.reward_reasons import reasons
from schemas.scoring.context import context_from_row
from schemas.scoring.rewards import score
from schemas.sentences import LANGUAGES, sentence
from tests.bundles import a_bundle_folder
from tests.training_files import a_completion, a_run_folder, write_completions

MANY = 100_000


def a_run(folder: Path, *lines: str, end: str = "\n") -> Rollouts:
    a_run_folder(folder)
    write_completions(folder, list(lines), end=end)
    return read(folder)


def read(folder: Path) -> Rollouts:
    rollouts = Rollouts(folder)
    rollouts.read_on()
    return rollouts


def test_completions_come_by_any_reward_by_total_step_or_length(tmp_path: Path) -> None:
    rollouts = a_run(
        tmp_path,
        a_completion(1, "a", "x" * 30, ExpertValidationReward=0.9),
        a_completion(2, "b", "x" * 10, ExpertValidationReward=0.1, StrictFormatReward=1),
        a_completion(3, "c", "x" * 20, ExpertValidationReward=0.4),
    )

    def ids(**choice: object) -> list[str]:
        page = rollouts.page(RolloutChoice.model_validate(choice))
        return [row.plan_id for row in page.rows]

    assert ids(by="ExpertValidationReward") == ["b", "c", "a"]
    assert ids(by="ExpertValidationReward", is_descending=True) == ["a", "c", "b"]
    assert ids(by="total") == ["b", "c", "a"]
    assert ids(by="length") == ["b", "c", "a"]
    assert ids(by="step", first_step=2) == ["b", "c"]
    assert ids(reward="ExpertValidationReward", low=0.4, high=0.9) == ["c", "a"]
    assert ids(shortest=15, longest=25) == ["c"]
    assert ids(reward="StrictFormatReward", low=2) == []


def test_the_total_is_the_weighted_sum_of_the_trainer(tmp_path: Path) -> None:
    rollouts = a_run(tmp_path, a_completion(1, "a", "x", ExpertValidationReward=1.0))
    (row,) = rollouts.page(RolloutChoice()).rows
    assert row.total == pytest.approx(0.5 + 0.3 * 0.5, abs=1e-6)
    assert row.step == 1
    assert row.scores["ExpertValidationReward"] == 1.0


def test_a_line_half_written_waits_and_a_broken_or_endless_one_is_passed_over(
    tmp_path: Path,
) -> None:
    whole = a_completion(2, "b", "later")
    rollouts = a_run(tmp_path, a_completion(1, "a", "first"), whole[:25], end="")
    assert len(rollouts.entries) == 1
    write_completions(tmp_path, [whole[25:]])
    rollouts.read_on()
    assert [each.plan_id for each in rollouts.some(range(5))] == ["a", "b"]
    write_completions(tmp_path, ['{"step": 3, "plan', "[1]", "x" * (LONGEST + 100)])
    write_completions(tmp_path, [a_completion(4, "d", "好" * 3)])
    rollouts.read_on()
    page = rollouts.page(RolloutChoice(by="step"))
    assert (page.written, page.unreadable) == (3, 3)
    last = rollouts.one(2)
    assert last is not None
    assert (last.plan_id, last.completion) == ("d", "好好好")
    assert rollouts.one(3) is None


def test_a_file_that_was_written_anew_is_indexed_anew(tmp_path: Path) -> None:
    rollouts = a_run(tmp_path, a_completion(1, "a", "one"), a_completion(1, "b", "two"))
    (tmp_path / "rewards.jsonl").unlink()
    write_completions(tmp_path, [a_completion(1, "c", "new")])
    rollouts.read_on()
    assert [each.plan_id for each in rollouts.some(range(5))] == ["c"]


def test_a_page_of_100_000_completions_takes_less_than_300_ms(tmp_path: Path) -> None:
    """Of an index that another process left on the disk; sorted, filtered, and from the middle."""
    text = "好" * 250
    a_run_folder(tmp_path)
    one = a_completion(1, "plan-of-this-row", text)
    with (tmp_path / "rewards.jsonl").open("w") as file:
        for number in range(MANY):
            file.write(one.replace('"ExpertValidationReward": 0.5',
                                   f'"ExpertValidationReward": {number % 977 / 977}'))  # fmt: skip
            file.write("\n")
    read(tmp_path)
    assert (tmp_path / INDEX).exists()
    began = time.process_time()
    rollouts = read(tmp_path)
    choice = RolloutChoice(by="ExpertValidationReward", low=0.1, reward="total", page=2_000)
    page = rollouts.page(choice)
    seconds = time.process_time() - began
    assert (len(page.rows), page.written) == (20, MANY)
    assert seconds < 0.3, f"{seconds:.3f} s"


def test_what_a_completion_answers_is_found_in_the_bundle(tmp_path: Path) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle")
    first = (bundle / "grpo.jsonl").read_text("utf-8").splitlines()[7]
    row = find_row(bundle, context_id(first))
    assert row is not None
    assert query_of(row)
    assert query_of(row) in prompt_of(row)
    assert find_row(bundle, "nobody") is None
    assert find_row(tmp_path / "gone", context_id(first)) is None


def context_id(line: str) -> str:
    return line.partition('"plan_id": "')[2].partition('"')[0]


BAD = {
    "StrictFormatReward": "<answer>{}</answer> and more",
    "JSONValidReward": "<think>\n想\n</think>\n\n<answer>\n[1]\n</answer>",
    "ThinkLengthReward": "<think>\n短\n</think>\n\n<answer>\n{}\n</answer>",
    "ThinkQualityReward": "<think>\n" + "同样的话说了一遍又一遍。" * 9 + "\n</think>",
    "CorrectnessReward": "<answer>\n{}\n</answer>",
    "ExpertValidationReward": '<answer>{"rewritten_query": "x", "steps": [{"expert": "陌生人", '
    '"sub_questions": ["x"], "order": 1}]}</answer>',
    "ProcessingQualityReward": '<answer>{"rewritten_query": "x", "steps": []}</answer>',
}


@pytest.mark.parametrize("reward", list(BAD))
def test_a_reward_below_one_says_why_in_both_languages(tmp_path: Path, reward: str) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle")
    line = (bundle / "grpo.jsonl").read_text("utf-8").splitlines()[3]
    row = find_row(bundle, context_id(line))
    assert row is not None
    context = context_from_row(row)
    scores = score(BAD[reward], context)
    assert scores[reward] < 1
    why = reasons(BAD[reward], context, scores)
    assert reward in why
    for language in LANGUAGES:
        assert all(sentence(each.code, each.values, language) for each in why.values())


def test_an_honest_answer_needs_no_reasons(tmp_path: Path) -> None:
    bundle = a_bundle_folder(tmp_path / "bundle")
    line = (bundle / "grpo.jsonl").read_text("utf-8").splitlines()[3]
    row = find_row(bundle, context_id(line))
    assert row is not None
    honest = f"<answer>\n{row['solution']}\n</answer>"
    context = context_from_row(row)
    why = reasons(honest, context, score(honest, context))
    assert why.keys() <= {"StrictFormatReward", "ThinkLengthReward", "ThinkQualityReward"}
