"""The exact row of each file."""

# Rows are as long as rows are.
# ruff: noqa: E501

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from exports.formats import (
    Material,
    RowForm,
    agent_row,
    dpo_row,
    grpo_row,
    kto_row,
    line_head,
    sft_row,
    to_line,
)
from exports.lines import apart_from_equals
from schemas.experts import Expert
from schemas.recipe import Think
from schemas.scoring.answer import has_strict_form
from schemas.scoring.check import VISIBLE
from schemas.scoring.context import context_from_row
from tests.exporting import a_plan

FORM = RowForm(with_thinking=True, think=Think(), banned_words=("微信",), is_verbatim=False)
PLAIN = replace(FORM, with_thinking=False)
MATERIAL = Material(
    query_id="q-1",
    channel="accepted",
    messages=(
        {"role": "system", "content": "专家：数据分析专家、诊断专家"},
        {"role": "user", "content": "查看经营周报"},
    ),
    expert_names=("数据分析专家", "诊断专家"),
    list_reference="merchant@2",
    dialect="zh@1",
    plan=a_plan("查看经营周报", "数据分析专家"),
    trace="用户想看周报，交给数据分析专家。",
)
RESERVED = {
    "dataset",
    "completions",
    "trainer_state",
    "system",
    "system_prompt",
    "conversation",
    "conversations",
    "prompt_id",
    "request_id",
    "finish_reason",
    "is_truncated",
    "response_token_ids",
    "rewards",
    "advantages",
    "rollout_infos",
    "add_eos",
    "teacher_prompt",
    "tools",
    "images",
    "objects",
}


def test_an_sft_row() -> None:
    assert to_line(sft_row(MATERIAL, FORM)).decode() == snapshot(
        '{"messages":[{"role":"system","content":"专家：数据分析专家、诊断专家"},{"role":"user","content":"查看经营周报"},{"role":"assistant","content":"<think>\\n用户想看周报，交给数据分析专家。\\n</think>\\n\\n<answer>\\n{\\"补全后的问题\\": \\"查看经营周报\\", \\"plan\\": [{\\"专家\\": \\"数据分析专家\\", \\"处理问题\\": [\\"查看经营周报（数据分析专家）\\"]}]}\\n</answer>"}],"channel":"accepted"}\n'
    )


def test_an_sft_row_without_thinking() -> None:
    assert sft_row(MATERIAL, PLAIN)["messages"][-1]["content"] == snapshot("""\
<answer>
{"补全后的问题": "查看经营周报", "plan": [{"专家": "数据分析专家", "处理问题": ["查看经营周报（数据分析专家）"]}]}
</answer>\
""")


def test_a_grpo_row() -> None:
    assert to_line(grpo_row(MATERIAL, FORM)).decode() == snapshot(
        '{"messages":[{"role":"system","content":"专家：数据分析专家、诊断专家"},{"role":"user","content":"查看经营周报"}],"solution":"{\\"补全后的问题\\": \\"查看经营周报\\", \\"plan\\": [{\\"专家\\": \\"数据分析专家\\", \\"处理问题\\": [\\"查看经营周报（数据分析专家）\\"]}]}","plan_experts":"[\\"数据分析专家\\",\\"诊断专家\\"]","plan_meta":"{\\"dialect\\":\\"zh@1\\",\\"list_version\\":\\"merchant@2\\",\\"with_thinking\\":true,\\"think_min\\":60,\\"think_max\\":180,\\"think_eps\\":null,\\"think_curve\\":\\"article\\",\\"think_unit\\":\\"characters\\",\\"banned_words\\":[\\"微信\\"]}","plan_id":"q-1","chat_template_kwargs":{"enable_thinking":true}}\n'
    )


def test_a_dpo_row() -> None:
    other = MATERIAL._replace(plan=a_plan("查看经营周报", "诊断专家"))
    row = dpo_row(MATERIAL, other, PLAIN)
    assert row["rejected_response"] == snapshot("""\
<answer>
{"补全后的问题": "查看经营周报", "plan": [{"专家": "诊断专家", "处理问题": ["查看经营周报（诊断专家）"]}]}
</answer>\
""")
    assert row["rejected_response"] != row["messages"][-1]["content"]


def test_a_kto_row() -> None:
    row = kto_row(MATERIAL, PLAIN, label=False)
    assert list(row) == ["messages", "channel", "label"]
    assert row["label"] is False


AGENT = MATERIAL._replace(
    agent_system="规划器",
    experts=(Expert(name="数据分析专家", description="查数据"),),
)


def test_an_agent_row_calls_experts_as_tools() -> None:
    assert to_line(agent_row(AGENT, FORM)).decode() == snapshot(
        '{"messages":[{"role":"system","content":"规划器"},{"role":"user","content":"查看经营周报"},{"role":"assistant","content":"<think>\\n用户想看周报，交给数据分析专家。\\n</think>\\n\\n查看经营周报\\n"},{"role":"tool_call","content":"{\\"name\\":\\"数据分析专家\\",\\"arguments\\":{\\"sub_questions\\":[\\"查看经营周报（数据分析专家）\\"],\\"order\\":1}}"}],"tools":"[{\\"type\\":\\"function\\",\\"function\\":{\\"name\\":\\"数据分析专家\\",\\"description\\":\\"查数据\\",\\"parameters\\":{\\"type\\":\\"object\\",\\"properties\\":{\\"sub_questions\\":{\\"type\\":\\"array\\",\\"items\\":{\\"type\\":\\"string\\"},\\"minItems\\":1},\\"order\\":{\\"type\\":\\"integer\\",\\"minimum\\":1}},\\"required\\":[\\"sub_questions\\",\\"order\\"]}}}]","channel":"accepted"}\n'
    )
    plain = agent_row(AGENT, PLAIN)
    assert plain["messages"][-2]["content"] == "查看经营周报\n"


def test_a_plan_without_steps_calls_no_tool() -> None:
    empty = {"rewritten_query": "你好", "steps": []}
    row = agent_row(AGENT._replace(plan=empty), PLAIN)
    assert row["messages"][-1] == {"role": "assistant", "content": "你好\n"}


def test_a_prompt_that_is_not_ours_has_no_agent_form() -> None:
    with pytest.raises(ValueError, match="agent form"):
        agent_row(MATERIAL, FORM)


def test_a_call_in_a_text_is_no_call() -> None:
    plan = a_plan("<tool_call>{}</tool_call>", "数据分析专家")
    row = agent_row(AGENT._replace(plan=plan, trace="<tool_call>"), FORM)
    assert not any("<tool_call>" in each["content"] for each in row["messages"])


def test_a_plain_row_of_a_mix_has_no_thinking_and_says_so_to_its_rewards() -> None:
    plain = MATERIAL._replace(is_plain=True)
    assert sft_row(plain, FORM) == sft_row(MATERIAL, PLAIN)
    row = json.loads(to_line(grpo_row(plain, FORM)))
    assert row["chat_template_kwargs"] == {"enable_thinking": False}
    assert context_from_row(row).with_thinking is False


def test_a_mix_takes_its_share_by_the_cluster() -> None:
    mix = replace(FORM, plain_share=0.3)
    plain = {f"c{n}" for n in range(2000) if mix.is_plain(f"c{n}")}
    assert 0.26 < len(plain) / 2000 < 0.34
    more = replace(FORM, plain_share=0.5)
    assert plain < {f"c{n}" for n in range(2000) if more.is_plain(f"c{n}")}
    assert not any(replace(mix, with_thinking=False).is_plain(each) for each in plain)


def test_an_augmented_row_says_so_and_is_rewarded_by_its_own_list() -> None:
    twin = MATERIAL._replace(is_augmented=True, expert_names=("活动报名专家", "数据分析专家"))
    row = json.loads(to_line(grpo_row(twin, FORM)))
    assert json.loads(row["plan_meta"])["augmented"] is True
    assert context_from_row(row).expert_names == {"活动报名专家", "数据分析专家"}
    assert "augmented" not in json.loads(grpo_row(MATERIAL, FORM)["plan_meta"])


def test_no_key_is_one_that_ms_swift_reserves_or_renames() -> None:
    rows = [
        sft_row(MATERIAL, FORM),
        grpo_row(MATERIAL, FORM),
        dpo_row(MATERIAL, MATERIAL, FORM),
        kto_row(MATERIAL, FORM, label=True),
    ]
    assert RESERVED.isdisjoint({key for row in rows for key in row})


def test_the_rewards_read_what_a_grpo_row_says() -> None:
    context = context_from_row(json.loads(to_line(grpo_row(MATERIAL, FORM))))
    assert context.gold == MATERIAL.plan
    assert context.expert_names == {"数据分析专家", "诊断专家"}
    assert (context.query, context.system_prompt) == (
        "查看经营周报",
        "专家：数据分析专家、诊断专家",
    )
    assert (context.think_min, context.think_max, context.banned_words) == (60, 180, ("微信",))


def test_a_historical_answer_is_rendered_or_verbatim() -> None:
    old = MATERIAL._replace(channel="history", old_answer='{"plan":  []}')
    verbatim = replace(FORM, is_verbatim=True)
    assert has_strict_form(sft_row(old, FORM)["messages"][-1]["content"], with_thinking=True)
    assert sft_row(old, verbatim)["messages"][-1]["content"] == '{"plan":  []}'


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "</answer>",
            "<answer>",
            "</think>",
            "<script>alert(1)</script>",
            "a\nb",
            "{{x}}",
            "\u2028",
        ]
    ),
)


@given(question=HOSTILE, trace=HOSTILE)
def test_no_text_can_break_the_form_of_a_row(question: str, trace: str) -> None:
    plan = a_plan(question, "数据分析专家")
    row = sft_row(MATERIAL._replace(plan=plan, trace=trace), FORM)
    text = row["messages"][-1]["content"]
    assert has_strict_form(text, with_thinking=True) == bool(VISIBLE.search(trace))
    line = to_line(row)
    assert line.count(b"\n") == 1
    assert json.loads(line)["messages"][-1]["content"] == text


def test_neighbours_in_kto_never_have_the_same_answer() -> None:
    assert _kept("aaabcc") == "abacac"
    assert _kept("aaa") == "a"
    assert _kept("abab") == "abab"


def _kept(answers: str) -> str:
    kept = apart_from_equals(range(len(answers)), lambda place: answers[place])
    return "".join(answers[place] for place in kept)


@pytest.mark.parametrize("system", ['旧提示 "引号" \\ \u2028 <b>', ""])
def test_every_line_begins_with_the_head_of_its_system_message(system: str) -> None:
    messages = ({"role": "system", "content": system}, {"role": "user", "content": "问"})
    material = MATERIAL._replace(messages=messages)
    rows = (
        sft_row(material, FORM),
        grpo_row(material, FORM),
        dpo_row(material, material, FORM),
        kto_row(material, FORM, label=True),
    )
    assert all(to_line(row).startswith(line_head(system)) for row in rows)
