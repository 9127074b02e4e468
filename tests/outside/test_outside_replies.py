"""What models of others wrote, read as replies: `make test-data DATA=folder`."""

import ast
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labeling.synthesis.replies import read_body, read_suggestion
from labeling.synthesis.streams import condense
from schemas.experts import Expert, ExpertList
from schemas.repair import added_text
from schemas.scoring.wire import to_text
from schemas.sentences import LANGUAGES, sentence
from tests.outside.test_outside_data import rows_of

pytestmark = pytest.mark.outside_data
LIST = ExpertList(name="m", version=1, experts=(Expert(name="数据分析专家", description="d"),))
FENCES: tuple[Callable[[str], str], ...] = (
    str,
    "<answer>\n{}\n</answer>".format,
    "```json\n{}\n```".format,
    "这是规划：\n{}\n以上。".format,
)
THOUGHT = "先看数据，再诊断。"


def _whole(content: str, reasoning: str | None, finish: str) -> bytes:
    message = {"role": "assistant", "content": content, "reasoning_content": reasoning}
    choice = {"message": message, "finish_reason": finish}
    return json.dumps({"choices": [choice]}, ensure_ascii=False).encode()


def _streamed(content: str, reasoning: str | None, finish: str) -> bytes:
    deltas = [{"reasoning_content": each} for each in reasoning or ""]
    deltas += [{"content": content[at : at + 7]} for at in range(0, len(content), 7)]
    events = [{"choices": [{"delta": each}]} for each in deltas]
    events.append({"choices": [{"delta": {}, "finish_reason": finish}]})
    lines = [f"data: {json.dumps(each)}\n\n" for each in events]
    return condense("".join([": keep-alive\n\n", *lines, "data: [DONE]\n\n"]).encode()) or b""


CARRIERS = (_whole, _streamed)


def _plans(folder: Path) -> Iterator[tuple[dict[str, Any], str, ExpertList]]:
    """Plans that others wrote, in order and with the query for a rewrite where there is none."""
    for name, dialect in (("plans_zh_ultratool", "zh@1"), ("plans_en_ultratool", "en@1")):
        for row in rows_of(folder / f"{name}.jsonl"):
            steps = [
                {"expert": each["expert"], "sub_questions": each["sub_questions"], "order": at}
                for at, each in enumerate(row["gold_plan"]["steps"], start=1)
            ]
            names = dict.fromkeys(each["expert"] for each in steps)
            experts = tuple(Expert(name=each, description="d") for each in names)
            if experts:
                plan = {"rewritten_query": row["query"], "steps": steps}
                yield plan, dialect, ExpertList(name="m", version=1, experts=experts)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("fence", FENCES)
def test_what_is_no_plan_is_refused_with_a_reason_in_whatever_it_comes(
    folder: Path, carrier: Callable[..., bytes], fence: Callable[[str], str]
) -> None:
    seen: Counter[str] = Counter()
    for row in rows_of(folder / "malformed_samples.jsonl"):
        body = carrier(fence(row["text"]), THOUGHT, "stop")
        reading = read_suggestion(read_body(body), "zh@1", LIST)
        assert reading.plan is None, row["id"]
        assert reading.failure is not None
        assert reading.trace == THOUGHT
        assert all(sentence(reading.failure, {}, language) for language in LANGUAGES)
        seen[reading.failure] += 1
    assert seen.total() == 120
    assert seen.keys() <= {
        "replies.broken_json",
        "replies.not_a_plan",
        "replies.no_plan",
        "replies.empty",
    }


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", ["traces_zh_samples", "traces_en_toolrl"])
def test_thinking_is_read_to_the_letter_wherever_it_stands(
    folder: Path, carrier: Callable[..., bytes], name: str
) -> None:
    count = 0
    for row in rows_of(folder / f"{name}.jsonl"):
        inline = read_suggestion(read_body(carrier(row["raw_output"], None, "stop")), "zh@1", LIST)
        aside = read_suggestion(read_body(carrier("…", row["trace"], "stop")), "zh@1", LIST)
        assert inline.trace == aside.trace == row["trace"].strip(), row["id"]
        count += 1
    assert count >= 12


@pytest.mark.parametrize("carrier", CARRIERS)
def test_plans_that_others_wrote_come_back_whole_from_every_carrier(
    folder: Path, carrier: Callable[..., bytes]
) -> None:
    count = 0
    for plan, dialect, experts in _plans(folder):
        text = to_text(plan, dialect)
        for fence in FENCES:
            body = carrier(fence(text), THOUGHT, "stop")
            reading = read_suggestion(read_body(body), dialect, experts)
            assert reading.plan == plan
            assert not reading.is_repaired
        count += 1
    assert count > 300


def test_plans_with_slips_of_form_are_mended_and_marked_and_what_is_cut_off_is_not(
    folder: Path,
) -> None:
    slips: tuple[Callable[[str], str], ...] = (
        lambda text: text[:-1] + ",}",
        lambda text: str(ast.literal_eval(text)),
        lambda text: text.replace('": ', '" : ', 1).replace("}]", "},]", 1),
    )
    mended: Counter[int] = Counter()
    for plan, dialect, experts in _plans(folder):
        text = to_text(plan, dialect)
        for number, slip in enumerate(slips):
            body = _whole(f"<answer>\n{slip(text)}\n</answer>", THOUGHT, "stop")
            reading = read_suggestion(read_body(body), dialect, experts)
            if reading.plan is not None:
                assert reading.plan == plan, (number, slip(text))
                assert reading.is_repaired
                mended[number] += 1
            else:
                assert reading.failure is not None
        cut = _whole(f"<answer>\n{text[: len(text) // 2]}", THOUGHT, "length")
        reading = read_suggestion(read_body(cut), dialect, experts)
        assert (reading.plan, reading.failure) == (None, "replies.cut_off")
    assert all(mended[number] > 300 for number in range(len(slips))), mended


def test_a_repair_is_honest_where_it_says_what_was_there_and_nothing_else(folder: Path) -> None:
    for plan, dialect, _ in _plans(folder):
        told = to_text(plan, dialect)[:-1]
        assert added_text(plan, told) is None
        longer = {**plan, "rewritten_query": f"{plan['rewritten_query']}，再加一句没说过的话"}
        assert added_text(longer, told) == longer["rewritten_query"]
