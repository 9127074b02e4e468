"""Examples in a prompt: written once, shown to the teacher alone, and never too near a question."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.experts import Expert, ExpertList
from schemas.few_shot import (
    MARK,
    Example,
    is_near,
    read_examples,
    wanted_examples,
    without_examples,
    write_examples,
)
from schemas.prompt import built_in_template, render_messages

LIST = ExpertList(
    name="m",
    version=1,
    experts=tuple(Expert(name=name, description="d") for name in ("数据分析专家", "诊断专家")),
)
TEMPLATE = "专家\n{experts}\n{#thinking}想\n{few_shot:2}\n{/thinking}格式 {example}"


def an_example(query: str, *experts: str) -> Example:
    steps: list[dict[str, Any]] = [
        {"expert": name, "sub_questions": [query], "order": place}
        for place, name in enumerate(experts or ("数据分析专家",), start=1)
    ]
    return Example(query, {"rewritten_query": query, "steps": steps})


WRITTEN = write_examples(TEMPLATE, [an_example("上周流量为什么下降"), an_example("怎么给老客发券")])


def _system(template: str, asked: str, *, with_examples: bool) -> str:
    return render_messages(
        template,
        LIST,
        [],
        asked,
        window=0,
        dialect="zh@1",
        with_thinking=True,
        with_examples=with_examples,
    )[0]["content"]


def test_examples_are_shown_in_their_place_and_in_the_dialect() -> None:
    shown = _system(WRITTEN, "本月订单有多少", with_examples=True)
    assert shown.index("想\n用户问题: 上周流量为什么下降\n规划: {") < shown.index("格式")
    assert '"补全后的问题": "怎么给老客发券"' in shown
    assert "few_shot" not in shown


def test_whoever_is_trained_or_served_sees_none() -> None:
    without = TEMPLATE.replace("{few_shot:2}\n", "")
    assert _system(WRITTEN, "问", with_examples=False) == _system(
        without, "问", with_examples=False
    )


def test_no_question_is_shown_itself_or_nearly_itself() -> None:
    shown = _system(WRITTEN, "上周 流量为什么下降？", with_examples=True)
    assert "上周流量为什么下降" not in shown
    assert "怎么给老客发券" in shown


def test_no_question_is_shown_experts_that_its_list_does_not_have() -> None:
    template = write_examples(TEMPLATE, [an_example("怎么退货", "售后专家")])
    assert "怎么退货" not in _system(template, "本月订单有多少", with_examples=True)


def test_an_example_is_never_read_as_part_of_the_template() -> None:
    example = an_example("{experts} {#history}x{/history} {example}")
    shown = _system(write_examples(TEMPLATE, [example]), "本月订单有多少", with_examples=True)
    assert "用户问题: {experts} {#history}x{/history} {example}\n" in shown


def test_without_examples_the_placeholder_goes() -> None:
    assert write_examples(TEMPLATE, []) == TEMPLATE.replace("{few_shot:2}\n", "")
    assert read_examples(TEMPLATE) == ()


def test_a_template_says_how_many_it_wants() -> None:
    assert wanted_examples(TEMPLATE) == 2
    assert wanted_examples("{few_shot:99}") == 16
    assert wanted_examples(WRITTEN) == wanted_examples(built_in_template("zh")) == 0


_MARKS = st.sampled_from(["{/few_shot}", "{#few_shot}", "{few_shot:3}", "few_shot}", "\\", "\n"])
_TEXTS = st.lists(st.one_of(st.text(max_size=20), _MARKS), max_size=4).map("".join)


@given(st.lists(st.tuples(_TEXTS, _TEXTS, _TEXTS), max_size=4))
def test_what_is_written_is_read_back_whatever_stands_in_it(
    texts: list[tuple[str, str, str]],
) -> None:
    examples = [
        Example(query, {"rewritten_query": rewrite, "steps": an_example(asked).plan["steps"]})
        for query, rewrite, asked in texts
    ]
    written = write_examples("a {few_shot} b {example}", examples)
    assert list(read_examples(written)) == examples
    assert wanted_examples(written) == 0
    assert without_examples(written) == (f"a {MARK} b {{example}}" if texts else "a  b {example}")


@given(st.text(max_size=40), st.text(max_size=40))
def test_nearness_is_mutual_and_everything_is_near_itself(one: str, other: str) -> None:
    assert is_near(one, one)
    assert is_near(one, other) == is_near(other, one)
