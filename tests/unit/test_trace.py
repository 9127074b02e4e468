"""Replies in every shape: what is read, what is repaired, what is refused."""

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.experts import Expert, ExpertList
from schemas.scoring.check import FORBIDDEN
from schemas.sentences import LANGUAGES, sentence
from schemas.trace import MAX_REPLY, ReadReply, read_reply

LIST = ExpertList(
    name="merchant",
    version=1,
    experts=(
        Expert(name="数据分析专家", description="查数据", aliases=("数据专家",)),
        Expert(name="诊断专家", description="找原因"),
    ),
)
STEP = '{"专家": "数据分析专家", "处理问题": ["查看经营周报"]}'
ANSWER = f'{{"补全后的问题": "查看经营周报", "plan": [{STEP}]}}'
ENGLISH = (
    '{"rewritten_query": "查看经营周报", "steps": '
    '[{"expert": "数据专家", "sub_questions": ["查看经营周报"], "order": 1}]}'
)
PLAN = {
    "rewritten_query": "查看经营周报",
    "steps": [{"expert": "数据分析专家", "sub_questions": ["查看经营周报"], "order": 1}],
}


def read(content: str | None, reasoning: str | None = None) -> ReadReply:
    return read_reply(content, reasoning, dialect="zh@1", expert_list=LIST)


def plan_of(reply: ReadReply) -> object:
    return reply.plan.to_plain() if reply.plan else None


@pytest.mark.parametrize(
    ("content", "reasoning", "shape"),
    [
        (f"<think>\n想\n</think>\n\n<answer>\n{ANSWER}\n</answer>", None, "inline+answer"),
        (f"<answer>{ANSWER}</answer>", "想", "reasoning+answer"),
        (f"\n\n{ANSWER}", "\n想\n", "reasoning+bare"),
        (f"想\n</think>\n\n<answer>\n{ANSWER}\n</answer>", None, "no_opening+answer"),
        (f"<think>想</think>```json\n{ANSWER}\n```", None, "inline+fenced"),
        (f"<think>想</think>规划如下：\n{ANSWER}\n请查收。", None, "inline+bare"),
        (f"<Thought>想</Thought>{ANSWER}", None, "inline+bare"),
        (f"<think>想<answer>{ANSWER}</answer>", None, "unclosed+answer"),
        (f"<think>想</think><answer>\n{ANSWER}", None, "inline+answer"),
        (f"<think>想</think><answer>```json\n{ENGLISH}\n```</answer>", None, "inline+answer"),
        (f"<think>想</think>先写{{草稿}}再写{ANSWER}", None, "inline+bare"),
        (f"<think>想</think><answer>{ANSWER}</answer>" * 2, None, "inline+answer"),
    ],
)
def test_a_plan_is_read_from_every_shape(content: str, reasoning: str | None, shape: str) -> None:
    reply = read(content, reasoning)
    assert (plan_of(reply), reply.failure, reply.is_repaired) == (PLAN, None, False)
    assert reply.shape == shape
    assert reply.trace is not None
    assert "想" in reply.trace


@pytest.mark.parametrize(
    "broken",
    [
        ANSWER.replace("]}]}", "],}]}"),
        ANSWER.replace('"', "'"),
        ANSWER.replace("]}]}", "]}]"),
        ANSWER.replace(", ", " "),
        ANSWER.replace('"补全后的问题":', "“补全后的问题”："),
        "// 规划\n" + ANSWER.replace("]}]}", "]}] /* 完 */ ,}"),
    ],
)
def test_near_json_is_repaired_and_marked(broken: str) -> None:
    reply = read(f"<answer>{broken}</answer>", "想")
    assert (plan_of(reply), reply.failure, reply.is_repaired) == (PLAN, None, True)


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        ("", "empty"),
        (None, "empty"),
        (" \n", "empty"),
        ("<think>想到一半", "cut_off"),
        (f"<think>想</think><answer>{ANSWER[:-9]}", "cut_off"),
        (ANSWER[:40], "cut_off"),
        ("<think>想</think>", "cut_off"),
        ("<think>想</think>我觉得应该看看周报。", "no_plan"),
        ("<answer>查看周报</answer>", "no_plan"),
        ('<answer>{"weather": "sunny"}</answer>', "not_a_plan"),
        ("<answer>[1, 2]</answer>", "no_plan"),
        ('<answer>{"补全后的问题": "a", "补全后的问题": "b", "plan": []}</answer>', "doubled_keys"),
        ('<answer>{"补全后的问题": "a", "补全后的问题": "b", "plan": [],}</answer>', "broken_json"),
        ('<answer>{"补全后的问题": "a", "plan": ' + "[" * 5000 + "</answer>", "too_deep"),
        ('<answer>{"补全后的问题": "' + "长" * 60_000 + '", "plan": [}</answer>', "too_long"),
        ('<answer>{"补全后的问题": "查看周报"}</answer>', "incomplete"),
        ('<answer>{"补全后的问题": null, "plan": []}</answer>', "incomplete"),
        (ANSWER.replace("数据分析专家", "陌生专家"), "invalid_plan"),
        (ANSWER.replace("查看", "\\u0000"), "invalid_plan"),
        (
            f"<answer>{ANSWER}</answer><answer>{ANSWER.replace('周', '月')}</answer>",
            "several_plans",
        ),
        ("长" * (MAX_REPLY + 1), "too_long"),
    ],
)
def test_what_is_no_plan_says_why(content: str | None, failure: str) -> None:
    reply = read(content)
    assert (reply.plan, reply.failure) == (None, f"replies.{failure}")


def test_an_answer_that_is_almost_a_plan_leaves_a_beginning() -> None:
    unknown = read(ANSWER.replace("数据分析专家", "陌生专家"))
    assert unknown.partial_plan
    assert unknown.partial_plan["steps"][0]["expert"] == "陌生专家"
    assert [each.code for each in unknown.problems] == ["unknown_expert"]
    cut = read(f"<think>想</think><answer>{ANSWER[:-9]}")
    assert cut.partial_plan
    assert cut.partial_plan["rewritten_query"] == "查看经营周报"
    extra = read(ANSWER.replace("]}]}", '], "备注": "x"}], "confidence": 1}'))
    assert extra.failure == "replies.invalid_plan"
    assert extra.partial_plan == PLAN


def test_a_trace_that_talks_about_the_tags_is_kept_whole() -> None:
    trace = "先写 <think> </think>，再写 <answer> 的内容"
    reply = read(f"<think>\n{trace}\n</think>\n\n<answer>\n{ANSWER}\n</answer>")
    assert (reply.trace, plan_of(reply)) == (trace, PLAN)


def test_a_trace_of_200_000_characters_is_read_at_once() -> None:
    trace = "用户想看周报。" * 30_000
    begun = time.perf_counter()
    reply = read(f"<think>{trace}</think><answer>{ANSWER}</answer>")
    assert reply.trace == trace
    assert plan_of(reply) == PLAN
    assert time.perf_counter() - begun < 1


@pytest.mark.parametrize(
    "bomb",
    ["{" * 200_000, "[" * 200_000, '{"plan":' * 20_000, "a{" * 100_000, '"' * 200_000,
     "<think>" * 40_000, "<answer>" * 40_000, "```\n" * 50_000, '{"plan": [{"专家": ' * 2_000,
     '{"a":1,}' * 20_000, '{"plan": 1' + "0" * 5_000 + "}"],
)  # fmt: skip
def test_a_hostile_reply_is_answered_quickly(bomb: str) -> None:
    begun = time.perf_counter()
    reply = read(bomb)
    assert reply.plan is None
    assert reply.failure
    assert time.perf_counter() - begun < 3


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


PIECES = st.sampled_from(
    ["<think>", "</think>", "<answer>", "</answer>", "```json\n", "```", "{", "}", "[", "]", '"',
     ANSWER, ENGLISH, STEP, "补全后的问题", "plan", ":", ",", "\0", "\ud800", "想", "\\u0000"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join), st.none() | st.text(max_size=5))
def test_whatever_comes_can_be_stored_and_told(content: str, reasoning: str | None) -> None:
    reply = read(content, reasoning)
    assert (reply.plan is None) == (reply.failure is not None)
    stored = json.dumps([reply.trace, reply.partial_plan], ensure_ascii=False)
    assert stored.encode("utf-8")
    assert not any(FORBIDDEN.search(text) for text in texts([reply.trace, reply.partial_plan]))
    for language in LANGUAGES:
        assert reply.failure is None or sentence(reply.failure, {}, language)
